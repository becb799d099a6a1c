/* SPDX-License-Identifier: MIT */
/*
 * select - one wait for several unlike things
 *
 *   1. Look: every case is tried by itself, in random order; the first that can happen does.
 *   2. Line up.  All queues are held at once, in order of address, and tried again: nobody can
 *      claim the task before all its nodes are linked.  Then the cases that consume nothing (tasks,
 *      futures, events, descriptors) are linked one by one.  If one of them is ready by now the
 *      task claims itself for it; if it can't, a waker of another case was first.
 *   3. Park, with the earliest time of the timers as deadline.
 *   4. Unlink all nodes.  The waker that won has set `done` of the one node that it served.
 *
 * One wait word for all nodes, so exactly one case happens (park/wait.h).
 *
 * Lock order: guards of queues by address, no other guard with them; every other guard alone.
 */
#include <errno.h>
#include <hocket/select.h>

#include "base/alloc.h"
#include "queue/queue.h"
#include "sched/poll.h"
#include "sync/gate.h"
#include "sys/poller.h"
#include "sys/sanitizer.h"
#include "task/executor.h"
#include "task/task.h"

#define SMALL 16 /* cases without an allocation */

_Static_assert((int)HOCKET_READABLE == (int)HOCKET__POLL_READ, "the same bits");
_Static_assert((int)HOCKET_WRITABLE == (int)HOCKET__POLL_WRITE, "the same bits");

struct entry {
    union {
        struct hocket__waiter waiter; /* the first member of the others */
        struct hocket__queue_node queue;
        struct hocket__poll_node poll;
    };
    uint32_t order; /* index of a case: entries[0 .. count-1].order is a permutation */
    bool linked;
};

struct select {
    hocket_case *cases;
    size_t count;
    hocket_task *self;
    struct entry *entries;
    struct hocket__waiter wait; /* linked nowhere */
    bool futures;               /* there are cases of this kind */
};

#define NOBODY      (-EAGAIN - 4096) /* no case yet: none of the results of hocket_select */
#define QUEUE_GROWS (NOBODY - 1)     /* a queue wants memory, which is got by a plain put */

static const struct hocket__wait_class select_class = { "select", NULL };

/* ---- cases ---- */

static bool is_queue(const hocket_case *c)
{
    return (c->kind == HOCKET_CASE_PUT || c->kind == HOCKET_CASE_GET) && c->object != NULL;
}

static bool is_out(const hocket_case *c)
{
    switch (c->kind) {
    case HOCKET_CASE_NONE: return true;
    case HOCKET_CASE_TIMER: return c->number == HOCKET_FOREVER;
    case HOCKET_CASE_FD: return c->number < 0;
    default: return c->object == NULL;
    }
}

static bool sensible(const hocket_case *c)
{
    if (c->kind < HOCKET_CASE_NONE || c->kind > HOCKET_CASE_FD)
        return false;
    const int all = HOCKET_READABLE | HOCKET_WRITABLE;
    return c->kind != HOCKET_CASE_FD || c->number < 0 ||
           (c->events != 0 && (c->events & ~all) == 0 && c->number <= INT32_MAX);
}

/* Case i happened. */
static int happened(struct select *s, size_t i, int error)
{
    s->cases[i].error = error;
    return (int)i;
}

static int happened_fd(struct select *s, size_t i, int ready)
{
    s->cases[i].ready = ready < 0 ? 0 : ready;
    return happened(s, i, ready < 0 ? ready : 0);
}

/* A task or a job that is done: its result counts as looked at if it is asked for. */
static int happened_end(struct select *s, size_t i)
{
    hocket_case *c = &s->cases[i];
    int err = 0;
    if (c->kind == HOCKET_CASE_JOIN) {
        hocket_task *t = c->object;
        hocket__tsan_acquire(t);
        if (c->value != NULL && t->result < 0)
            (void)hk_and(&t->life, ~(uint32_t)HOCKET__LIFE_UNSEEN);
        if (c->value != NULL)
            *(int *)c->value = t->result;
    } else if (c->value != NULL) {
        *(int *)c->value = hocket_future_result(c->object);
    }
    return happened(s, i, err);
}

/* ---- 1: look ---- */

