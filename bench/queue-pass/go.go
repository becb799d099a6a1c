// SPDX-License-Identifier: MIT
// bench-package: golang-go

// Channels, on one P, or two for threads.
package main

import (
	"runtime"
	"sync"

	"hocket.bench/common"
)

func pingPong(count int) {
	there, back := make(chan uint64), make(chan uint64)
	var group sync.WaitGroup
	common.Batches(count, func() {
		group.Add(2)
		go func() {
			n := uint64(0)
			for i := 0; i < count; i++ {
				there <- n
				n = <-back
			}
			if n != uint64(count) {
				common.Fail("wrong sum")
			}
			group.Done()
		}()
		go func() {
			for i := 0; i < count; i++ {
				back <- <-there + 1
			}
			group.Done()
		}()
		group.Wait()
	})
}

func pass(count int) {
	channel := make(chan uint64, 128)
	var group sync.WaitGroup
	common.Batches(count, func() {
		group.Add(2)
		go func() {
			for n := 0; n < count; n++ {
				channel <- uint64(n)
			}
			group.Done()
		}()
		go func() {
			sum := uint64(0)
			for i := 0; i < count; i++ {
				sum += <-channel
			}
			if sum != uint64(count)*uint64(count-1)/2 {
				common.Fail("wrong sum")
			}
			group.Done()
		}()
		group.Wait()
	})
}

func main() {
	common.Start()
	runtime.GOMAXPROCS(1)
	switch common.Case {
	case "unbuffered":
		pingPong(10000)
	case "cap128-fibers":
		pass(50000)
	case "cap128-threads":
		runtime.GOMAXPROCS(2)
		pass(200000)
	default:
		common.Skip()
	}
}
