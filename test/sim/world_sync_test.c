/* SPDX-License-Identifier: MIT */
/* Conditions, semaphores, events, latches, barriers, once and words under many seeds. */
#include "support/world.h"

#include <stdatomic.h>

static hocket_mutex mutex;
static hocket_cond cond, room;
static hocket_sem sem;
static hocket_event event;
static hocket_latch latch;
static hocket_barrier barrier;
static hocket_once once;
static hocket_word word;
static int items, total, inside, done[8];

/* ---- cond ---- */

static int producer(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket_mutex_lock(&mutex);
        while (items == 2)
            HK_EXPECT_OK(hocket_cond_wait(&room, &mutex, HOCKET_FOREVER));
        items++;
        hocket_cond_signal(&cond);
        hocket_mutex_unlock(&mutex);
    }
    return 0;
}

static int consumer(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket_mutex_lock(&mutex);
        while (items == 0)
            HK_EXPECT_OK(hocket_cond_wait(&cond, &mutex, HOCKET_FOREVER));
        HK_EXPECT(items-- <= 2);
        hocket_cond_signal(&room);
        hocket_mutex_unlock(&mutex);
        total++;
    }
    return 0;
}

static int produce_or_consume(void *arg)
{
    return (intptr_t)arg % 2 ? producer(NULL) : consumer(NULL);
}

WORLD(cond_bounded_buffer)
{
    world_tasks(produce_or_consume, 4);
    HK_EXPECT_EQ(total, 6);
    HK_EXPECT_EQ(items, 0);
    return 0;
}

static int cond_waiter(void *arg)
{
    int err = 0;
    hocket_mutex_lock(&mutex);
    while (items == 0 && err == 0)
        err = hocket_cond_wait(&cond, &mutex,
                               (intptr_t)arg % 2 ? hocket_after(HOCKET_MS) : HOCKET_FOREVER);
    HK_EXPECT(hocket_mutex_held(&mutex));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT || err == -ECANCELED);
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int cond_teller(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    hocket_mutex_lock(&mutex);
    items = 1;
    hocket_cond_broadcast(&cond);
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int cond_any(void *arg)
{
    return (intptr_t)arg == 3 ? cond_teller(NULL) : cond_waiter(arg);
}

WORLD(cond_broadcast_and_time_outs)
{
    world_tasks(cond_any, 4);
    HK_EXPECT_EQ(hocket_cond_waiting(&cond), 0);
    hocket_cond_destroy(&cond);
    return 0;
}

static int cond_eater(void *arg)
{
    hocket_time deadline = (intptr_t)arg ? hocket_after(HOCKET_MS) : HOCKET_FOREVER;
    int err = 0;
    hocket_mutex_lock(&mutex);
    while (items == 0 && err == 0)
        err = hocket_cond_wait(&cond, &mutex, deadline);
    bool took = items > 0;
    items -= took;
    total += took;
    hocket_mutex_unlock(&mutex);
    return 0;
}

/* A signal that meets a time-out is not lost for the one who waits on. */
WORLD(cond_signal_is_not_eaten_by_a_time_out)
{
    hocket_task *timed = world_spawn(cond_eater, (void *)1),
                *patient = world_spawn(cond_eater, NULL);
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    for (int i = 0; i < 2; i++) {
        hocket_mutex_lock(&mutex);
        items++;
        hocket_cond_signal(&cond);
        hocket_mutex_unlock(&mutex);
    }
    (void)world_join(timed);
    (void)world_join(patient);
    HK_EXPECT(total >= 1);
    return 0;
}

WORLD(cond_waiter_is_cancelled)
{
    hocket_task *t = world_spawn(cond_waiter, NULL);
    HK_EXPECT_OK(hocket_yield());
    hocket_cancel(t);
    (void)world_join(t);
    HK_EXPECT(!hocket_mutex_locked(&mutex));
    hocket_cond_destroy(&cond);
    return 0;
}

/* ---- sem ---- */

static int sem_user(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_OK(hocket_sem_acquire(&sem, HOCKET_FOREVER));
        HK_EXPECT(++inside <= 2);
        hocket_sim_point();
        inside--;
        HK_EXPECT_OK(hocket_sem_release(&sem));
    }
    return 0;
}

