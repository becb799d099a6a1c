/* SPDX-License-Identifier: MIT */
/* Mutex and rmutex, in every mode. */
#include <errno.h>
#include <hocket/mutex.h>
#include <hocket/rmutex.h>

#include "support/modes.h"

#define TASKS 4
#define TURNS 2000

/*
 * One table for both kinds: what holds for the one holds for the other.
 *
 * gets: hocket_rmutex_trylock -EAGAIN, hocket_rmutex_lock_until -ECANCELED -ETIMEDOUT
 */
union lock {
    hocket_mutex m;
    hocket_rmutex r;
};

struct kind {
    void (*lock)(union lock *);
    int (*lock_until)(union lock *, hocket_time);
    int (*trylock)(union lock *);
    void (*unlock)(union lock *);
    int (*unlock_checked)(union lock *);
    bool (*locked)(const union lock *);
    uint64_t (*owner)(const union lock *);
    void (*destroy)(union lock *);
};

#define KIND(type)                                                          \
    {                                                                       \
        (void (*)(union lock *)) hocket_##type##_lock,                      \
            (int (*)(union lock *, hocket_time))hocket_##type##_lock_until, \
            (int (*)(union lock *))hocket_##type##_trylock,                 \
            (void (*)(union lock *))hocket_##type##_unlock,                 \
            (int (*)(union lock *))hocket_##type##_unlock_checked,          \
            (bool (*)(const union lock *))hocket_##type##_locked,           \
            (uint64_t(*)(const union lock *))hocket_##type##_owner,         \
            (void (*)(union lock *))hocket_##type##_destroy                 \
    }

static const struct kind kinds[] = { KIND(mutex), KIND(rmutex) };

struct shared {
    const struct kind *kind;
    union lock lock;
    hocket_rmutex other;
    int count, inside, got, failed, order[TASKS], places;
    int step;
};

#define FOR_KINDS(s)                                          \
    for (const struct kind *k_ = kinds; k_ < kinds + 2; k_++) \
        for (struct shared s = { .kind = k_ }; s.kind; s.kind = NULL)

static int step_of(struct shared *s)
{
    return __atomic_load_n(&s->step, __ATOMIC_ACQUIRE);
}

static void step_to(struct shared *s, int step)
{
    __atomic_store_n(&s->step, step, __ATOMIC_RELEASE);
}

static int exclude(int index, void *arg)
{
    struct shared *s = arg;
    const struct kind *k = s->kind;
    for (int i = 0; i < TURNS; i++) {
        if (i % 3 == 0)
            k->lock(&s->lock);
        else if (i % 3 == 1)
            HK_EXPECT_OK(k->lock_until(&s->lock, HOCKET_FOREVER));
        else
            while (k->trylock(&s->lock) != 0)
                mode_yield();
        HK_EXPECT(s->inside++ == 0);
        HK_EXPECT(k->owner(&s->lock) == hocket_task_id(hocket_self()));
        s->count++;
        if ((i + index) % 64 == 0)
            mode_yield(); /* with the lock held */
        HK_EXPECT(--s->inside == 0);
        k->unlock(&s->lock);
    }
    return 0;
}

START_TEST(excludes)
{
    FOR_KINDS(s)
    {
        mode_run(_i, TASKS, exclude, &s);
        ck_assert_int_eq(s.count, TASKS * TURNS);
        ck_assert(!s.kind->locked(&s.lock));
        ck_assert(s.kind->owner(&s.lock) == 0);
        s.kind->destroy(&s.lock);
    }
}
END_TEST

