/* SPDX-License-Identifier: MIT */
/*
 * run - the runtime as a whole: hocket_run, start and stop, at-exit
 *
 * There is one runtime a process, counted: a library may start it inside a
 * program that has started it too.  Stopping is a fixed list:
 *
 *   1  wait for the tasks of the root scope (or cancel them at the deadline)
 *   2  run the at-exit functions, last in first out
 *   3  cancel the daemons and wait for them
 *   4  take no more tasks; wait for what other threads spawned meanwhile
 *   5  end the workers, helpers and threads, give the memory back
 *
 * Threads that start or stop exclude each other for as long as that takes.  A task of the
 * runtime must not wait there: the one who stops may be waiting for it.  It need not,
 * since the runtime lives as long as the task does: it only counts.  The same goes for an
 * at-exit function, which the one who stops calls.
 *
 * After fork() the child has the records and locks but none of the threads: a flag,
 * set by an atfork handler, makes every slow path panic there.  Uncontended locks work,
 * and so do exec and _exit.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <hocket/runtime.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/panic.h"
#include "park/forked.h"
#include "park/world.h"
#include "sched/sched.h"
#include "sys/stack.h"
#include "sys/sys.h"
#include "task/deadlock.h"
#include "task/report.h"
#include "task/signals.h"
#include "task/task.h"

#define ROOT_STACK   ((size_t)8 << 20)
#define MAX_BLOCKING 512
#define WATCHDOG     (100 * HOCKET_MS)

struct hocket__scope hocket__root_scope, hocket__daemon_scope;

static _Atomic uint32_t busy; /* futex: 1 = a thread starts or stops, 2 = and others wait for it */
static _Atomic int starts;    /* 0 <-> 1 only by the thread that is busy */
static _Atomic(hocket_task *) stopper; /* who is in stop() */
_Atomic int hocket__runtime_state;
static _Atomic(hocket_task *) main_task;

/* ---- at exit ---- */

struct at_exit {
    struct at_exit *next;
    void (*fn)(void *arg);
    void *arg;
};
static hocket__guard exits_guard;
static struct at_exit *exits;

/* Each is taken off before it is called, so each is called once, whoever gets here. */
static void exits_run(void)
{
    for (;;) {
        hocket__guard_lock(&exits_guard);
        struct at_exit *e = exits;
        if (e)
            exits = e->next;
        (void)hocket__guard_unlock(&exits_guard);
        if (!e)
            return;
        e->fn(e->arg);
        hocket__free(e);
    }
}

static void exits_libc(void)
{
    if (!hocket__forked())
        exits_run();
}

int hocket_at_exit(void (*fn)(void *arg), void *arg)
{
    static _Atomic bool registered; /* with libc, for exit(3): only if somebody asks */
    bool first = false;
    struct at_exit *e = hocket__alloc(sizeof *e);
    if (!e)
        return -ENOMEM;
    if (hk_cas(&registered, &first, true) && atexit(exits_libc) != 0) {
        hk_store(&registered, false);
        hocket__free(e);
        return -ENOMEM;
    }
    e->fn = fn;
    e->arg = arg;
    hocket__guard_lock(&exits_guard);
    e->next = exits;
    exits = e;
    (void)hocket__guard_unlock(&exits_guard);
    return 0;
}

/* ---- options ---- */

/* Number of workers, HOCKET_NO_WORKERS, or -EINVAL. */
static int workers_wanted(const hocket_runtime_options *o, int *ret_workers)
{
    int n = o ? o->workers : 0;
    if (n == 0) {
        const char *text = hocket__env("HOCKET_WORKERS");
        if (text) {
            char *end;
            errno = 0;
            long value = strtol(text, &end, 10);
            if (errno || *end || value < 0 || value > 1000)
                return -EINVAL;
            n = value == 0 ? HOCKET_NO_WORKERS : (int)value;
        }
    }
    if (n == 0)
        n = hocket__cpu_count();
    if (n != HOCKET_NO_WORKERS && (n < 0 || n > 1000))
        return -EINVAL;
    *ret_workers = n == HOCKET_NO_WORKERS ? 0 : n;
    return 0;
}

static int options_check(const hocket_runtime_options *o)
{
    if (o && o->size != 0 && o->size < sizeof *o)
        return -EINVAL;
    return o && (o->max_blocking < 0 || o->watchdog < 0) ? -EINVAL : 0;
}

HK_COLD int hocket__runtime_why_not(void)
{
    hocket__fork_check("hocket_spawn");
    return hk_load(&hocket__runtime_state) == HOCKET__RUNTIME_OFF ? -ENOSYS : -ECANCELED;
}

/* ---- start and stop ---- */

static void busy_begin(void)
{
    uint32_t idle = 0;
    if (hk_cas(&busy, &idle, 1))
        return;
    while (hk_xchg(&busy, 2) != 0)
        (void)hocket__futex_wait(&busy, 2, HOCKET_FOREVER);
}

