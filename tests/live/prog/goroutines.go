// SPDX-License-Identifier: MIT
// Goroutines whose every wait is known, each noted by the goroutine itself: one JSON object at the end.
package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

type wait struct {
	What string
	Mark string // the line ends in a comment of this text
	T0   int64
	T1   int64
}

type history struct {
	Name  string
	Waits []wait
}

func now() int64 {
	var ts syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

func goid() int {
	var buf [64]byte
	fields := bytes.Fields(buf[:runtime.Stack(buf[:], false)])
	n, _ := strconv.Atoi(string(fields[1]))
	return n
}

var all = map[int]*history{}
var allLock sync.Mutex
var done = make(chan bool, 100)

func start(name string, run func(note func(what, mark string, wait func()))) {
	go worker(name, run) // starts
}

func worker(name string, run func(note func(string, string, func()))) {
	h := &history{Name: name, Waits: make([]wait, 0, 1000)}
	id := goid()
	allLock.Lock()
	all[id] = h
	allLock.Unlock()
	time.Sleep(20 * time.Millisecond)
	run(func(what, mark string, w func()) {
		t0 := now()
		w()
		h.Waits = append(h.Waits, wait{what, mark, t0, now()})
	})
	done <- true
}

const rounds = 50

func main() {
	if len(os.Args) > 1 { // until it is killed
		os.Stdout.WriteString("\n")
		for {
			time.Sleep(100 * time.Microsecond)
		}
	}
	in, out := make(chan int), make(chan int)
	start("receiver", func(note func(string, string, func())) {
		for i := 0; i < rounds; i++ {
			note("condition:chan receive", "receives", func() {
				<-in // receives
			})
		}
		for i := 0; i < rounds; i++ {
			note("sleep", "sleeps", func() {
				time.Sleep(time.Millisecond) // sleeps
			})
			<-out
		}
	})
	start("sender", func(note func(string, string, func())) {
		for i := 0; i < rounds; i++ {
			note("sleep", "sleeps too", func() {
				time.Sleep(time.Millisecond) // sleeps too
			})
			in <- i
		}
		for i := 0; i < rounds; i++ {
			note("condition:chan send", "sends", func() {
				out <- i // sends
			})
		}
	})
	never := make(chan int)
	tick := make(chan int)
	start("selector", func(note func(string, string, func())) {
		for i := 0; i < rounds; i++ {
			note("condition:select", "selects", func() {
				select { // selects
				case <-tick:
				case <-never:
				}
			})
		}
	})
	start("ticker", func(note func(string, string, func())) {
		for i := 0; i < rounds; i++ {
			time.Sleep(time.Millisecond)
			tick <- 1
		}
	})
	var mutex sync.Mutex
	var group sync.WaitGroup
	group.Add(1)
	mutex.Lock()
	start("locker", func(note func(string, string, func())) {
		note("mutex", "", func() {
			mutex.Lock()
		})
		mutex.Unlock()
		group.Done()
	})
	start("joiner", func(note func(string, string, func())) {
		note("join", "joins", func() {
			group.Wait() // joins
		})
	})
	here, there := sockets()
	start("reader", func(note func(string, string, func())) {
		var one [1]byte
		note("network", "reads", func() {
			here.Read(one[:]) // reads
		})
	})
	time.Sleep(60 * time.Millisecond)
	there.Write([]byte("x"))
	mutex.Unlock()
	for i := 0; i < 7; i++ {
		<-done
	}
	json.NewEncoder(os.Stdout).Encode(all)
}

func sockets() (net.Conn, net.Conn) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	server, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	return client, server
}
