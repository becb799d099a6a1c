/* SPDX-License-Identifier: MIT */
/* trace: rings keep the newest, count what they lose, outlive their threads, and copies are whole. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "support/suite.h"
#include "trace/ring.h"
#include "trace/timeline.h"

#define BYTES 4096u
#define SLOTS (BYTES / (uint32_t)sizeof(struct hkt_event))
#define KEPT  (SLOTS - HOCKET__RING_MARGIN)

static struct hkt_event copy[SLOTS];

static void prepare(void)
{
    HK_EXPECT_EQ(hocket__rings_prepare(), 0);
    hocket__trace_ring_size(BYTES);
}

/* Event n says the same in all its words, so that a torn one shows. */
static void say(uint64_t n)
{
    hocket__event_put(HKT_SPAWN, n, n * 3, n * 7);
}

static void expect_whole(const struct hkt_event *e)
{
    HK_EXPECT_EQ(HKT_KIND(e), HKT_SPAWN);
    HK_EXPECT_EQ(e->object, e->task * 3);
    HK_EXPECT_EQ(e->value, e->task * 7);
}

START_TEST(all_are_there)
{
    uint64_t lost = 99;
    prepare();
    for (uint64_t n = 0; n < KEPT; n++)
        say(n);
    HK_EXPECT_EQ(hocket__trace_ring_copy(hocket__trace_ring_here(), copy, &lost), KEPT);
    HK_EXPECT_EQ(lost, 0);
    for (uint64_t n = 0; n < KEPT; n++) {
        HK_EXPECT_EQ(copy[n].task, n);
        expect_whole(&copy[n]);
        HK_EXPECT(n == 0 || HKT_TICKS(&copy[n]) >= HKT_TICKS(&copy[n - 1]));
    }
}
END_TEST

START_TEST(the_newest_are_kept)
{
    uint64_t lost = 0;
    prepare();
    for (uint64_t n = 0; n < 10 * SLOTS; n++)
        say(n);
    HK_EXPECT_EQ(hocket__trace_ring_copy(hocket__trace_ring_here(), copy, &lost), KEPT);
    HK_EXPECT_EQ(lost, 10 * SLOTS - KEPT);
    for (uint64_t n = 0; n < KEPT; n++)
        HK_EXPECT_EQ(copy[n].task, 10 * SLOTS - KEPT + n);
}
END_TEST

START_TEST(an_earlier_trace_is_forgotten)
{
    uint64_t lost = 0;
    prepare();
    for (uint64_t n = 0; n < 3; n++)
        say(n);
    hocket__rings_forget();
    say(77);
    HK_EXPECT_EQ(hocket__trace_ring_copy(hocket__trace_ring_here(), copy, &lost), 1);
    HK_EXPECT_EQ(lost, 0);
    HK_EXPECT_EQ(copy[0].task, 77);
}
END_TEST

static void expect_text(const char *said, const char *kept, unsigned slots)
{
    char text[HKT_TEXT_MAX + 1] = "";
    uint64_t lost;
    hocket__rings_forget();
    hocket__event_put_text(HKT_MARK, 1, 2, 3, said);
    say(4);
    HK_EXPECT_EQ(hocket__trace_ring_copy(hocket__trace_ring_here(), copy, &lost), slots + 2);
    HK_EXPECT_EQ(HKT_KIND(&copy[0]), HKT_MARK);
    HK_EXPECT_EQ(copy[0].task, 1);
    HK_EXPECT_EQ(copy[0].object, 2);
    HK_EXPECT_EQ(copy[0].value, 3);
    for (unsigned i = 0; i < slots; i++) {
        HK_EXPECT_EQ(HKT_KIND(&copy[1 + i]), HKT_TEXT);
        HK_EXPECT_EQ(HKT_TICKS(&copy[1 + i]), slots - 1 - i);
        memcpy(text + (size_t)i * HKT_TEXT_BYTES, &copy[1 + i].task, HKT_TEXT_BYTES);
    }
    HK_EXPECT_STR(text, kept);
    expect_whole(&copy[slots + 1]);
}

