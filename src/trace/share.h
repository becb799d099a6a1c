/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_SHARE_H
#define HOCKET_TRACE_SHARE_H

/*
 * share - a timeline makes a thread no slower than its share
 *
 * An event costs some ten nanoseconds: nothing in a program that does something between two of
 * them, and several times the work itself where tasks do nothing.  Each ring has an account: time that
 * passes beside events pays its share in, events are paid from it, and so many are saved up that a
 * burst is recorded whole.  A ring that is overdrawn asks for a pause: for a while nobody looks on, which costs
 * nothing.  Then all lanes go on.
 *
 *   whoever records    every HOCKET__SHARE_TURN events: hocket__share_turn -> `until`
 *   the pacer          a thread, asleep while nobody asks: switches the events off and on
 *   the writer         what the pauses were: a section of the file
 *
 * What the program says itself (spans, counters, marks) and errors are recorded also in a pause, and
 * nobody pays for a turn that ends in one: many of them would make the pause endless.
 * A simulated world has none: its time is not what events cost.
 */
#include "trace/ring.h"

#define HOCKET__SHARE_TURN 16384u
#define HOCKET__SHARE_PAUSES \
    32768u /* kept: some three minutes of a thread that is always overdrawn */

/*
 * From now on `percent` of a thread's own time, from 1 to 100 (no limit).  Without a thread to be had,
 * and in the child of a fork, there is no limit either.  Both in the exclusive right of trace.c, and
 * not in a signal handler: end waits for the pacer.
 */
void hocket__share_begin(unsigned percent);
void hocket__share_end(void);

/* By the thread whose ring it is, outside of an event, at r->turn or later.  Signal-safe. */
void hocket__share_turn(struct hocket__trace_ring *r, uint64_t next);

/* Of an event, ns.  Set by begin; tests make it dear. */
extern _Atomic int64_t hocket__share_cost;

/* Counts beginnings and ends of pauses.  Changes while nothing but USER and errors is recorded. */
extern _Atomic uint32_t hocket__share_edges;

/*
 * The pauses of this trace, oldest first, in ticks; one that lasts has `to` UINT64_MAX.  Those before
 * the first are forgotten if *ret_lost.  Returns how many.  Signal-safe.
 */
uint32_t hocket__share_pauses(struct hkt_pause to[HOCKET__SHARE_PAUSES], bool *ret_lost);

#endif
