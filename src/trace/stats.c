/* SPDX-License-Identifier: MIT */
/*
 * stats - the counters of the runtime, and what the records say
 *
 * Kinds of waits are static words, so they are told apart by address; there are a few dozen in
 * the library.
 */
#include <hocket/dump.h>

#include <hocket/runtime.h>
#include <string.h>

#include "queue/registry.h"
#include "sched/worker.h"
#include "trace/dump.h"

static void count_wait(hocket_stats_info *s, const char *kind)
{
    size_t i = 0;
    while (i < s->wait_kinds && s->waits[i].kind != kind)
        i++;
    if (i == HOCKET_STATS_KINDS) {
        s->waits_other++;
        return;
    }
    if (i == s->wait_kinds) {
        s->waits[i].kind = kind;
        s->wait_kinds++;
    }
    s->waits[i].count++;
}

static void count_task(hocket_stats_info *s, hocket_task *t)
{
    struct hocket__look l;
    l.task = t;
    if (!hocket__dump_state_of(t, &l))
        return;
    s->tasks++;
    uint8_t kind = hk_load(&t->kind);
    s->fibers += kind == HOCKET__FIBER;
    s->threads += kind == HOCKET__THREAD;
    s->foreign += kind == HOCKET__FOREIGN;
    s->held += l.state == HOCKET__DUMP_HELD;
    s->ready += l.state == HOCKET__DUMP_READY;
    s->running += l.state == HOCKET__DUMP_RUNNING;
    s->waiting += l.state == HOCKET__DUMP_WAITING;
    if (l.state == HOCKET__DUMP_WAITING)
        count_wait(s, l.cls->name);
}

static void count_runqs(hocket_stats_info *s)
{
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); i < n; i++) {
        struct hocket__worker *w = hk_load_acq(&hocket__rt.workers[i]);
        if (w == NULL || hk_load(&w->gone))
            continue;
        size_t depth = hocket__runq_depth(&w->q);
        s->workers++;
        s->workers_asleep += hk_load(&w->sleep) == HOCKET__ASLEEP;
        s->queued += depth;
        s->queued_most = depth > s->queued_most ? depth : s->queued_most;
    }
}

static void count_queue(const struct hocket__queue_look *look, void *stats)
{
    hocket_stats_info *s = stats;
    s->queue_values += look->length;
    if (look->length > s->queue_values_most)
        s->queue_values_most = look->length;
}

void hocket_stats(hocket_stats_info *ret_stats)
{
    hocket_runtime_stats r;
    hocket_stats_info *s = ret_stats;
    memset(s, 0, sizeof *s);
    s->size = offsetof(hocket_stats_info, reserved);
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++)
        count_task(s, hocket__record_at(slot));
    s->queues = hocket__registry_each(count_queue, s);
    hocket_runtime_stats_get(&r);
    s->spawned = r.spawned;
    s->switches = r.switches;
    s->steals = r.steals;
    s->wakes = r.wakes;
    s->lent = r.lent;
    s->os_threads = r.threads;
    s->stacks = r.stacks;
    if (!hocket_running())
        return;
    count_runqs(s);
    if (hocket__stacks_pin()) {
        s->stack_peak = hocket__stack_peak();
        hocket__stacks_unpin();
    }
}