START_TEST(texts)
{
    char longest[HKT_TEXT_MAX + 1] = "", longer[HKT_TEXT_MAX + 9] = "";
    prepare();
    memset(longest, 'x', HKT_TEXT_MAX);
    memset(longer, 'x', HKT_TEXT_MAX + 8);
    expect_text("", "", 0);
    expect_text("a", "a", 1);
    expect_text("123456789012345678901234", "123456789012345678901234", 1);
    expect_text("1234567890123456789012345", "1234567890123456789012345", 2);
    expect_text(longest, longest, 5);
    expect_text(longer, longest, 5);
}
END_TEST

/* ---- threads ---- */

static void *say_one(void *arg)
{
    say((uint64_t)(uintptr_t)arg);
    return hocket__trace_ring_here();
}

static struct hocket__trace_ring *in_thread(uint64_t n)
{
    pthread_t t;
    void *ring;
    HK_EXPECT_EQ(pthread_create(&t, NULL, say_one, (void *)(uintptr_t)n), 0);
    HK_EXPECT_EQ(pthread_join(t, &ring), 0);
    return ring;
}

START_TEST(a_ring_outlives_its_thread)
{
    uint64_t lost;
    prepare();
    struct hocket__trace_ring *first = in_thread(1);
    HK_EXPECT(hk_load(&first->ended));
    HK_EXPECT(in_thread(2) == first);
    HK_EXPECT(hocket__trace_ring_here() == first); /* it is ours now */
    HK_EXPECT(in_thread(3) != first);
    HK_EXPECT_EQ(hocket__trace_ring_copy(first, copy, &lost), 2);
    HK_EXPECT_EQ(copy[0].task, 1);
    HK_EXPECT_EQ(copy[1].task, 2);
    HK_EXPECT(hocket__trace_ring_at(2) == NULL);
}
END_TEST

static _Atomic bool over;

static void *say_many(void *arg)
{
    (void)arg;
    for (uint64_t n = 0; !hk_load(&over); n++)
        say(n);
    return NULL;
}

/* While the thread goes on, every copy has whole events, one after the other. */
START_TEST(copies_are_whole)
{
    pthread_t t;
    uint64_t lost, before = 0;
    prepare();
    HK_EXPECT_EQ(pthread_create(&t, NULL, say_many, NULL), 0);
    struct hocket__trace_ring *r;
    HK_WAIT_UNTIL((r = hocket__trace_ring_at(0)) != NULL && hk_load(&r->next) > SLOTS);
    for (int i = 0; i < run_scaled(2000, 100); i++) {
        uint64_t count = hocket__trace_ring_copy(r, copy, &lost);
        HK_EXPECT(count <= KEPT);
        HK_EXPECT(lost >= before);
        before = lost;
        for (uint64_t n = 0; n < count; n++) {
            expect_whole(&copy[n]);
            HK_EXPECT_EQ(copy[n].task, lost + n);
        }
    }
    hk_store(&over, true);
    HK_EXPECT_EQ(pthread_join(t, NULL), 0);
}
END_TEST

/* ---- signals ---- */

static void handler(int signal)
{
    (void)signal;
    say(1);
}

START_TEST(a_handler_does_not_tear)
{
    struct sigaction action = { .sa_handler = handler };
    prepare();
    HK_EXPECT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    struct hocket__trace_ring *r = hocket__trace_ring_here();
    HK_EXPECT(hocket__trace_ring_begin(r));
    HK_EXPECT_EQ(raise(SIGUSR1), 0); /* in the middle of an event */
    HK_EXPECT_EQ(hk_load(&r->missed), 1);
    hocket__trace_ring_end(r, hk_load(&r->next));
    HK_EXPECT_EQ(raise(SIGUSR1), 0); /* and outside of one */
    HK_EXPECT_EQ(hk_load(&r->missed), 1);
    HK_EXPECT_EQ(hk_load(&r->next), 1);
}
END_TEST

SUITE("trace rings", 20)
{
    suite_once(all_are_there);
    suite_once(the_newest_are_kept);
    suite_once(an_earlier_trace_is_forgotten);
    suite_once(texts);
    suite_once(a_ring_outlives_its_thread);
    suite_once(copies_are_whole);
    suite_once(a_handler_does_not_tear);
}
