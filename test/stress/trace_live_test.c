/* SPDX-License-Identifier: MIT */
/*
 * Queues of every kind are made, used, closed and freed while pages, statistics and dumps look at all of them:
 * nobody sees one that is gone, or half there.
 */
#include "support/seeded.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include <hocket.h>

#include "support/live.h"
#include "support/queues.h"

#define MAKERS 4
#define MOST   16u /* values in a queue, waiters in one, queues of one maker */

static _Atomic bool over;
static _Atomic uint64_t made;

static hocket_queue *some_queue(struct seeded *r)
{
    static const int orders[] = { HOCKET_FIFO, HOCKET_FIFO, HOCKET_LIFO, HOCKET_PRIORITY };
    static const size_t capacities[] = { 2, MOST, HOCKET_UNBOUNDED };
    (void)hk_add(&made, 1);
    if (seeded_below(r, 8) == 0)
        return queue_make(8, HOCKET_FIFO, HOCKET_RENDEZVOUS);
    return queue_make(8, orders[seeded_below(r, 4)], capacities[seeded_below(r, 3)]);
}

static int puts_some(void *queue)
{
    int err = 0;
    for (uint64_t i = 0; i < 4 && err == 0; i++)
        err = hocket_queue_put(queue, &i, HOCKET_FOREVER);
    return err == -EPIPE || err == -ECANCELED ? 0 : err;
}

static int gets_some(void *queue)
{
    uint64_t value;
    int err = 0;
    for (int i = 0; i < 4 && err == 0; i++)
        err = hocket_queue_get(queue, &value, HOCKET_FOREVER);
    return err == -EPIPE || err == -ECANCELED ? 0 : err;
}

/* Some wait in vain until it is closed, and the queue goes as soon as they are through. */
static void use(struct seeded *r, hocket_queue *q)
{
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    for (uint32_t n = seeded_below(r, 6); n > 0; n--)
        HK_EXPECT_OK(hocket_spawn(&s, seeded_below(r, 2) ? puts_some : gets_some, q));
    for (uint32_t n = seeded_below(r, 3); n > 0; n--)
        (void)hocket_yield();
    if (seeded_below(r, 4) == 0)
        hocket_scope_cancel(&s);
    else
        HK_EXPECT_OK(
            hocket_queue_close(q, seeded_below(r, 2) ? HOCKET_CLOSE_NOW : HOCKET_CLOSE_DRAIN));
    int err = hocket_scope_close(&s);
    HK_EXPECT(err == 0 || err == -ECANCELED);
}

static void use_delayed(struct seeded *r)
{
    hocket_delay_queue *q = NULL;
    uint64_t value = 0;
    HK_EXPECT_OK(hocket_delay_queue_new(&q, sizeof value, NULL));
    for (uint32_t n = seeded_below(r, MOST); n > 0; n--)
        HK_EXPECT_OK(hocket_delay_queue_put(q, &value, HOCKET_NOW, HOCKET_NOW));
    int err = hocket_delay_queue_get(q, &value, HOCKET_NOW);
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    if (seeded_below(r, 2))
        (void)hocket_delay_queue_close(q, HOCKET_CLOSE_NOW);
    hocket_delay_queue_free(q);
}

/* Has some queues at a time, so that neighbours in the list come and go in any order. */
static int maker(void *arg)
{
    struct seeded r = { (uintptr_t)arg };
    hocket_queue *have[MOST] = { NULL };
    while (!hk_load(&over)) {
        hocket_queue **q = &have[seeded_below(&r, MOST)];
        if (*q == NULL)
            *q = some_queue(&r);
        use(&r, *q);
        hocket_queue_free(*q);
        *q = seeded_below(&r, 2) ? some_queue(&r) : NULL;
        if (seeded_below(&r, 4) == 0)
            use_delayed(&r);
    }
    for (unsigned i = 0; i < MOST; i++)
        hocket_queue_free(have[i]);
    return 0;
}

static int makers(void *arg)
{
    struct seeded *r = arg;
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < MAKERS; i++)
        HK_EXPECT_OK(hocket_spawn(&s, maker, (void *)(uintptr_t)seeded_below(r, 1u << 30)));
    return hocket_scope_close(&s);
}

/* What may be said of these queues at any time. */
static void check(const struct live_page *p)
{
    HK_EXPECT(p->queues <= MAKERS * (MOST + 2));
    for (uint32_t i = 0; i < p->queues_shown; i++) {
        const struct live_queue *q = &p->queue[i];
        bool delayed = strcmp(q->kind, "delay") == 0;
        HK_EXPECT(q->capacity == 0 || q->capacity == 2 || q->capacity == MOST ||
                  q->capacity == UINT64_MAX || (delayed && q->capacity == HOCKET_QUEUE_CAPACITY));
        HK_EXPECT_EQ(q->capacity == 0, strcmp(q->kind, "rendezvous") == 0);
        HK_EXPECT(q->length <= q->capacity && q->length <= 24);
        HK_EXPECT(q->putters + q->getters <= 6);
        HK_EXPECT(q->length + q->putters + q->getters > 0);
    }
}

static void *looker(void *arg)
{
    static struct live_page page;
    double end = hk__expect_seconds() + 3;
    do {
        live_picture(&page);
        check(&page);
    } while (hk__expect_seconds() < end);
    hk_store(&over, true);
    return arg;
}

static void *counter(void *arg)
{
    hocket_stats_info s;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    HK_EXPECT(null >= 0);
    while (!hk_load(&over)) {
        hocket_stats(&s);
        HK_EXPECT(s.queues <= MAKERS * (MOST + 2));
        HK_EXPECT(s.queue_values_most <= 24 && s.queue_values_most <= s.queue_values);
        int err = hocket_dump(null);
        HK_EXPECT(err == 0 || err == -EBUSY);
    }
    close(null);
    return arg;
}

START_TEST(looked_at_all_the_time)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    hocket_stats_info s;
    pthread_t threads[2];
    struct seeded r = { seeded_begin("trace_live") };
    o.workers = 2;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(pthread_create(&threads[0], NULL, looker, NULL), 0);
    HK_EXPECT_EQ(pthread_create(&threads[1], NULL, counter, NULL), 0);
    HK_EXPECT_EQ(hocket_run_with(makers, &r, &o), 0);
    for (int i = 0; i < 2; i++)
        HK_EXPECT_EQ(pthread_join(threads[i], NULL), 0);
    HK_EXPECT(hk_load(&made) > 0);
    hocket_stats(&s);
    HK_EXPECT_EQ(s.queues + s.queue_values, 0);
}
END_TEST

SUITE("trace_live", 60)
{
    suite_once(looked_at_all_the_time);
}
