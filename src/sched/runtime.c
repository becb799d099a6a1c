/* SPDX-License-Identifier: MIT */
/*
 * runtime - the workers' threads: started, driven by a waiting thread, stopped
 *
 * Worker 0 has no thread of its own when the runtime was started to run on the
 * calling thread (hocket_run, or no workers at all): it is a seat, and a thread
 * that waits in the library takes it until its own wait is decided.
 *
 * Stopping, in order: no task is left (the caller has seen to it); `stopping`; every worker
 * leaves its loop and ends; threads are joined; whoever sits on the seat is sent off it and waits on
 * as a plain thread; stacks and records are given back.
 *
 * A foreign thread that has made the last task ready may still be on its way to wake a worker when
 * the runtime has stopped, or started again.  So worker structs are type-stable like task
 * records: they are used again and never unmapped, and a stray wake finds a word to wake.  For
 * the same reason the counts of sleepers and searchers are not reset: they add up
 * to nothing by themselves when everybody has left.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sched/poll.h"
#include "sched/quiet.h"
#include "sched/worker.h"
#include "sys/overflow.h"
#include "sys/sanitizer.h"

static hocket__guard start_guard; /* making a worker, and reading the counters of all */
static hocket__guard seat_guard;  /* the three below */
static hocket_task *seated;       /* who drives worker 0 */
static hocket_task *seat_host;    /* who alone may; NULL: any thread that waits */
static bool seat_open;            /* there is a seat, and it may be taken */

/* ---- records and ids ---- */

HK_COLD hocket_task *hocket__records_fill(struct hocket__worker *w)
{
    HOCKET_POINT_ALONE;
    if (w->spare_records) {
        w->records = w->spare_records;
        w->spare_records = NULL;
        w->record_count = HOCKET__RECORD_CHUNK;
    } else {
        w->record_count = hocket__record_get_chunk(&w->records);
    }
    HOCKET_POINT_TOGETHER;
    return w->record_count > 0 ? hocket__sched_record_get(w) : NULL;
}

HK_COLD void hocket__records_drain(struct hocket__worker *w, hocket_task *t)
{
    if (!w) {
        hocket__record_put(t);
        return;
    }
    HOCKET_POINT_ALONE;
    if (w->spare_records)
        hocket__record_put_chunk(w->spare_records);
    w->spare_records = w->records;
    w->records = NULL;
    w->record_count = 0;
    HOCKET_POINT_TOGETHER;
    hocket__sched_record_put(w, t);
}

HK_COLD uint64_t hocket__ids_fill(struct hocket__worker *w)
{
    HOCKET_POINT_ALONE;
    w->id_next = hocket__id_block(HOCKET__IDS);
    w->id_end = w->id_next + HOCKET__IDS;
    HOCKET_POINT_TOGETHER;
    return w->id_next++;
}

/* ---- one worker ---- */

static size_t worker_bytes(void)
{
    return (sizeof(struct hocket__worker) + 4095) & ~(size_t)4095;
}

static void *worker_main(void *arg)
{
    struct hocket__worker *w = arg;
    hk_store(&w->tid, hocket__thread_id());
    hocket__tls_worker_put(w);
    hocket__native_bounds(w);
    hocket__native_enter(true);
    hocket__loop_enter(w);
    hocket__native_leave();
    hocket__native_forget();
    hocket__tls_worker_put(NULL);
    if (!hk_load(&w->retire)) /* a retired one was a spare, see lend.c */
        (void)hk_sub(&hocket__rt.active, 1);
    hk_store_rel(&w->gone, true);
    return NULL;
}

static void worker_release(struct hocket__worker *w)
{
    while (w->idle) {
        struct hocket__stack *s = w->idle;
        w->idle = s->next;
        hocket__tsan_destroy(s->tsan_fiber);
        s->tsan_fiber = NULL;
        hocket__asan_unpoison(s->base, hocket__stack_usable(s));
        hocket__stack_free(s);
    }
    w->idle_count = 0;
    hocket__record_put_chain(w->records);
    if (w->spare_records)
        hocket__record_put_chunk(w->spare_records);
    w->records = w->spare_records = NULL;
    w->record_count = 0;
}

