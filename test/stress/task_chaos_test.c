/* SPDX-License-Identifier: MIT */
/*
 * Trees of tasks that do anything a task may do, with cancels, deadlines, failures and releases at
 * any moment.  What must hold: everything ends, each task ends once, no task
 * outlives its scope, a cancelled tree is gone within its close.
 */
#include <errno.h>

#include "support/seeded.h"
#include "support/suite.h"

struct chaos {
    uint64_t seed;
    _Atomic int started, ended, next;
    int budget; /* tasks that may still be spawned: next < budget */
};

struct plan {
    struct chaos *chaos;
    int depth;
    int id;
    _Atomic int *inside; /* tasks of the scope around us */
};

static int live(void *arg);

static struct plan plan_for(struct plan *parent, int id, _Atomic int *inside)
{
    return (struct plan){ parent->chaos, parent->depth + 1, id, inside };
}

static hocket_time some_time(struct seeded *r)
{
    switch (seeded_below(r, 6)) {
    case 0: return HOCKET_NOW;
    case 1: return HOCKET_FOREVER;
    case 2: return hocket_after(seeded_below(r, 3000) * HOCKET_US);
    default: return hocket_after(seeded_below(r, 300) * HOCKET_US);
    }
}

static bool is_answer(int err)
{
    return err == 0 || err == -ETIMEDOUT || err == -ECANCELED;
}

/* Joins that may time out or be cancelled, then release: early, late or both. */
static void deal_with(struct seeded *r, hocket_task *t)
{
    hocket_task *copy = t;
    for (uint32_t i = seeded_below(r, 4); i > 0; i--) {
        int result;
        if (seeded_below(r, 4) == 0)
            hocket_cancel(copy);
        int err = hocket_join(copy, &result, some_time(r));
        HK_EXPECT(is_answer(err));
        if (err == -ECANCELED)
            break;
    }
    hocket_task_release(copy);
}

static int spawn_children(struct plan *p, struct seeded *r, hocket_scope *s, _Atomic int *inside)
{
    hocket_task *t[4];
    int n = 0, children = (int)seeded_below(r, 5);
    for (int i = 0; i < children; i++) {
        int id = hk_add(&p->chaos->next, 1);
        if (id >= p->chaos->budget)
            break;
        struct plan child = plan_for(p, id, inside);
        (void)hk_add(inside, 1);
        /* A private copy, since we may go on before the child starts. */
        if (seeded_below(r, 2)) {
            HK_EXPECT_OK(hocket_spawn_copy(s, live, &child, sizeof child));
            continue;
        }
        struct plan *own = malloc(sizeof *own);
        *own = child;
        own->id |= 1 << 30; /* frees its plan */
        hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
        o.held = seeded_below(r, 8) == 0;
        o.priority = (int)seeded_below(r, 3) - 1;
        o.placement = seeded_below(r, 40) == 0 ? HOCKET_ON_THREAD : HOCKET_ON_FIBER;
        o.stack_size = seeded_below(r, 10) == 0 ? 256 << 10 : 0;
        HK_EXPECT_OK(hocket_spawn_task(&t[n], s, live, own, &o));
        if (o.held)
            HK_EXPECT_EQ(hocket_task_start(t[n]), 0);
        n++;
    }
    for (int i = 0; i < n; i++)
        deal_with(r, t[i]);
    return n;
}

static void in_a_scope(struct plan *p, struct seeded *r)
{
    hocket_scope s;
    _Atomic int inside = 0;
    hocket_scope_options o = HOCKET_SCOPE_OPTIONS_DEFAULT;
    o.keep_going = seeded_below(r, 2);
    o.shield = seeded_below(r, 8) == 0;
    if (o.shield || seeded_below(r, 3) == 0)
        o.deadline = hocket_after((1 + seeded_below(r, 3000)) * HOCKET_US);
    hocket_scope_open(&s, &o);
    (void)spawn_children(p, r, &s, &inside);
    if (seeded_below(r, 3) == 0)
        hocket_scope_cancel(&s);
    if (seeded_below(r, 3) == 0) {
        (void)!hocket_scope_wait(&s);
        HK_EXPECT_EQ(hk_load_acq(&inside), 0);
        (void)spawn_children(p, r, &s, &inside);
    }
    const hocket_error *e;
    int err = hocket_scope_wait(&s);
    size_t failures = hocket_scope_failures(&s);
    for (size_t i = 0; i < failures; i++) /* read all: nothing for the error hook */
        HK_EXPECT(hocket_scope_error(&s, i, &e) == 0 && e->code == -EIO);
    HK_EXPECT(failures ? err == -EIO : is_answer(err));
    HK_EXPECT_EQ(hocket_scope_close(&s), err);
    HK_EXPECT_EQ(hk_load_acq(&inside), 0); /* nobody outlives it */
}

static int act(struct plan *p, struct seeded *r)
{
    static _Atomic uint32_t word;
    switch (seeded_below(r, 10)) {
    case 0: return hocket_sleep(seeded_below(r, 200) * HOCKET_US);
    case 1: return hocket_yield();
    case 2: return hocket_check();
    case 3: {
        int err = hocket_wait_on(&word, 0, hocket_after(seeded_below(r, 500) * HOCKET_US));
        HK_EXPECT(is_answer(err));
        return err == -ETIMEDOUT ? 0 : err;
    }
    case 4: (void)hocket_wake(&word, 1 + (int)seeded_below(r, 3)); return 0;
    case 5: hocket_cancel(hocket_self()); return 0;
    case 6:
    case 7:
        if (p->depth < 6)
            in_a_scope(p, r);
        return 0;
    case 8: return seeded_below(r, 3) == 0 ? hocket_fail(-EIO, "task %d", p->id) : 0;
    default: hocket_task_set_name(hocket_self(), seeded_below(r, 2) ? "chaos" : NULL); return 0;
    }
}

static int live(void *arg)
{
    struct plan p = *(struct plan *)arg;
    struct seeded r = seeded_of(p.chaos->seed, p.id & ~(1 << 30));
    if (p.id & 1 << 30)
        free(arg);
    (void)hk_add(&p.chaos->started, 1);
    int err = 0;
    for (uint32_t i = 1 + seeded_below(&r, 6); i > 0 && err == 0; i--)
        err = act(&p, &r);
    (void)hk_add(&p.chaos->ended, 1);
    (void)hk_sub(p.inside, 1);
    return err == -EIO ? err : 0;
}

static int one_world(void *arg)
{
    struct chaos *c = arg;
    _Atomic int inside = 1;
    struct plan root = { c, 0, 0, &inside };
    hk_store(&c->next, 1);
    hocket_task *t = run_spawn(live, &root);
    int result;
    HK_EXPECT_EQ(hocket_join(t, &result, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    HK_EXPECT_EQ(c->started, c->ended);
    HK_EXPECT_EQ(inside, 0);
    return 0;
}

START_TEST(anything_goes)
{
    uint64_t seed = seeded_begin("task_chaos");
    hocket_time until = hocket_after(HOCKET_SEC);
    int worlds = 0, tasks = 0;
    do {
        struct chaos c = { .seed = seed + (uint64_t)worlds, .budget = run_scaled(600, 150) };
        run_in(_i, one_world, &c);
        tasks += c.started;
    } while (++worlds < 20 || hocket_now() < until);
    printf("%d worlds, %d tasks\n", worlds, tasks);
}
END_TEST

SUITE("task_chaos", 60)
{
    suite_each(anything_goes);
}
