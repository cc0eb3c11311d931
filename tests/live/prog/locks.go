// SPDX-License-Identifier: MIT
// locks.go - a Go program whose goroutines fight over a mutex and hand over through a channel. Its threads wait in
// futexes of the Go runtime, which have no owner.
package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	var lock sync.Mutex
	var all sync.WaitGroup
	shared := 0

	for g := 0; g < 4; g++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < 100; i++ {
				lock.Lock()
				shared++
				time.Sleep(300 * time.Microsecond)
				lock.Unlock()
			}
		}()
	}
	all.Wait()
	messages := make(chan int)
	go func() {
		for i := 0; i < 100; i++ {
			time.Sleep(200 * time.Microsecond)
			messages <- i
		}
		close(messages)
	}()
	for range messages {
		shared++
	}
	fmt.Println("sum", shared)
}
