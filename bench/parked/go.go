// SPDX-License-Identifier: MIT
// bench-package: golang-go

// Goroutines that wait for a channel to be closed, one P.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"hocket.bench/common"
)

const round = 20000

func resident() float64 {
	var size, pages int
	f, err := os.Open("/proc/self/statm")
	if err != nil {
		common.Fail(err.Error())
	}
	defer f.Close()
	if _, err := fmt.Fscan(f, &size, &pages); err != nil {
		common.Fail(err.Error())
	}
	return float64(pages * os.Getpagesize())
}

var (
	gate  chan struct{}
	group sync.WaitGroup
)

func park(n int) {
	var waiting int64
	gate = make(chan struct{})
	group.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			atomic.AddInt64(&waiting, 1)
			<-gate
			group.Done()
		}()
	}
	for atomic.LoadInt64(&waiting) < int64(n) {
		runtime.Gosched()
	}
}

func release() {
	close(gate)
	group.Wait()
}

func main() {
	common.Start()
	runtime.GOMAXPROCS(1)
	n := round
	switch common.Case {
	case "bytes-1m":
		n = 1000000
	case "bytes-100k":
		n = 100000
	case "fresh", "recycled":
	default:
		common.Skip()
	}
	before := resident()
	start := time.Now()
	if common.Case == "recycled" {
		park(n)
		release()
		start = time.Now()
	}
	park(n)
	took, bytes := float64(time.Since(start).Nanoseconds()), resident()-before
	if n == round {
		fmt.Printf("time %.3f ns\n", took/float64(n))
	} else {
		fmt.Printf("time %.1f B\n", bytes/float64(n))
	}
	release()
}
