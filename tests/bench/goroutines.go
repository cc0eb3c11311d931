// SPDX-License-Identifier: MIT
// What a switch from one goroutine to another costs: two of them on one thread hand a word to and fro. Prints
// ns of CPU time a switch.
package main

import (
	"fmt"
	"runtime"
	"syscall"
)

func cpu() int64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func main() {
	const n = 100000
	runtime.GOMAXPROCS(1)
	there, back := make(chan int), make(chan int)
	go func() {
		for i := 0; i < n; i++ {
			<-there
			back <- i
		}
	}()
	begin := cpu()
	for i := 0; i < n; i++ {
		there <- i
		<-back
	}
	fmt.Println(float64(cpu()-begin) / (2 * n))
}
