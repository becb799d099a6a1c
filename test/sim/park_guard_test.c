/* SPDX-License-Identifier: MIT */
/*
 * The guard under every schedule: exclusion, no sleeper forgotten, and no work that was deferred
 * by somebody who must not block.
 */
#include "support/explored.h"

#include "park/guard.h"

static hocket__guard guard;
static int inside, entries;
static _Atomic uint32_t posted; /* work that was announced */
static uint32_t done;           /* and done, under the guard */

static void start(void)
{
    hk_store(&guard, 0);
    atomic_store(&posted, 0);
    inside = entries = 0;
    done = 0;
}

static void section(void)
{
    HK_EXPECT_EQ(inside++, 0);
    explore_point();
    entries++;
    HK_EXPECT_EQ(--inside, 0);
}

static void *locker(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket__guard_lock(&guard);
        section();
        (void)hocket__guard_unlock(&guard);
    }
    return NULL;
}

EXPLORED(exclusion, NULL)
{
    start();
    int a = explore_start(locker, NULL), b = explore_start(locker, NULL);
    locker(NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(entries, 9);
    HK_EXPECT_EQ(hk_load(&guard), 0);
}

EXPLORED(exclusion_spurious, &explored_spurious)
{
    exclusion_body(explored_arg);
}

/* Whoever has the guard does what is posted, also what is posted meanwhile. */
static void serve_and_unlock(void)
{
    do {
        section();
        done = atomic_load(&posted);
    } while (hocket__guard_unlock(&guard) && hocket__guard_lock_or_defer(&guard));
}

static void post(void *arg)
{
    (void)arg;
    atomic_fetch_add(&posted, 1);
    explore_point();
    if (hocket__guard_lock_or_defer(&guard))
        serve_and_unlock();
}

static void *poster(void *arg)
{
    post(arg);
    post(arg);
    return NULL;
}

static void *server(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        hocket__guard_lock(&guard);
        serve_and_unlock();
    }
    return NULL;
}

EXPLORED(deferred, NULL)
{
    start();
    int a = explore_start(server, NULL), b = explore_start(poster, NULL);
    int c = explore_start(poster, NULL);
    explore_join(a);
    explore_join(b);
    explore_join(c);
    HK_EXPECT_EQ(atomic_load(&posted), 4);
    HK_EXPECT_EQ(done, 4);
    HK_EXPECT_EQ(hk_load(&guard), 0);
}

/* Posted by handlers, one of which interrupts the holder of the guard itself. */
EXPLORED(deferred_by_handlers, NULL)
{
    start();
    int a = explore_start(server, NULL), b = explore_start(server, NULL);
    explore_interrupt(a, post, NULL);
    explore_interrupt(b, post, NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(done, atomic_load(&posted));
    HK_EXPECT_EQ(hk_load(&guard), 0);
}

SUITE("park_guard", explored_limit())
{
    suite_once(exclusion);
    suite_once(exclusion_spurious);
    suite_once(deferred);
    suite_once(deferred_by_handlers);
}
