/* SPDX-License-Identifier: MIT */
/*
 * Many tasks, short deadlines, cancels from all sides, in every mode: what must be conserved is.
 *
 * Each turn a task opens a scope, perhaps has it cancelled by a neighbour, perhaps with a deadline
 * that is about to pass, and does one thing with each of a few shared objects.  The seed is
 * printed on failure by the assertion's numbers; HOCKET_SEED sets it.
 */
#include <errno.h>
#include <stdlib.h>

#include <hocket/barrier.h>
#include <hocket/cond.h>
#include <hocket/event.h>
#include <hocket/latch.h>
#include <hocket/lock_all.h>
#include <hocket/scope.h>
#include <hocket/sem.h>

#include "support/modes.h"

#define TASKS   8
#define TURNS   3000
#define PERMITS 2
#define ROOM    2

static struct {
    hocket_mutex m, m2;
    hocket_rwlock w;
    hocket_cond some, room;
    hocket_sem s;
    hocket_barrier b;
    int inside, writing, reading, holders;
    int queued, put, got, got_items;
    int full_rounds;
    /* Who may be cancelled by a neighbour: the scope, or NULL.  Under its lock. */
    struct {
        hocket_mutex lock;
        hocket_scope *scope;
    } open[TASKS];
    int done[TASKS];
} x;

static uint32_t seed;

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static int add(int *p, int n)
{
    return __atomic_add_fetch(p, n, __ATOMIC_ACQ_REL);
}

static bool fine(int err)
{
    return err == 0 || err == -ETIMEDOUT || err == -ECANCELED;
}

static void with_mutex(hocket_time deadline, uint32_t r)
{
    int err = hocket_mutex_lock_until(&x.m, deadline);
    HK_EXPECT(fine(err));
    if (err)
        return;
    HK_EXPECT(add(&x.inside, 1) == 1);
    if (r % 8 == 0)
        mode_yield();
    add(&x.inside, -1);
    hocket_mutex_unlock(&x.m);
}

static void with_rwlock(hocket_time deadline, uint32_t r)
{
    bool write = r % 3 == 0;
    int err = write ? hocket_rwlock_wrlock_until(&x.w, deadline)
                    : hocket_rwlock_rdlock_until(&x.w, deadline);
    HK_EXPECT(fine(err));
    if (err)
        return;
    add(write ? &x.writing : &x.reading, 1);
    HK_EXPECT(__atomic_load_n(&x.writing, __ATOMIC_ACQUIRE) == (write ? 1 : 0));
    if (r % 8 == 0)
        mode_yield();
    HK_EXPECT(!write || __atomic_load_n(&x.reading, __ATOMIC_ACQUIRE) == 0);
    add(write ? &x.writing : &x.reading, -1);
    hocket_rwlock_unlock(&x.w);
}

static void with_sem(hocket_time deadline, uint32_t r)
{
    int err = hocket_sem_acquire(&x.s, deadline);
    HK_EXPECT(fine(err));
    if (err)
        return;
    HK_EXPECT(add(&x.holders, 1) <= PERMITS);
    if (r % 8 == 0)
        mode_yield();
    add(&x.holders, -1);
    HK_EXPECT_OK(hocket_sem_release(&x.s));
}

static void with_cond(hocket_time deadline, uint32_t r)
{
    int err = 0;
    bool put = r % 2;
    hocket_cond *mine = put ? &x.room : &x.some, *theirs = put ? &x.some : &x.room;
    HOCKET_WITH(&x.m2) {
        while (err == 0 && x.queued == (put ? ROOM : 0))
            err = hocket_cond_wait(mine, &x.m2, deadline);
        HK_EXPECT(fine(err));
        if (err == 0) {
            x.queued += put ? 1 : -1;
            (void)(put ? x.put++ : x.got++);
            hocket_cond_signal(theirs);
        }
    }
}

