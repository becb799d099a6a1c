/* SPDX-License-Identifier: MIT */
/*
 * The bounded queue under stress: nothing lost, nothing doubled, first in first out for each
 * pair of producer and consumer, whatever is cancelled or times out on the way.
 */
#include <errno.h>
#include <hocket/mutex.h>
#include <hocket/queue.h>
#include <hocket/scope.h>

#include "support/modes.h"
#include "support/seeded.h"

#include "base/atomic.h"
#include "sys/sanitizer.h"

#define PRODUCERS 4
#define CONSUMERS 4
#define TASKS     (PRODUCERS + CONSUMERS)

struct value {
    uint32_t producer;
    uint32_t number;
    uint64_t check; /* a torn copy shows */
};

struct slot {
    hocket_mutex lock;
    hocket_scope *scope; /* what the canceller may cancel, under the lock */
};

struct flow {
    hocket_queue *q;
    uint64_t seed;
    uint32_t each; /* values a producer */
    bool cancels;
    struct slot slots[TASKS];
    _Atomic int producing, consuming;
    _Atomic uint64_t put_count, got_count, put_sum, got_sum, failed;
    _Atomic uint32_t arrived[PRODUCERS]; /* how many of each */
};

static uint64_t check_of(const struct value *v)
{
    return ((uint64_t)v->producer << 32 | v->number) * 0x9e3779b97f4a7c15u;
}

static hocket_time deadline(struct seeded *r)
{
    switch (seeded_below(r, 8)) {
    case 0: return HOCKET_NOW;
    case 1: return hocket_after(seeded_below(r, 2000) * HOCKET_NS);
    case 2: return hocket_after(seeded_below(r, 200) * HOCKET_US);
    default: return HOCKET_FOREVER;
    }
}

static void show(struct slot *slot, hocket_scope *scope)
{
    hocket_mutex_lock(&slot->lock);
    slot->scope = scope;
    hocket_mutex_unlock(&slot->lock);
}

/* One put or get, in a scope that others cancel now and then. */
static int operate(struct flow *f, int index, struct seeded *r, struct value *v)
{
    bool scoped = f->cancels && seeded_below(r, 2) == 0;
    hocket_scope scope;
    if (scoped) {
        hocket_scope_open(&scope, NULL);
        show(&f->slots[index], &scope);
    }
    int err = index < PRODUCERS ? hocket_queue_put(f->q, v, deadline(r))
                                : hocket_queue_get(f->q, v, deadline(r));
    if (scoped) {
        show(&f->slots[index], NULL);
        HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    }
    if (err != 0) {
        HK_EXPECT(err == -ETIMEDOUT || err == -EPIPE || (err == -ECANCELED && scoped));
        (void)hk_add(&f->failed, 1);
        mode_yield();
    }
    if (f->cancels && seeded_below(r, 4) == 0) {
        struct slot *victim = &f->slots[seeded_below(r, TASKS)];
        hocket_mutex_lock(&victim->lock);
        if (victim->scope != NULL)
            hocket_scope_cancel(victim->scope);
        hocket_mutex_unlock(&victim->lock);
    }
    return err;
}

static void produce(struct flow *f, int index, struct seeded *r)
{
    for (uint32_t n = 0; n < f->each;) {
        struct value v = { (uint32_t)index, n, 0 };
        v.check = check_of(&v);
        int err = operate(f, index, r, &v);
        HK_EXPECT(err != -EPIPE);
        if (err != 0)
            continue;
        (void)hk_add(&f->put_count, 1);
        (void)hk_add(&f->put_sum, v.check);
        n++;
    }
    if (hk_sub(&f->producing, 1) == 1)
        HK_EXPECT_EQ(hocket_queue_close(f->q, HOCKET_CLOSE_DRAIN), 0);
}

static void consume(struct flow *f, int index, struct seeded *r)
{
    uint32_t next[PRODUCERS] = { 0 };
    for (;;) {
        struct value v = { UINT32_MAX, 0, 0 };
        int err = operate(f, index, r, &v);
        if (err == -EPIPE)
            return;
        if (err != 0) {
            HK_EXPECT_EQ(v.producer, UINT32_MAX); /* untouched */
            continue;
        }
        HK_EXPECT(v.producer < PRODUCERS && v.check == check_of(&v));
        HK_EXPECT(v.number >= next[v.producer]);
        next[v.producer] = v.number + 1;
        (void)hk_add(&f->arrived[v.producer], 1);
        (void)hk_add(&f->got_count, 1);
        (void)hk_add(&f->got_sum, v.check);
    }
}