/* As good as new but for the word that stray wakes touch, which any value suits. */
static void worker_reset(struct hocket__worker *w, int index)
{
    size_t at = offsetof(struct hocket__worker, sleep), next = at + sizeof w->sleep;
    memset((void *)w, 0, at);
    memset((char *)w + next, 0, sizeof *w - next);
    w->index = index;
    w->number = (uint16_t)(index + 1);
    w->queued = HOCKET__RUNQ_FENCED || !hocket__runq_fenced ? w->number : hocket__queued_loud(w);
    hocket__timers_init(&w->timers);
    hocket__runq_init(&w->q);
    hk_store(&w->keeps, HOCKET_FOREVER);
}

/* A slot for a worker: a retired one's, one of an earlier runtime's, or a new one.  Under
 * start_guard. */
static struct hocket__worker *worker_slot(int *ret_error)
{
    struct hocket__runtime *rt = &hocket__rt;
    int n = hk_load(&rt->count);
    for (int i = 0; i < n; i++) {
        struct hocket__worker *w = hk_load(&rt->workers[i]);
        if (hk_load_acq(&w->gone)) {
            if (hk_load(&w->started))
                hocket__thread_join(w->thread);
            worker_release(w);
            hk_store(&w->gone, false);
            hk_store(&w->retire, false);
            return w;
        }
    }
    *ret_error = -EAGAIN;
    if (n == HOCKET__WORKERS_MAX)
        return NULL;
    void *memory = hk_load(&rt->workers[n]);
    *ret_error = memory ? 0 : hocket__map(worker_bytes(), &memory);
    if (*ret_error)
        return NULL;
    struct hocket__worker *w = memory;
    worker_reset(w, n);
    hk_store_rel(&rt->workers[n], w); /* before count, which readers load first */
    hk_store_rel(&rt->count, n + 1);
    return w;
}

/* -EAGAIN, -ENOMEM.  On failure the slot stays, marked gone without a thread. */
static int worker_thread(struct hocket__worker *w)
{
    char name[16];
    (void)snprintf(name, sizeof name, "hocket-%d", w->index);
    if (!hocket__loop_reserve(w))
        return -ENOMEM;
    int err = hocket__thread_start(&w->thread, worker_main, w, 64 * 1024, name, 0);
    if (err)
        return err;
    hk_store(&w->started, true);
    return 0;
}

int hocket__worker_start(bool lent)
{
    int err = 0;
    hocket__guard_lock(&start_guard);
    struct hocket__worker *w = worker_slot(&err);
    if (w) {
        w->lent = lent;
        hk_store(&w->started, false);
        (void)hk_add(&hocket__rt.active, 1);
        err = worker_thread(w);
        if (err) {
            (void)hk_sub(&hocket__rt.active, 1);
            hk_store_rel(&w->gone, true); /* the slot can be used again; its reserve stays */
        }
    }
    (void)hocket__guard_unlock(&start_guard);
    return err;
}

/* ---- the seat ---- */

static void driver_wake(void)
{
    struct hocket__worker *w = hk_load_acq(&hocket__rt.workers[0]);
    if (w)
        hocket__wake_worker(w);
}

/* Under the guard. */
static bool seat_is_for(hocket_task *self)
{
    return seated == NULL && seat_open && (seat_host == NULL || seat_host == self);
}

static bool seat_take(hocket_task *self)
{
    hocket__guard_lock(&seat_guard);
    bool free = seat_is_for(self);
    if (free)
        seated = self;
    (void)hocket__guard_unlock(&seat_guard);
    return free;
}

/*
 * What is left in the seat's queue is for the other workers: one that goes to sleep looks at it
 * itself, after `driver` was cleared.  Then somebody else who waits must drive, there may be no other
 * worker.  Once nobody sits the runtime may stop, and another one make `w` anew.
 */
static void seat_leave(struct hocket__worker *w)
{
    hk_fence_sc();
    if (hocket__runq_depth(&w->q) > 0)
        hocket__wake_one();
    hocket__guard_lock(&seat_guard);
    seated = NULL;
    (void)hocket__guard_unlock(&seat_guard);
    hocket__thread_reconsider();
}

