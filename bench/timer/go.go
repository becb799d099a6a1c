// SPDX-License-Identifier: MIT
// bench-package: golang-go

// time.AfterFunc: a 4-ary heap for each P; a callback is a goroutine of its own.
package main

import (
	"math/rand"
	"sort"
	"sync"
	"time"

	"hocket.bench/common"
)

const count, batch = 100000, 1000

func never() { common.Fail("a timer came that was cancelled") }

func someTime() time.Duration { return time.Hour + time.Duration(rand.Int63n(int64(time.Hour))) }

func lateness(percent int) {
	late := make([]float64, count)
	var group sync.WaitGroup
	group.Add(count)
	start := time.Now()
	for i := 0; i < count; i++ {
		after := time.Second/2 + time.Duration(rand.Int63n(int64(time.Second)))
		i, due := i, start.Add(after)
		time.AfterFunc(time.Until(due), func() {
			late[i] = float64(time.Since(due).Nanoseconds()) / 1000
			group.Done()
		})
	}
	group.Wait()
	sort.Float64s(late)
	common.Print(late[count*percent/100:count*percent/100+1], "us")
}

func main() {
	common.Start()
	pending := 1
	switch common.Case {
	case "armed-1m":
		pending = 1000000
	case "at-once":
	case "late-p50":
		lateness(50)
		return
	case "late-p99":
		lateness(99)
		return
	default:
		common.Skip()
	}
	all := make([]*time.Timer, pending)
	for i := range all {
		all[i] = time.AfterFunc(someTime(), never)
	}
	next := 0
	common.Batches(batch, func() {
		for i := 0; i < batch; i++ {
			all[next].Stop()
			all[next].Reset(someTime())
			next = (next + 1) % pending
		}
	})
}
