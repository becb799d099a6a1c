/* SPDX-License-Identifier: MIT */
/* trace: call sites; one place is one number, however often and whoever was there in between. */
#include <pthread.h>

#include "support/suite.h"
#include "trace/dump.h"
#include "trace/names.h"
#include "trace/site.h"

#if defined(__x86_64__) || defined(__aarch64__)
#define KNOWN 1
#else
#define KNOWN 0 /* nothing is found there, and 0 is said */
#endif

typedef uint32_t place(void);

#define PLACE(name)                                           \
    __attribute__((noinline)) static uint32_t name(void)      \
    {                                                         \
        uint32_t site = hocket__site_here();                  \
        __asm__ volatile("" : "+r"(site)); /* no tail call */ \
        return site;                                          \
    }

PLACE(one)
PLACE(two)
PLACE(three)
PLACE(four)
PLACE(five)
PLACE(six)
PLACE(seven)

/* A loop that is unrolled would be several places: hence the volatile counters. */
static place *const places[] = { one, two, three, four, five, six, seven };
#define PLACES (sizeof places / sizeof places[0])

__attribute__((noinline)) static void look(uint32_t sites[PLACES])
{
    for (volatile size_t i = 0; i < PLACES; i++)
        sites[i] = places[i]();
}

/* More places than are kept at hand, so all ways of finding one are taken. */
START_TEST(one_place_one_number)
{
    uint32_t first[PLACES], again[PLACES];
    for (volatile int turn = 0; turn < 50; turn++) {
        look(turn == 0 ? first : again);
        for (size_t i = 0; i < PLACES && turn > 0; i++)
            HK_EXPECT_EQ(again[i], first[i]);
    }
    for (size_t i = 0; i < PLACES; i++)
        for (size_t j = 0; j < i; j++)
            HK_EXPECT(!KNOWN || first[i] != first[j]);
    HK_EXPECT_EQ(first[0] != 0, KNOWN);
}
END_TEST

__attribute__((noinline)) static uint32_t deep(int depth)
{
    uint32_t site = depth == 0 ? one() : deep(depth - 1);
    __asm__ volatile("" : "+r"(site));
    return site;
}

/* The same place by other ways is another site, as far as sites see. */
START_TEST(ways_to_a_place)
{
    uint32_t at[16];
    for (volatile int turn = 0; turn < 3; turn++)
        for (volatile int depth = 0; depth < 16; depth++) {
            uint32_t site = deep(depth);
            HK_EXPECT(turn == 0 || at[depth] == site);
            at[depth] = site;
        }
    for (int depth = 1; depth < 5; depth++)
        HK_EXPECT(!KNOWN || at[depth] != at[depth - 1]);
    HK_EXPECT_EQ(at[15], at[14]);
}
END_TEST

static pthread_barrier_t all_there;

static void *in_thread(void *arg)
{
    uint32_t *first = arg, again[PLACES];
    (void)pthread_barrier_wait(&all_there);
    for (volatile int turn = 0; turn < 200; turn++) {
        look(turn == 0 ? first : again);
        for (size_t i = 0; i < PLACES && turn > 0; i++)
            HK_EXPECT_EQ(again[i], first[i]);
    }
    return NULL;
}

/* They make the sites together, and each is one. */
START_TEST(in_threads)
{
    pthread_t threads[4];
    uint32_t sites[4][PLACES];
    HK_EXPECT_EQ(pthread_barrier_init(&all_there, NULL, 4), 0);
    for (int i = 0; i < 4; i++)
        HK_EXPECT_EQ(pthread_create(&threads[i], NULL, in_thread, sites[i]), 0);
    for (int i = 0; i < 4; i++)
        HK_EXPECT_EQ(pthread_join(threads[i], NULL), 0);
    for (size_t k = 0; k < PLACES; k++)
        for (int i = 1; i < 4; i++)
            HK_EXPECT_EQ(sites[i][k], sites[0][k]);
    HK_EXPECT_EQ(pthread_barrier_destroy(&all_there), 0);
}
END_TEST

START_TEST(addresses)
{
    uint32_t site = deep(8);
    HK_EXPECT(hocket__dump_take(false));
    HK_EXPECT_EQ(hocket__site_address(0, false), 0);
    HK_EXPECT_EQ(hocket__site_address(4000000, false), 0);
    HK_EXPECT_EQ(hocket__site_address(site, false) != 0, KNOWN);
    HK_EXPECT_EQ(hocket__site_address(site, false), hocket__site_address(site, true));
    hocket__names_end();
    hocket__dump_give_back();
}
END_TEST

SUITE("trace sites", 20)
{
    suite_once(one_place_one_number);
    suite_once(ways_to_a_place);
    tcase_add_loop_test(suite__case, in_threads, 0, 20);
    suite_once(addresses);
}
