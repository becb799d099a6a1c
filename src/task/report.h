/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_REPORT_H
#define HOCKET_TASK_REPORT_H
#include <hocket/task.h>

/* The watchdog's line on standard error: this task keeps its worker, and others wait for it. */
void hocket__report_stuck(hocket_task *task, hocket_time ran);

#endif