static int timeout_body(int index, void *arg)
{
    struct shared *s = arg;
    const struct kind *k = s->kind;
    if (index == 0) {
        k->lock(&s->lock);
        step_to(s, 1);
        MODE_WAIT_UNTIL(step_of(s) == 2);
        k->unlock(&s->lock);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) == 1);
    HK_EXPECT(k->locked(&s->lock));
    HK_EXPECT_EQ(k->trylock(&s->lock), -EAGAIN);
    HK_EXPECT_EQ(k->lock_until(&s->lock, HOCKET_NOW), -ETIMEDOUT);
    hocket_time before = hocket_now();
    HK_EXPECT_EQ(k->lock_until(&s->lock, before + 5 * HOCKET_MS), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= before + 5 * HOCKET_MS);
    HK_EXPECT_EQ(k->lock_until(&s->lock, before), -ETIMEDOUT);
    HK_EXPECT_EQ(k->unlock_checked(&s->lock), -EPERM);
    step_to(s, 2);
    HK_EXPECT_OK(k->lock_until(&s->lock, hocket_after(10 * HOCKET_SEC)));
    k->unlock(&s->lock);
    HK_EXPECT_EQ(k->unlock_checked(&s->lock), -EPERM);
    return 0;
}

START_TEST(times_out)
{
    FOR_KINDS(s)
    {
        mode_run(_i, 2, timeout_body, &s);
        ck_assert(!s.kind->locked(&s.lock));
    }
}
END_TEST

