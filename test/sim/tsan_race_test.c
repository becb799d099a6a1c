/* SPDX-License-Identifier: MIT */
/*
 * tsan_race: under TSan the explorer's own hand-overs order nothing, so a race shows though the
 * racing threads never run at once.  Says nothing without TSan.
 */
#include "support/explored.h"

#include "support/death.h"
#include "sys/sanitizer.h"

static hocket_mutex mutex;
static _Atomic bool flag;
static long plain;

static const struct explore_options few = { .seeds = 64 };

static void *bump(void *arg)
{
    (void)arg;
    plain++;
    return NULL;
}

static void *bump_locked(void *arg)
{
    hocket_mutex_lock(&mutex);
    plain++;
    hocket_mutex_unlock(&mutex);
    return arg;
}

/* The one who sees the flag goes on, but by a relaxed load. */
static void *publish(void *arg)
{
    plain++;
    hk_store(&flag, true);
    return arg;
}

static void *follow(void *arg)
{
    explore_until(hk_load(&flag));
    plain++;
    return arg;
}

static void two(void *(*a)(void *), void *(*b)(void *))
{
    memset(&mutex, 0, sizeof mutex);
    hk_store(&flag, false);
    plain = 0;
    int first = explore_start(a, NULL), second = explore_start(b, NULL);
    explore_join(first);
    explore_join(second);
    HK_EXPECT_EQ(plain, 2);
}

static void unlocked_body(void *arg)
{
    (void)arg;
    two(bump, bump);
}

static void relaxed_body(void *arg)
{
    (void)arg;
    two(publish, follow);
}

static void unlocked(void *arg)
{
    explore("unlocked", unlocked_body, arg, &few);
}

static void relaxed(void *arg)
{
    explore("relaxed", relaxed_body, arg, &few);
}

START_TEST(a_race_shows)
{
    if (!HOCKET_TSAN)
        return;
    death_by_signal(unlocked, NULL, SIGABRT, "data race");
}
END_TEST

START_TEST(a_missing_order_shows)
{
    if (!HOCKET_TSAN)
        return;
    death_by_signal(relaxed, NULL, SIGABRT, "data race");
}
END_TEST

EXPLORED(locked, &few)
{
    two(bump_locked, bump_locked);
}

SUITE("tsan_race", 30)
{
    suite_once(a_race_shows);
    suite_once(a_missing_order_shows);
    suite_once(locked);
}
