/* SPDX-License-Identifier: MIT */
/*
 * explore_sys - the table of src/sys in the world of the explorer: clock, sleep, threads
 *
 * A thread that ends runs the destructors of its thread-locals first, and they
 * pass points: so the end is announced by a key destructor of our own,
 * made after the library's and armed anew until the last round.
 */
#define _GNU_SOURCE
#include "support/explore_world.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "park/record.h"
#include "sys/sanitizer.h"

#define W explore__world

#define CLOCK_TIME 100 /* ns a look at the clock */
/* PTHREAD_DESTRUCTOR_ITERATIONS; gcc's TSan takes its state of the thread away in the last one. */
#define END_ROUNDS (HOCKET_TSAN ? 2 : 4)

static pthread_key_t end_key;
static int cpus;

/* ---- the table ---- */

static int64_t world_clock(void)
{
    if (explore__me())
        W.now += CLOCK_TIME;
    return W.now;
}

static int64_t world_clock_coarse(void)
{
    return W.now - W.now % HOCKET_MS;
}

static bool ends_early(int *ret_result)
{
    if (W.options.spurious == 0 || explore__random() % W.options.spurious != 0)
        return false;
    *ret_result = explore__random() % 2 ? 0 : -EINTR;
    return true;
}

static int world_futex_wait(const _Atomic uint32_t *addr, uint32_t expected, int64_t deadline)
{
    struct explore_thread *t = explore__me();
    int result;
    if (!t)
        return hocket__sys_linux.futex_wait(addr, expected, deadline);
    if (atomic_load(addr) != expected)
        return -EAGAIN;
    if (deadline <= W.now)
        return -ETIMEDOUT;
    if (ends_early(&result))
        return result;
    int saved = errno;
    t->state = EXPLORE_SLEEPING;
    t->addr = addr;
    t->deadline = deadline;
    t->asleep = W.slept++;
    explore__reschedule(t);
    t->addr = NULL;
    errno = saved;
    return t->result;
}

/* In order of sleep, as the kernel does. */
static int world_futex_wake(const _Atomic uint32_t *addr, int n)
{
    int woken = 0;
    while (woken < n) {
        struct explore_thread *first = NULL;
        for (int i = 0; i < W.count; i++) {
            struct explore_thread *t = &W.threads[i];
            if (t->used && t->state == EXPLORE_SLEEPING && t->addr == addr &&
                (!first || t->asleep < first->asleep))
                first = t;
        }
        if (!first)
            break;
        explore__make_runnable(first, 0);
        woken++;
    }
    return woken;
}

/* A key destructor: see the head. */
static void thread_end(void *arg)
{
    struct explore_thread *t = arg;
    if (++t->end_rounds < END_ROUNDS) {
        (void)pthread_setspecific(end_key, t);
        return;
    }
    t->state = EXPLORE_FINISHED;
    for (int i = 0; i < W.count; i++)
        if (W.threads[i].state == EXPLORE_JOINING && W.threads[i].addr == (const void *)t)
            explore__make_runnable(&W.threads[i], 0);
    explore__hand_over(t, explore__pick());
}

static void *thread_main(void *arg)
{
    struct explore_thread *t = arg;
    explore__me_set(t);
    if (pthread_setspecific(end_key, t) != 0)
        explore__die("no memory for a thread");
    explore__word_post(&t->ready);
    explore__word_wait(&t->baton);
    return t->fn(t->arg);
}

struct explore_thread *explore__thread_new(void *(*fn)(void *), void *arg, const char *name)
{
    int i = 0;
    while (i < W.count && W.threads[i].used)
        i++;
    if (i == EXPLORE_THREADS)
        explore__die("more than %d threads", EXPLORE_THREADS);
    struct explore_thread *t = &W.threads[i];
    hocket__tsan_ignore_begin(); /* the calls of libc */
    memset((void *)t, 0, sizeof *t);
    t->id = i;
    t->used = true;
    t->state = EXPLORE_UNBORN;
    W.count += i == W.count;
    t->fn = fn;
    t->arg = arg;
    snprintf(t->name, sizeof t->name, "%s", name ? name : "");
    t->held = W.options.hold_monitor && strcmp(t->name, "hocket-mon") == 0;
    hocket__tsan_ignore_end();
    explore__strategy_thread(t);
    return t;
}

static int world_thread_start(struct hocket__thread *ret, void *(*fn)(void *), void *arg,
                              size_t stack_size, const char *name, unsigned flags)
{
    if (!explore__me())
        return hocket__sys_linux.thread_start(ret, fn, arg, stack_size, name, flags);
    struct explore_thread *t = explore__thread_new(fn, arg, name);
    size_t stack = stack_size ? stack_size + 64 * 1024 : 0; /* for the explorer's own frames */
    struct hocket__thread os;                               /* not t->os, which TSan would see */
    int err = hocket__sys_linux.thread_start(&os, thread_main, t, stack, name, flags);
    if (err) {
        t->used = false;
        return err;
    }
    t->os = os;
    explore__word_wait(&t->ready);
    explore__make_runnable(t, 0);
    ret->handle = (uintptr_t)t;
    return 0;
}

static void world_thread_join(struct hocket__thread os)
{
    struct explore_thread *self = explore__me(), *t = (void *)os.handle;
    if (!self) {
        hocket__sys_linux.thread_join(os);
        return;
    }
    if (t->state != EXPLORE_FINISHED) {
        self->state = EXPLORE_JOINING;
        self->addr = (const void *)t;
        explore__reschedule(self);
    }
    hocket__sys_linux.thread_join(t->os);
    t->used = false;
}

static void world_thread_detach(struct hocket__thread os)
{
    ((struct explore_thread *)os.handle)->detached = true;
}

static void world_thread_yield(void)
{
    if (!explore__me())
        (void)sched_yield();
}

static int world_thread_id(void)
{
    struct explore_thread *t = explore__me();
    return t ? t->id + 1 : hocket__sys_linux.thread_id();
}

static int world_membarrier(void)
{
    return W.options.no_membarrier ? -ENOSYS : 0;
}

static void world_random(void *buffer, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)buffer)[i] = (unsigned char)explore__random();
}

static int world_cpu_count(void)
{
    return cpus;
}

void explore__sys_open(int cpu_count)
{
    static struct hocket__sys table;
    table = hocket__sys_linux;
    table.clock = world_clock;
    table.clock_coarse = world_clock_coarse;
    table.futex_wait = world_futex_wait;
    table.futex_wake = world_futex_wake;
    table.thread_start = world_thread_start;
    table.thread_join = world_thread_join;
    table.thread_detach = world_thread_detach;
    table.thread_yield = world_thread_yield;
    table.thread_id = world_thread_id;
    table.membarrier = world_membarrier;
    table.random = world_random;
    table.cpu_count = world_cpu_count;
    table.cpu_mask = world_cpu_count;
    hocket__sys = &table;
    cpus = cpu_count;
    /* The library's key before ours: see the head. */
    if (!hocket__self_attach() || pthread_key_create(&end_key, thread_end) != 0)
        explore__die("cannot set up the world");
}
