/* SPDX-License-Identifier: MIT */
/* sys: stacks in slabs: reuse, trimming, no memory, threads. */
#include "support/context.h"
#include "support/expect.h"
#include "support/plain_suite.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "sys/sys.h"

enum { KIB = 1024, MIB = 1024 * KIB };

static struct hocket__sys world; /* the table of tests that inject failure */

static void use_world(void)
{
    world = hocket__sys_linux;
    hocket__sys = &world;
}

static struct hocket__stack *stack_new(size_t usable)
{
    struct hocket__stack *s;
    HK_EXPECT_EQ(hocket__stack_new(usable, &s), 0);
    return s;
}

static struct hocket__stack_stats stats(void)
{
    struct hocket__stack_stats st;
    hocket__stack_get_stats(&st);
    return st;
}

START_TEST(classes)
{
    HK_EXPECT_EQ(hocket__stack_class(0), 0);
    HK_EXPECT_EQ(hocket__stack_class(64 * KIB), 0);
    HK_EXPECT_EQ(hocket__stack_class(64 * KIB + 1), 1);
    HK_EXPECT_EQ(hocket__stack_class(8 * MIB), 7);
    HK_EXPECT_EQ(hocket__stack_class(HOCKET__STACK_MAX), HOCKET__STACK_CLASSES - 1);
    HK_EXPECT_EQ(hocket__stack_class(HOCKET__STACK_MAX + 1), -EINVAL);
    HK_EXPECT_EQ(hocket__stack_class(SIZE_MAX), -EINVAL);
}
END_TEST

START_TEST(shape)
{
    struct hocket__stack *ret = (void *)&world;

    HK_EXPECT_EQ(hocket__stack_new(SIZE_MAX, &ret), -EINVAL);
    HK_EXPECT(ret == (void *)&world);
    for (size_t want = 1; want <= 64 * MIB; want = want * 3 + 1) {
        struct hocket__stack *s = stack_new(want);
        HK_EXPECT(s->sp == NULL && s->owner == NULL && s->next == NULL);
        HK_EXPECT(s->size >= want && s->size >= HOCKET__STACK_MIN);
        HK_EXPECT(hocket__stack_usable(s) >= s->size - 1088);
        HK_EXPECT_EQ((uintptr_t)hocket__stack_top(s) % 64, 0);
        HK_EXPECT(hocket__stack_check(s));
        memset(s->base, 0x5a, hocket__stack_usable(s) < MIB ? hocket__stack_usable(s) : MIB);
        hocket__stack_free(s);
    }
    hocket__stack_free(NULL);
    hocket__stack_shutdown();
    HK_EXPECT_EQ(stats().reserved, 0);
}
END_TEST

START_TEST(the_largest_class)
{
    struct hocket__stack *s = stack_new(HOCKET__STACK_MAX);

    s->base[0] = 1;
    HK_EXPECT_EQ(stats().live, 1);
    hocket__stack_free(s);
    hocket__stack_shutdown();
}
END_TEST

START_TEST(stacks_are_apart_and_reused)
{
    enum { N = 1500 };
    static struct hocket__stack *s[N], *again;

    for (int i = 0; i < N; i++) {
        s[i] = stack_new(0);
        s[i]->owner = &s[i];
        s[i]->base[0] = 1;
    }
    for (int i = 0; i < N; i++) {
        struct hocket__stack *found;
        HK_EXPECT(s[i]->owner == &s[i]);
        HK_EXPECT_EQ(hocket__stack_find(s[i]->base, &found), HOCKET__STACK_IN_USABLE);
        HK_EXPECT(found == s[i]);
        HK_EXPECT_EQ(hocket__stack_find((char *)s[i] - 1, &found), HOCKET__STACK_IN_USABLE);
        HK_EXPECT(found == s[i]);
        HK_EXPECT_EQ(hocket__stack_find(s[i]->base - 1, &found), HOCKET__STACK_IN_GUARD);
        HK_EXPECT(found == s[i]);
        HK_EXPECT_EQ(hocket__stack_find(s[i]->base - HOCKET__STACK_GUARD, &found),
                     HOCKET__STACK_IN_GUARD);
        HK_EXPECT(found == s[i]);
    }
    HK_EXPECT_EQ(hocket__stack_find(&again, &again), HOCKET__STACK_NOWHERE);
    HK_EXPECT_EQ(hocket__stack_find(NULL, &again), HOCKET__STACK_NOWHERE);
    HK_EXPECT_EQ(hocket__stack_find((void *)UINTPTR_MAX, &again), HOCKET__STACK_NOWHERE);

    hocket__stack_free(s[7]);
    again = stack_new(0);
    HK_EXPECT(again == s[7] && again->owner == NULL);
    for (int i = 0; i < N - 1; i++)
        s[i]->next = s[i + 1];
    s[N - 1]->next = NULL;
    hocket__stack_free_all(s[0]);
    HK_EXPECT_EQ(stats().idle, stats().live);
    size_t live = stats().live;
    for (int i = 0; i < N; i++)
        s[i] = stack_new(0);
    HK_EXPECT_EQ(stats().live, live);
    hocket__stack_shutdown();
}
END_TEST

