/* SPDX-License-Identifier: MIT */
/*
 * inject - see inject.h
 *
 * The counters are plain atomics, not the library's: no points of their own.
 */
#include "support/inject.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hocket/base.h>

#include "support/expect.h"
#include "sys/sys.h"

#define MAPS_KEPT 16
#define CALLS_MAX 2000 /* a program that never stops failing */

static const char *const names[INJECT_KINDS] = { "nothing", "allocation", "map",
                                                 "guard",   "protect",    "thread" };

static struct {
    _Atomic int kind;
    _Atomic unsigned nth;
    _Atomic bool rest;
    _Atomic unsigned calls; /* of the kind, since inject_fail */
    _Atomic unsigned disturb;
    _Atomic unsigned sleeps;
    _Atomic long blocks, maps, threads;
} now;

static struct hocket__sys table;
static const struct hocket__sys *under;

/* Is this call to fail? */
static bool fails(enum inject_kind kind)
{
    if (atomic_load(&now.kind) != (int)kind)
        return false;
    unsigned call = atomic_fetch_add(&now.calls, 1) + 1, nth = atomic_load(&now.nth);
    return atomic_load(&now.rest) ? call >= nth : call == nth;
}

/* ---- the allocator ---- */

static void *allocate(size_t size, void *context)
{
    (void)context;
    void *memory = fails(INJECT_ALLOC) ? NULL : malloc(size);
    if (memory) {
        atomic_fetch_add(&now.blocks, 1);
        memset(memory, 0xa5, size); /* nobody relies on zeroes */
    }
    return memory;
}

static void *resize(void *memory, size_t size, void *context)
{
    (void)context;
    return fails(INJECT_ALLOC) ? NULL : realloc(memory, size);
}

static void release(void *memory, void *context)
{
    (void)context;
    atomic_fetch_sub(&now.blocks, 1);
    free(memory);
}

/* ---- the table ---- */

static int inject_map(size_t size, void **ret)
{
    int err = fails(INJECT_MAP) ? -ENOMEM : under->map(size, ret);
    if (err == 0)
        atomic_fetch_add(&now.maps, 1);
    return err;
}

static void inject_unmap(void *addr, size_t size)
{
    atomic_fetch_sub(&now.maps, 1);
    under->unmap(addr, size);
}

static int inject_guard(void *addr, size_t size, size_t stride, size_t count)
{
    return fails(INJECT_GUARD) ? -EINVAL : under->guard(addr, size, stride, count);
}

static int inject_protect(void *addr, size_t size)
{
    return fails(INJECT_PROTECT) ? -ENOMEM : under->protect(addr, size);
}

static int inject_thread_start(struct hocket__thread *ret, void *(*fn)(void *), void *arg,
                               size_t stack_size, const char *name, unsigned flags)
{
    if (fails(INJECT_THREAD))
        return -EAGAIN;
    int err = under->thread_start(ret, fn, arg, stack_size, name, flags);
    if (err == 0)
        atomic_fetch_add(&now.threads, 1);
    return err;
}

static void inject_thread_join(struct hocket__thread t)
{
    under->thread_join(t);
    atomic_fetch_sub(&now.threads, 1);
}

static void inject_thread_detach(struct hocket__thread t)
{
    under->thread_detach(t);
    atomic_fetch_sub(&now.threads, 1);
}

static int inject_futex_wait(const _Atomic uint32_t *addr, uint32_t expected, int64_t deadline)
{
    unsigned one_of = atomic_load(&now.disturb);
    if (one_of > 0) {
        unsigned n = atomic_fetch_add(&now.sleeps, 1);
        if (n % one_of == 0)
            return n / one_of % 2 ? -EINTR : 0;
    }
    return under->futex_wait(addr, expected, deadline);
}

/* ---- control ---- */

static void on_abort(int signal_number)
{
    char line[128];
    (void)signal_number;
    int size = snprintf(line, sizeof line, "inject: the failed call was %s %u%s\n",
                        names[atomic_load(&now.kind)], atomic_load(&now.nth),
                        atomic_load(&now.rest) ? " and all after it" : "");
    if (write(2, line, (size_t)size) < 0)
        _exit(2);
}

void inject_install(void)
{
    const hocket_allocator allocator = { allocate, resize, release, NULL };
    HK_EXPECT_OK(hocket_set_allocator(&allocator));
    under = hocket__sys;
    table = *under;
    table.map = inject_map;
    table.unmap = inject_unmap;
    table.guard = inject_guard;
    table.protect = inject_protect;
    table.thread_start = inject_thread_start;
    table.thread_join = inject_thread_join;
    table.thread_detach = inject_thread_detach;
    table.futex_wait = inject_futex_wait;
    hocket__sys = &table;
    (void)signal(SIGABRT, on_abort); /* returns, and abort ends the process all the same */
}

void inject_fail(enum inject_kind kind, unsigned nth, bool rest)
{
    atomic_store(&now.calls, 0);
    atomic_store(&now.nth, nth);
    atomic_store(&now.rest, rest);
    atomic_store(&now.kind, (int)kind);
}

bool inject_off(void)
{
    bool happened = atomic_load(&now.calls) >= atomic_load(&now.nth);
    atomic_store(&now.kind, INJECT_NOTHING);
    return happened;
}

struct inject_counts inject_counts(void)
{
    return (struct inject_counts){ atomic_load(&now.blocks), atomic_load(&now.maps),
                                   atomic_load(&now.threads) };
}

void inject_disturb(unsigned one_of)
{
    atomic_store(&now.disturb, one_of);
}

/* ---- the sweep ---- */

static void expect_counts(struct inject_counts before)
{
    struct inject_counts after = inject_counts();
    HK_EXPECT_EQ(after.threads, before.threads);
    /* The place of a worker that was lent for the first time is kept; leaks add up to more. */
    HK_EXPECT(after.maps >= before.maps && after.maps <= before.maps + MAPS_KEPT);
    HK_EXPECT_EQ(after.blocks, before.blocks);
}

static bool allowed(enum inject_kind kind, int error)
{
    if (error == 0 || error == -ENOMEM)
        return true;
    return error == -EAGAIN && kind == INJECT_THREAD;
}

/* True if the nth call was made, and so failed. */
static bool one_failure(enum inject_kind kind, unsigned nth, bool rest, int (*program)(void *arg),
                        void *arg, struct inject_counts before)
{
    inject_fail(kind, nth, rest);
    int error = program(arg);
    bool happened = atomic_load(&now.calls) >= nth;
    if (!allowed(kind, error) || (!happened && error != 0))
        fprintf(stderr, "inject: the program returned %d\n", error);
    HK_EXPECT(allowed(kind, error));
    HK_EXPECT(happened || error == 0);
    expect_counts(before);
    atomic_store(&now.kind, INJECT_NOTHING);
    HK_EXPECT_EQ(program(arg), 0);
    expect_counts(before);
    return happened;
}

unsigned inject_sweep(enum inject_kind kind, int (*program)(void *arg), void *arg)
{
    unsigned n = 1;
    /* What is made once and kept: tables, slabs, keys. */
    HK_EXPECT_EQ(program(arg), 0);
    HK_EXPECT_EQ(program(arg), 0);
    struct inject_counts before = inject_counts();
    for (;;) {
        bool once = one_failure(kind, n, false, program, arg, before);
        bool from_then_on = one_failure(kind, n, true, program, arg, before);
        if (!once && !from_then_on)
            break;
        n++;
        HK_EXPECT(n < CALLS_MAX);
    }
    return n - 1;
}
