// SPDX-License-Identifier: MIT
// bench-package: golang-go

// A goroutine for each call, joined by a channel or, what is quicker, a WaitGroup.
package main

import (
	"runtime"
	"sync"

	"hocket.bench/common"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	var group sync.WaitGroup
	var left int
	group.Add(1)
	go func() {
		left = fib(n - 1)
		group.Done()
	}()
	right := fib(n - 2)
	group.Wait()
	return left + right
}

func main() {
	common.Start()
	if common.Case != "task-1" && common.Case != "task-2" {
		common.Skip()
	}
	runtime.GOMAXPROCS(int(common.Case[5] - '0'))
	common.Batches(28656, func() {
		if fib(22) != 17711 {
			common.Fail("wrong sum")
		}
	})
}
