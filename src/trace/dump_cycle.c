/* SPDX-License-Identifier: MIT */
/*
 * dump_cycle - a deadlock with the calls of all its sides
 *
 * Of a certain cycle nobody moves any more, but for the caller, who is about to close it: its
 * calls are those that led here.  Where nothing in particular waits for itself, the whole program
 * is shown.
 */
#include <hocket/dump.h>

#include "park/graph.h"
#include "task/deadlock.h"
#include "trace/dump.h"

static void show_cycle(hocket_task *const *tasks, unsigned count)
{
    static struct hocket__look l; /* one dump at a time */
    struct hocket__dump *d = hocket__dump_begin(2, NULL);
    if (d == NULL)
        return;
    hocket__out_text(&d->out, "hocket: tasks that wait for each other:\n");
    for (unsigned i = 0; i < count; i++) {
        if (!hocket__dump_look(d, tasks[i], &l))
            continue;
        if (i == 0) {
            hocket__backtrace_here(hocket__dump_stack_end(tasks[0]), false, &l.frames);
            l.stacked = true;
        }
        struct hocket__dumped one = { .id = l.id, .slot = tasks[i]->slot };
        hocket__dump_task(d, &l, 1, &one, 1);
    }
    (void)hocket__dump_end(d);
}

static void show_all(int fd)
{
    (void)hocket_dump(fd);
}

void hocket__dump_start(void)
{
    hk_store_rel(&hocket__cycle_hook, show_cycle);
    hk_store_rel(&hocket__deadlock_dump, show_all);
}
