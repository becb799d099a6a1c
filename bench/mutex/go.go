// SPDX-License-Identifier: MIT
// bench-package: golang-go

// sync.Mutex between goroutines: the same shape as shape.h, where it is explained.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hocket.bench/common"
)

var (
	mutex   sync.Mutex
	guarded uint64 = 1
	total   int64
	stop    uint32
	keep    uint64
)

type count struct {
	pairs   int64
	longest time.Duration
	_       [112]byte
}

func worker(index int, work, timed bool, ret *count) {
	var c count
	own := uint64(index) + 1
	private := 0
	if work {
		private = 10
	}
	var before time.Time
	for atomic.LoadUint32(&stop) == 0 {
		if timed {
			before = time.Now()
		}
		mutex.Lock()
		if timed {
			if waited := time.Since(before); waited > c.longest {
				c.longest = waited
			}
		}
		x := guarded
		for i := 0; i < 2; i++ {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
		guarded = x
		total++
		mutex.Unlock()
		c.pairs++
		for i := 0; i < private; i++ {
			own ^= own << 13
			own ^= own >> 7
			own ^= own << 17
		}
	}
	atomic.AddUint64(&keep, own)
	*ret = c
}

func pass(tasks int, work, timed bool) {
	counts := make([]count, tasks)
	var group, ready sync.WaitGroup
	begin := make(chan struct{})
	total = 0
	atomic.StoreUint32(&stop, 0)
	group.Add(tasks)
	ready.Add(tasks)
	for i := 0; i < tasks; i++ {
		go func(i int) {
			ready.Done()
			<-begin
			worker(i, work, timed, &counts[i])
			group.Done()
		}(i)
	}
	ready.Wait()
	close(begin)
	start := time.Now()
	budget := common.Budget
	if !timed {
		budget *= 2
	}
	time.Sleep(budget)
	atomic.StoreUint32(&stop, 1)
	elapsed := time.Since(start)
	group.Wait()
	report(counts, elapsed, timed)
}

func report(counts []count, elapsed time.Duration, timed bool) {
	least, most, sum := counts[0].pairs, int64(0), int64(0)
	longest := time.Duration(0)
	for _, c := range counts {
		sum += c.pairs
		if c.pairs < least {
			least = c.pairs
		}
		if c.pairs > most {
			most = c.pairs
		}
		if c.longest > longest {
			longest = c.longest
		}
	}
	if sum != total {
		common.Fail("the lock let two in at once")
	}
	if timed {
		fmt.Printf("longest %.1f us\n", float64(longest.Nanoseconds())/1000)
	} else {
		fmt.Printf("time %.3f ns\n", float64(elapsed.Nanoseconds())/float64(sum))
		fmt.Printf("fair %.3f ratio\n", float64(least)/float64(most))
	}
}

func main() {
	common.Start()
	if common.Case == "uncontended" {
		common.Batches(10000, func() {
			for i := 0; i < 10000; i++ {
				mutex.Lock()
				total++
				mutex.Unlock()
			}
		})
		return
	}
	var tasks int
	var kind string
	n, _ := fmt.Sscanf(common.Case, "%d-%s", &tasks, &kind)
	if n != 2 || tasks < 1 || (kind != "work" && kind != "bare") {
		common.Skip()
	}
	pass(tasks, kind == "work", false)
	pass(tasks, kind == "work", true)
}