WORLD(sem_admits_two)
{
    HK_EXPECT_OK(hocket_sem_init(&sem, 2, 2));
    world_tasks(sem_user, 4);
    HK_EXPECT_EQ(hocket_sem_value(&sem), 2);
    HK_EXPECT_EQ(hocket_sem_release(&sem), -EOVERFLOW);
    hocket_sem_destroy(&sem);
    return 0;
}

static int sem_timed(void *arg)
{
    (void)arg;
    int err = hocket_sem_acquire(&sem, hocket_after(HOCKET_MS));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    if (err == 0) {
        HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
        HK_EXPECT_OK(hocket_sem_release(&sem));
    }
    return 0;
}

WORLD(sem_permits_survive_time_outs)
{
    HK_EXPECT_OK(hocket_sem_init(&sem, 1, 0));
    world_tasks(sem_timed, 5);
    HK_EXPECT_EQ(hocket_sem_value(&sem), 1);
    return 0;
}

static int sem_once(void *arg)
{
    (void)arg;
    int err = hocket_sem_acquire(&sem, HOCKET_FOREVER);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    total += err == 0;
    return err;
}

WORLD(sem_permits_survive_cancels)
{
    hocket_task *t[3];
    for (int i = 0; i < 3; i++)
        t[i] = world_spawn(sem_once, NULL);
    hocket_cancel(t[0]);
    HK_EXPECT_OK(hocket_sem_release_many(&sem, 2));
    hocket_cancel(t[1]);
    HK_EXPECT_OK(hocket_sem_release(&sem));
    for (int i = 0; i < 3; i++)
        (void)world_join(t[i]);
    HK_EXPECT_EQ(total + (int)hocket_sem_value(&sem), 3);
    HK_EXPECT(total >= 1);
    return 0;
}

/* ---- event, latch ---- */

static int event_waiter(void *arg)
{
    int err = hocket_event_wait(&event,
                                (intptr_t)arg % 2 ? hocket_after(HOCKET_MS) : HOCKET_FOREVER);
    HK_EXPECT(err == 0 || ((intptr_t)arg % 2 && err == -ETIMEDOUT));
    total += err == 0;
    return 0;
}

static int event_setter(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_yield());
    hocket_event_set(&event);
    return 0;
}

static int event_any(void *arg)
{
    return (intptr_t)arg == 0 ? event_setter(NULL) : event_waiter(arg);
}

WORLD(event_wakes_all)
{
    world_tasks(event_any, 5);
    HK_EXPECT(total >= 2);
    HK_EXPECT(hocket_event_is_set(&event));
    hocket_event_destroy(&event);
    return 0;
}

static int event_pulser(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket_event_set(&event);
        hocket_event_clear(&event);
    }
    hocket_event_set(&event);
    return 0;
}

static int event_pulsed(void *arg)
{
    return (intptr_t)arg == 0 ? event_pulser(NULL) : event_waiter((void *)2);
}

WORLD(event_set_and_cleared)
{
    world_tasks(event_pulsed, 4);
    HK_EXPECT_EQ(total, 3);
    return 0;
}

static int latch_worker(void *arg)
{
    done[(intptr_t)arg] = 1;
    hocket_latch_done(&latch);
    HK_EXPECT_OK(hocket_latch_wait(&latch, HOCKET_FOREVER));
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(done[i], 1);
    return 0;
}

WORLD(latch_opens_behind_the_last)
{
    HK_EXPECT_OK(hocket_latch_add(&latch, 3));
    world_tasks(latch_worker, 3);
    HK_EXPECT_EQ(hocket_latch_count(&latch), 0);
    hocket_latch_destroy(&latch);
    return 0;
}

/* ---- barrier ---- */

static int phases(void *arg)
{
    for (int phase = 1; phase <= 3; phase++) {
        done[(intptr_t)arg] = phase;
        HK_EXPECT_OK(hocket_barrier_wait(&barrier, HOCKET_FOREVER));
        for (int i = 0; i < 3; i++)
            HK_EXPECT(done[i] == phase || done[i] == phase + 1);
    }
    return 0;
}

WORLD(barrier_phases)
{
    HK_EXPECT_OK(hocket_barrier_init(&barrier, 3, NULL, NULL));
    world_tasks(phases, 3);
    hocket_barrier_destroy(&barrier);
    return 0;
}

static int count_action(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(inside++, 0);
    hocket_sim_point();
    inside--;
    total++;
    return 0;
}

static int twice(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_barrier_wait(&barrier, HOCKET_FOREVER));
    return 0;
}

