/* SPDX-License-Identifier: MIT */
/* deadlocks without a cycle: each of these programs hangs for ever, and is told so. */
#include "support/hanging.h"

static hocket_queue *q1, *q2;
static hocket_event event, other_event;
static hocket_mutex mutex;
static hocket_cond cond;
static hocket_rwlock rwlock;
static hocket_latch latch = HOCKET_LATCH_INIT(2);
static hocket_sem sems[3];
static hocket_word word;

static int empty_queue(void *arg)
{
    (void)arg;
    return get(q1 = queue_of(4));
}

static int full_queue(void *arg)
{
    (void)arg;
    q1 = queue_of(1);
    return put(q1) < 0 ? -1 : put(q1);
}

static int rendezvous(void *arg)
{
    (void)arg;
    go(put, q1 = queue_of(HOCKET_RENDEZVOUS));
    go(put, q1);
    return 0;
}

static int selects(void *arg)
{
    (void)arg;
    int a, b;
    hocket_case cases[] = { hocket_case_get(queue_of(1), &a), hocket_case_get(queue_of(1), &b) };
    return hocket_select(cases, 2, HOCKET_FOREVER);
}

static int cond_forever(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    int err = hocket_cond_wait(&cond, &mutex, HOCKET_FOREVER);
    hocket_mutex_unlock(&mutex);
    return err;
}

static int lost_signal(void *arg)
{
    (void)arg;
    hocket_cond_signal(&cond); /* before anybody waits */
    go(cond_forever, NULL);
    return 0;
}

static int waits_then_sets(void *arg)
{
    hocket_event *mine = arg, *others = mine == &event ? &other_event : &event;
    int err = wait_event(mine);
    hocket_event_set(others);
    return err;
}

static int both_wait_first(void *arg)
{
    (void)arg;
    go(waits_then_sets, &event);
    go(waits_then_sets, &other_event);
    return 0;
}

static int counts_down(void *arg)
{
    (void)arg;
    hocket_latch_done(&latch);
    return 0;
}

static int latch_short(void *arg)
{
    (void)arg;
    go(counts_down, NULL);
    return hocket_latch_wait(&latch, HOCKET_FOREVER);
}

static int at_barrier(void *barrier)
{
    return hocket_barrier_wait(barrier, HOCKET_FOREVER);
}

static int barrier_short(void *arg)
{
    (void)arg;
    static hocket_barrier barrier;
    HK_EXPECT_OK(hocket_barrier_init(&barrier, 3, NULL, NULL));
    go(at_barrier, &barrier);
    return at_barrier(&barrier);
}

static int takes_permit(void *sem)
{
    return hocket_sem_acquire(sem, HOCKET_FOREVER);
}

static int no_permits(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_sem_init(&sems[0], 1, 0));
    go(takes_permit, &sems[0]);
    go(takes_permit, &sems[0]);
    return 0;
}

static int dines(void *arg)
{
    int i = (int)(intptr_t)arg;
    HK_EXPECT_OK(takes_permit(&sems[i]));
    HK_EXPECT_OK(hocket_latch_add(&latch, 1));
    while (hocket_latch_count(&latch) < 5) /* 2 at first: all three have one */
        HK_EXPECT_OK(hocket_yield());
    HK_EXPECT_OK(takes_permit(&sems[(i + 1) % 3]));
    return 0;
}

static int philosophers(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_sem_init(&sems[i], 1, 0));
    for (int i = 0; i < 3; i++)
        go(dines, (void *)(intptr_t)i);
    return 0;
}

static int joins_a_getter(void *arg)
{
    (void)arg;
    hocket_task *t;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, get, q1 = queue_of(1), NULL));
    return hocket_join(t, NULL, HOCKET_FOREVER);
}

static int scope_waits(void *arg)
{
    (void)arg;
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_OK(hocket_spawn(&s, wait_event, &event));
    return hocket_scope_close(&s);
}

static int promise_broken(void *arg)
{
    (void)arg;
    hocket_promise *p;
    hocket_future *f;
    int result;
    HK_EXPECT_OK(hocket_promise_new(&p, &f));
    return hocket_future_get(f, &result, HOCKET_FOREVER);
}

