/* SPDX-License-Identifier: MIT */
/*
 * deadlocks without a cycle: each program of the first table hangs for ever, and is told so; each of
 * the second looks much the same at some moment, but something outside ends its waits.
 *
 * Every program runs in a process of its own, once on two workers and once without any.  The waits that are ended
 * from outside are so after OUTSIDE, which is several looks of the detector: were the test faster or slower, it
 * would prove less, not fail.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include <hocket.h>

#include "support/death.h"
#include "support/suite.h"

#define OUTSIDE (400 * HOCKET_MS)

static hocket_queue *q1, *q2;
static hocket_event event, other_event;
static hocket_mutex mutex;
static hocket_cond cond;
static hocket_rwlock rwlock;
static hocket_latch latch = HOCKET_LATCH_INIT(2);
static hocket_sem sems[3];
static hocket_word word;

static void go(hocket_task_fn *fn, void *arg)
{
    HK_EXPECT_OK(hocket_spawn(NULL, fn, arg));
}

static hocket_task *on_thread(hocket_task_fn *fn, void *arg)
{
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.placement = HOCKET_ON_THREAD;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, fn, arg, &o));
    return t;
}

static hocket_queue *queue_of(size_t capacity)
{
    hocket_queue *q;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.capacity = capacity;
    HK_EXPECT_OK(hocket_queue_new(&q, sizeof(int), &o));
    return q;
}

static int get(void *queue)
{
    int value;
    return hocket_queue_get(queue, &value, HOCKET_FOREVER);
}

static int put(void *queue)
{
    int value = 1;
    return hocket_queue_put(queue, &value, HOCKET_FOREVER);
}

static int wait_event(void *e)
{
    return hocket_event_wait(e, HOCKET_FOREVER);
}

/* ---- programs that hang ---- */

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

static pthread_t foreign(void *(*fn)(void *), void *arg)
{
    pthread_t t;
    HK_EXPECT_EQ(pthread_create(&t, NULL, fn, arg), 0);
    return t;
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
    usleep(OUTSIDE / 1000);
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

/* ---- programs that look so ---- */

/* A process that is not ours does something later. */
static void outsider(int fd, int signal)
{
    pid_t parent = getpid();
    if (fork() != 0)
        return;
    usleep(OUTSIDE / 1000);
    if (fd >= 0 && write(fd, "x", 1) < 0)
        _exit(1);
    if (signal != 0)
        (void)kill(parent, signal);
    _exit(0);
}

static int sleeps_and_puts(void *queue)
{
    HK_EXPECT_OK(hocket_sleep(OUTSIDE));
    return put(queue);
}

static int a_sleep(void *arg)
{
    (void)arg;
    go(sleeps_and_puts, q1 = queue_of(1));
    return get(q1);
}

static int a_timer(void *arg)
{
    (void)arg;
    hocket_timer *t;
    HK_EXPECT_OK(hocket_timer_new(&t, timer_sets, &event));
    HK_EXPECT_OK(hocket_timer_start(t, hocket_after(OUTSIDE)));
    int err = wait_event(&event);
    hocket_timer_free(t);
    return err;
}

static int a_descriptor(void *arg)
{
    (void)arg;
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    outsider(ends[1], 0);
    hocket_case cases[] = { hocket_case_fd(ends[0], HOCKET_READABLE) };
    return hocket_select(cases, 1, HOCKET_FOREVER);
}

static int a_read_on_a_helper(void *fd)
{
    char c;
    return read((int)(intptr_t)fd, &c, 1) == 1 ? 0 : -EIO;
}

static int a_blocking_call(void *arg)
{
    (void)arg;
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    outsider(ends[1], 0);
    return hocket_blocking(a_read_on_a_helper, (void *)(intptr_t)ends[0]);
}

static int a_blocked_worker(void *arg)
{
    (void)arg;
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    outsider(ends[1], 0);
    hocket_blocking_begin();
    int err = a_read_on_a_helper((void *)(intptr_t)ends[0]);
    hocket_blocking_end();
    return err;
}

static void *sets_later(void *e)
{
    usleep(OUTSIDE / 1000);
    hocket_event_set(e);
    return NULL;
}

static int a_foreign_thread(void *arg)
{
    (void)arg;
    pthread_t t = foreign(sets_later, &event);
    int err = wait_event(&event);
    HK_EXPECT_EQ(pthread_join(t, NULL), 0);
    return err;
}

static void *known_and_sets_later(void *e)
{
    HK_EXPECT(hocket_self() != NULL);
    return sets_later(e);
}

static int a_known_thread(void *arg)
{
    (void)arg;
    pthread_t t = foreign(known_and_sets_later, &event);
    int err = wait_event(&event);
    HK_EXPECT_EQ(pthread_join(t, NULL), 0);
    return err;
}

static int sleeps_elsewhere(void *e)
{
    (void)sets_later(e);
    return 0;
}

static int a_thread_task(void *arg)
{
    (void)arg;
    hocket_task_release(on_thread(sleeps_elsewhere, &event));
    return wait_event(&event);
}

static void sets_event(int signal)
{
    (void)signal;
    hocket_event_set(&event);
}

static int a_handler(void *arg)
{
    (void)arg;
    HK_EXPECT(signal(SIGUSR1, sets_event) != SIG_ERR);
    outsider(-1, SIGUSR1);
    return wait_event(&event);
}

static int the_end_signal(void *arg)
{
    (void)arg;
    outsider(-1, SIGTERM);
    go(wait_event, &event);
    return hocket_sleep_until(HOCKET_FOREVER) == -ECANCELED ? 0 : -1;
}

static int a_deadline(void *arg)
{
    (void)arg;
    int value;
    go(get, q1 = queue_of(1));
    HK_EXPECT_EQ(hocket_queue_get(q1, &value, hocket_after(OUTSIDE)), -ETIMEDOUT);
    return put(q1);
}

static int a_scope_with_deadline(void *arg)
{
    (void)arg;
    hocket_scope s;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(OUTSIDE)));
    HK_EXPECT_OK(hocket_spawn(&s, wait_event, &event));
    HK_EXPECT_EQ(wait_event(&event), -ECANCELED);
    HK_EXPECT(hocket_scope_close(&s) <= 0);
    return 0;
}

