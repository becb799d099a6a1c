/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_LOCAL_H
#define HOCKET_TASK_LOCAL_H
#include <hocket/local.h>

#include "park/record.h"

/* The task ends: run the destructors, in rounds, in the task itself; free what held the values. */
void hocket__locals_end(hocket_task *task);

/*
 * A child is being spawned: give it what is inherited.  Called in the parent, which has
 * locals; the child has none.  0, -ENOMEM.
 */
int hocket__locals_inherit(hocket_task *child, hocket_task *parent);

/* Has the calling task something that a child would inherit? */
bool hocket__locals_inheritable(const hocket_task *task);

#endif
