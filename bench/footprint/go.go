// SPDX-License-Identifier: MIT
// bench-package: golang-go

// A goroutine does the work, main waits for it.
package main

import (
	"io"
	"os"
)

func main() {
	done := make(chan struct{})
	idle := len(os.Args) > 1 && os.Args[1] == "idle"
	go func() {
		if idle {
			os.Stdout.WriteString("ready\n")
			io.Copy(io.Discard, os.Stdin)
		} else {
			os.Stdout.WriteString("hello\n")
		}
		close(done)
	}()
	<-done
}
