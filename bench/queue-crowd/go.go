// SPDX-License-Identifier: MIT
// bench-package: golang-go

// Goroutines on two P: it has no threads of its own to offer.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"hocket.bench/common"
)

func main() {
	common.Start()
	var pairs, consumers int
	if n, _ := fmt.Sscanf(common.Case, "%dp%dc", &pairs, &consumers); n != 2 || pairs != consumers {
		common.Skip()
	}
	runtime.GOMAXPROCS(2)
	each := 200000 / pairs
	channel := make(chan uint64, 128)
	common.Batches(each*pairs, func() {
		var group sync.WaitGroup
		var total uint64
		group.Add(2 * pairs)
		for i := 0; i < pairs; i++ {
			go func() {
				for n := 0; n < each; n++ {
					channel <- uint64(n)
				}
				group.Done()
			}()
			go func() {
				sum := uint64(0)
				for n := 0; n < each; n++ {
					sum += <-channel
				}
				atomic.AddUint64(&total, sum)
				group.Done()
			}()
		}
		group.Wait()
		if total != uint64(pairs)*(uint64(each)*uint64(each-1)/2) {
			common.Fail("wrong sum")
		}
	})
}
