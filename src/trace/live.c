/* SPDX-License-Identifier: MIT */
/*
 * live - see hocket/live.h and trace/live_page.h
 *
 * One thread looks at the workers each SAMPLE, to know how busy they are, and writes the page each PUBLISH.
 * It reads what everybody may read (records, the atomics of workers, queues as queue/registry.h says), takes no lock
 * of the scheduler but that of its counters, and nothing waits for it but the making and freeing of queues, for a
 * batch of them.
 *
 * The page is made here and copied as a whole.  Its seq is stored odd before and even after the copy, with fences on
 * both sides; the reader is another process and reads by pread(2).
 */
#include "trace/live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hocket/runtime.h>

#include "base/env.h"
#include "park/forked.h"
#include "park/graph.h"
#include "queue/registry.h"
#include "sched/worker.h"
#include "sys/shared.h"
#include "trace/live_page.h"

#define SAMPLE  (20 * HOCKET_MS)
#define PUBLISH (500 * HOCKET_MS)
#define GROUPS  1024u /* objects told apart; a power of two */

struct group {
    const struct hocket__wait_class *cls; /* NULL: free */
    const void *object;
    uint64_t tasks, total, longest;
    uint32_t slot; /* of who waits longest */
};

static hocket__guard guard; /* starting and stopping */
static bool on, by_env;
static struct hocket__thread thread;
static struct hocket__shared shared;
static _Atomic uint32_t stopping; /* futex */

/* The thread's own. */
static struct live_page page;
static struct group groups[GROUPS];
static struct hocket__queue_look fullest[LIVE_LINES];
static uint32_t samples, busy[LIVE_WORKERS];
static hocket_time started;

/* ---- tasks ---- */

static struct group *group_of(const struct hocket__wait_class *cls, const void *object)
{
    uint64_t hash = ((uintptr_t)cls ^ (uintptr_t)object) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    for (unsigned i = 0; i < 32; i++) {
        struct group *g = &groups[(hash + i) % GROUPS];
        if (g->cls == NULL) {
            *g = (struct group){ .cls = cls, .object = object };
            page.waits++;
            return g;
        }
        if (g->cls == cls && g->object == object)
            return g;
    }
    return NULL;
}

static void text(char to[LIVE_TEXT], const char *from)
{
    (void)snprintf(to, LIVE_TEXT, "%s", from);
}

/* Waits that say nothing: for the time, or for work. */
static bool rests(const struct hocket__wait_class *cls)
{
    return cls == &hocket__sleep_class || strcmp(cls->name, "timers") == 0 ||
           strcmp(cls->name, "idle") == 0;
}

/* Keep the longest, sorted. */
static void longest_add(const struct live_waiter *w)
{
    unsigned at = page.waiters_shown;
    if (at == LIVE_LINES && page.waiter[at - 1].waited >= w->waited)
        return;
    if (at < LIVE_LINES)
        page.waiters_shown++;
    else
        at--;
    while (at > 0 && page.waiter[at - 1].waited < w->waited) {
        page.waiter[at] = page.waiter[at - 1];
        at--;
    }
    page.waiter[at] = *w;
}

static void waits(hocket_task *t, const struct hocket__wait_class *cls, hocket_time now)
{
    struct live_waiter w = { .id = hk_load(&t->id) };
    const void *object = hk_load(&t->wait_object);
    hocket_time since = hk_load(&t->wait_since);
    w.waited = since > 0 && since < now ? (uint64_t)(now - since) : 0;
    w.object = (uint64_t)(uintptr_t)object;
    w.thread = hk_load(&t->kind) != HOCKET__FIBER;
    (void)hocket__task_name(t, w.name, sizeof w.name);
    text(w.kind, cls->name);
    struct group *g = group_of(cls, object);
    if (g != NULL) {
        if (g->tasks++ == 0 || w.waited > g->longest) {
            g->longest = w.waited;
            g->slot = t->slot;
        }
        g->total += w.waited;
    }
    if (!rests(cls))
        longest_add(&w);
}

static void look_at_tasks(hocket_time now)
{
    memset(groups, 0, sizeof groups);
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        hocket_task *t = hocket__record_at(slot);
        uint32_t life = hocket__life(t);
        if (hk_load_acq(&t->id) == 0 || (life & HOCKET__LIFE_DONE))
            continue;
        const struct hocket__wait_class *cls = hk_load_acq(&t->wait_class);
        page.tasks++;
        page.threads += hk_load(&t->kind) != HOCKET__FIBER;
        if (life & HOCKET__LIFE_HELD) {
            page.held++;
        } else if (cls != NULL) {
            page.waiting++;
            waits(t, cls, now);
        }
    }
}