static void busy_end(void)
{
    if (hk_xchg(&busy, 0) == 2)
        (void)hocket__futex_wake(&busy, 1);
}

/* Take one of several starts back.  False if it is the last, or there is none. */
static bool starts_drop(void)
{
    int n = hk_load(&starts);
    while (n > 1)
        if (hk_cas(&starts, &n, n - 1))
            return true;
    return false;
}

static bool is_inside(const hocket_task *self)
{
    return hk_load(&self->kind) != HOCKET__FOREIGN || hk_load(&stopper) == self;
}

static void in_forked_child(void)
{
    hk_store(&hocket__runtime_state, HOCKET__RUNTIME_FORKED); /* spawn looks at nothing else */
    hocket__signals_in_child();
}

/* The dump first: a cancel changes what there is to see. */
static void pending(void)
{
    hocket__dump_serve();
    hocket__signals_pending();
}

/* host: the caller, of hocket_run; NULL otherwise. */
static int start(const hocket_runtime_options *o, hocket_task *host)
{
    struct hocket__sched_config config = {
        .run = hocket__task_run,
        .start_failed = hocket__task_start_failed,
        .left = hocket__scope_leave_others,
        .pending = pending,
        .late = hocket__dump_serve,
    };
    int err = options_check(o);
    if (err == 0)
        err = workers_wanted(o, &config.workers);
    int world = err ? err : hocket__world_wanted();
    if (world < 0)
        return world;
    if (world)
        config.workers = 0;
    config.seat = host != NULL || config.workers == 0;
    config.host = host;
    config.max_blocking = config.workers == 0    ? 0
                          : o && o->max_blocking ? o->max_blocking
                                                 : MAX_BLOCKING;
    config.watchdog = o && o->watchdog ? o->watchdog : WATCHDOG;
    config.report = o && o->quiet_watchdog ? NULL : hocket__report_stuck;
    err = hocket__deadlock_set(o ? o->on_deadlock : HOCKET_DEADLOCK_DEFAULT, host != NULL);
    if (err)
        return err;
    if (hocket__deadlock_watched()) {
        config.outside = hocket__deadlock_outside;
        config.quiescent = hocket__deadlock_found;
    }
    err = hocket__fork_watch();
    if (err)
        return err;
    hocket__signals_remember();
    hocket__scope_init(&hocket__root_scope, NULL);
    hocket__scope_init(&hocket__daemon_scope, NULL);
    hocket__cancel_scope_root(&hocket__root_scope.cancel);
    hocket__cancel_scope_root(&hocket__daemon_scope.cancel);
    hocket__daemon_scope.keep_going = hocket__root_scope.keep_going = true;
    hocket__onlookers_start();
    err = hocket__sched_start(&config);
    if (err) {
        hocket__onlookers_stop();
        return err;
    }
    hocket__fork_arm(in_forked_child);
    hk_store(&hocket__runtime_state, HOCKET__RUNTIME_ON);
    return 0;
}

static void stop(hocket_task *self)
{
    hk_store(&stopper, self);
    hocket__scope_drain(&hocket__root_scope, self);
    hocket__sched_seat_free();
    exits_run();
    hocket__cancel_scope(&hocket__daemon_scope.cancel);
    hocket__scope_drain(&hocket__daemon_scope, self);
    hk_store_sc(&hocket__runtime_state, HOCKET__RUNTIME_STOPPING); /* pairs with hocket__spawn */
    hocket__scope_drain(&hocket__root_scope, self);
    hocket__scope_drain(&hocket__daemon_scope, self);
    hocket__thread_tasks_reap(true);
    hk_store(&hocket__runtime_state, HOCKET__RUNTIME_OFF);
    hocket__sched_stop();
    hocket__onlookers_stop();
    hocket__fork_arm(NULL);
    hk_store(&starts, 0);
    hk_store(&stopper, NULL);
}

int hocket_runtime_start(const hocket_runtime_options *options)
{
    hocket__fork_check("hocket_runtime_start");
    hocket_task *self = hocket__self_attach();
    if (!self)
        return -ENOMEM;
    if (is_inside(self)) {
        (void)hk_add(&starts, 1);
        return 0;
    }
    busy_begin();
    int err = hk_load(&starts) > 0 ? 0 : start(options, NULL);
    if (err == 0)
        (void)hk_add(&starts, 1);
    busy_end();
    return err;
}

/* Wait for the root scope until the deadline; then cancel it. */
static bool settle(hocket_task *self, hocket_time deadline)
{
    if (deadline == HOCKET_FOREVER)
        return true;
    while (hocket_scope_count((hocket_scope *)(void *)&hocket__root_scope) > 0) {
        if (hocket__clock() >= deadline) {
            hocket__cancel_scope(&hocket__root_scope.cancel);
            return false;
        }
        hocket_time soon = hocket_after(HOCKET_MS);
        struct hocket__waiter node;
        static const struct hocket__wait_class stop_class = { "stop", NULL };
        hocket__wait_begin(&node, self, &stop_class, NULL, 0);
        (void)hocket__wait_park(self, soon < deadline ? soon : deadline);
        hocket__wait_end(self);
    }
    return true;
}

