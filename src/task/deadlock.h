/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_DEADLOCK_H
#define HOCKET_TASK_DEADLOCK_H

/*
 * deadlock - what is said and done when nothing will ever go on (sched/quiet.h)
 */
#include <hocket/runtime.h>

/*
 * What to do from now on: enum hocket_on_deadlock, or HOCKET_DEADLOCK if that is set; DEFAULT is
 * HOCKET_DEADLOCK_PANIC if `whole_program`, else HOCKET_DEADLOCK_REPORT.  0, -EINVAL.
 */
int hocket__deadlock_set(int action, bool whole_program);

/* False: nobody needs to look. */
bool hocket__deadlock_watched(void);

/* For struct hocket__sched_config. */
bool hocket__deadlock_outside(bool for_cancel);
void hocket__deadlock_found(void);

/* Writes all tasks and what they wait for; set by the dump, else a short list is written. */
extern void (*_Atomic hocket__deadlock_dump)(int fd);

#endif
