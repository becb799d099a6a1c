/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_DUMP_SIGNAL_H
#define HOCKET_TRACE_DUMP_SIGNAL_H

/*
 * dump_signal - what `hocket dump` and a program say to each other
 *
 * A program that takes a signal for dumps has a page mapped that /proc/PID/maps shows by this
 * name and the signal's number.  `hocket dump` queues that signal with a value: this mark, and in
 * the low half the number of one of its own descriptors, a file in memory.  The program opens it
 * through /proc and appends the dump; the last line tells that it is complete.  So nobody ever
 * waits for the other.
 */
#define HOCKET__DUMP_MARK  "hocket-dump-1-"
#define HOCKET__DUMP_VALUE 0x686b6400u /* 'hkd', in the upper half of the value */

#endif