static bool seat_wanted(hocket_task *self)
{
    hocket__guard_lock(&seat_guard);
    bool wanted = seat_is_for(self);
    (void)hocket__guard_unlock(&seat_guard);
    return wanted;
}

static void seat_set_open(bool open, hocket_task *host)
{
    hocket__guard_lock(&seat_guard);
    seat_open = open;
    seat_host = host;
    (void)hocket__guard_unlock(&seat_guard);
}

/*
 * Why there is a host: who drives comes out of its wait only when the fiber that runs on it leaves
 * it.  In hocket_run the calling thread does nothing else, so no other thread, with a
 * deadline of its own perhaps, should be held up by a fiber that computes.
 */
void hocket__sched_seat_free(void)
{
    hocket__guard_lock(&seat_guard);
    bool kept = seat_host != NULL;
    seat_host = NULL;
    (void)hocket__guard_unlock(&seat_guard);
    if (kept)
        hocket__thread_reconsider();
}

/* Nobody may take the seat any more; who sits on it leaves and goes on waiting elsewhere. */
static void seat_close(void)
{
    bool left;
    seat_set_open(false, NULL);
    do {
        hocket__guard_lock(&seat_guard);
        left = seated == NULL;
        if (!left)
            (void)hocket__thread_unpark(seated);
        (void)hocket__guard_unlock(&seat_guard);
        if (!left) {
            driver_wake();
            hocket__thread_yield();
        }
    } while (!left);
}

/* False if a waker came first: then there is no wait left to drive for. */
static bool driver_park(hocket_task *self)
{
    uint32_t s = hk_load_acq(&self->wait_state);
    while (s == HOCKET__WAITING || s == HOCKET__WAITING_C) {
        uint32_t off = s == HOCKET__WAITING ? HOCKET__PARKED : HOCKET__PARKED_C;
        if (hk_cas_sc(&self->wait_state, &s, off))
            return true;
    }
    return false;
}

static void drive(struct hocket__worker *w, hocket_task *self, hocket_time deadline)
{
    struct hocket__timer timer;
    hk_store(&w->tid, hk_load(&self->tid));
    hk_store(&w->driver, self);
    if (deadline != HOCKET_FOREVER)
        hocket__timer_arm(&w->timers, &timer, self, deadline);
    hocket__native_bounds(w);
    hocket__native_enter(true);
    hocket__tls_worker_put(w);
    (void)hk_add(&hocket__rt.active, 1);
    while (!hocket__worker_done(w))
        hocket__loop_enter(w);
    (void)hk_sub(&hocket__rt.active, 1);
    hocket__tls_worker_put(NULL);
    hocket__native_leave();
    if (deadline != HOCKET_FOREVER)
        hocket__timer_disarm(&timer, &w->timers);
    hk_store(&w->driver, NULL);
}

bool hocket__sched_drive(hocket_task *self, hocket_time deadline)
{
    struct hocket__runtime *rt = &hocket__rt;
    if (hk_load(&self->kind) == HOCKET__FIBER || !seat_take(self))
        return false;
    struct hocket__worker *w = hk_load_acq(&rt->workers[0]);
    hk_store_sc(&hocket__driver, self); /* before PARKED: see thread_ready */
    bool parked = hocket__loop_reserve(w) && driver_park(self);
    if (parked)
        drive(w, self, deadline);
    hk_store(&hocket__driver, NULL);
    seat_leave(w);
    return parked;
}

/* ---- all of it ---- */

static const char *name_of_stack(struct hocket__stack *s)
{
    static char name[HOCKET_NAME_MAX];
    (void)s;
    hocket_task *t = hocket__self_or_null();
    return t ? hocket__task_name(t, name, sizeof name) : "?";
}

static void stop_threads(void)
{
    struct hocket__runtime *rt = &hocket__rt;
    hk_store_sc(&rt->stopping, true);
    hocket__monitor_stop();
    for (int i = 0, n = hk_load_acq(&rt->count); i < n; i++) {
        struct hocket__worker *w = hk_load(&rt->workers[i]);
        if (!hk_load(&w->started))
            continue;
        hk_store(&w->started, false);
        while (!hk_load_acq(&w->gone)) { /* it may be between a look and its sleep */
            hocket__wake_worker(w);
            hocket__thread_yield();
        }
        hocket__thread_join(w->thread);
    }
}

