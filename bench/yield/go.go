// SPDX-License-Identifier: MIT
// bench-package: golang-go

// Goroutines on one P.
package main

import (
	"runtime"
	"sync"

	"hocket.bench/common"
)

func main() {
	common.Start()
	count := 2
	switch common.Case {
	case "fibers-2":
	case "fibers-1000":
		count = 1000
	default:
		common.Skip()
	}
	runtime.GOMAXPROCS(1)
	rounds := 20000 / count
	var group sync.WaitGroup
	common.Batches(rounds*count, func() {
		group.Add(count)
		for i := 0; i < count; i++ {
			go func() {
				for r := 0; r < rounds; r++ {
					runtime.Gosched()
				}
				group.Done()
			}()
		}
		group.Wait()
	})
}