static int cancel_body(int index, void *arg)
{
    struct shared *s = arg;
    const struct kind *k = s->kind;
    if (index == 0) {
        k->lock(&s->lock);
        step_to(s, 1);
        MODE_WAIT_UNTIL(mode_parked(1));
        hocket_cancel(mode_task(1));
        MODE_WAIT_UNTIL(step_of(s) == 2);
        /* The plain lock is no cancel point. */
        MODE_WAIT_UNTIL(mode_parked(1));
        k->unlock(&s->lock);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) == 1);
    HK_EXPECT_EQ(k->lock_until(&s->lock, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT(hocket_cancelled());
    step_to(s, 2);
    k->lock(&s->lock);
    k->unlock(&s->lock);
    HK_EXPECT_OK(k->trylock(&s->lock));
    k->unlock(&s->lock);
    /* A cancel point on every call, also when the lock is free. */
    HK_EXPECT_EQ(k->lock_until(&s->lock, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(k->lock_until(&s->lock, HOCKET_NOW), -ECANCELED);
    return 0;
}

START_TEST(cancelled)
{
    FOR_KINDS(s)
    mode_run(_i, 2, cancel_body, &s);
}
END_TEST

/* A running task may overtake sleepers, but among sleepers the first is first. */
static int fifo_body(int index, void *arg)
{
    struct shared *s = arg;
    const struct kind *k = s->kind;
    if (index == 0) {
        k->lock(&s->lock);
        for (int i = 1; i < TASKS; i++) {
            step_to(s, i);
            MODE_WAIT_UNTIL(mode_parked(i));
        }
        /* Longer than the hand-over takes: each unlock hands over. */
        hocket_time until = hocket_after(3 * HOCKET_MS);
        MODE_WAIT_UNTIL(hocket_now() > until);
        k->unlock(&s->lock);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) == index);
    k->lock(&s->lock);
    s->order[s->places++] = index;
    hocket_time until = hocket_after(2 * HOCKET_MS);
    MODE_WAIT_UNTIL(hocket_now() > until);
    k->unlock(&s->lock);
    return 0;
}

START_TEST(first_come_first_served)
{
    FOR_KINDS(s)
    {
        mode_run(_i, TASKS, fifo_body, &s);
        ck_assert_int_eq(s.places, TASKS - 1);
        for (int i = 0; i < s.places; i++)
            ck_assert_int_eq(s.order[i], i + 1);
    }
}
END_TEST

/* Who has waited for a millisecond is made the owner by the unlock: nobody can overtake it. */
static int handed_body(int index, void *arg)
{
    struct shared *s = arg;
    const struct kind *k = s->kind;
    if (index == 0) {
        k->lock(&s->lock);
        step_to(s, 1);
        MODE_WAIT_UNTIL(mode_parked(1));
        hocket_time until = hocket_after(5 * HOCKET_MS);
        MODE_WAIT_UNTIL(hocket_now() > until);
        k->unlock(&s->lock);
        HK_EXPECT_EQ(k->trylock(&s->lock), -EAGAIN);
        step_to(s, 2);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) == 1);
    k->lock(&s->lock);
    MODE_WAIT_UNTIL(step_of(s) == 2);
    k->unlock(&s->lock);
    return 0;
}

START_TEST(handed_over)
{
    FOR_KINDS(s)
    mode_run(_i, 2, handed_body, &s);
}
END_TEST

/* One task takes the lock again and again; another must not starve. */
static int greedy_body(int index, void *arg)
{
    struct shared *s = arg;
    const struct kind *k = s->kind;
    if (index == 0) {
        while (step_of(s) < 20) {
            k->lock(&s->lock);
            s->count++;
            k->unlock(&s->lock);
            if (s->count % 1000 == 0)
                mode_yield(); /* or a single worker never changes fibers */
        }
        return 0;
    }
    for (int i = 1; i <= 20; i++) {
        k->lock(&s->lock);
        k->unlock(&s->lock);
        step_to(s, i);
    }
    return 0;
}

START_TEST(nobody_starves)
{
    FOR_KINDS(s)
    mode_run(_i, 2, greedy_body, &s);
}
END_TEST

static int reenter(int index, void *arg)
{
    (void)index;
    hocket_rmutex *r = arg;
    for (int i = 0; i < 200; i++) {
        hocket_rmutex_lock(r);
        HK_EXPECT_OK(hocket_rmutex_lock_until(r, HOCKET_NOW));
        HK_EXPECT_OK(hocket_rmutex_trylock(r));
        HK_EXPECT_EQ(hocket_rmutex_depth(r), 3);
        if (i % 16 == 0)
            mode_yield();
        hocket_rmutex_unlock(r);
        HK_EXPECT(hocket_rmutex_locked(r));
        HK_EXPECT_OK(hocket_rmutex_unlock_checked(r));
        HK_EXPECT_EQ(hocket_rmutex_depth(r), 1);
        hocket_rmutex_unlock(r);
        HK_EXPECT_EQ(hocket_rmutex_depth(r), 0);
    }
    return 0;
}

START_TEST(reenters)
{
    hocket_rmutex r = HOCKET_RMUTEX_INIT;
    mode_run(_i, TASKS, reenter, &r);
    ck_assert(!hocket_rmutex_locked(&r));
}
END_TEST

START_TEST(depth_overflows)
{
    hocket_rmutex r = HOCKET_RMUTEX_INIT;
    hocket_rmutex_lock(&r);
    r.hocket__depth = UINT32_MAX;
    ck_assert_int_eq(hocket_rmutex_trylock(&r), -EOVERFLOW);
    ck_assert_int_eq(hocket_rmutex_lock_until(&r, HOCKET_FOREVER), -EOVERFLOW);
    ck_assert(hocket_rmutex_depth(&r) == (uint64_t)UINT32_MAX + 1);
    r.hocket__depth = 0;
    hocket_rmutex_unlock(&r);
}
END_TEST

/* One task locks, another unlocks. */
static int unowned_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_mutex *m = &s->lock.m;
    for (int i = 0; i < 300; i++) {
        if (index == 0) {
            hocket_mutex_lock(m);
            s->count++;
            step_to(s, 1);
        } else {
            MODE_WAIT_UNTIL(step_of(s) == 1);
            step_to(s, 0);
            HK_EXPECT(hocket_mutex_locked(m));
            HK_EXPECT(!hocket_mutex_held(m) && hocket_mutex_owner(m) == 0);
            HK_EXPECT_EQ(hocket_mutex_trylock(m), -EAGAIN);
            hocket_mutex_unlock(m);
        }
    }
    return 0;
}

