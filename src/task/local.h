/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_LOCAL_H
#define HOCKET_TASK_LOCAL_H

/*
 * local - what the life of a task needs of include/hocket/local.h
 */
#include "park/record.h"

/* Destroy the values of a task that ends, in the task; frees task->locals. */
void hocket__locals_end(hocket_task *task);

/* Copy the inheritable values of `parent` into its new child.  0, -ENOMEM (nothing kept). */
int hocket__locals_inherit(hocket_task *child, hocket_task *parent);

#endif