static int a_delayed_value(void *arg)
{
    (void)arg;
    hocket_delay_queue *q;
    int value = 1;
    HK_EXPECT_OK(hocket_delay_queue_new(&q, sizeof(int), NULL));
    HK_EXPECT_OK(hocket_delay_queue_put(q, &value, hocket_after(OUTSIDE), HOCKET_NOW));
    int err = hocket_delay_queue_get(q, &value, HOCKET_FOREVER);
    hocket_delay_queue_free(q);
    return err;
}

static int a_ticker(void *arg)
{
    (void)arg;
    hocket_ticker *t;
    HK_EXPECT_OK(hocket_ticker_new(&t, OUTSIDE));
    int err = hocket_ticker_wait(t, NULL, NULL, HOCKET_FOREVER);
    hocket_ticker_free(t);
    return err;
}

static int a_select_with_timer(void *arg)
{
    (void)arg;
    int value;
    hocket_case cases[] = { hocket_case_get(q1 = queue_of(1), &value),
                            hocket_case_timer(hocket_after(OUTSIDE)) };
    return hocket_select(cases, 2, HOCKET_FOREVER) == 1 ? 0 : -1;
}

static int counts_and_stops(hocket_timer *timer, void *arg)
{
    (void)timer;
    if (++*(int *)arg == 3)
        hocket_event_set(&event);
    return 0;
}

static int a_periodic_timer(void *arg)
{
    (void)arg;
    static int calls;
    hocket_timer *t;
    HK_EXPECT_OK(hocket_timer_new(&t, counts_and_stops, &calls));
    HK_EXPECT_OK(hocket_timer_start_every(t, hocket_after(OUTSIDE / 3), OUTSIDE / 3, 0));
    int err = wait_event(&event);
    hocket_timer_free(t);
    return err;
}

/* ---- the tables ---- */

#define PROGRAM(fn) \
    {               \
#fn, fn     \
    }
static const struct program {
    const char *name;
    hocket_task_fn *fn;
} hanging[] = {
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
}, live[] = {
    PROGRAM(a_sleep),
    PROGRAM(a_timer),
    PROGRAM(a_descriptor),
    PROGRAM(a_blocking_call),
    PROGRAM(a_blocked_worker),
    PROGRAM(a_foreign_thread),
    PROGRAM(a_known_thread),
    PROGRAM(a_thread_task),
    PROGRAM(a_handler),
    PROGRAM(the_end_signal),
    PROGRAM(a_deadline),
    PROGRAM(a_scope_with_deadline),
    PROGRAM(a_delayed_value),
    PROGRAM(a_ticker),
    PROGRAM(a_select_with_timer),
    PROGRAM(a_periodic_timer),
};

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

static int workers_of_child = 2;
static int action_of_child;

/* The handlers of the test's runner could do anything. */
static void plain_signals(void)
{
    for (int s = 1; s < NSIG; s++)
        (void)signal(s, SIG_DFL);
}

static void child(void *arg)
{
    const struct program *p = arg;
    plain_signals();
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers_of_child;
    o.on_deadlock = action_of_child;
    o.quiet_watchdog = true;
    int err = hocket_run_with(p->fn, NULL, &o);
    _exit(err == 0 ? 0 : 3);
}

