/* SPDX-License-Identifier: MIT */
/* base: what the atomic wrappers give back, and the points they pass. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/atomic.h"

struct thing {
    int n;
};

START_TEST(values)
{
    _Atomic uint32_t word = 5;
    uint32_t expected = 6;

    HK_EXPECT_EQ(hk_load(&word), 5);
    hk_store(&word, 7u);
    HK_EXPECT_EQ(hk_load_acq(&word), 7);
    hk_store_rel(&word, 8u);
    hk_store_sc(&word, 9u);
    HK_EXPECT_EQ(hk_xchg(&word, 10u), 9);
    HK_EXPECT_EQ(hk_xchg_sc(&word, 11u), 10);
    HK_EXPECT(!hk_cas(&word, &expected, 1u));
    HK_EXPECT_EQ(expected, 11);
    HK_EXPECT(hk_cas(&word, &expected, 12u));
    HK_EXPECT(!hk_cas_sc(&word, &expected, 12u));
    HK_EXPECT_EQ(hk_add(&word, 3u), 12);
    HK_EXPECT_EQ(hk_sub(&word, 1u), 15);
    HK_EXPECT_EQ(hk_or(&word, 1u), 14);
    HK_EXPECT_EQ(hk_and(&word, 3u), 15);
    HK_EXPECT_EQ(hk_load_sc(&word), 3);
    hk_fence_sc();
    hk_barrier();
    hk_spin_pause();
}
END_TEST

START_TEST(pointers_and_words_of_public_structs)
{
    struct thing a = { 1 }, b = { 2 };
    _Atomic(struct thing *) p = &a;
    struct thing *seen = &a;
    uint32_t plain32 = 1;
    uint64_t plain64 = 1;

    HK_EXPECT(hk_cas(&p, &seen, &b));
    HK_EXPECT_EQ(hk_load(&p)->n, 2);
    hk_store(&p, NULL);
    HK_EXPECT(hk_xchg(&p, &a) == NULL);
    hk_add(hk_word32(&plain32), 4u);
    hk_add(hk_word64(&plain64), UINT64_C(1) << 40);
    HK_EXPECT_EQ(plain32, 5);
    HK_EXPECT_EQ(plain64, (1LL << 40) + 1);
}
END_TEST

START_TEST(arguments_are_evaluated_once_and_nest)
{
    _Atomic uint32_t words[3] = { 10, 20, 30 };
    _Atomic uint32_t *p = words;
    uint32_t v = 0;

    hk_store(p++, ++v);
    HK_EXPECT_EQ(v, 1);
    HK_EXPECT(p == words + 1);
    hk_store(&words[0], hk_add(&words[1], hk_load(&words[2])));
    HK_EXPECT_EQ(words[0], 20);
    HK_EXPECT_EQ(words[1], 50);
}
END_TEST

#ifdef HOCKET_TEST_POINTS
static struct {
    int kind;
    const volatile void *addr;
    uint32_t value; /* of the word at that moment: the operation comes later */
} seen[16];
static int seen_count;

static void see(int kind, const volatile void *addr, const char *file, int line)
{
    HK_EXPECT(line > 0 && strstr(file, "base_atomic_test.c") != NULL);
    seen[seen_count].kind = kind;
    seen[seen_count].addr = addr;
    seen[seen_count++].value = addr ? *(const volatile uint32_t *)addr : 0;
}

static void expect_point(int i, int kind, const volatile void *addr, uint32_t value)
{
    HK_EXPECT_EQ(seen[i].kind, kind);
    HK_EXPECT(seen[i].addr == addr);
    HK_EXPECT_EQ(seen[i].value, value);
}

START_TEST(points_come_right_before_operations)
{
    _Atomic uint32_t a = 1, b = 2;
    uint32_t expected = 2;

    hocket__point_hook = see;
    hk_store(&a, hk_load(&b) + 10);
    hk_cas(&b, &expected, hk_xchg(&a, 3u));
    hk_fence_sc();
    hk_spin_pause();
    hocket__point_hook = NULL;
    hk_load(&a);

    HK_EXPECT_EQ(seen_count, 6);
    expect_point(0, HOCKET_POINT_LOAD, &b, 2);
    expect_point(1, HOCKET_POINT_STORE, &a, 1);
    expect_point(2, HOCKET_POINT_RMW, &a, 12);
    expect_point(3, HOCKET_POINT_CAS, &b, 2);
    expect_point(4, HOCKET_POINT_FENCE, NULL, 0);
    expect_point(5, HOCKET_POINT_YIELD, NULL, 0);
    HK_EXPECT_EQ(b, 12);
}
END_TEST
#endif

/* Dekker's core: of two threads that each store and then load the other's
 * word, at least one sees the other's store, if the fence is full. */
static _Atomic uint32_t flag[2], arrived, result[2];
enum { ROUNDS = 20000 };

static void *dekker(void *arg)
{
    uint32_t me = (uint32_t)(uintptr_t)arg;

    for (uint32_t round = 1; round <= ROUNDS; round++) {
        hk_add(&arrived, 1u);
        while (hk_load_acq(&arrived) < 4 * round - 2)
            sched_yield();
        hk_store(&flag[me], round);
        hk_fence_sc();
        hk_store(&result[me], hk_load(&flag[1 - me]));
        hk_add(&arrived, 1u);
        while (hk_load_acq(&arrived) < 4 * round)
            sched_yield();
        HK_EXPECT(hk_load(&result[0]) == round || hk_load(&result[1]) == round);
    }
    return NULL;
}

START_TEST(fence_is_full)
{
    pthread_t t;

    HK_EXPECT_EQ(pthread_create(&t, NULL, dekker, (void *)1), 0);
    dekker((void *)0);
    pthread_join(t, NULL);
}
END_TEST

PLAIN_SUITE("base_atomic", 0)
{
    suite_once(values);
    suite_once(pointers_and_words_of_public_structs);
    suite_once(arguments_are_evaluated_once_and_nest);
#ifdef HOCKET_TEST_POINTS
    suite_once(points_come_right_before_operations);
#endif
    suite_once(fence_is_full);
}
