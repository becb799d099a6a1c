/* SPDX-License-Identifier: MIT */
/*
 * Queues of every form when exactly the n-th wait is cancelled, or the n-th call times out, for every n:
 * no value lost or doubled, no wake-up eaten.
 *
 * The park hook counts the waits.  In the n-th one it cancels the scope that its own task
 * is in: the task is linked as a waiter by then, and has not left the CPU.
 */
#include <errno.h>
#include <hocket/hooks.h>
#include <hocket/queue.h>
#include <hocket/scope.h>

#include "support/modes.h"

#include "base/atomic.h"

#define PUTTERS 2
#define GETTERS 2
#define TASKS   (PUTTERS + GETTERS)
#define EACH    6

enum form { RING, LIFO, SORTED, RENDEZVOUS, MANY, FORMS };

struct swept {
    hocket_queue *q;
    enum form form;
    bool by_deadline;
    int target; /* which wait; 0 = none */
    _Atomic int waits, struck;
    _Atomic int putting;
    hocket_scope *scopes[TASKS]; /* each written and read by its own task */
    _Atomic int got[PUTTERS][EACH];
};

static struct swept s;

static int index_of(hocket_task *task)
{
    for (int i = 0; i < TASKS; i++)
        if (mode_task(i) == task)
            return i;
    return -1;
}

static void on_park(hocket_task *task, const char *kind, const void *object, void *context)
{
    (void)kind;
    (void)context;
    int index = object == s.q ? index_of(task) : -1;
    if (index < 0 || hk_add(&s.waits, 1) + 1 != s.target)
        return;
    if (s.scopes[index] != NULL) {
        hocket_scope_cancel(s.scopes[index]);
    }
}

enum call { PUT, GET, JOIN };

static int call(enum call what, int *value, hocket_time deadline)
{
    ptrdiff_t n = 1;
    if (what == JOIN)
        return hocket_queue_join(s.q, deadline);
    if (what == PUT && s.form == SORTED)
        return hocket_queue_put_with(s.q, value, *value, deadline);
    if (s.form != MANY)
        return what == PUT ? hocket_queue_put(s.q, value, deadline)
                           : hocket_queue_get(s.q, value, deadline);
    n = what == PUT ? hocket_queue_put_many(s.q, value, 1, deadline)
                    : hocket_queue_get_many(s.q, value, 1, deadline);
    return n == 1 ? 0 : (int)n;
}

/* What has been struck is repeated. */
static int operate(int index, enum call what, int *value)
{
    for (;;) {
        hocket_scope scope;
        hocket_scope_options o = HOCKET_SCOPE_OPTIONS_DEFAULT;
        hocket_time deadline = HOCKET_FOREVER;
        hocket_scope_open(&scope, &o);
        s.scopes[index] = &scope;
        /* This call is the one: if it has to wait, its deadline passes at once. */
        if (s.by_deadline && hk_add(&s.waits, 1) + 1 == s.target)
            deadline = hocket_now() + 1;
        int err = call(what, value, deadline);
        s.scopes[index] = NULL;
        HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
        if (err == 0 || err == -EPIPE)
            return err;
        HK_EXPECT_EQ(err, s.by_deadline ? -ETIMEDOUT : -ECANCELED);
        HK_EXPECT(hk_add(&s.struck, 1) == 0 || !s.by_deadline);
    }
}

static int body(int index, void *arg)
{
    (void)arg;
    if (index < PUTTERS) {
        for (int i = 0; i < EACH; i++) {
            int value = index * EACH + i;
            HK_EXPECT_EQ(operate(index, PUT, &value), 0);
            if (i % 3 == 2)
                mode_yield();
        }
        if (hk_sub(&s.putting, 1) != 1)
            return 0;
        HK_EXPECT_EQ(operate(index, JOIN, NULL), 0); /* nobody puts any more */
        for (int i = 0; i < PUTTERS * EACH; i++)
            HK_EXPECT_EQ(hk_load(&s.got[i / EACH][i % EACH]), 1);
        return hocket_queue_close(s.q, HOCKET_CLOSE_DRAIN);
    }
    int value, last[PUTTERS] = { -1, -1 };
    while (operate(index, GET, &value) == 0) {
        int from = value / EACH, number = value % EACH;
        HK_EXPECT(from >= 0 && from < PUTTERS);
        HK_EXPECT(number > last[from] || s.form == LIFO || s.form == SORTED);
        last[from] = number;
        (void)hk_add(&s.got[from][number], 1);
        HK_EXPECT_EQ(hocket_queue_task_done(s.q), 0);
    }
    return 0;
}

static void once(int mode, enum form form, int target, bool by_deadline)
{
    memset(&s, 0, sizeof s);
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.capacity = form == RENDEZVOUS ? HOCKET_RENDEZVOUS : 1;
    o.order = form == LIFO ? HOCKET_LIFO : form == SORTED ? HOCKET_PRIORITY : HOCKET_FIFO;
    s.form = form;
    s.target = target;
    s.by_deadline = by_deadline;
    hk_store(&s.putting, PUTTERS);
    HK_EXPECT_EQ(hocket_queue_new(&s.q, sizeof(int), &o), 0);
    mode_run(mode, TASKS, body, NULL);
    for (int p = 0; p < PUTTERS; p++)
        for (int i = 0; i < EACH; i++)
            HK_EXPECT_EQ(hk_load(&s.got[p][i]), 1);
    HK_EXPECT_EQ(hocket_queue_getters(s.q) + hocket_queue_putters(s.q), 0);
    hocket_queue_free(s.q);
}

static void sweep(int mode, bool by_deadline)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.park = on_park;
    if (!by_deadline)
        HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    for (int form = RING; form < FORMS; form++) {
        int struck = 0;
        for (int target = 0; target < 40; target++) {
            once(mode, (enum form)form, target, by_deadline);
            struck += hk_load(&s.struck);
        }
        HK_EXPECT(mode != MODE_FIBERS_1 || by_deadline || struck > 3); /* others depend on timing */
    }
    HK_EXPECT_EQ(hocket_hooks_set(NULL, NULL), 0);
}

START_TEST(cancel_at_the_nth_wait)
{
    sweep(_i, false);
}
END_TEST

START_TEST(deadline_at_the_nth_wait)
{
    sweep(_i, true);
}
END_TEST

static void add(TCase *tc)
{
    tcase_set_timeout(tc, 120);
    MODE_TESTS(tc, cancel_at_the_nth_wait);
    MODE_TESTS(tc, deadline_at_the_nth_wait);
}

int main(void)
{
    return mode_main("queue_waits", add);
}
