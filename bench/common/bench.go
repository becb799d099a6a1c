// SPDX-License-Identifier: MIT

// Package common is what every Go contender shares; bench.h, its twin in C, has the protocol.
package common

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"
)

// Case is the case asked for, Budget the time to measure for.
var (
	Case   string
	Budget time.Duration
)

// Start reads `contender CASE MILLISECONDS`.
func Start() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: contender CASE MILLISECONDS")
		os.Exit(2)
	}
	ms, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	Case, Budget = os.Args[1], time.Duration(ms)*time.Millisecond
}

// Skip ends a contender that has no answer to the case.
func Skip() { os.Exit(77) }

// Fail ends a contender that found its own result wrong.
func Fail(what string) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", Case, what)
	os.Exit(1)
}

// Print prints the median and the best of the samples.
func Print(samples []float64, unit string) {
	sort.Float64s(samples)
	fmt.Printf("time %.3f %s\n", samples[len(samples)/2], unit)
	fmt.Printf("best %.3f %s\n", samples[0], unit)
}

// Batches runs batches of the given number of operations and prints the time of one operation.
func Batches(operations int, batch func()) {
	start := time.Now()
	for time.Since(start) < Budget/5 {
		batch()
	}
	var samples []float64
	start = time.Now()
	now := start
	for now.Sub(start) < Budget || len(samples) < 3 {
		before := now
		batch()
		now = time.Now()
		samples = append(samples, float64(now.Sub(before).Nanoseconds())/float64(operations))
	}
	Print(samples, "ns")
}
