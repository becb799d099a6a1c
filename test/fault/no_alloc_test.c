/* SPDX-License-Identifier: MIT */
/*
 * The calls that hocket-memory(7) lists as never allocating, while there is no memory at all: every
 * allocation and mapping and every new thread is refused, and one asked for by a task counts
 * as a failure of the test.  scripts/check-docs sees to it that each function of that list
 * is called here.
 *
 *   alone    what one task can call by itself
 *   waits    each wait, with somebody parked in it who is woken, times out or is cancelled
 */
#include "support/suite.h"

#include <errno.h>
#include <limits.h>

#include <hocket.h>

#include "sys/sys.h"

/* ---- no memory ---- */

static _Atomic bool armed;
static _Atomic int asked;
/* Who calls; what the runtime and other tasks do meanwhile is another matter. */
static _Atomic(hocket_task *) callers[2];

static bool refuse(void)
{
    if (!hk_load_acq(&armed))
        return false;
    hocket_task *self = hocket__self_or_null();
    if (self != NULL && (self == hk_load(&callers[0]) || self == hk_load(&callers[1])))
        (void)hk_add(&asked, 1);
    return true;
}

static void *allocate(size_t size, void *context)
{
    (void)context;
    return refuse() ? NULL : malloc(size);
}

static void *resize(void *memory, size_t size, void *context)
{
    (void)context;
    return refuse() ? NULL : realloc(memory, size);
}

static int map(size_t size, void **ret)
{
    return refuse() ? -ENOMEM : hocket__sys_linux.map(size, ret);
}

static int thread_start(struct hocket__thread *ret, void *(*fn)(void *), void *arg,
                        size_t stack_size, const char *name, unsigned flags)
{
    return refuse() ? -EAGAIN
                    : hocket__sys_linux.thread_start(ret, fn, arg, stack_size, name, flags);
}

static void no_memory_from_here(hocket_task *partner)
{
    hk_store(&asked, 0);
    hk_store(&callers[0], hocket_self());
    hk_store(&callers[1], partner);
    hk_store_rel(&armed, true);
}

static void memory_again(void)
{
    hk_store_rel(&armed, false);
    HK_EXPECT_EQ(hk_load(&asked), 0);
}

static void set_up(void)
{
    static struct hocket__sys sys;
    static const hocket_allocator a = { allocate, resize, NULL, NULL };
    HK_EXPECT_OK(hocket_set_allocator(&a));
    sys = hocket__sys_linux;
    sys.map = map;
    sys.thread_start = thread_start;
    hocket__sys = &sys;
}

/* ---- alone: locks ---- */

static hocket_lock_class outer_class = HOCKET_LOCK_CLASS_INIT("outer");
static hocket_lock_class inner_class = HOCKET_LOCK_CLASS_INIT("inner");

