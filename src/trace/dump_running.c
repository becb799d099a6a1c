/* SPDX-License-Identifier: MIT */
/*
 * dump_running - the calls of a task that runs while the dump is made
 *
 * The dump asks the thread that runs it (sys/sample.h).  The answer counts if that thread still
 * was with the task: one that was asked says so itself, of one that sleeps its worker does, and the
 * caller sees that the task began no wait meanwhile.
 *
 * A dump looks twice at each task.  The first answers are kept, so that tasks that were found alike
 * are shown as they were then, and nobody is waited for twice.
 *
 * The task that makes the dump is not asked.  In a simulated world no other one runs.
 */
#include "park/world.h"
#include "sched/worker.h"
#include "trace/dump.h"

#define KEPT 64

/* Of the one dump that is made. */
static struct kept {
    uint64_t id;
    uint32_t seq; /* of its waits: another one means that it went on */
    enum hocket__sample_answer answer;
    char thread_state;
    struct hocket__frames frames;
} kept[KEPT];

struct hocket__worker *hocket__dump_worker_of(const hocket_task *t)
{
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); i < n; i++) {
        struct hocket__worker *w = hk_load_acq(&hocket__rt.workers[i]);
        if (w != NULL && hk_load(&w->running) == t)
            return w;
    }
    return NULL;
}

uintptr_t hocket__dump_stack_end(const hocket_task *self)
{
    struct hocket__worker *w = hocket__worker_here();
    if (hk_load(&self->kind) != HOCKET__FIBER || w == NULL || w->stack == NULL)
        return 0;
    return (uintptr_t)hocket__stack_top(w->stack);
}

/* A thread that drives the seat waits, and others run on it. */
static bool drives(const hocket_task *t)
{
    return hk_load(&t->kind) != HOCKET__FIBER && hk_load_acq(&hocket__driver) == t;
}

/* 0: none that is known. */
static int thread_of(const hocket_task *t)
{
    if (hk_load(&t->kind) != HOCKET__FIBER)
        return drives(t) ? 0 : hk_load(&t->tid);
    struct hocket__worker *w = hocket__dump_worker_of(t);
    return w != NULL ? hk_load(&w->tid) : 0;
}

/* In a signal handler.  A task has left its stack a moment before it is nobody's any more. */
static const void *who_runs(void)
{
    const hocket_task *t = hocket__self_or_null();
    return t != NULL && hk_load(&t->stack) == NULL ? t : NULL;
}

static bool own_calls(struct hocket__dump *d, struct hocket__look *l)
{
    struct hocket__sample s = { .stack = NULL };
    if (d->context == NULL || HOCKET_TSAN) { /* which calls handlers later */
        hocket__backtrace_here(hocket__dump_stack_end(l->task), d->in_handler, &l->frames);
        l->frames.running = true;
    } else {
        hocket__sample_of_context(d->context, &s);
        hocket__backtrace_sample(&s, d->in_handler, &l->frames);
    }
    return true;
}

static bool look_up(const struct hocket__dump *d, struct hocket__look *l, uint32_t seq)
{
    for (unsigned i = 0; i < d->asked; i++)
        if (kept[i].id == l->id && kept[i].seq == seq) {
            l->refused = kept[i].answer;
            l->thread_state = kept[i].thread_state;
            l->frames = kept[i].frames;
            return true;
        }
    return false;
}

static void keep(struct hocket__dump *d, const struct hocket__look *l, uint32_t seq)
{
    if (d->asked == KEPT)
        return;
    struct kept *k = &kept[d->asked++];
    *k = (struct kept){ .id = l->id, .seq = seq, .answer = l->refused };
    k->thread_state = l->thread_state;
    k->frames = l->frames;
}

bool hocket__dump_running(struct hocket__dump *d, struct hocket__look *l)
{
    hocket_task *t = l->task;
    if (t == hocket__self_or_null())
        return !drives(t) && own_calls(d, l);
    bool thread_waits = l->state == HOCKET__DUMP_WAITING && hk_load(&t->kind) != HOCKET__FIBER;
    if (hocket__in_world() || (l->state != HOCKET__DUMP_RUNNING && !thread_waits))
        return false;
    struct hocket__sample s = { .state = '?' };
    uint32_t seq = hk_load_acq(&t->wait_seq);
    int tid = thread_of(t);
    if (look_up(d, l, seq))
        return l->refused == HOCKET__SAMPLE_GOOD;
    if (tid == 0 || tid == hocket__thread_id())
        return false;
    l->refused = hocket__sample_take(tid, who_runs, d->in_handler, &s);
    l->thread_state = s.state;
    l->frames.count = 0;
    if (l->refused == HOCKET__SAMPLE_GOOD) {
        if (s.asleep ? thread_of(t) != tid : s.subject != t)
            return false;
        hocket__backtrace_sample(&s, d->in_handler, &l->frames);
    }
    keep(d, l, seq);
    return l->refused == HOCKET__SAMPLE_GOOD;
}