static int word_forever(void *arg)
{
    (void)arg;
    return hocket_wait_on(&word, 0, HOCKET_FOREVER);
}

static int reads_and_waits(void *arg)
{
    (void)arg;
    hocket_rwlock_rdlock(&rwlock);
    hocket_event_set(&other_event);
    int err = wait_event(&event);
    hocket_rwlock_unlock(&rwlock);
    return err;
}

static int writer_behind(void *arg)
{
    (void)arg;
    go(reads_and_waits, NULL);
    HK_EXPECT_OK(wait_event(&other_event));
    hocket_rwlock_wrlock(&rwlock);
    hocket_rwlock_unlock(&rwlock);
    return 0;
}

static int holds_and_gets(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    hocket_event_set(&event);
    int err = get(q1);
    hocket_mutex_unlock(&mutex);
    return err;
}

static int putter_needs_lock(void *arg)
{
    (void)arg;
    q1 = queue_of(1);
    go(holds_and_gets, NULL);
    HK_EXPECT_OK(wait_event(&event));
    hocket_mutex_lock(&mutex);
    (void)put(q1);
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int puts_two(void *queue)
{
    return put(queue) < 0 ? -1 : put(queue);
}

static int never_closed(void *arg)
{
    (void)arg;
    q1 = queue_of(8);
    go(puts_two, q1);
    for (int i = 0; i < 4; i++)
        go(get, q1);
    return 0;
}

static int not_reported_done(void *arg)
{
    (void)arg;
    q1 = queue_of(8);
    HK_EXPECT_OK(puts_two(q1));
    go(get, q1);
    return hocket_queue_join(q1, HOCKET_FOREVER);
}

static int relay(void *arg)
{
    hocket_queue *from = arg == NULL ? q1 : q2, *to = arg == NULL ? q2 : q1;
    return get(from) < 0 ? -1 : put(to);
}

static int ring_without_token(void *arg)
{
    (void)arg;
    q1 = queue_of(1);
    q2 = queue_of(1);
    go(relay, NULL);
    return relay(q2);
}

static int two_threads(void *arg)
{
    (void)arg;
    hocket_task_release(on_thread(waits_then_sets, &event));
    hocket_task_release(on_thread(waits_then_sets, &other_event));
    return 0;
}

static int thread_and_fiber(void *arg)
{
    (void)arg;
    hocket_task *t = on_thread(get, q1 = queue_of(1));
    go(wait_event, &event);
    return hocket_join(t, NULL, HOCKET_FOREVER);
}

static void *foreign_get(void *queue)
{
    (void)get(queue);
    return NULL;
}

static int foreign_thread_waits_too(void *arg)
{
    (void)arg;
    (void)foreign(foreign_get, q1 = queue_of(1));
    return get(q1);
}

static void *ends_at_once(void *arg)
{
    return arg;
}

static int foreign_thread_has_ended(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(pthread_join(foreign(ends_at_once, NULL), NULL), 0);
    return get(q1 = queue_of(1));
}

static void *ends_later(void *arg)
{
    outside_for_a_while();
    return arg;
}

static int foreign_thread_ends_later(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(pthread_detach(foreign(ends_later, NULL)), 0);
    return get(q1 = queue_of(1));
}

static int broadcast_silent(void *arg)
{
    (void)arg;
    hocket_broadcast *b;
    hocket_reader *r;
    int value;
    HK_EXPECT_OK(hocket_broadcast_new(&b, sizeof(int), NULL));
    HK_EXPECT_OK(hocket_broadcast_subscribe(b, &r));
    return hocket_reader_get(r, &value, NULL, HOCKET_FOREVER);
}

static int delay_queue_empty(void *arg)
{
    (void)arg;
    hocket_delay_queue *q;
    int value;
    HK_EXPECT_OK(hocket_delay_queue_new(&q, sizeof(int), NULL));
    return hocket_delay_queue_get(q, &value, HOCKET_FOREVER);
}

static int executor_job_waits(void *arg)
{
    (void)arg;
    hocket_executor *ex;
    hocket_future *f;
    int result;
    HK_EXPECT_OK(hocket_executor_new(&ex, "threads", HOCKET_EXECUTOR_OPTIONS(.workers = 2)));
    HK_EXPECT_OK(hocket_submit_fn(ex, &f, get, q1 = queue_of(1)));
    return hocket_future_get(f, &result, HOCKET_FOREVER);
}

static int once_waits(void *arg)
{
    (void)arg;
    static hocket_once once;
    return hocket_once_do(&once, wait_event, &event, HOCKET_FOREVER);
}

static int after_a_sleep(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_sleep(30 * HOCKET_MS));
    return get(q1 = queue_of(1));
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int after_a_blocking_call(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_blocking(nothing, NULL));
    return get(q1 = queue_of(1));
}

