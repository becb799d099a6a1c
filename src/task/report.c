/* SPDX-License-Identifier: MIT */
/*
 * report - lines on standard error that are no panic
 */
#include "task/report.h"

#include <stdio.h>
#include <unistd.h>

#include "park/record.h"

void hocket__report_stuck(hocket_task *task, hocket_time ran)
{
    char name[HOCKET_NAME_MAX], line[256];
    int n = snprintf(line, sizeof line,
                     "hocket: watchdog: task '%s' has kept its worker for %lld ms without a wait "
                     "(hocket_blocking, hocket_yield?)\n",
                     hocket__task_name(task, name, sizeof name), (long long)(ran / HOCKET_MS));
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return; /* nobody to tell */
}