int hocket_runtime_stop(hocket_time deadline)
{
    hocket__fork_check("hocket_runtime_stop");
    hocket_task *self = hocket__self_attach();
    int err = 0;
    if (!self)
        return -ENOMEM;
    if (is_inside(self))
        return starts_drop() ? 0 : -EPERM;
    busy_begin();
    if (hk_load(&starts) == 0) {
        err = -EINVAL;
    } else if (!starts_drop()) {
        err = settle(self, deadline) ? 0 : -ETIMEDOUT;
        stop(self);
    }
    busy_end();
    return err;
}

bool hocket_running(void)
{
    return (hk_load(&hocket__runtime_state) != HOCKET__RUNTIME_OFF);
}

int hocket_workers(void)
{
    return hocket__sched_workers();
}

size_t hocket_stack_size(size_t bytes)
{
    size_t old = HOCKET__STACK_MIN << hk_load(&hocket__default_class);
    int stack_class = bytes ? hocket__stack_class(bytes) : -1;
    if (stack_class >= 0)
        hk_store(&hocket__default_class, (uint8_t)stack_class);
    return old;
}

hocket_task *hocket_main_task(void)
{
    return hk_load_acq(&main_task);
}

/* ---- hocket_run ---- */

struct root {
    hocket_task_fn *fn;
    void *arg;
    int result;
};

/* The root task counts its own children without atomics; what is left becomes everybody's. */
static int root_main(void *arg)
{
    struct root *r = arg;
    struct hocket__scope *s = &hocket__root_scope;
    hk_store(&s->counter, hocket__self_or_null());
    r->result = r->fn(r->arg);
    (void)hk_add(&s->others, s->mine);
    s->mine = 0;
    hk_store(&s->counter, NULL);
    return r->result;
}

static int run_root(struct root *root, hocket_task *self)
{
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.name = "main";
    o.stack_size = ROOT_STACK;
    o.held = true;
    int err = hocket_spawn_task(&t, NULL, root_main, root, &o);
    if (err)
        return err;
    (void)hk_or(&t->flags, HOCKET__TASK_ROOT);
    hk_store_rel(&main_task, t);
    err = hocket_task_start(t); /* cannot fail: it was held */
    /* Until it has ended, part of the scope's count is in its `mine`. */
    if (err == 0)
        err = hocket_join(t, NULL, HOCKET_FOREVER);
    hocket__scope_drain(&hocket__root_scope, self);
    hk_store(&main_task, NULL);
    hocket_task_release(t); /* reports the failure if nobody looked */
    return err;
}

int hocket_run_with(hocket_task_fn *fn, void *arg, const hocket_runtime_options *options)
{
    hocket__fork_check("hocket_run");
    hocket_task *self = hocket__self_attach();
    struct root root = { fn, arg, -ENOMEM }; /* should it get no stack */
    if (!self)
        return -ENOMEM;
    if (is_inside(self))
        return -EBUSY;
    busy_begin();
    int err = hk_load(&starts) > 0 ? -EBUSY : start(options, self);
    if (err == 0)
        hk_store(&starts, 1);
    busy_end();
    if (err)
        return err;
    bool signals = !(options && options->no_signals) && hocket__signals_install() == 0;
    bool dumps = signals && !(options && options->no_dump) && hocket__dump_signal_on(SIGQUIT) == 0;
    err = run_root(&root, self);
    busy_begin();
    stop(self);
    busy_end();
    if (dumps)
        hocket__dump_signal_off();
    if (signals)
        hocket__signals_restore();
    return err ? err : root.result;
}

int hocket_run(hocket_task_fn *fn, void *arg)
{
    return hocket_run_with(fn, arg, NULL);
}

/* ---- blocking calls ---- */

int hocket_blocking(hocket_task_fn *fn, void *arg)
{
    hocket_task *self = hocket__self_must("hocket_blocking");
    int result = 0;
    hocket__fork_check("hocket_blocking");
    int err = hocket__cancel_point(self);
    if (err == 0)
        err = hocket__sched_blocking(self, fn, arg, &result);
    return err ? err : result;
}

void hocket_blocking_begin(void)
{
    hocket__watch(HOCKET__EVENT_BLOCK, hocket__self_or_null(), NULL, 0);
    hocket__sched_blocking_begin();
}

void hocket_blocking_end(void)
{
    hocket__sched_blocking_end();
    hocket__watch(HOCKET__EVENT_UNBLOCK, hocket__self_or_null(), NULL, 0);
}

void hocket_runtime_stats_get(hocket_runtime_stats *ret_stats)
{
    memset(ret_stats, 0, sizeof *ret_stats);
    if (!(hk_load(&hocket__runtime_state) != HOCKET__RUNTIME_OFF))
        return;
    hocket__sched_stats(ret_stats);
    ret_stats->tasks = hocket_task_count();
}