/* More tasks first, then who waits longer. */
static int hotter(const void *x, const void *y)
{
    const struct group *a = x, *b = y;
    if (a->tasks != b->tasks)
        return a->tasks < b->tasks ? 1 : -1;
    return (a->total < b->total) - (a->total > b->total);
}

static void show_groups(void)
{
    qsort(groups, GROUPS, sizeof *groups, hotter);
    for (unsigned i = 0; i < LIVE_LINES && groups[i].cls != NULL; i++) {
        struct live_wait *w = &page.wait[page.waits_shown++];
        hocket_task *t = hocket__record_at(groups[i].slot);
        *w = (struct live_wait){ .object = (uint64_t)(uintptr_t)groups[i].object,
                                 .tasks = groups[i].tasks,
                                 .total = groups[i].total,
                                 .longest = groups[i].longest };
        text(w->kind, groups[i].cls->name);
        (void)hocket__task_name(t, w->task, sizeof w->task);
        uint32_t holder = hocket__graph_holder(t, 0, false);
        if (holder != 0)
            (void)hocket__task_name(hocket__record_at(holder), w->holder, sizeof w->holder);
    }
}

/* ---- queues ---- */

/* Values that wait to be got come first, those of putters too. */
static bool fuller(const struct hocket__queue_look *a, const struct hocket__queue_look *b)
{
    size_t in_a = a->length + a->putters, in_b = b->length + b->putters;
    return in_a != in_b ? in_a > in_b : a->getters > b->getters;
}

/* Keep the fullest, sorted; under the guard of all queues. */
static void see_queue(const struct hocket__queue_look *look, void *unused)
{
    (void)unused;
    page.queue_values += look->length;
    unsigned at = page.queues_shown;
    if (look->length + look->putters + look->getters == 0 ||
        (at == LIVE_LINES && !fuller(look, &fullest[at - 1])))
        return;
    if (at < LIVE_LINES)
        page.queues_shown++;
    else
        at--;
    for (; at > 0 && fuller(look, &fullest[at - 1]); at--)
        fullest[at] = fullest[at - 1];
    fullest[at] = *look;
}

/* Who waits longest for it; the groups are sorted. */
static void show_waiter(struct live_queue *l, const struct hocket__queue_look *look)
{
    for (unsigned i = 0; i < GROUPS && groups[i].cls != NULL; i++) {
        const struct group *g = &groups[i];
        if ((g->object != look->put_object && g->object != look->get_object) ||
            g->longest < l->longest)
            continue;
        l->longest = g->longest;
        (void)hocket__task_name(hocket__record_at(g->slot), l->task, sizeof l->task);
    }
}

static void look_at_queues(void)
{
    page.queues = hocket__registry_each(see_queue, NULL);
    for (unsigned i = 0; i < page.queues_shown; i++) {
        const struct hocket__queue_look *look = &fullest[i];
        struct live_queue *l = &page.queue[i];
        *l = (struct live_queue){ .object = (uint64_t)(uintptr_t)look->queue,
                                  .length = look->length,
                                  .capacity = look->capacity,
                                  .putters = look->putters,
                                  .getters = look->getters,
                                  .closed = look->closed };
        text(l->kind, look->kind);
        if (look->putters + look->getters > 0)
            show_waiter(l, look);
    }
}

/* ---- workers ---- */

static uint32_t state_of(struct hocket__worker *w)
{
    if (hk_load(&w->is_spare))
        return LIVE_SPARE;
    if (hk_load(&w->blocked) > 0)
        return LIVE_BLOCKED;
    if (hk_load(&w->sleep) == HOCKET__ASLEEP)
        return LIVE_SLEEPS;
    return hk_load(&w->running) != NULL ? LIVE_RUNS : LIVE_SEARCHES;
}

static bool is_there(struct hocket__worker *w)
{
    return w != NULL && !hk_load(&w->gone);
}

static void sample(void)
{
    samples++;
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); i < n && i < LIVE_WORKERS; i++) {
        struct hocket__worker *w = hk_load_acq(&hocket__rt.workers[i]);
        uint32_t state = is_there(w) ? state_of(w) : LIVE_SLEEPS;
        busy[i] += state == LIVE_RUNS || state == LIVE_BLOCKED;
    }
}