/* What a call that tries said: it happened, it can't happen now, or it went wrong. */
static int judged(struct select *s, size_t i, int err)
{
    switch (err) {
    case -ETIMEDOUT: return NOBODY;
    case 0:
    case -EPIPE:
    case -EDEADLK: return happened(s, i, err);
    default: return err;
    }
}

static int try_case(struct select *s, size_t i)
{
    hocket_case *c = &s->cases[i];
    int ready;
    if (is_out(c))
        return NOBODY;
    switch (c->kind) {
    case HOCKET_CASE_PUT:
        return judged(s, i,
                      c->number == 0
                          ? hocket_queue_put(c->object, c->value, HOCKET_NOW)
                          : hocket_queue_put_with(c->object, c->value, c->number, HOCKET_NOW));
    case HOCKET_CASE_GET: return judged(s, i, hocket_queue_get(c->object, c->value, HOCKET_NOW));
    case HOCKET_CASE_JOIN: return judged(s, i, hocket_join(c->object, c->value, HOCKET_NOW));
    case HOCKET_CASE_FUTURE:
        return judged(s, i,
                      c->value != NULL ? hocket_future_get(c->object, c->value, HOCKET_NOW)
                                       : hocket_future_wait(c->object, HOCKET_NOW));
    case HOCKET_CASE_EVENT: return judged(s, i, hocket_event_wait(c->object, HOCKET_NOW));
    case HOCKET_CASE_TIMER: return c->number <= hocket_now() ? happened(s, i, 0) : NOBODY;
    default:
        ready = hocket__poll_now((int)c->number, (unsigned)c->events);
        return ready != 0 ? happened_fd(s, i, ready) : NOBODY;
    }
}

static int try_all(struct select *s)
{
    int rc = NOBODY;
    for (size_t k = 0; k < s->count && rc == NOBODY; k++)
        rc = try_case(s, s->entries[k].order);
    return rc;
}

/* splitmix64, of the task and of how many waits it has begun: the same under the same seed. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void shuffle(struct select *s)
{
    /* Also of a select that will not wait: the next one draws another order. */
    uint32_t seq = hk_load(&s->self->wait_seq) + 2;
    hk_store_rel(&s->self->wait_seq, seq);
    uint64_t state = hk_load(&s->self->id) << 32 ^ seq;
    for (size_t k = 0; k < s->count; k++) {
        size_t other = (size_t)(next_random(&state) % (k + 1));
        s->entries[k].order = s->entries[other].order;
        s->entries[other].order = (uint32_t)k;
        s->entries[k].linked = false;
    }
}

/* ---- 2: line up ---- */

/* The queue with the next higher address than `last`, NULL: none. */
static hocket_queue *next_queue(const struct select *s, const hocket_queue *last)
{
    hocket_queue *next = NULL;
    for (size_t i = 0; i < s->count; i++) {
        hocket_queue *q = is_queue(&s->cases[i]) ? s->cases[i].object : NULL;
        if ((uintptr_t)q > (uintptr_t)last && (next == NULL || (uintptr_t)q < (uintptr_t)next))
            next = q;
    }
    return next;
}

static int try_held(struct select *s, struct hocket__wakes *wakes, void **ret_old)
{
    for (size_t k = 0; k < s->count; k++) {
        size_t i = s->entries[k].order;
        hocket_case *c = &s->cases[i];
        if (!is_queue(c))
            continue;
        int err = c->kind == HOCKET_CASE_PUT
                      ? hocket__queue_put_held(c->object, s->self, c->value, c->number, wakes)
                      : hocket__queue_get_held(c->object, s->self, c->value, wakes, ret_old);
        if (err == -ENOMEM)
            return QUEUE_GROWS;
        if (err != -EAGAIN)
            return happened(s, i, err);
    }
    return NOBODY;
}

static void link_queues(struct select *s)
{
    for (size_t i = 0; i < s->count; i++) {
        hocket_case *c = &s->cases[i];
        struct entry *e = &s->entries[i];
        if (!is_queue(c))
            continue;
        hocket__queue_node_init(&e->queue, s->self, c->value, c->number);
        hocket__queue_link(c->object, &e->queue, c->kind == HOCKET_CASE_PUT);
        e->linked = true;
    }
}