void hocket__sched_stop(void)
{
    struct hocket__runtime *rt = &hocket__rt;
    hocket__quiet_stop();
    stop_threads();
    seat_close();
    hocket__blocking_stop();
    hocket__poll_stop();
    hk_store_rel(&hocket__driver_wake, NULL);
    hk_store_rel(&hocket__drive, NULL);
    hk_store_rel(&hocket__drive_wanted, NULL);
    for (int i = 0, n = hk_load(&rt->count); i < n; i++)
        worker_release(hk_load(&rt->workers[i]));
    hk_store(&rt->count, 0);
    hk_store(&rt->running, false);
    hocket__native_forget();
    hocket__stack_shutdown();
    hocket__overflow_uninstall();
}

/* All but what the head of this file says. */
static void reset(struct hocket__runtime *rt)
{
    hk_store(&rt->stopping, false);
    hk_store(&rt->hungry, 0);
    hk_store(&rt->wake_interval, 0);
    hk_store(&rt->active, 0);
    hk_store(&rt->stuck, 0);
    hk_store(&rt->lent, 0);
}

int hocket__sched_start(const struct hocket__sched_config *config)
{
    struct hocket__runtime *rt = &hocket__rt;
    reset(rt);
    hk_store(&rt->target, config->workers);
    hk_store(&rt->threads, config->workers > 0);
    rt->watchdog = config->watchdog;
    rt->report = config->report;
    hk_store(&rt->running, true);
    hk_store(&hocket__tick, hocket__clock());
    hocket__sched_run_fn = config->run;
    hocket__sched_start_failed = config->start_failed;
    hocket__sched_left_fn = config->left;
    hocket__sched_pending = config->pending;
    hocket__sched_late = config->late;
    hocket__sched_outside = config->outside;
    hocket__sched_quiescent = config->quiescent;
    hocket__quiet_start();
    hocket__runq_fenced = hocket__membarrier() != 0;
    hocket__blocking_init(config->max_blocking);
    hocket__overflow_install(name_of_stack);

    int err = 0;
    int first = 0;
    if (config->seat) {
        struct hocket__worker *seat = worker_slot(&err);
        if (seat && !hocket__loop_reserve(seat))
            err = -ENOMEM;
        if (seat)
            hk_store(&seat->is_seat, true);
        first = 1;
        seat_set_open(err == 0, config->host);
        hk_store_rel(&hocket__driver_wake, driver_wake);
        hk_store_rel(&hocket__drive, hocket__sched_drive);
        hk_store_rel(&hocket__drive_wanted, seat_wanted);
    }
    for (int i = first; err == 0 && i < config->workers; i++)
        err = hocket__worker_start(false);
    if (err == 0 && hk_load(&rt->threads))
        err = hocket__monitor_start();
    if (err)
        hocket__sched_stop();
    return err;
}

bool hocket__sched_on_worker(void)
{
    return hocket__worker_here() != NULL;
}

int hocket__sched_workers(void)
{
    return hk_load(&hocket__rt.running) ? hk_load(&hocket__rt.target) : 0;
}

void hocket__sched_stats(hocket_runtime_stats *stats)
{
    struct hocket__runtime *rt = &hocket__rt;
    struct hocket__stack_stats stacks;
    hocket__stack_get_stats(&stacks);
    stats->stacks = stacks.live - stacks.idle;
    stats->lent = hk_load(&rt->lent);
    stats->threads = hocket__blocking_threads() + hocket__monitor_threads();
    hocket__guard_lock(&start_guard); /* a new runtime may be making its workers, of old memory */
    for (int i = 0, n = hk_load_acq(&rt->count); i < n; i++) {
        struct hocket__worker *w = hk_load_acq(&rt->workers[i]);
        stats->spawned += hk_load(&w->spawned);
        stats->switches += hk_load(&w->switches);
        stats->steals += hk_load(&w->steals);
        stats->wakes += hk_load(&w->wakes_sent);
        stats->threads += (hk_load(&w->started) && !hk_load(&w->gone)) ||
                          hk_load(&w->driver) != NULL;
    }
    (void)hocket__guard_unlock(&start_guard);
}