START_TEST(a_program_with_one_fiber_pays_for_one)
{
    struct hocket__stack *s = stack_new(0);

    HK_EXPECT_EQ(stats().live, 1);
    HK_EXPECT(stats().reserved <= 3 * MIB);
    hocket__stack_free(s);
}
END_TEST

/* --- trimming --- */

START_TEST(idle_stacks_go_cold_and_come_back)
{
    enum { N = 100 };
    struct hocket__stack *s[N], *found;
    char *base;

    for (int i = 0; i < N; i++) {
        s[i] = stack_new(0);
        memset(s[i]->base, 1, 4096);
    }
    for (int i = 0; i < N; i++)
        hocket__stack_free(s[i]);
    size_t live = stats().live, reserved = stats().reserved;
    base = s[50]->base;
    HK_EXPECT_EQ(hocket__stack_trim_idle(10), 10);
    HK_EXPECT_EQ(stats().cold, 10);
    HK_EXPECT_EQ(hocket__stack_trim_idle(SIZE_MAX), live - 10);
    HK_EXPECT_EQ(hocket__stack_trim_idle(SIZE_MAX), 0);
    HK_EXPECT_EQ(stats().live, 0);
    HK_EXPECT_EQ(stats().cold, live);
    HK_EXPECT_EQ(hocket__stack_find(base, &found), HOCKET__STACK_NOWHERE);
    HK_EXPECT_EQ(*base, 0);

    for (int i = 0; i < N; i++) {
        s[i] = stack_new(0);
        HK_EXPECT_EQ(s[i]->base[0], 0);
        HK_EXPECT_EQ(hocket__stack_find(s[i]->base, &found), HOCKET__STACK_IN_USABLE);
        HK_EXPECT(found == s[i] && s[i]->owner == NULL);
    }
    HK_EXPECT_EQ(stats().reserved, reserved);
    HK_EXPECT_EQ(stats().live + stats().cold, live);
    hocket__stack_shutdown();
}
END_TEST

/* --- no memory --- */

static size_t map_limit; /* larger mappings fail */

static int stingy_map(size_t size, void **ret)
{
    return size > map_limit ? -ENOMEM : hocket__sys_linux.map(size, ret);
}

START_TEST(no_memory_is_an_error_and_nothing_else)
{
    struct hocket__stack *s = (void *)&world;

    use_world();
    world.map = stingy_map;
    map_limit = 0;
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(hocket__stack_new(0, &s), -ENOMEM);
    HK_EXPECT(s == (void *)&world);
    HK_EXPECT_EQ(stats().slabs, 0);
    HK_EXPECT_EQ(stats().live, 0);

    /* Room for one slot only: one after the other still works. */
    map_limit = 256 * KIB;
    for (int i = 0; i < 5; i++)
        stack_new(0);
    HK_EXPECT_EQ(stats().slabs, 5);
    HK_EXPECT_EQ(hocket__stack_new(8 * MIB, &s), -ENOMEM);
    map_limit = SIZE_MAX;
    HK_EXPECT(stack_new(8 * MIB)->size == 8 * MIB);
    hocket__stack_shutdown();
}
END_TEST