static void mutexes(void)
{
    hocket_mutex m, free_for_all;
    hocket_mutex_init(&m, 0, &outer_class);
    hocket_mutex_init(&free_for_all, HOCKET_MUTEX_UNOWNED, NULL);
    hocket_mutex_lock(&m);
    HK_EXPECT(hocket_mutex_locked(&m) && hocket_mutex_held(&m));
    HK_EXPECT_EQ(hocket_mutex_owner(&m), hocket_task_id(hocket_self()));
    HK_EXPECT_EQ(hocket_mutex_trylock(&m), -EAGAIN);
    HK_EXPECT_EQ(hocket_mutex_lock_until(&m, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_mutex_lock_until(&m, HOCKET_FOREVER), -EDEADLK);
    HK_EXPECT_EQ(hocket_mutex_lock_until(&free_for_all, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_mutex_lock_until(&free_for_all, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    hocket_mutex_unlock(&free_for_all);
    HK_EXPECT_EQ(hocket_mutex_unlock_checked(&m), 0);
    HK_EXPECT_EQ(hocket_mutex_unlock_checked(&m), -EPERM);
    hocket_mutex_destroy(&m);
    hocket_mutex_destroy(&free_for_all);
}

static void rmutexes(void)
{
    hocket_rmutex m;
    hocket_rmutex_init(&m, &inner_class);
    hocket_rmutex_lock(&m);
    HK_EXPECT_EQ(hocket_rmutex_lock_until(&m, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_rmutex_trylock(&m), 0);
    HK_EXPECT(hocket_rmutex_locked(&m) && hocket_rmutex_depth(&m) == 3);
    HK_EXPECT(hocket_rmutex_owner(&m) != 0);
    hocket_rmutex_unlock(&m);
    hocket_rmutex_unlock(&m);
    HK_EXPECT_EQ(hocket_rmutex_unlock_checked(&m), 0);
    hocket_rmutex_destroy(&m);
}

static void rwlocks(void)
{
    hocket_rwlock l;
    hocket_rwlock_init(&l, &inner_class);
    for (int i = 0; i < 8; i++) /* more than a task remembers */
        hocket_rwlock_rdlock(&l);
    HK_EXPECT_EQ(hocket_rwlock_rdlock_until(&l, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_rwlock_tryrdlock(&l), 0);
    HK_EXPECT_EQ(hocket_rwlock_readers(&l), 10);
    for (int i = 0; i < 9; i++)
        hocket_rwlock_unlock(&l);
    HK_EXPECT_EQ(hocket_rwlock_unlock_checked(&l), 0);
    hocket_rwlock_wrlock(&l);
    HK_EXPECT(hocket_rwlock_locked(&l) && hocket_rwlock_write_locked(&l));
    HK_EXPECT(hocket_rwlock_owner(&l) != 0);
    hocket_rwlock_unlock(&l);
    HK_EXPECT_EQ(hocket_rwlock_trywrlock(&l), 0);
    hocket_rwlock_unlock(&l);
    HK_EXPECT_EQ(hocket_rwlock_wrlock_until(&l, HOCKET_NOW), 0);
    hocket_rwlock_unlock(&l);
    hocket_rwlock_destroy(&l);
}

static int add(void *value, void *arg)
{
    *(int *)value += *(int *)arg;
    return 0;
}

static void several(void)
{
    hocket_mutex a = HOCKET_MUTEX_INIT_CLASS(&outer_class), b = HOCKET_MUTEX_INIT;
    hocket_lock_ref refs[2] = { HOCKET_LOCK_REF(&a), HOCKET_LOCK_REF(&b) };
    hocket_lock_ref_lock(refs[0]);
    hocket_lock_ref_unlock(refs[0]);
    HK_EXPECT_EQ(hocket_lock_all_refs(refs, 2, HOCKET_FOREVER), 0);
    hocket_unlock_all_refs(refs, 2);
    hocket_lock_order_check(false);
    HK_EXPECT_EQ(hocket_lock_all(&a, &b), 0);
    hocket_unlock_all(&a, &b);
    hocket_mutex_lock(&b);
    HK_EXPECT_EQ(hocket_lock_all_until(HOCKET_NOW, &a, &b), -EDEADLK);
    hocket_mutex_unlock(&b);

    hocket_guarded g;
    int value = 1, one = 1;
    hocket_guarded_init(&g, &value, NULL);
    HK_EXPECT_EQ(hocket_guarded_call(&g, add, &one), 0);
    HK_EXPECT_EQ(hocket_guarded_call_until(&g, add, &one, HOCKET_FOREVER), 0);
    *(int *)hocket_guarded_lock(&g) += 1;
    hocket_guarded_unlock(&g);
    HK_EXPECT_EQ(*(const int *)hocket_guarded_peek(&g), 4);
    hocket_guarded_destroy(&g);
}

/* ---- alone: the other primitives ---- */

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void conds(void)
{
    hocket_cond c = HOCKET_COND_INIT;
    hocket_mutex m = HOCKET_MUTEX_INIT;
    hocket_rmutex r = HOCKET_RMUTEX_INIT;
    hocket_time soon = hocket_after(HOCKET_MS);
    hocket_cond_signal(&c);
    HK_EXPECT_EQ(hocket_cond_signal_many(&c, 3), 0);
    hocket_cond_broadcast(&c);
    hocket_mutex_lock(&m);
    HK_EXPECT_EQ(hocket_cond_wait(&c, &m, soon), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_cond_wait_for(&c, &m, never, NULL, soon), -ETIMEDOUT);
    hocket_mutex_unlock(&m);
    hocket_rmutex_lock(&r);
    HK_EXPECT_EQ(hocket_cond_wait_rmutex(&c, &r, soon), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_cond_wait_for_rmutex(&c, &r, never, NULL, soon), -ETIMEDOUT);
    hocket_rmutex_unlock(&r);
    HK_EXPECT_EQ(hocket_cond_waiting(&c), 0);
    hocket_cond_destroy(&c);
}

static void gates(void)
{
    hocket_event e = HOCKET_EVENT_INIT;
    hocket_sem s;
    hocket_latch l = HOCKET_LATCH_INIT(1);
    HK_EXPECT_EQ(hocket_event_wait(&e, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    hocket_event_set(&e);
    HK_EXPECT(hocket_event_is_set(&e) && hocket_event_wait(&e, HOCKET_FOREVER) == 0);
    hocket_event_clear(&e);
    hocket_event_destroy(&e);
    HK_EXPECT_EQ(hocket_sem_init(&s, 1, 4), 0);
    HK_EXPECT_EQ(hocket_sem_acquire(&s, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_sem_acquire(&s, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_sem_try(&s), -EAGAIN);
    HK_EXPECT_EQ(hocket_sem_release(&s), 0);
    HK_EXPECT_EQ(hocket_sem_release_many(&s, 4), -EOVERFLOW);
    HK_EXPECT(hocket_sem_value(&s) == 1 && hocket_sem_bound(&s) == 4);
    hocket_sem_destroy(&s);
    HK_EXPECT_EQ(hocket_latch_add(&l, 2), 0);
    HK_EXPECT_EQ(hocket_latch_wait(&l, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    hocket_latch_done(&l);
    hocket_latch_count_down(&l, 2);
    HK_EXPECT(hocket_latch_count(&l) == 0 && hocket_latch_wait(&l, HOCKET_FOREVER) == 0);
    hocket_latch_destroy(&l);
}

static void rounds(void)
{
    hocket_barrier b;
    hocket_once o = HOCKET_ONCE_INIT;
    HK_EXPECT_EQ(hocket_barrier_init(&b, 2, nothing, NULL), 0);
    HK_EXPECT_EQ(hocket_barrier_wait(&b, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT(hocket_barrier_broken(&b) && hocket_barrier_parties(&b) == 2);
    hocket_barrier_reset(&b);
    HK_EXPECT_EQ(hocket_barrier_waiting(&b), 0);
    hocket_barrier_abort(&b);
    hocket_barrier_destroy(&b);
    HK_EXPECT_EQ(hocket_once_do(&o, nothing, NULL, HOCKET_FOREVER), 0);
    HK_EXPECT(hocket_once_done(&o));
}

/* ---- alone: tasks, scopes, time, words ---- */

static void tasks(void)
{
    char name[HOCKET_NAME_MAX];
    hocket_task_info infos[4];
    hocket_task *self = hocket_self();
    hocket_task_set_name(self, "without memory");
    HK_EXPECT_STR(hocket_task_name(self, name, sizeof name), "without memory");
    HK_EXPECT(hocket_task_alive(self) && !hocket_task_daemon(self));
    HK_EXPECT(hocket_task_placement(self) >= 0 && hocket_task_id(self) > 0);
    HK_EXPECT(hocket_task_list(infos, 4) >= 1 && hocket_task_count() >= 1);
    HK_EXPECT(!hocket_cancelled() && hocket_check() == 0);
    HK_EXPECT_EQ(hocket_join(self, NULL, HOCKET_FOREVER), -EDEADLK);
    HK_EXPECT(hocket_task_error(self) == NULL);
    (void)hocket_main_task();
    hocket_task_release(NULL);
    HK_EXPECT(hocket_now() < hocket_after(HOCKET_SEC));
    HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_yield(), 0);
    hocket_word word = 1;
    HK_EXPECT_EQ(hocket_wait_on(&word, 1, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_wake(&word, 1), 0);
    hocket_runtime_stats stats;
    hocket_runtime_stats_get(&stats);
    HK_EXPECT(hocket_running() && hocket_workers() >= 0 && hocket_stack_size(0) > 0);
    HK_EXPECT(hocket_fail_words() == NULL);
    hocket_fail_clear();
    HK_EXPECT(hocket_error_name(-EIO) != NULL && hocket_error_text(-EIO) != NULL);
    HK_EXPECT(hocket_version() != NULL);
}

static void scopes(void)
{
    hocket_scope s, shield;
    const hocket_error *e;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(HOCKET_SEC)));
    HK_EXPECT(hocket_scope_count(&s) == 0 && hocket_scope_failures(&s) == 0);
    HK_EXPECT_EQ(hocket_scope_error(&s, 0, &e), -ENOENT);
    HK_EXPECT_EQ(hocket_scope_wait(&s), 0);
    hocket_scope_cancel(&s);
    HK_EXPECT(hocket_scope_cancelled(&s) && hocket_check() == -ECANCELED);
    hocket_scope_open(&shield, HOCKET_SCOPE_OPTIONS(.shield = true));
    HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
    HK_EXPECT_EQ(hocket_scope_close(&shield), 0);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
}

struct made_before {
    hocket_queue *queue, *sorted;
    hocket_delay_queue *delayed;
    hocket_broadcast *broadcast;
    hocket_reader *reader;
    hocket_local *local;
    FILE *null;
    hocket_executor *executor;
    hocket_future *done;
    hocket_task *held;
};

static void queues(struct made_before *w)
{
    int n = 7, two[2] = { 1, 2 };
    HK_EXPECT_EQ(hocket_queue_put_with(w->sorted, &n, 3, HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_queue_put_many(w->sorted, two, 2, hocket_after(HOCKET_MS)), 1);
    HK_EXPECT(hocket_queue_fd(w->sorted) >= 0);
    HK_EXPECT_EQ(hocket_queue_get_many(w->sorted, two, 2, HOCKET_FOREVER), 2);
    HK_EXPECT_EQ(hocket_queue_get_many(w->sorted, two, 2, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_task_done(w->sorted), 0);
    HK_EXPECT_EQ(hocket_queue_join(w->sorted, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_unfinished(w->sorted), 1);
    hocket_queue_free(w->sorted);

    HK_EXPECT_EQ(hocket_delay_queue_put(w->delayed, &n, hocket_after(HOCKET_MS), HOCKET_NOW), 0);
    HK_EXPECT(hocket_delay_queue_length(w->delayed) == 1 &&
              hocket_delay_queue_next(w->delayed) < HOCKET_FOREVER);
    HK_EXPECT_EQ(hocket_delay_queue_get(w->delayed, &n, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_delay_queue_close(w->delayed, HOCKET_CLOSE_NOW), 0);
    HK_EXPECT(hocket_delay_queue_closed(w->delayed));
    hocket_delay_queue_free(w->delayed);

    HK_EXPECT_EQ(hocket_broadcast_put(w->broadcast, &n, HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_reader_pending(w->reader), 1);
    HK_EXPECT_EQ(hocket_reader_get(w->reader, &n, NULL, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_reader_get(w->reader, &n, NULL, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_broadcast_close(w->broadcast), 0);
    hocket_reader_free(w->reader);
    HK_EXPECT_EQ(hocket_broadcast_readers(w->broadcast), 0);
    hocket_broadcast_free(w->broadcast);
}

static void made(struct made_before *w)
{
    int n = 7, result = 1;
    queues(w);
    HK_EXPECT_EQ(hocket_queue_put(w->queue, &n, HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_queue_put(w->queue, &n, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT(hocket_queue_length(w->queue) == 1 && hocket_queue_capacity(w->queue) == 1);
    HK_EXPECT(hocket_queue_full(w->queue) && !hocket_queue_empty(w->queue));
    HK_EXPECT_EQ(hocket_queue_get(w->queue, &n, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_queue_get(w->queue, &n, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT(hocket_queue_getters(w->queue) == 0 && hocket_queue_putters(w->queue) == 0);
    HK_EXPECT_EQ(hocket_queue_close(w->queue, HOCKET_CLOSE_NOW), 0);
    HK_EXPECT(hocket_queue_closed(w->queue));
    hocket_queue_free(w->queue);

    HK_EXPECT(hocket_local_get(w->local) == (run_mode->body == RUN_FOREIGN ? NULL : w));
    HK_EXPECT_EQ(hocket_print(w->null, "%s\n", "a short line"), 13);

    HK_EXPECT_EQ(hocket_future_wait(w->done, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_future_get(w->done, &result, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(result, 0);
    HK_EXPECT(hocket_future_done(w->done) && !hocket_future_running(w->done));
    HK_EXPECT(!hocket_future_cancelled(w->done) && !hocket_future_cancel(w->done));
    HK_EXPECT(hocket_future_output(w->done, NULL) == NULL && !hocket_future_error(w->done));
    hocket_future_free(w->done);
    HK_EXPECT(hocket_executor_workers(w->executor) > 0 && hocket_executor_scheme(w->executor));
    HK_EXPECT(hocket_executor_queued(w->executor) + hocket_executor_running(w->executor) == 0);
    HK_EXPECT_EQ(hocket_executor_shutdown(w->executor, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), 0);
    HK_EXPECT(hocket_executor_closed(w->executor));
    hocket_executor_free(w->executor);

    HK_EXPECT_EQ(hocket_task_start(w->held), 0);
    hocket_cancel(w->held);
    HK_EXPECT_EQ(hocket_stop(w->held, HOCKET_FOREVER), 0);
    (void)hocket_task_error(w->held); /* its stack may have been refused: looked at */
    hocket_task_release(w->held);
}

static int alone(void *arg)
{
    static hocket_local local;
    struct made_before w = { .local = &local, .null = fopen("/dev/null", "w") };
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    (void)arg;
    HK_EXPECT(w.null != NULL && fputs("its buffer\n", w.null) >= 0 && fflush(w.null) == 0);
    HK_EXPECT_OK(hocket_queue_new(&w.queue, sizeof(int), HOCKET_QUEUE_OPTIONS(.capacity = 1)));
    HK_EXPECT_OK(hocket_queue_new(&w.sorted, sizeof(int),
                                  HOCKET_QUEUE_OPTIONS(.capacity = 2, .order = HOCKET_PRIORITY)));
    HK_EXPECT_OK(hocket_delay_queue_new(&w.delayed, sizeof(int), NULL));
    HK_EXPECT_OK(hocket_broadcast_new(&w.broadcast, sizeof(int), NULL));
    HK_EXPECT_OK(hocket_broadcast_subscribe(w.broadcast, &w.reader));
    if (run_mode->body !=
        RUN_FOREIGN) /* the process's first thread never ends, nor do its locals */
        HK_EXPECT_OK(hocket_local_set(&local, &w));
    HK_EXPECT_OK(hocket_executor_new(&w.executor, "inline", NULL));
    HK_EXPECT_OK(hocket_submit_fn(w.executor, &w.done, nothing, NULL));
    o.held = true;
    o.placement = run_placement();
    HK_EXPECT_OK(hocket_spawn_task(&w.held, NULL, nothing, NULL, &o));
    /* A thread that runs the tasks while it waits gets a signal stack for that, the first time. */
    HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
    no_memory_from_here(NULL);
    mutexes();
    rmutexes();
    rwlocks();
    several();
    conds();
    gates();
    rounds();
    tasks();
    scopes();
    made(&w);
    memory_again();
    fclose(w.null);
    return 0;
}

START_TEST(calls_of_one_task)
{
    run_in(_i, alone, NULL);
}
END_TEST

/* ---- waits: a partner parks in each, in turn ---- */

static struct {
    hocket_mutex mutex;
    hocket_rwlock rwlock;
    hocket_mutex cond_mutex;
    hocket_cond cond;
    hocket_event event;
    hocket_sem sem;
    hocket_latch latch;
    hocket_barrier barrier;
    hocket_word word;
    hocket_queue *queue;
    _Atomic int steps;
} w;

static int partner(void *arg)
{
    int n, err = 0;
    (void)arg;
    hocket_mutex_lock(&w.mutex);
    hocket_mutex_unlock(&w.mutex);
    hocket_rwlock_wrlock(&w.rwlock);
    hocket_rwlock_unlock(&w.rwlock);
    HOCKET_WITH(&w.cond_mutex) {
        err = hocket_cond_wait(&w.cond, &w.cond_mutex, HOCKET_FOREVER);
    }
    HK_EXPECT_EQ(err, 0);
    HK_EXPECT_EQ(hocket_event_wait(&w.event, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_sem_acquire(&w.sem, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_latch_wait(&w.latch, HOCKET_FOREVER), 0);
    HK_EXPECT(hocket_barrier_wait(&w.barrier, HOCKET_FOREVER) >= 0);
    HK_EXPECT_EQ(hocket_wait_on(&w.word, 0, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_queue_get(w.queue, &n, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_queue_put(w.queue, &n, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_queue_put(w.queue, &n, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_mutex_lock_until(&w.mutex, HOCKET_FOREVER), -ECANCELED);
    return hocket_sleep_until(HOCKET_FOREVER);
}

static void until_it_waits(hocket_task *t, const void *object)
{
    RUN_UNTIL(run_parked(t) && hk_load(&t->wait_object) == object);
}

static int waits(void *arg)
{
    int n = 3;
    (void)arg;
    memset(&w, 0, sizeof w);
    w.latch = (hocket_latch)HOCKET_LATCH_INIT(1);
    w.barrier = (hocket_barrier)HOCKET_BARRIER_INIT(2);
    HK_EXPECT_OK(hocket_queue_new(&w.queue, sizeof n, HOCKET_QUEUE_OPTIONS(.capacity = 1)));
    hocket_mutex_lock(&w.mutex);
    hocket_rwlock_rdlock(&w.rwlock);
    hocket_task *t = run_spawn(partner, NULL);
    until_it_waits(t, &w.mutex);
    no_memory_from_here(t);
    hocket_mutex_unlock(&w.mutex);
    until_it_waits(t, &w.rwlock);
    hocket_rwlock_unlock(&w.rwlock);
    until_it_waits(t, &w.cond);
    hocket_mutex_lock(&w.cond_mutex);
    hocket_cond_signal(&w.cond);
    hocket_mutex_unlock(&w.cond_mutex);
    until_it_waits(t, &w.event);
    hocket_event_set(&w.event);
    until_it_waits(t, &w.sem);
    HK_EXPECT_EQ(hocket_sem_release(&w.sem), 0);
    until_it_waits(t, &w.latch);
    hocket_latch_done(&w.latch);
    until_it_waits(t, &w.barrier);
    HK_EXPECT(hocket_barrier_wait(&w.barrier, HOCKET_FOREVER) >= 0);
    until_it_waits(t, &w.word);
    hk_store_rel(&w.word, 1);
    HK_EXPECT_EQ(hocket_wake(&w.word, INT_MAX), 1);
    until_it_waits(t, w.queue);
    HK_EXPECT_EQ(hocket_queue_put(w.queue, &n, HOCKET_NOW), 0);
    hocket_mutex_lock(&w.mutex); /* for the last wait */
    RUN_UNTIL(hocket_queue_putters(w.queue) == 1);
    HK_EXPECT_EQ(hocket_queue_get(w.queue, &n, HOCKET_FOREVER), 0);
    until_it_waits(t, &w.mutex);
    hocket_cancel(t);
    hocket_mutex_unlock(&w.mutex);
    HK_EXPECT_EQ(hocket_join(t, &n, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(n, -ECANCELED);
    hocket_task_release(t);
    hocket_queue_free(w.queue);
    memory_again();
    return 0;
}

START_TEST(waits_of_two_tasks)
{
    run_in(_i, waits, NULL);
}
END_TEST

SUITE("calls that never allocate", 20)
{
    set_up();
    suite_each(calls_of_one_task);
    suite_each(waits_of_two_tasks);
}