START_TEST(unowned)
{
    struct shared s = { .lock.m = HOCKET_MUTEX_INIT_UNOWNED };
    mode_run(_i, 2, unowned_body, &s);
    ck_assert_int_eq(s.count, 300);
    ck_assert_int_eq(hocket_mutex_unlock_checked(&s.lock.m), -EPERM);
    hocket_mutex_destroy(&s.lock.m);
    hocket_mutex_init(&s.lock.m, HOCKET_MUTEX_UNOWNED, NULL);
    ck_assert_int_eq(hocket_mutex_trylock(&s.lock.m), 0);
    ck_assert_int_eq(hocket_mutex_lock_until(&s.lock.m, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    hocket_mutex_unlock(&s.lock.m);
}
END_TEST

/* Each holds one and wants the other for ever: whoever comes second is told. */
static int ring_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_rmutex *mine = index == 0 ? &s->lock.r : &s->other;
    hocket_rmutex *theirs = index == 0 ? &s->other : &s->lock.r;
    hocket_rmutex_lock(mine);
    (void)__atomic_add_fetch(&s->inside, 1, __ATOMIC_ACQ_REL);
    MODE_WAIT_UNTIL(__atomic_load_n(&s->inside, __ATOMIC_ACQUIRE) >= 2);
    int err = hocket_rmutex_lock_until(theirs, HOCKET_FOREVER);
    HK_EXPECT(err == 0 || err == -EDEADLK);
    (void)__atomic_add_fetch(err == 0 ? &s->got : &s->failed, 1, __ATOMIC_ACQ_REL);
    if (err == 0)
        hocket_rmutex_unlock(theirs);
    hocket_rmutex_unlock(mine);
    return 0;
}

START_TEST(ring)
{
    struct shared s = { .step = 0 };
    mode_run(_i, 2, ring_body, &s);
    ck_assert_int_ge(s.failed, 1);
    ck_assert_int_eq(s.got + s.failed, 2);
    ck_assert(!hocket_rmutex_locked(&s.lock.r) && !hocket_rmutex_locked(&s.other));
}
END_TEST

START_TEST(oneself)
{
    hocket_mutex m = HOCKET_MUTEX_INIT;
    hocket_mutex_lock(&m);
    ck_assert(hocket_mutex_held(&m) && hocket_mutex_locked(&m));
    ck_assert_int_eq(hocket_mutex_lock_until(&m, HOCKET_FOREVER), -EDEADLK);
    ck_assert_int_eq(hocket_mutex_lock_until(&m, hocket_after(HOCKET_SEC)), -EDEADLK);
    ck_assert_int_eq(hocket_mutex_lock_until(&m, HOCKET_NOW), -ETIMEDOUT);
    ck_assert_int_eq(hocket_mutex_trylock(&m), -EAGAIN);
    ck_assert_int_eq(hocket_mutex_unlock_checked(&m), 0);
    ck_assert(!hocket_mutex_held(&m));
    hocket_mutex_destroy(&m);
}
END_TEST

/* The exported twins of the inline functions, which bindings call. */
START_TEST(symbols)
{
    void (*volatile lock)(hocket_mutex *) = hocket_mutex_lock;
    void (*volatile unlock)(hocket_mutex *) = hocket_mutex_unlock;
    void (*volatile rlock)(hocket_rmutex *) = hocket_rmutex_lock;
    void (*volatile runlock)(hocket_rmutex *) = hocket_rmutex_unlock;
    hocket_mutex m = HOCKET_MUTEX_INIT;
    hocket_rmutex r = HOCKET_RMUTEX_INIT;
    for (int i = 0; i < 3; i++) {
        lock(&m);
        rlock(&r);
        ck_assert(hocket_mutex_held(&m));
        hocket_mutex_unlock(&m);
        hocket_mutex_lock(&m);
        hocket_rmutex_lock(&r);
        runlock(&r);
        hocket_rmutex_unlock(&r);
        unlock(&m);
    }
    ck_assert(!hocket_mutex_locked(&m) && !hocket_rmutex_locked(&r));
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, excludes);
    MODE_TESTS(tc, times_out);
    MODE_TESTS(tc, cancelled);
    MODE_TESTS(tc, first_come_first_served);
    MODE_TESTS(tc, handed_over);
    MODE_TESTS(tc, nobody_starves);
    MODE_TESTS(tc, reenters);
    tcase_add_test(tc, depth_overflows);
    MODE_TESTS(tc, unowned);
    MODE_TESTS(tc, ring);
    tcase_add_test(tc, oneself);
    tcase_add_test(tc, symbols);
}

int main(void)
{
    return mode_main("mutex", add);
}
