// SPDX-License-Identifier: MIT
// bench-package: golang-go

// Goroutines counted by a WaitGroup.
package main

import (
	"runtime"
	"sort"
	"sync"
	"time"

	"hocket.bench/common"
)

var group sync.WaitGroup

func empty() { group.Done() }

func batch(count int) func() {
	return func() {
		group.Add(count)
		for i := 0; i < count; i++ {
			go empty()
		}
		group.Wait()
	}
}

// As BENCH_GRAIN of common/bench.h.
const grainSteps = 4000

var sink uint64

func grain() {
	x := uint64(1)
	for i := 0; i < grainSteps; i++ {
		x = x*6364136223846793005 + 1
	}
	if x == 0 {
		sink = x
	}
	group.Done()
}

func grains() {
	group.Add(1000)
	for i := 0; i < 1000; i++ {
		go grain()
	}
	group.Wait()
}

// A goroutine bound to its OS thread is the nearest thing to a thread that is no worker.
func outside(pause time.Duration) {
	runtime.LockOSThread()
	var samples []float64
	for start := time.Now(); time.Since(start) < common.Budget || len(samples) < 3; {
		time.Sleep(pause)
		before := time.Now()
		group.Add(1)
		go empty()
		group.Wait()
		samples = append(samples, float64(time.Since(before).Nanoseconds()))
	}
	sort.Float64s(samples)
	common.Print(samples, "ns")
}

func main() {
	common.Start()
	switch common.Case {
	case "one-1":
		runtime.GOMAXPROCS(1)
		one := batch(1)
		common.Batches(100, func() {
			for i := 0; i < 100; i++ {
				one()
			}
		})
	case "batch-1", "batch-2":
		runtime.GOMAXPROCS(int(common.Case[6] - '0'))
		common.Batches(1000, batch(1000))
	case "tasks-1", "tasks-2":
		runtime.GOMAXPROCS(int(common.Case[6] - '0'))
		common.Batches(10000, batch(10000))
	case "grain-1", "grain-2":
		runtime.GOMAXPROCS(int(common.Case[6] - '0'))
		common.Batches(1000, grains)
	case "outside-awake":
		outside(0)
	case "outside-asleep":
		outside(2 * time.Millisecond)
	default:
		common.Skip()
	}
}