/* The table of slabs is finite; its end is an error too. */
START_TEST(slabs_run_out)
{
    struct hocket__stack *s;
    int n = 0, rc;

    use_world();
    world.map = stingy_map;
    map_limit = 256 * KIB;
    while ((rc = hocket__stack_new(0, &s)) == 0)
        n++;
    HK_EXPECT_EQ(rc, -ENOMEM);
    HK_EXPECT_EQ(n, 1024);
    HK_EXPECT_EQ(stats().slabs, 1024);
    hocket__stack_free(s);
    s = stack_new(0);
    hocket__stack_shutdown();
    stack_new(0);
}
END_TEST

/* --- threads --- */

static void *churn(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    struct hocket__stack *held[16] = { NULL };

    for (int i = 0; i < 3000; i++) {
        struct hocket__stack **h = &held[rand_r(&seed) % 16];
        if (*h != NULL) {
            HK_EXPECT((*h)->owner == h && hocket__stack_check(*h));
            hocket__stack_free(*h);
            *h = NULL;
        } else {
            *h = stack_new((size_t)HOCKET__STACK_MIN << rand_r(&seed) % 3);
            HK_EXPECT((*h)->owner == NULL);
            (*h)->owner = h;
            (*h)->base[100] = 1;
        }
        if (i % 500 == 0)
            hocket__stack_trim_idle(8);
    }
    for (int i = 0; i < 16; i++)
        hocket__stack_free(held[i]);
    return NULL;
}

START_TEST(threads_share)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        HK_EXPECT_EQ(pthread_create(&t[i], NULL, churn, (void *)(uintptr_t)(i + 1)), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    HK_EXPECT_EQ(stats().idle, stats().live);
    HK_EXPECT(stats().live + stats().cold <= 4 * 16 * 3);
    hocket__stack_shutdown();
}
END_TEST

/* --- contexts on them --- */

static unsigned deep(unsigned n)
{
    volatile char frame[512];

    frame[0] = (char)n;
    return n == 0 ? 0 : deep(n - 1) + 1 + (unsigned)(frame[0] != (char)n);
}

static void go_deep(struct context *c, void *arg)
{
    for (;;)
        arg = context_yield(c, (void *)(uintptr_t)deep((unsigned)(uintptr_t)arg));
}

START_TEST(a_context_survives_trimming_of_what_it_no_longer_uses)
{
    struct context c;

    context_open(&c, 256 * KIB, go_deep);
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ((uintptr_t)context_resume(&c, (void *)200), 200);
        hocket__stack_trim(c.stack);
    }
    context_close(&c);
    hocket__stack_shutdown();
}
END_TEST

START_TEST(reused_stacks_start_afresh)
{
    for (int i = 0; i < 100; i++) {
        struct context c;
        context_open(&c, 0, go_deep);
        HK_EXPECT_EQ((uintptr_t)context_resume(&c, (void *)50), 50);
        context_close(&c);
    }
    HK_EXPECT_EQ(stats().live, 1);
    hocket__stack_shutdown();
}
END_TEST

START_TEST(start_and_shutdown_leak_nothing)
{
    for (int i = 0; i < 200; i++) {
        struct hocket__stack *a = stack_new(0), *b = stack_new(MIB);
        hocket__stack_free(a);
        hocket__stack_free(b);
        hocket__stack_shutdown();
        HK_EXPECT_EQ(stats().reserved, 0);
        HK_EXPECT_EQ(stats().live, 0);
    }
}
END_TEST

PLAIN_SUITE("sys_stack", 0)
{
    suite_once(classes);
    suite_once(shape);
    suite_once(the_largest_class);
    suite_once(stacks_are_apart_and_reused);
    suite_once(a_program_with_one_fiber_pays_for_one);
    suite_once(idle_stacks_go_cold_and_come_back);
    suite_once(no_memory_is_an_error_and_nothing_else);
    suite_once(slabs_run_out);
    suite_once(threads_share);
    suite_once(a_context_survives_trimming_of_what_it_no_longer_uses);
    suite_once(reused_stacks_start_afresh);
    suite_once(start_and_shutdown_leak_nothing);
}
