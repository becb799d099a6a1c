/* SPDX-License-Identifier: MIT */
/*
 * explore_world - points, hand-overs and the run as a whole
 *
 * Each managed thread is an OS thread that waits for its baton, a futex word.  Whoever
 * has the baton runs; at a point it may pick another thread, hand over and wait
 * for its own.  All of them are bound to one CPU, so a hand-over is one
 * switch of the kernel and no message between CPUs.
 */
#define _GNU_SOURCE
#include "support/explore_world.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "park/record.h"

#define W explore__world

#define START_TIME (1000 * HOCKET_SEC)
#define STEP_TIME  20 /* ns a point */

struct explore_world explore__world;

static __thread struct explore_thread *tls_me;

/* Fibers move between threads: the address of a thread-local must not be kept. */
__attribute__((noinline)) struct explore_thread *explore__me(void)
{
    __asm__ __volatile__("" ::: "memory");
    return tls_me;
}

void explore__me_set(struct explore_thread *t)
{
    tls_me = t;
}

/* ---- batons ---- */

void explore__word_wait(_Atomic uint32_t *word)
{
    while (atomic_load(word) == 0)
        (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    atomic_store(word, 0);
}

void explore__word_post(_Atomic uint32_t *word)
{
    atomic_store(word, 1);
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* ---- the end of a run that went wrong ---- */

static const char *base_name(const char *file)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    return slash ? slash + 1 : file ? file : "?";
}

static const char *state_text(const struct explore_thread *t, char *text, size_t size)
{
    if (t->state == EXPLORE_SLEEPING && t->deadline != INT64_MAX)
        snprintf(text, size, "asleep on %p until +%lld us", (void *)(uintptr_t)t->addr,
                 (long long)(t->deadline - W.now) / 1000);
    else if (t->state == EXPLORE_SLEEPING)
        snprintf(text, size, "asleep on %p", (void *)(uintptr_t)t->addr);
    else if (t->state == EXPLORE_JOINING)
        snprintf(text, size, "joins thread %d", ((const struct explore_thread *)t->addr)->id);
    else
        snprintf(text, size, "%s", t->state == EXPLORE_FINISHED ? "ended" : "runnable");
    return text;
}

_Noreturn void explore__die(const char *format, ...)
{
    char *out = W.shared->message, state[80];
    size_t size = sizeof W.shared->message, n;
    va_list args;
    va_start(args, format);
    vsnprintf(out, size, format, args);
    va_end(args);
    for (int i = 0; i < W.count; i++) {
        const struct explore_thread *t = &W.threads[i];
        n = strlen(out);
        snprintf(out + n, size - n, "\n    thread %d %-12s %s, at %s:%d", i, t->name,
                 state_text(t, state, sizeof state), base_name(t->file), t->line);
    }
    _exit(99);
}

/* ---- who runs ---- */

bool explore__can_run(const struct explore_thread *t)
{
    if (!t->used)
        return false;
    return t->state == EXPLORE_RUNNABLE || (t->state == EXPLORE_SLEEPING && t->interrupt);
}

int64_t explore__next_deadline(void)
{
    int64_t first = INT64_MAX;
    for (int i = 0; i < W.count; i++) {
        const struct explore_thread *t = &W.threads[i];
        if (t->used && t->state == EXPLORE_SLEEPING && !t->held && t->deadline < first)
            first = t->deadline;
    }
    return first;
}

void explore__make_runnable(struct explore_thread *t, int result)
{
    t->state = EXPLORE_RUNNABLE;
    t->result = result;
    t->yielded = false;
    W.pick_anew = true;
}

static void expire(void)
{
    for (int i = 0; i < W.count; i++) {
        struct explore_thread *t = &W.threads[i];
        if (t->used && t->state == EXPLORE_SLEEPING && !t->held && t->deadline <= W.now)
            explore__make_runnable(t, -ETIMEDOUT);
    }
}

static void note_switch(const struct explore_thread *from, const struct explore_thread *to)
{
    struct explore_shared *s = W.shared;
    s->ring[s->ring_count++ % EXPLORE_RING] =
        (struct explore_switch){ W.steps, W.now, from->id, to->id, from->file, from->line };
    s->switches++;
    if (W.verbose)
        dprintf(2, "%8llu  %d -> %d  at %s:%d\n", (unsigned long long)W.steps, from->id, to->id,
                base_name(from->file), from->line);
}

int explore__pick(void)
{
    for (;;) {
        expire();
        int next = explore__strategy_pick();
        if (next == EXPLORE_NOBODY)
            explore__die("deadlock: nobody can run and nobody has a deadline");
        if (next != EXPLORE_CLOCK)
            return next;
        W.now = explore__next_deadline();
    }
}

static void deliver(struct explore_thread *t)
{
    void (*fn)(void *) = t->interrupt;
    t->interrupt = NULL;
    t->handler = true;
    fn(t->interrupt_arg);
    t->handler = false;
}

/* Hand over to `next`.  Returns when it is our turn again, unless we have ended. */
void explore__hand_over(struct explore_thread *from, int next)
{
    struct explore_thread *to = &W.threads[next];
    W.hash = (W.hash ^ (uint64_t)(unsigned)next) * UINT64_C(0x100000001b3);
    if (to == from)
        return;
    note_switch(from, to);
    W.current = next;
    bool ended = from->state == EXPLORE_FINISHED;
    explore__word_post(&to->baton);
    if (!ended)
        explore__word_wait(&from->baton);
}

/* It is our turn; a sleeper that was picked for its interrupt wakes with it. */
void explore__reschedule(struct explore_thread *t)
{
    explore__hand_over(t, explore__pick());
    if (t->state == EXPLORE_SLEEPING) {
        explore__make_runnable(t, -EINTR);
        deliver(t);
    }
}

static void point(int kind, const volatile void *addr, const char *file, int line)
{
    struct explore_thread *t = explore__me();
    (void)addr;
    if (!t)
        return;
    int saved = errno;
    if (t->state == EXPLORE_FINISHED)
        explore__die("thread %d passes a point after its end: %s:%d", t->id, file, line);
    t->kind = kind;
    t->file = file;
    t->line = line;
    W.steps++;
    W.now += STEP_TIME;
    W.hash = (W.hash ^ ((uint64_t)(unsigned)t->id << 32 | (unsigned)line << 4 | (unsigned)kind)) *
             UINT64_C(0x100000001b3);
    if (W.verbose > 1)
        dprintf(2, "%8llu  %d  %s:%d\n", (unsigned long long)W.steps, t->id, base_name(file), line);
    if (W.steps > W.options.steps)
        explore__die("livelock: %u points and no end", W.options.steps);
    if (t->interrupt && !t->handler && explore__random() % 16 == 0)
        deliver(t);
    if (explore__strategy_preempts(t, kind == HOCKET_POINT_YIELD))
        explore__reschedule(t);
    errno = saved;
}

/* ---- runs ---- */

void explore__world_open(const struct explore_options *options, struct explore_shared *shared,
                         int cpu_count)
{
    W.options = *options;
    W.shared = shared;
    W.now = START_TIME;
    explore__sys_open(cpu_count);
    hocket__point_hook = point;
}

static void run_over(void)
{
    for (int i = 1; i < W.count; i++) {
        struct explore_thread *t = &W.threads[i];
        if (!t->used)
            continue;
        if (!t->detached)
            explore__die("the body has left thread %d %s behind", i, t->name);
        hocket__sys->thread_join((struct hocket__thread){ (uintptr_t)t });
    }
}

void explore__world_run(uint64_t seed, void (*body)(void *arg), void *arg)
{
    W.count = 0;
    W.steps = 0;
    W.slept = 0;
    W.hash = seed;
    W.pick_anew = false;
    explore__strategy_start(seed);
    struct explore_thread *t = explore__thread_new(NULL, NULL, "body");
    t->state = EXPLORE_RUNNABLE;
    W.current = 0;
    explore__me_set(t);
    body(arg);
    run_over();
    explore__me_set(NULL);
    W.shared->points += W.steps;
}

/* ---- for bodies ---- */

int explore_start(void *(*fn)(void *arg), void *arg)
{
    struct hocket__thread os;
    if (hocket__sys->thread_start(&os, fn, arg, 0, NULL, HOCKET__THREAD_INHERIT_SIGNALS) != 0)
        explore__die("no thread for the body");
    return ((struct explore_thread *)os.handle)->id;
}

void explore_join(int thread)
{
    hocket__sys->thread_join((struct hocket__thread){ (uintptr_t)&W.threads[thread] });
}

int explore_self(void)
{
    return explore__me()->id;
}

void explore_interrupt(int thread, void (*fn)(void *arg), void *arg)
{
    struct explore_thread *t = &W.threads[thread];
    if (t->state == EXPLORE_FINISHED || !t->used)
        return;
    t->interrupt = fn;
    t->interrupt_arg = arg;
    W.pick_anew = true;
}

bool explore_delivered(int thread)
{
    return !W.threads[thread].interrupt && !W.threads[thread].handler;
}

uint32_t explore_choice(uint32_t n)
{
    return (uint32_t)(explore__random() % n);
}

void explore_point(void)
{
    point(HOCKET_POINT_LOAD, NULL, __FILE__, __LINE__);
}

void explore_pause(void)
{
    point(HOCKET_POINT_YIELD, NULL, __FILE__, __LINE__);
}

int64_t explore_now(void)
{
    return W.now;
}