static int flow_body(int index, void *arg)
{
    struct flow *f = arg;
    struct seeded r = seeded_of(f->seed, index);
    if (index < PRODUCERS)
        produce(f, index, &r);
    else
        consume(f, index, &r);
    return 0;
}

static void flow(int mode, bool cancels, const char *name)
{
    static const size_t capacities[] = { 1, 2, 7, 64 };
    uint64_t seed = seeded_begin(name);
    for (int i = 0; i < 4; i++) {
        static struct flow f;
        f = (struct flow){ .seed = seed + (uint64_t)i, .cancels = cancels };
        f.each = HOCKET_ASAN || HOCKET_TSAN ? 500 : 4000;
        hk_store(&f.producing, PRODUCERS);
        hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
        o.capacity = capacities[i];
        HK_EXPECT_EQ(hocket_queue_new(&f.q, sizeof(struct value), &o), 0);
        mode_run(mode, TASKS, flow_body, &f);
        HK_EXPECT_EQ(hk_load(&f.put_count), (uint64_t)f.each * PRODUCERS);
        HK_EXPECT_EQ(hk_load(&f.got_count), hk_load(&f.put_count));
        HK_EXPECT_EQ(hk_load(&f.got_sum), hk_load(&f.put_sum));
        for (int p = 0; p < PRODUCERS; p++)
            HK_EXPECT_EQ(hk_load(&f.arrived[p]), f.each);
        HK_EXPECT_EQ(hocket_queue_getters(f.q) + hocket_queue_putters(f.q), 0);
        hocket_queue_free(f.q);
    }
}

START_TEST(deadlines_only)
{
    flow(_i, false, "queue_deadlines_only");
}
END_TEST

START_TEST(deadlines_and_cancels)
{
    flow(_i, true, "queue_deadlines_and_cancels");
}
END_TEST

/*
 * Closed at some moment by somebody, with values dropped: each value that was put is got or dropped,
 * once, and everybody comes to an end.
 */
static struct flow closing;

static void count_dropped(void *value)
{
    const struct value *v = value;
    (void)hk_add(&closing.got_count, 1);
    (void)hk_add(&closing.got_sum, v->check);
}

static int closing_body(int index, void *arg)
{
    struct flow *f = arg;
    struct seeded r = seeded_of(f->seed, index);
    uint32_t close_after = seeded_below(&r, 2 * f->each);
    for (uint32_t n = 0;; n++) {
        struct value v = { (uint32_t)index, n, 0 };
        v.check = check_of(&v);
        int err = operate(f, index, &r, &v);
        if (err == -EPIPE)
            return 0;
        if (err == 0) {
            (void)hk_add(index < PRODUCERS ? &f->put_count : &f->got_count, 1);
            (void)hk_add(index < PRODUCERS ? &f->put_sum : &f->got_sum, v.check);
        }
        if (n == close_after) {
            int how = (int)seeded_below(&r, 2);
            err = hocket_queue_close(f->q, how);
            HK_EXPECT(err == 0 || err == -EALREADY);
        }
    }
}

START_TEST(closed_at_any_moment)
{
    uint64_t seed = seeded_begin("queue_closed_at_any_moment");
    int turns = HOCKET_ASAN || HOCKET_TSAN ? 20 : 100;
    for (int i = 0; i < turns; i++) {
        struct seeded r = seeded_of(seed, i);
        closing = (struct flow){ .seed = seeded_next(&r), .each = 50, .cancels = i % 2 };
        hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
        o.capacity = 1 + seeded_below(&r, 5);
        o.drop = count_dropped;
        HK_EXPECT_EQ(hocket_queue_new(&closing.q, sizeof(struct value), &o), 0);
        mode_run(_i, TASKS, closing_body, &closing);
        HK_EXPECT(hocket_queue_closed(closing.q));
        hocket_queue_free(closing.q);
        HK_EXPECT_EQ(hk_load(&closing.got_count), hk_load(&closing.put_count));
        HK_EXPECT_EQ(hk_load(&closing.got_sum), hk_load(&closing.put_sum));
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_set_timeout(tc, 120);
    MODE_TESTS(tc, deadlines_only);
    MODE_TESTS(tc, deadlines_and_cancels);
    MODE_TESTS(tc, closed_at_any_moment);
}

int main(void)
{
    return mode_main("queue_fifo_stress", add);
}
