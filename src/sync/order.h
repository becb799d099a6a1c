/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYNC_ORDER_H
#define HOCKET_SYNC_ORDER_H

/*
 * order - the order in which locks are taken, learned by class
 *
 * Before a task may wait for a lock of class B while it holds one of class A, the
 * pair (A, B) is remembered.  If B is known to come before A, over any number of
 * pairs, some other task waits for A while it holds B: the two may deadlock.
 */
#include <hocket/lock.h>

#include "park/record.h"

/*
 * A task is about to wait for a lock of class `cls`: learn the order, and say by one
 * line when it is the wrong way round (once for each pair).  `function` and `lock` are for that line.
 */
void hocket__order_learn(hocket_task *self, hocket_lock_class *cls, const char *function,
                         const void *lock);

/* trace/lockorder.c looks at every acquire, and reports more precisely: then nothing is said here. */
extern _Atomic bool hocket__order_checked;

/* Would that be the wrong way round?  Nothing is learned or said. */
bool hocket__order_broken(hocket_task *self, hocket_lock_class *cls);

#endif