static int after_a_descriptor(void *arg)
{
    (void)arg;
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    hocket_case cases[] = { hocket_case_fd(ends[0], HOCKET_READABLE) };
    HK_EXPECT_EQ(hocket_select(cases, 1, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    return get(q1 = queue_of(1));
}

static int timer_sets(hocket_timer *timer, void *e)
{
    (void)timer;
    hocket_event_set(e);
    return 0;
}

static int after_a_timer(void *arg)
{
    (void)arg;
    hocket_timer *t;
    HK_EXPECT_OK(hocket_timer_new(&t, timer_sets, &event));
    HK_EXPECT_OK(hocket_timer_start(t, hocket_after(HOCKET_MS)));
    HK_EXPECT_OK(wait_event(&event));
    return wait_event(&other_event);
}

static int deaf_daemon(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex); /* no cancel point */
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int end_waits_for_daemon(void *arg)
{
    (void)arg;
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    hocket_mutex_init(&mutex, HOCKET_MUTEX_UNOWNED, NULL);
    hocket_mutex_lock(&mutex); /* and nobody unlocks it */
    o.daemon = true;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, deaf_daemon, NULL, &o));
    hocket_task_release(t);
    return 0;
}

static int many_getters(void *arg)
{
    (void)arg;
    q1 = queue_of(1);
    for (int i = 0; i < 1000; i++)
        go(get, q1);
    return 0;
}

static const struct program hanging[] = {
    PROGRAM(empty_queue),
    PROGRAM(full_queue),
    PROGRAM(rendezvous),
    PROGRAM(selects),
    PROGRAM(cond_forever),
    PROGRAM(lost_signal),
    PROGRAM(both_wait_first),
    PROGRAM(latch_short),
    PROGRAM(barrier_short),
    PROGRAM(no_permits),
    PROGRAM(philosophers),
    PROGRAM(joins_a_getter),
    PROGRAM(scope_waits),
    PROGRAM(promise_broken),
    PROGRAM(word_forever),
    PROGRAM(writer_behind),
    PROGRAM(putter_needs_lock),
    PROGRAM(never_closed),
    PROGRAM(not_reported_done),
    PROGRAM(ring_without_token),
    PROGRAM(two_threads),
    PROGRAM(thread_and_fiber),
    PROGRAM(foreign_thread_waits_too),
    PROGRAM(foreign_thread_has_ended),
    PROGRAM(foreign_thread_ends_later),
    PROGRAM(broadcast_silent),
    PROGRAM(delay_queue_empty),
    PROGRAM(executor_job_waits),
    PROGRAM(once_waits),
    PROGRAM(after_a_sleep),
    PROGRAM(after_a_blocking_call),
    PROGRAM(after_a_descriptor),
    PROGRAM(after_a_timer),
    PROGRAM(end_waits_for_daemon),
    PROGRAM(many_getters),
};

START_TEST(it_is_found)
{
    in_both(&hanging[_i], true);
}
END_TEST

START_TEST(the_list_names_the_tasks)
{
    struct death d;
    workers_of_child = 2;
    death_of(&d, child, (void *)&(struct program){ "", many_getters }, NULL);
    death__says(&d, "hocket: report: deadlock: all tasks are asleep");
    death__says(&d, "queue");
    death__says(&d, "1,000 tasks: ");
}
END_TEST

SUITE("task_deadlock", 30)
{
    if (getenv("HOCKET_EMULATOR") != NULL)
        HK_SKIP("the emulator has threads of its own");
    tcase_add_loop_test(suite__case, it_is_found, 0, COUNT(hanging));
    suite_once(the_list_names_the_tasks);
}
