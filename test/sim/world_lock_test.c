/* SPDX-License-Identifier: MIT */
/* Locks under many seeds: exclusion, hand-over, time-outs, cancels, several at once. */
#include "support/world.h"

static hocket_mutex mutex, other, third;
static hocket_rmutex rmutex;
static hocket_rwlock rwlock;
static int inside, readers, total, got, refused;

/* Alone in here?  A place in the middle shows it. */
static void alone(void)
{
    HK_EXPECT_EQ(inside++, 0);
    hocket_sim_point();
    HK_EXPECT_EQ(--inside, 0);
    total++;
}

/* ---- mutex ---- */

static int mutex_user(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        HOCKET_WITH(&mutex) {
            alone();
        }
    return 0;
}

WORLD(mutex_excludes)
{
    world_tasks(mutex_user, 4);
    HK_EXPECT_EQ(total, 12);
    HK_EXPECT(!hocket_mutex_locked(&mutex));
    hocket_mutex_destroy(&mutex);
    return 0;
}

static int mutex_sleeper(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket_mutex_lock(&mutex);
        alone();
        HK_EXPECT_OK(hocket_sleep(2 * HOCKET_MS)); /* longer than a hand-over waits */
        hocket_mutex_unlock(&mutex);
    }
    return 0;
}

WORLD(mutex_is_handed_over)
{
    world_tasks(mutex_sleeper, 4);
    HK_EXPECT_EQ(total, 12);
    return 0;
}

static int mutex_timed(void *arg)
{
    int err = hocket_mutex_lock_until(&mutex, hocket_after(HOCKET_MS));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    (void)arg;
    if (err == 0) {
        alone();
        HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
        hocket_mutex_unlock(&mutex);
    }
    return 0;
}

WORLD(mutex_times_out)
{
    world_tasks(mutex_timed, 5);
    HK_EXPECT_EQ(hocket_mutex_trylock(&mutex), 0);
    hocket_mutex_unlock(&mutex);
    hocket_mutex_destroy(&mutex);
    return 0;
}

static int mutex_tryer(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++) {
        int err = hocket_mutex_trylock(&mutex);
        HK_EXPECT(err == 0 || err == -EAGAIN);
        if (err)
            continue;
        alone();
        hocket_mutex_unlock(&mutex);
    }
    return 0;
}

WORLD(mutex_try_excludes)
{
    world_tasks(mutex_tryer, 3);
    return 0;
}

static int mutex_cancelled(void *arg)
{
    (void)arg;
    int err = hocket_mutex_lock_until(&mutex, HOCKET_FOREVER);
    if (err) {
        HK_EXPECT_EQ(err, -ECANCELED);
        refused++;
        return err;
    }
    alone();
    hocket_mutex_unlock(&mutex);
    got++;
    return 0;
}

WORLD(mutex_waiters_are_cancelled)
{
    hocket_task *t[3];
    hocket_mutex_lock(&mutex);
    for (int i = 0; i < 3; i++)
        t[i] = world_spawn(mutex_cancelled, NULL);
    hocket_cancel(t[1]);
    hocket_mutex_unlock(&mutex);
    for (int i = 0; i < 3; i++)
        (void)world_join(t[i]);
    HK_EXPECT_EQ(got + refused, 3);
    HK_EXPECT(refused <= 1);
    hocket_mutex_destroy(&mutex);
    return 0;
}

/* ---- rmutex ---- */

static int rmutex_user(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        hocket_rmutex_lock(&rmutex);
        hocket_rmutex_lock(&rmutex);
        alone();
        hocket_rmutex_unlock(&rmutex);
        alone();
        hocket_rmutex_unlock(&rmutex);
    }
    return 0;
}

WORLD(rmutex_excludes)
{
    world_tasks(rmutex_user, 3);
    HK_EXPECT_EQ(total, 12);
    hocket_rmutex_destroy(&rmutex);
    return 0;
}

/* ---- rwlock ---- */

static int rw_reader(void)
{
    hocket_rwlock_rdlock(&rwlock);
    readers++;
    HK_EXPECT_EQ(inside, 0);
    hocket_sim_point();
    HK_EXPECT_EQ(inside, 0);
    readers--;
    hocket_rwlock_unlock(&rwlock);
    return 0;
}

static int rw_writer(void)
{
    hocket_rwlock_wrlock(&rwlock);
    HK_EXPECT_EQ(readers, 0);
    alone();
    HK_EXPECT_EQ(readers, 0);
    hocket_rwlock_unlock(&rwlock);
    return 0;
}

static int rw_both(void *arg)
{
    for (intptr_t i = (intptr_t)arg; i < (intptr_t)arg + 4; i++)
        (void)(i % 2 ? rw_writer() : rw_reader());
    return 0;
}

WORLD(rwlock_excludes)
{
    world_tasks(rw_both, 4);
    HK_EXPECT_EQ(total, 8);
    hocket_rwlock_destroy(&rwlock);
    return 0;
}

static int rw_timed(void *arg)
{
    bool write = (intptr_t)arg % 2;
    hocket_time deadline = hocket_after(HOCKET_MS);
    int err = write ? hocket_rwlock_wrlock_until(&rwlock, deadline)
                    : hocket_rwlock_rdlock_until(&rwlock, deadline);
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    if (err)
        return 0;
    readers += !write;
    if (write)
        HK_EXPECT_EQ(readers, 0);
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    if (write)
        HK_EXPECT_EQ(readers, 0);
    readers -= !write;
    hocket_rwlock_unlock(&rwlock);
    return 0;
}