WORLD(barrier_action_runs_once_a_phase)
{
    HK_EXPECT_OK(hocket_barrier_init(&barrier, 3, count_action, NULL));
    world_tasks(twice, 3);
    HK_EXPECT_EQ(total, 2);
    return 0;
}

static int impatient(void *arg)
{
    int err = hocket_barrier_wait(&barrier,
                                  (intptr_t)arg ? HOCKET_FOREVER : hocket_after(HOCKET_MS));
    HK_EXPECT(err == -ETIMEDOUT || err == -EPIPE);
    return 0;
}

WORLD(barrier_time_out_breaks_it_for_all)
{
    HK_EXPECT_OK(hocket_barrier_init(&barrier, 4, NULL, NULL));
    world_tasks(impatient, 3);
    HK_EXPECT(hocket_barrier_broken(&barrier));
    hocket_barrier_reset(&barrier);
    HK_EXPECT(!hocket_barrier_broken(&barrier));
    return 0;
}

/* ---- once ---- */

static int set_up(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(inside++, 0);
    HK_EXPECT_OK(hocket_yield());
    inside--;
    total++;
    return 0;
}

static int once_user(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_once_do(&once, set_up, NULL, HOCKET_FOREVER));
    HK_EXPECT_EQ(total, 1);
    return 0;
}

WORLD(once_runs_once)
{
    world_tasks(once_user, 4);
    HK_EXPECT_EQ(total, 1);
    return 0;
}

static int fails_at_first(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_yield());
    return ++items == 1 ? -EIO : 0;
}

static int once_retry(void *arg)
{
    (void)arg;
    int err = hocket_once_do(&once, fails_at_first, NULL, HOCKET_FOREVER);
    HK_EXPECT(err == 0 || err == -EIO);
    total += err != 0;
    return 0;
}

WORLD(once_that_failed_is_tried_by_the_next)
{
    world_tasks(once_retry, 3);
    HK_EXPECT_EQ(total, 1);
    HK_EXPECT_EQ(items, 2);
    HK_EXPECT(hocket_once_done(&once));
    return 0;
}

/* ---- words ---- */

static int word_lock_user(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        uint32_t free = 0;
        while (!atomic_compare_exchange_strong(&word, &free, 1)) {
            HK_EXPECT_OK(hocket_wait_on(&word, 1, HOCKET_FOREVER));
            free = 0;
        }
        HK_EXPECT_EQ(inside++, 0);
        hocket_sim_point();
        inside--;
        atomic_store(&word, 0);
        (void)hocket_wake(&word, 1);
    }
    return 0;
}

WORLD(a_lock_made_of_a_word)
{
    world_tasks(word_lock_user, 3);
    return 0;
}

static int word_waiter(void *arg)
{
    int err = hocket_wait_on(&word, 0, (intptr_t)arg ? hocket_after(HOCKET_MS) : HOCKET_FOREVER);
    HK_EXPECT(err == 0 || err == -ETIMEDOUT || err == -ECANCELED);
    return 0;
}

WORLD(word_waiters_time_out_or_wake)
{
    hocket_task *a = world_spawn(word_waiter, NULL), *b = world_spawn(word_waiter, (void *)1);
    hocket_task *c = world_spawn(word_waiter, NULL);
    hocket_cancel(c);
    atomic_store(&word, 1);
    (void)hocket_wake(&word, 3);
    (void)world_join(a);
    (void)world_join(b);
    (void)world_join(c);
    return 0;
}

SUITE("world_sync", world_limit())
{
    suite_once(cond_bounded_buffer);
    suite_once(cond_broadcast_and_time_outs);
    suite_once(cond_signal_is_not_eaten_by_a_time_out);
    suite_once(cond_waiter_is_cancelled);
    suite_once(sem_admits_two);
    suite_once(sem_permits_survive_time_outs);
    suite_once(sem_permits_survive_cancels);
    suite_once(event_wakes_all);
    suite_once(event_set_and_cleared);
    suite_once(latch_opens_behind_the_last);
    suite_once(barrier_phases);
    suite_once(barrier_action_runs_once_a_phase);
    suite_once(barrier_time_out_breaks_it_for_all);
    suite_once(once_runs_once);
    suite_once(once_that_failed_is_tried_by_the_next);
    suite_once(a_lock_made_of_a_word);
    suite_once(word_waiters_time_out_or_wake);
}