static void look_at_workers(void)
{
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); i < n; i++) {
        struct hocket__worker *w = hk_load_acq(&hocket__rt.workers[i]);
        if (!is_there(w))
            continue;
        uint32_t depth = hocket__runq_depth(&w->q);
        hocket_task *t = hk_load_acq(&w->running);
        page.workers++;
        page.ready += depth;
        page.running += t != NULL;
        if (i >= LIVE_WORKERS)
            continue;
        struct live_worker *l = &page.worker[page.workers_shown++];
        l->index = (uint32_t)i;
        l->queued = depth;
        l->state = state_of(w);
        l->load = samples > 0 ? busy[i] * 1000 / samples : 0;
        if (t != NULL && l->state != LIVE_SLEEPS) {
            l->task_id = hk_load(&t->id);
            (void)hocket__task_name(t, l->task, sizeof l->task);
        }
    }
    memset(busy, 0, sizeof busy);
    samples = 0;
}

/* ---- the page ---- */

/* TSan sees no other process. */
static void copy_out(void)
{
    struct live_page *to = shared.memory;
    _Atomic uint32_t *seq = hk_word32(&to->seq);
    uint32_t n = hk_load(seq);
    const size_t body = offsetof(struct live_page, written);
    hk_store(seq, n | 1);
    hk_fence_sc(); /* odd before any of the body: pairs with the reader's second look */
    memcpy((char *)to + body, (const char *)&page + body, sizeof page - body);
    to->magic = LIVE_MAGIC;
    to->version = LIVE_VERSION;
    to->size = sizeof *to;
    to->pid = (uint32_t)getpid();
    hk_fence_sc();
    hk_store_rel(seq, (n | 1) + 1); /* pairs with the reader's first look */
}

static void publish(void)
{
    hocket_runtime_stats stats = { 0 };
    hocket_time now = hocket__clock();
    memset(&page, 0, sizeof page);
    page.written = (uint64_t)now;
    page.age = (uint64_t)(now - started);
    page.interval = PUBLISH;
    look_at_tasks(now);
    show_groups();
    look_at_queues();
    look_at_workers();
    hocket__sched_stats(&stats);
    page.spawned = stats.spawned;
    page.switches = stats.switches;
    page.steals = stats.steals;
    page.wakes = stats.wakes;
    copy_out();
}

static void *live_main(void *arg)
{
    (void)arg;
    hocket_time next = started;
    while (hk_load_acq(&stopping) == 0) {
        hocket_time now = hocket__clock();
        if (now >= next) {
            publish();
            next = now + PUBLISH;
        }
        (void)hocket__futex_wait(&stopping, 0, now + SAMPLE);
        sample();
    }
    return NULL;
}

/* ---- on and off; under the guard ---- */

static int switch_on(void)
{
    int err = hocket__shared_make(&shared, LIVE_NAME, sizeof(struct live_page));
    if (err)
        return err;
    hk_store(&stopping, 0);
    started = hocket__clock();
    (void)hk_add(&hocket__side_threads, 1);
    err = hocket__thread_start(&thread, live_main, NULL, 256 * 1024, "hocket-live", 0);
    if (err) {
        (void)hk_sub(&hocket__side_threads, 1);
        hocket__shared_free(&shared);
    }
    on = err == 0;
    return err;
}

static void switch_off(void)
{
    hk_store_sc(&stopping, 1);
    (void)hocket__futex_wake(&stopping, 1);
    hocket__thread_join(thread);
    (void)hk_sub(&hocket__side_threads, 1);
    hocket__shared_free(&shared);
    on = by_env = false;
}

int hocket_live_start(void)
{
    hocket__guard_lock(&guard);
    int err = on ? -EALREADY : switch_on();
    (void)hocket__guard_unlock(&guard);
    return err;
}

void hocket_live_stop(void)
{
    hocket__guard_lock(&guard);
    if (on)
        switch_off();
    (void)hocket__guard_unlock(&guard);
}

void hocket__live_by_env(void)
{
    if (!hocket__env_on("HOCKET_LIVE"))
        return;
    int err = hocket_live_start();
    if (err == 0)
        by_env = true;
    else if (err != -EALREADY)
        (void)fprintf(stderr, "hocket: HOCKET_LIVE: %s\n", strerror(-err));
}

void hocket__live_runtime_stopped(void)
{
    hocket__guard_lock(&guard);
    if (on && by_env)
        switch_off();
    (void)hocket__guard_unlock(&guard);
}