/* The case that happened, or NOBODY: then the wait has begun and the queues' nodes are linked. */
static int line_up_queues(struct select *s)
{
    struct hocket__wakes wakes = { NULL, NULL };
    void *old = NULL;
    for (hocket_queue *q = NULL; (q = next_queue(s, q)) != NULL;)
        hocket__queue_hold(q);
    int rc = try_held(s, &wakes, &old);
    if (rc == NOBODY) {
        hocket__sync_begin(&s->wait, s->self, &select_class, s->cases, true);
        link_queues(s);
    }
    /* The wakes wait until the last one is let go. */
    struct hocket__wakes none = { NULL, NULL };
    bool by_right = false;
    for (hocket_queue *q = NULL; (q = next_queue(s, q)) != NULL;) {
        by_right = by_right || hocket__queue_by_right(q);
        hocket__queue_let_go(q, &none);
    }
    if (by_right && rc == NOBODY)
        hk_fence_sc();
    hocket__wakes_run(&wakes);
    if (old != NULL)
        hocket__free(old);
    return rc;
}

/* Link to a task or a future unless it is done: then true. */
static bool line_up_end(hocket_case *c, struct entry *e)
{
    hocket_task *t = c->object;
    hocket_future *f = c->object;
    bool join = c->kind == HOCKET_CASE_JOIN, done;
    hocket__guard *guard = join ? &t->guard : &f->more->guard;
    if (!join)
        hocket__future_want(f);
    hocket__guard_lock(guard);
    if (join)
        done = hocket__join_announce(t);
    else
        done = hocket__future_done(f);
    if (!done)
        hocket__queue_push(join ? &t->joiners : &f->more->waiters, &e->waiter.link);
    (void)hocket__guard_unlock(guard);
    e->linked = !done;
    return done;
}

/* 1: it can happen now; 0: linked, or nothing to link; negative: it went wrong. */
static int line_up(struct select *s, size_t i)
{
    hocket_case *c = &s->cases[i];
    struct entry *e = &s->entries[i];
    if (is_out(c) || is_queue(c) || c->kind == HOCKET_CASE_TIMER)
        return 0;
    hocket__waiter_init(&e->waiter, s->self);
    if (c->kind == HOCKET_CASE_JOIN || c->kind == HOCKET_CASE_FUTURE)
        return line_up_end(c, e);
    if (c->kind == HOCKET_CASE_EVENT) {
        e->linked = !hocket__event_enroll(c->object, &e->waiter);
        return !e->linked;
    }
    e->poll.fd = (int)c->number;
    e->waiter.tag = (uint32_t)c->events;
    int err = hocket__poll_link(&e->poll);
    e->linked = err == 0;
    if (err == -EPERM || err == -EBADF) { /* always ready, or gone since the first look */
        c->ready = err == -EPERM ? c->events : err;
        return 1;
    }
    return err;
}

/*
 * The cases that are no queues.  Stops at the first that can happen, or goes wrong, if the task can
 * claim itself for that; else somebody has claimed it for another, and the wait is over all the same.
 */
static int line_up_rest(struct select *s)
{
    int rc = 0;
    for (size_t k = 0; k < s->count && rc == 0; k++) {
        size_t i = s->entries[k].order;
        rc = line_up(s, i);
        if (rc == 0)
            continue;
        if (!hocket__claim(s->self))
            return NOBODY;
        if (rc > 0)
            s->entries[i].waiter.done = s->cases[i].kind == HOCKET_CASE_FD && s->cases[i].ready > 0
                                            ? (uint32_t)s->cases[i].ready
                                            : 1;
        hocket__complete(s->self);
    }
    return rc < 0 ? rc : NOBODY;
}

/* ---- 4: leave ---- */