static void in_both(const struct program *p, bool hangs)
{
    static const int workers[] = { 2, HOCKET_NO_WORKERS };
    for (int i = 0; i < 2; i++) {
        struct death d;
        workers_of_child = workers[i];
        double start = hk__expect_seconds();
        death_of(&d, child, (void *)p, NULL);
        double took = hk__expect_seconds() - start;
        bool told = strstr(d.text, "all tasks are asleep: deadlock") != NULL;
        bool aborted = WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGABRT;
        bool ended = WIFEXITED(d.status) && WEXITSTATUS(d.status) == 0;
        printf("%-28s %s: %s after %.0f ms\n", p->name, i == 0 ? "2 workers" : "no workers",
               told ? "deadlock" : "none", took * 1e3);
        if (hangs ? told && aborted : ended && d.length == 0)
            continue;
        fprintf(stderr, "%s, %s: status 0x%x, and on stderr:\n%s\n", p->name,
                i == 0 ? "2 workers" : "no workers", (unsigned)d.status, d.text);
        abort();
    }
}

START_TEST(it_is_found)
{
    in_both(&hanging[_i], true);
}
END_TEST

START_TEST(nothing_is_found)
{
    in_both(&live[_i], false);
}
END_TEST

/* ---- what is done about it ---- */

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

/* The report is what the parent reads first; it ends the wait from outside then, once. */
static pid_t told_to_end;

static void end_it(pid_t pid)
{
    if (told_to_end != pid)
        (void)kill(pid, SIGTERM);
    told_to_end = pid;
}

static int waits_for_cancel(void *arg)
{
    (void)arg;
    return wait_event(&event) == -ECANCELED ? 0 : -1;
}

static void report_child(void *arg)
{
    (void)arg;
    action_of_child = HOCKET_DEADLOCK_REPORT;
    child(&(struct program){ "", waits_for_cancel });
}

START_TEST(a_report_ends_nothing)
{
    struct death d;
    for (int i = 0; i < 2; i++) {
        workers_of_child = i == 0 ? 2 : HOCKET_NO_WORKERS;
        death_of(&d, report_child, NULL, end_it);
        HK_EXPECT(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 0);
        death__says(&d, "hocket: report: deadlock");
    }
}
END_TEST

static void in_a_library(void *arg)
{
    (void)arg;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    hocket_task *t;
    plain_signals();
    o.workers = 2;
    q1 = queue_of(1);
    HK_EXPECT_OK(hocket_runtime_start(&o));
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, wait_event, &event, NULL));
    (void)get(q1);
    _exit(1);
}

static void kill_it(pid_t pid)
{
    (void)kill(pid, SIGKILL);
}

START_TEST(a_library_only_reports)
{
    struct death d;
    death_of(&d, in_a_library, NULL, kill_it);
    HK_EXPECT(WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGKILL);
    death__says(&d, "hocket: report: deadlock");
}
END_TEST

static void off_child(void *arg)
{
    (void)arg;
    action_of_child = HOCKET_DEADLOCK_OFF;
    outsider(-1, SIGTERM);
    child(&(struct program){ "", waits_for_cancel });
}

static void off_by_variable(void *arg)
{
    (void)arg;
    (void)setenv("HOCKET_DEADLOCK", "off", 1);
    outsider(-1, SIGTERM);
    child(&(struct program){ "", waits_for_cancel });
}

static void wrong_variable(void *arg)
{
    (void)arg;
    (void)setenv("HOCKET_DEADLOCK", "perhaps", 1);
    _exit(hocket_run(nothing, NULL) == -EINVAL ? 0 : 1);
}

START_TEST(it_can_be_switched_off)
{
    death_by_exit(off_child, NULL, 0, "");
    death_by_exit(off_by_variable, NULL, 0, "");
    death_by_exit(wrong_variable, NULL, 0, "");
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.on_deadlock = 4;
    HK_EXPECT_EQ(hocket_run_with(nothing, NULL, &o), -EINVAL);
    o.on_deadlock = -1;
    HK_EXPECT_EQ(hocket_run_with(nothing, NULL, &o), -EINVAL);
}
END_TEST

SUITE("task_deadlock", 30)
{
    if (getenv("HOCKET_EMULATOR") != NULL)
        HK_SKIP("the emulator has threads of its own");
    tcase_add_loop_test(suite__case, it_is_found, 0, COUNT(hanging));
    tcase_add_loop_test(suite__case, nothing_is_found, 0, COUNT(live));
    suite_once(the_list_names_the_tasks);
    suite_once(a_report_ends_nothing);
    suite_once(a_library_only_reports);
    suite_once(it_can_be_switched_off);
}