static void with_all(hocket_time deadline, uint32_t r)
{
    int err = r % 2 ? hocket_lock_all_until(deadline, &x.m, &x.m2, &x.w)
                    : hocket_lock_all_until(deadline, &x.w, &x.m, &x.m2);
    HK_EXPECT(fine(err));
    if (err)
        return;
    HK_EXPECT(add(&x.inside, 1) == 1 && __atomic_load_n(&x.reading, __ATOMIC_ACQUIRE) == 0);
    add(&x.inside, -1);
    hocket_unlock_all(&x.m, &x.m2, &x.w);
}

static void with_barrier(hocket_time deadline, uint32_t r)
{
    int place = hocket_barrier_wait(&x.b, deadline);
    HK_EXPECT(place == -EPIPE || place == -ETIMEDOUT || place == -ECANCELED ||
              (place >= 0 && place < 2));
    if (place == 1)
        add(&x.full_rounds, 1);
    if (place < 0 && r % 4 == 0)
        hocket_barrier_reset(&x.b);
}

static void (*const acts[])(hocket_time, uint32_t) = { with_mutex, with_rwlock, with_sem,
                                                       with_cond,  with_all,    with_barrier };

static void disturb(int index, uint32_t r)
{
    int other = (int)(r % TASKS);
    if (other == index || hocket_mutex_trylock(&x.open[other].lock) != 0)
        return;
    if (x.open[other].scope)
        hocket_scope_cancel(x.open[other].scope);
    hocket_mutex_unlock(&x.open[other].lock);
}

static void show(int index, hocket_scope *scope)
{
    hocket_mutex_lock(&x.open[index].lock);
    x.open[index].scope = scope;
    hocket_mutex_unlock(&x.open[index].lock);
}

static int body(int index, void *arg)
{
    (void)arg;
    uint32_t state = seed * 2654435761u + (uint32_t)index * 40503u + 1;
    for (int i = 0; i < TURNS; i++) {
        uint32_t r = next_random(&state);
        hocket_scope scope;
        hocket_scope_options options = HOCKET_SCOPE_OPTIONS_DEFAULT;
        if (r % 5 == 0)
            options.deadline = hocket_after((r >> 8) % 200 * HOCKET_US);
        hocket_scope_open(&scope, &options);
        show(index, &scope);
        hocket_time wait = (r >> 4) % 3 == 0 ? HOCKET_MS : (r >> 12) % 100 * HOCKET_US;
        acts[(r >> 20) % 6](hocket_after(wait), r >> 3);
        disturb(index, next_random(&state));
        show(index, NULL);
        (void)!hocket_scope_close(&scope);
    }
    return 0;
}

START_TEST(conserved)
{
    memset(&x, 0, sizeof x);
    HK_EXPECT_OK(hocket_sem_init(&x.s, PERMITS, PERMITS));
    HK_EXPECT_OK(hocket_barrier_init(&x.b, 2, NULL, NULL));
    mode_run(_i, TASKS, body, NULL);
    ck_assert_int_eq(hocket_sem_value(&x.s), PERMITS);
    ck_assert_int_eq(x.put - x.got, x.queued);
    ck_assert(!hocket_mutex_locked(&x.m) && !hocket_mutex_locked(&x.m2));
    ck_assert(!hocket_rwlock_locked(&x.w));
    ck_assert_int_eq(hocket_cond_waiting(&x.some) + hocket_cond_waiting(&x.room), 0);
    hocket_mutex_destroy(&x.m);
    hocket_mutex_destroy(&x.m2);
    hocket_rwlock_destroy(&x.w);
    hocket_cond_destroy(&x.some);
    hocket_cond_destroy(&x.room);
    hocket_sem_destroy(&x.s);
    hocket_barrier_destroy(&x.b);
}
END_TEST

static void add_tests(TCase *tc)
{
    const char *given = getenv("HOCKET_SEED");
    seed = given ? (uint32_t)strtoul(given, NULL, 0) : (uint32_t)hocket_now();
    fprintf(stderr, "HOCKET_SEED=%u\n", seed);
    tcase_set_timeout(tc, 200);
    MODE_TESTS(tc, conserved);
}

int main(void)
{
    return mode_main("chaos", add_tests);
}