WORLD(rwlock_times_out)
{
    world_tasks(rw_timed, 5);
    HK_EXPECT_OK(hocket_rwlock_trywrlock(&rwlock));
    hocket_rwlock_unlock(&rwlock);
    hocket_rwlock_destroy(&rwlock);
    return 0;
}

static int rw_cancelled(void *arg)
{
    int err = (intptr_t)arg ? hocket_rwlock_wrlock_until(&rwlock, HOCKET_FOREVER)
                            : hocket_rwlock_rdlock_until(&rwlock, HOCKET_FOREVER);
    if (err == 0)
        hocket_rwlock_unlock(&rwlock);
    return err;
}

WORLD(rwlock_writer_cancelled_lets_readers_in)
{
    hocket_rwlock_rdlock(&rwlock);
    hocket_task *w = world_spawn(rw_cancelled, (void *)1), *r = world_spawn(rw_cancelled, NULL);
    hocket_cancel(w);
    HK_EXPECT_EQ(world_join(r), 0); /* while we still read */
    int err = world_join(w);
    HK_EXPECT_EQ(err, -ECANCELED);
    hocket_rwlock_unlock(&rwlock);
    hocket_rwlock_destroy(&rwlock);
    return 0;
}

static int rw_tryer(void *arg)
{
    for (int i = 0; i < 4; i++) {
        bool write = ((intptr_t)arg + i) % 2;
        int err = write ? hocket_rwlock_trywrlock(&rwlock) : hocket_rwlock_tryrdlock(&rwlock);
        HK_EXPECT(err == 0 || err == -EAGAIN);
        if (err)
            continue;
        if (write)
            alone();
        hocket_rwlock_unlock(&rwlock);
    }
    return 0;
}

WORLD(rwlock_try)
{
    world_tasks(rw_tryer, 3);
    HK_EXPECT(!hocket_rwlock_locked(&rwlock));
    return 0;
}

/* ---- several ---- */

static int all_of_them(void *arg)
{
    hocket_mutex *order[3][2] = { { &mutex, &other }, { &other, &third }, { &third, &mutex } };
    hocket_mutex **m = order[(intptr_t)arg % 3];
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_OK(hocket_lock_all(m[0], m[1]));
        HK_EXPECT(hocket_mutex_held(m[0]) && hocket_mutex_held(m[1]));
        hocket_sim_point();
        hocket_unlock_all(m[0], m[1]);
        total++;
    }
    return 0;
}

WORLD(lock_all_in_any_order)
{
    world_tasks(all_of_them, 3);
    HK_EXPECT_EQ(total, 9);
    HK_EXPECT(!hocket_mutex_locked(&mutex) && !hocket_mutex_locked(&other));
    return 0;
}

static int all_timed(void *arg)
{
    (void)arg;
    int err = hocket_lock_all_until(hocket_after(HOCKET_MS), &mutex, &other);
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    if (err)
        return 0;
    alone();
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    hocket_unlock_all(&mutex, &other);
    return 0;
}

WORLD(lock_all_times_out_with_nothing_held)
{
    world_tasks(all_timed, 4);
    HK_EXPECT_EQ(hocket_mutex_trylock(&mutex), 0);
    HK_EXPECT_EQ(hocket_mutex_trylock(&other), 0);
    hocket_mutex_unlock(&mutex);
    hocket_mutex_unlock(&other);
    return 0;
}

/* ---- who frees it ---- */

static int last_frees(void *arg)
{
    struct shared {
        hocket_mutex m;
        int left;
    } *s = arg;
    hocket_mutex_lock(&s->m);
    bool last = --s->left == 0;
    hocket_mutex_unlock(&s->m);
    if (last)
        free(s); /* nobody may touch the lock any more */
    return 0;
}

WORLD(the_last_one_frees_the_mutex)
{
    struct {
        hocket_mutex m;
        int left;
    } *s = calloc(1, sizeof *s);
    hocket_scope scope;
    s->left = 3;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_spawn(&scope, last_frees, s));
    HK_EXPECT_OK(hocket_scope_close(&scope));
    return 0;
}

/* ---- placed on threads ---- */

WORLD(tasks_on_threads_exclude_each_other)
{
    hocket_task *t[3];
    for (int i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, mutex_user, NULL,
                                       HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD)));
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(world_join(t[i]), 0);
    HK_EXPECT_EQ(total, 9);
    return 0;
}

SUITE("world_lock", world_limit())
{
    suite_once(mutex_excludes);
    suite_once(mutex_is_handed_over);
    suite_once(mutex_times_out);
    suite_once(mutex_try_excludes);
    suite_once(mutex_waiters_are_cancelled);
    suite_once(rmutex_excludes);
    suite_once(rwlock_excludes);
    suite_once(rwlock_times_out);
    suite_once(rwlock_writer_cancelled_lets_readers_in);
    suite_once(rwlock_try);
    suite_once(lock_all_in_any_order);
    suite_once(lock_all_times_out_with_nothing_held);
    suite_once(the_last_one_frees_the_mutex);
    suite_once(tasks_on_threads_exclude_each_other);
}
