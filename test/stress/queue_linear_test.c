/* SPDX-License-Identifier: MIT */
/*
 * Each kind of queue is linearizable: short histories of some tasks, recorded and checked, again
 * and again.  Puts and gets that try, that wait with a deadline and for ever; a close in half of them.
 */
#include "support/linear.h"
#include "support/modes.h"
#include "support/seeded.h"

#include "sys/sanitizer.h"

#define TASKS 4

struct round {
    hocket_queue *q;
    uint64_t seed;
    bool closes;
    _Atomic int next;
    struct linear h;
};

static struct round shared;

static int operate(struct round *r, struct seeded *s, int kind, struct linear_op *op)
{
    uint32_t how = seeded_below(s, 4);
    hocket_time until = how < 2                  ? HOCKET_NOW
                        : how == 2 || !r->closes ? hocket_after(seeded_below(s, 20) * HOCKET_US)
                                                 : HOCKET_FOREVER;
    if (kind == LINEAR_GET)
        return hocket_queue_get(r->q, &op->value, until);
    return r->h.order == HOCKET_PRIORITY
               ? hocket_queue_put_with(r->q, &op->value, op->priority, until)
               : hocket_queue_put(r->q, &op->value, until);
}

static int body(int index, void *arg)
{
    struct round *r = arg;
    struct seeded s = seeded_of(r->seed, index);
    uint32_t calls = 4 + seeded_below(&s, 10);
    for (uint32_t i = 0; i < calls; i++) {
        int kind = seeded_below(&s, 2) ? LINEAR_PUT : LINEAR_GET;
        int value = kind == LINEAR_PUT ? hk_add(&r->next, 1) : -1;
        struct linear_op *op = linear_call(&r->h, kind, value, (int64_t)seeded_below(&s, 3));
        if (op == NULL)
            break;
        linear_return(&r->h, op, operate(r, &s, kind, op));
        if (seeded_below(&s, 4) == 0)
            mode_yield();
    }
    return 0;
}

static int body_closing(int index, void *arg)
{
    struct round *r = arg;
    if (index > 0 || !r->closes)
        return body(index, arg);
    struct seeded s = seeded_of(r->seed, index);
    for (uint32_t n = seeded_below(&s, 8); n > 0; n--)
        mode_yield();
    int kind = seeded_below(&s, 2) ? LINEAR_CLOSE : LINEAR_CLOSE_NOW;
    struct linear_op *op = linear_call(&r->h, kind, 0, 0);
    int err = hocket_queue_close(r->q,
                                 kind == LINEAR_CLOSE ? HOCKET_CLOSE_DRAIN : HOCKET_CLOSE_NOW);
    if (op != NULL)
        linear_return(&r->h, op, err);
    return 0;
}

static void rounds(int mode, int order, size_t capacity, uint64_t seed)
{
    int turns = HOCKET_ASAN || HOCKET_TSAN ? 15 : 60;
    for (int i = 0; i < turns; i++) {
        hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
        o.order = order;
        o.capacity = capacity;
        shared.seed = seed + (uint64_t)i;
        shared.closes = i % 2;
        hk_store(&shared.next, 1);
        linear_begin(&shared.h, order, capacity);
        HK_EXPECT_EQ(hocket_queue_new(&shared.q, sizeof(int), &o), 0);
        mode_run(mode, TASKS, body_closing, &shared);
        hocket_queue_free(shared.q);
        HK_EXPECT(linear_check(&shared.h));
    }
}

static const size_t capacities[] = { 1, 2, 3, HOCKET_UNBOUNDED };

START_TEST(fifo)
{
    uint64_t seed = seeded_begin("queue_linear_fifo");
    for (int c = 0; c < 4; c++)
        rounds(_i, HOCKET_FIFO, capacities[c], seed);
}
END_TEST

START_TEST(lifo)
{
    uint64_t seed = seeded_begin("queue_linear_lifo");
    for (int c = 0; c < 4; c++)
        rounds(_i, HOCKET_LIFO, capacities[c], seed);
}
END_TEST

START_TEST(priority)
{
    uint64_t seed = seeded_begin("queue_linear_priority");
    for (int c = 0; c < 4; c++)
        rounds(_i, HOCKET_PRIORITY, capacities[c], seed);
}
END_TEST

/*
 * A rendezvous: a put that succeeded and the get of its value overlap, each value comes once, and
 * what was got was put.
 */
static void check_meetings(const struct linear *h)
{
    unsigned n = hk_load(&h->count) < LINEAR_OPS ? hk_load(&h->count) : LINEAR_OPS;
    for (unsigned i = 0; i < n; i++) {
        const struct linear_op *a = &h->ops[i];
        unsigned partners = 0;
        if (a->kind > LINEAR_GET || a->result != 0)
            continue;
        for (unsigned j = 0; j < n; j++) {
            const struct linear_op *b = &h->ops[j];
            if (b->result == 0 && b->kind == LINEAR_GET + LINEAR_PUT - a->kind &&
                b->value == a->value) {
                HK_EXPECT(a->start < b->end && b->start < a->end);
                partners++;
            }
        }
        HK_EXPECT_EQ(partners, 1);
    }
}

START_TEST(rendezvous)
{
    uint64_t seed = seeded_begin("queue_linear_rendezvous");
    int turns = HOCKET_ASAN || HOCKET_TSAN ? 30 : 200;
    for (int i = 0; i < turns; i++) {
        hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
        o.capacity = HOCKET_RENDEZVOUS;
        shared.seed = seed + (uint64_t)i;
        shared.closes = i % 2;
        hk_store(&shared.next, 1);
        linear_begin(&shared.h, HOCKET_FIFO, 0);
        HK_EXPECT_EQ(hocket_queue_new(&shared.q, sizeof(int), &o), 0);
        mode_run(_i, TASKS, body_closing, &shared);
        hocket_queue_free(shared.q);
        check_meetings(&shared.h);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_set_timeout(tc, 120);
    MODE_TESTS(tc, fifo);
    MODE_TESTS(tc, lifo);
    MODE_TESTS(tc, priority);
    MODE_TESTS(tc, rendezvous);
}

int main(void)
{
    return mode_main("queue_linear_stress", add);
}