static void leave(struct select *s, size_t i)
{
    hocket_case *c = &s->cases[i];
    struct entry *e = &s->entries[i];
    struct hocket__link **head;
    hocket__guard *guard;
    switch (c->kind) {
    case HOCKET_CASE_PUT:
    case HOCKET_CASE_GET:
        hocket__queue_unlink(c->object, &e->queue, c->kind == HOCKET_CASE_PUT);
        return;
    case HOCKET_CASE_EVENT: hocket__event_leave(c->object, &e->waiter, e->waiter.done != 0); return;
    case HOCKET_CASE_FD: hocket__poll_unlink(&e->poll); return;
    case HOCKET_CASE_JOIN:
        guard = &((hocket_task *)c->object)->guard;
        head = &((hocket_task *)c->object)->joiners;
        break;
    default:
        guard = &((hocket_future *)c->object)->more->guard;
        head = &((hocket_future *)c->object)->more->waiters;
        break;
    }
    hocket__guard_lock(guard);
    hocket__queue_forget(head, &e->waiter);
    (void)hocket__guard_unlock(guard);
}

/* The case whose node was served. */
static int winner(struct select *s)
{
    for (size_t i = 0; i < s->count; i++) {
        hocket_case *c = &s->cases[i];
        uint32_t done = is_out(c) || c->kind == HOCKET_CASE_TIMER ? 0 : s->entries[i].waiter.done;
        if (done == 0)
            continue;
        switch (c->kind) {
        case HOCKET_CASE_PUT:
        case HOCKET_CASE_GET: return happened(s, i, done == HOCKET__QUEUE_CLOSED ? -EPIPE : 0);
        case HOCKET_CASE_EVENT: return happened(s, i, 0);
        case HOCKET_CASE_FD: return happened_fd(s, i, c->ready < 0 ? c->ready : (int)done);
        default: return happened_end(s, i);
        }
    }
    return NOBODY;
}

/* ---- 3: the wait ---- */

/* The case of the earliest timer, -1: none. */
static int first_timer(const struct select *s)
{
    int first = -1;
    for (size_t i = 0; i < s->count; i++)
        if (s->cases[i].kind == HOCKET_CASE_TIMER && !is_out(&s->cases[i]) &&
            (first < 0 || s->cases[i].number < s->cases[first].number))
            first = (int)i;
    return first;
}

static int await(struct select *s, hocket_time deadline)
{
    for (size_t i = 0; i < s->count; i++) {
        s->entries[i].waiter.done = 0;
        if (s->cases[i].kind == HOCKET_CASE_FD)
            s->cases[i].ready = 0;
    }
    int rc = line_up_queues(s);
    if (rc != NOBODY)
        return rc;
    int timer = first_timer(s);
    bool by_timer = timer >= 0 && s->cases[timer].number <= deadline;
    rc = line_up_rest(s);
    int err = hocket__wait_park(s->self, by_timer ? s->cases[timer].number : deadline);
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i].linked)
            leave(s, i);
    hocket__wait_end(s->self);
    if (rc != NOBODY)
        return rc;
    if (err == -ETIMEDOUT && by_timer)
        return happened(s, (size_t)timer, 0);
    return err != 0 ? err : winner(s);
}

static int run(struct select *s, hocket_time deadline)
{
    struct hocket__pool_runner *lent = NULL;
    shuffle(s);
    int rc = try_all(s);
    if (rc != NOBODY)
        return rc;
    if (deadline <= HOCKET_NOW)
        return -ETIMEDOUT;
    int err = s->futures ? hocket__pool_lend(s->self, &lent) : 0;
    if (err != 0)
        return err;
    while ((rc = await(s, deadline)) == QUEUE_GROWS)
        if ((rc = try_all(s)) != NOBODY)
            break;
    hocket__pool_back(lent);
    return rc;
}

int hocket_select(hocket_case *cases, size_t count, hocket_time deadline)
{
    hocket__touch("select", NULL);
    struct entry small[SMALL];
    struct select s = { .cases = cases, .count = count, .self = hocket__self_attach() };
    int err = s.self != NULL ? hocket__cancel_point(s.self) : -ENOMEM;
    if (err != 0)
        return err;
    if (count > INT32_MAX / sizeof(struct entry))
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        if (!sensible(&cases[i]))
            return -EINVAL;
        s.futures = s.futures || (cases[i].kind == HOCKET_CASE_FUTURE && !is_out(&cases[i]));
    }
    s.entries = count <= SMALL ? small : hocket__alloc(count * sizeof(struct entry));
    if (s.entries == NULL)
        return -ENOMEM;
    int rc = run(&s, deadline);
    if (s.entries != small)
        hocket__free(s.entries);
    return rc;
}
