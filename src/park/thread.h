/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_THREAD_H
#define HOCKET_PARK_THREAD_H

/*
 * thread - how an OS thread waits: spin a little, then futex on its wait word
 */
#include "park/record.h"

extern const struct hocket__task_ops hocket__thread_ops;

/*
 * Set by a runtime whose worker 0 is a seat: the waiting thread runs the fibers until its own
 * wait is decided.  Returns false if somebody else does that already.
 */
extern bool (*_Atomic hocket__drive)(hocket_task *self, hocket_time deadline);

/*
 * Set with it: is the seat empty, and may `self` take it?  Whoever leaves it calls
 * hocket__thread_reconsider, and a waiting thread takes it.
 */
extern bool (*_Atomic hocket__drive_wanted)(hocket_task *self);

/* Who drives, and how to wake it: it does not sleep on its wait word. */
extern _Atomic(hocket_task *) hocket__driver;
extern void (*_Atomic hocket__driver_wake)(void);

void hocket__thread_reconsider(void);

/* Called, unless NULL, when a thread has gone to sleep without a deadline, or a foreign one ends. */
extern void (*_Atomic hocket__thread_slept)(void);

/* PARKED* back to WAITING*, for a thread that shall look again; true if it was parked. */
bool hocket__thread_unpark(hocket_task *t);

/* Prepare a free record for a new life; id and life are the caller's to set. */
void hocket__record_init(hocket_task *t, enum hocket__task_kind kind,
                         const struct hocket__task_ops *ops);

/* How many threads that Hocket did not start have a record. */
void hocket__foreign_count(int change);
int hocket__foreign_threads(void);

#endif
