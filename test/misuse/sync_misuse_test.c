/* SPDX-License-Identifier: MIT */
/*
 * Every misuse of the locks and their kin ends the program with one line that names the function,
 * the object and the tasks.  Each row runs in a child, whose standard error is read.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hocket/barrier.h>
#include <hocket/cond.h>
#include <hocket/event.h>
#include <hocket/guarded.h>
#include <hocket/latch.h>
#include <hocket/lock_all.h>
#include <hocket/once.h>
#include <hocket/runtime.h>
#include <hocket/rwlock.h>
#include <hocket/sem.h>

#include "park/wait.h"
#include "support/modes.h"

static hocket_mutex m, m2, unowned = HOCKET_MUTEX_INIT_UNOWNED;
static hocket_rmutex r;
static hocket_rwlock w;
static hocket_cond c;
static hocket_event e;
static hocket_sem s;
static hocket_latch l = HOCKET_LATCH_INIT(1);
static hocket_barrier b = HOCKET_BARRIER_INIT(2);

/* ---- the other side: a thread called "other" that does one thing and stays ---- */

static void *other_entry(void *arg)
{
    hocket_task_set_name(hocket_self(), "other");
    ((void (*)(void))(uintptr_t)arg)();
    for (;;)
        pause();
    return NULL;
}

static void other(void (*fn)(void))
{
    pthread_t t;
    HK_EXPECT(pthread_create(&t, NULL, other_entry, (void *)(uintptr_t)fn) == 0);
    HK_EXPECT(pthread_detach(t) == 0);
}

static void other_waits(void (*fn)(void))
{
    other(fn);
    HK_WAIT_UNTIL(hocket__parked_count() == 1);
}

static void take_m(void)
{
    hocket_mutex_lock(&m);
}
static void take_r(void)
{
    hocket_rmutex_lock(&r);
}
static int has_read;
static void read_w(void)
{
    hocket_rwlock_rdlock(&w);
    __atomic_store_n(&has_read, 1, __ATOMIC_RELEASE);
}
static void write_w(void)
{
    hocket_rwlock_wrlock(&w);
}
static void wait_e(void)
{
    (void)!hocket_event_wait(&e, HOCKET_FOREVER);
}
static void wait_s(void)
{
    (void)!hocket_sem_acquire(&s, HOCKET_FOREVER);
}
static void wait_l(void)
{
    (void)!hocket_latch_wait(&l, HOCKET_FOREVER);
}
static void wait_b(void)
{
    (void)!hocket_barrier_wait(&b, HOCKET_FOREVER);
}
static void wait_c(void)
{
    hocket_mutex_lock(&m2);
    (void)!hocket_cond_wait(&c, &m2, HOCKET_FOREVER);
}

/* ---- the rows ---- */

static void unlock_free(void)
{
    hocket_mutex_unlock(&m);
}
static void unlock_others(void)
{
    other(take_m);
    HK_WAIT_UNTIL(hocket_mutex_locked(&m));
    hocket_mutex_unlock(&m);
}
static void unlock_unowned_free(void)
{
    hocket_mutex_unlock(&unowned);
}
static void lock_twice(void)
{
    hocket_mutex_lock(&m);
    hocket_mutex_lock(&m);
}
static void destroy_held(void)
{
    other(take_m);
    HK_WAIT_UNTIL(hocket_mutex_locked(&m));
    hocket_mutex_destroy(&m);
}
static void destroy_unowned_held(void)
{
    hocket_mutex_lock(&unowned);
    hocket_mutex_destroy(&unowned);
}
static void runlock_free(void)
{
    hocket_rmutex_unlock(&r);
}
static void runlock_others(void)
{
    other(take_r);
    HK_WAIT_UNTIL(hocket_rmutex_locked(&r));
    hocket_rmutex_unlock(&r);
}
static void rlock_too_often(void)
{
    hocket_rmutex_lock(&r);
    r.hocket__depth = UINT32_MAX;
    hocket_rmutex_lock(&r);
}
static void rdestroy_held(void)
{
    hocket_rmutex_lock(&r);
    hocket_rmutex_destroy(&r);
}
static void wunlock_free(void)
{
    hocket_rwlock_unlock(&w);
}
static void wunlock_others(void)
{
    other(write_w);
    HK_WAIT_UNTIL(hocket_rwlock_locked(&w));
    hocket_rwlock_unlock(&w);
}
static void wunlock_other_reader(void)
{
    other(read_w);
    HK_WAIT_UNTIL(hocket_rwlock_locked(&w));
    hocket_rwlock_unlock(&w);
}
static void write_twice(void)
{
    hocket_rwlock_wrlock(&w);
    hocket_rwlock_wrlock(&w);
}
static void write_then_read(void)
{
    hocket_rwlock_wrlock(&w);
    hocket_rwlock_rdlock(&w);
}
static void read_then_write(void)
{
    hocket_rwlock_rdlock(&w);
    hocket_rwlock_wrlock(&w);
}
static void too_many_readers(void)
{
    w.hocket__word = 0x0fffffffu;
    hocket_rwlock_rdlock(&w);
}
static void wdestroy_written(void)
{
    other(write_w);
    HK_WAIT_UNTIL(hocket_rwlock_write_locked(&w));
    hocket_rwlock_destroy(&w);
}
static void wdestroy_read(void)
{
    other(read_w);
    HK_WAIT_UNTIL(__atomic_load_n(&has_read, __ATOMIC_ACQUIRE));
    hocket_rwlock_destroy(&w);
}
static void cond_without_mutex(void)
{
    (void)!hocket_cond_wait(&c, &m, HOCKET_FOREVER);
}
static void cond_without_rmutex(void)
{
    (void)!hocket_cond_wait_rmutex(&c, &r, HOCKET_FOREVER);
}
static void cond_destroy(void)
{
    other_waits(wait_c);
    hocket_cond_destroy(&c);
}
static void event_destroy(void)
{
    other_waits(wait_e);
    hocket_event_destroy(&e);
}
static void sem_destroy(void)
{
    other_waits(wait_s);
    hocket_sem_destroy(&s);
}
static void latch_destroy(void)
{
    other_waits(wait_l);
    hocket_latch_destroy(&l);
}
static void latch_below_zero(void)
{
    hocket_latch_count_down(&l, 2);
}
static void barrier_destroy(void)
{
    other_waits(wait_b);
    hocket_barrier_destroy(&b);
}
static void bad_reference(void)
{
    hocket_lock_ref_lock((hocket_lock_ref){ &m, 7 });
}
static void bad_reference_back(void)
{
    hocket_lock_ref_unlock((hocket_lock_ref){ &m, 7 });
}
static void bad_guarded(void)
{
    hocket_guarded g;
    hocket_guarded_options options = HOCKET_GUARDED_OPTIONS_DEFAULT;
    options.lock = (hocket_lock_ref){ &m, 7 };
    hocket_guarded_init(&g, NULL, &options);
}
static void guarded_destroy(void)
{
    hocket_guarded g = HOCKET_GUARDED_INIT(&m);
    (void)hocket_guarded_lock(&g);
    hocket_guarded_destroy(&g);
}

/* ---- certain deadlocks of plain locks ---- */

static void other_m2_then_m(void)
{
    hocket_mutex_lock(&m2);
    HK_WAIT_UNTIL(hocket_mutex_locked(&m));
    hocket_mutex_lock(&m);
}
static void deadlock_plain(void)
{
    other(other_m2_then_m);
    hocket_mutex_lock(&m);
    HK_WAIT_UNTIL(hocket__parked_count() == 1);
    hocket_mutex_lock(&m2);
}
static void other_m_then_write(void)
{
    hocket_mutex_lock(&m);
    HK_WAIT_UNTIL(hocket_rwlock_locked(&w));
    hocket_rwlock_wrlock(&w);
}
static void deadlock_reader(void)
{
    other(other_m_then_write);
    hocket_rwlock_rdlock(&w);
    HK_WAIT_UNTIL(hocket__parked_count() == 1);
    hocket_mutex_lock(&m);
}
static int child_wants_m(void *arg)
{
    (void)arg;
    hocket_task_set_name(hocket_self(), "child");
    hocket_mutex_lock(&m);
    return 0;
}
static int joiner_holds_m(void *arg)
{
    (void)arg;
    hocket_task *t;
    hocket_mutex_lock(&m);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, child_wants_m, NULL, NULL));
    return hocket_join(t, NULL, HOCKET_FOREVER);
}
/* No workers, so that nobody else takes the child, a lent one neither: it runs on its joiner's stack. */
static void deadlock_join_in_place(void)
{
    hocket_runtime_options options = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    options.workers = HOCKET_NO_WORKERS;
    hocket_run_with(joiner_holds_m, NULL, &options);
}

/* ---- ending with a lock ---- */

static void *end_holding(void *arg)
{
    ((void (*)(void))(uintptr_t)arg)();
    return NULL;
}
static void thread_ends(void)
{
    pthread_t t;
    HK_EXPECT(pthread_create(&t, NULL, end_holding, (void *)(uintptr_t)take_m) == 0);
    pthread_join(t, NULL);
}
static int fiber_ends_body(void *arg)
{
    (void)arg;
    hocket_rwlock_rdlock(&w);
    return 0;
}
static void fiber_ends(void)
{
    hocket_run(fiber_ends_body, NULL);
}

static const struct row {
    const char *name;
    void (*run)(void);
    const char *words[3];
} rows[] = {
    { "unlock a free mutex", unlock_free, { "hocket_mutex_unlock: mutex 0x", "held by nobody" } },
    { "unlock another's", unlock_others, { "hocket_mutex_unlock: mutex 0x", "task other" } },
    { "unlock a free unowned", unlock_unowned_free, { "hocket_mutex_unlock: mutex 0x" } },
    { "lock twice", lock_twice, { "hocket_mutex_lock: mutex 0x", "by the caller already" } },
    { "destroy held", destroy_held, { "hocket_mutex_destroy: mutex 0x", "held by task other" } },
    { "destroy held unowned", destroy_unowned_held, { "hocket_mutex_destroy: mutex 0x" } },
    { "unlock a free rmutex", runlock_free, { "hocket_rmutex_unlock: rmutex 0x" } },
    { "unlock another's rmutex", runlock_others, { "hocket_rmutex_unlock: rmutex 0x", "other" } },
    { "rmutex too often", rlock_too_often, { "hocket_rmutex_lock: rmutex 0x", "too often" } },
    { "destroy held rmutex", rdestroy_held, { "hocket_rmutex_destroy: rmutex 0x", "held by" } },
    { "unlock a free rwlock", wunlock_free, { "hocket_rwlock_unlock: rwlock 0x", "not held" } },
    { "unlock another's write", wunlock_others, { "hocket_rwlock_unlock: rwlock 0x", "other" } },
    { "unlock another's read", wunlock_other_reader, { "hocket_rwlock_unlock: rwlock 0x" } },
    { "write twice", write_twice, { "hocket_rwlock_wrlock: rwlock 0x", "already" } },
    { "write, then read", write_then_read, { "hocket_rwlock_rdlock: rwlock 0x", "already" } },
    { "read, then write", read_then_write, { "hocket_rwlock_wrlock: rwlock 0x", "already" } },
    { "too many readers", too_many_readers, { "hocket_rwlock_rdlock: rwlock 0x", "too many" } },
    { "destroy written", wdestroy_written, { "hocket_rwlock_destroy: rwlock 0x", "task other" } },
    { "destroy read", wdestroy_read, { "hocket_rwlock_destroy: rwlock 0x", "1 task(s)", "other" } },
    { "cond without mutex", cond_without_mutex, { "hocket_cond_wait: mutex 0x", "not held" } },
    { "cond without rmutex", cond_without_rmutex, { "hocket_cond_wait_rmutex: rmutex 0x" } },
    { "destroy cond", cond_destroy, { "hocket_cond_destroy: task other waits for cond 0x" } },
    { "destroy event", event_destroy, { "hocket_event_destroy: task other waits for event 0x" } },
    { "destroy sem", sem_destroy, { "hocket_sem_destroy: task other waits for sem 0x" } },
    { "destroy latch", latch_destroy, { "hocket_latch_destroy: task other waits for latch 0x" } },
    { "latch below zero", latch_below_zero, { "hocket_latch_count_down: latch 0x", "is at 1" } },
    { "destroy barrier", barrier_destroy, { "hocket_barrier_destroy: task other waits for" } },
    { "reference", bad_reference, { "hocket_lock_ref_lock: 7 is no kind of lock" } },
    { "reference back", bad_reference_back, { "hocket_lock_ref_unlock: 7 is no kind of lock" } },
    { "guarded's reference", bad_guarded, { "hocket_guarded_init: 7 is no kind of lock" } },
    { "destroy held guarded", guarded_destroy, { "hocket_rmutex_destroy: rmutex 0x" } },
    { "deadlock",
      deadlock_plain,
      { "deadlock: self waits for mutex 0x", "of other; other waits" } },
    { "deadlock by reading",
      deadlock_reader,
      { "deadlock: self waits", "other waits for rwlock" } },
    { "deadlock by join", deadlock_join_in_place, { "deadlock: child waits", "waits for join" } },
    { "thread ends", thread_ends, { "lock" } },
    { "fiber ends", fiber_ends, { "lock" } },
};

START_TEST(panics)
{
    const struct row *row = &rows[_i];
    char text[4096];
    size_t used = 0;
    int pipes[2], status;
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(pipes[1], 2);
        close(pipes[0]);
        signal(SIGABRT, SIG_DFL);
        alarm(20);
        hocket_task_set_name(hocket_self(), "self");
        row->run();
        _exit(0);
    }
    close(pipes[1]);
    for (ssize_t n; (n = read(pipes[0], text + used, sizeof text - 1 - used)) > 0;)
        used += (size_t)n;
    text[used] = '\0';
    close(pipes[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s: status %x, said: %.900s",
                  row->name, status, text);
    const char *line = strstr(text, "hocket: panic: ");
    ck_assert_msg(line != NULL, "%s: said: %.900s", row->name, text);
    for (int i = 0; i < 3 && row->words[i]; i++)
        ck_assert_msg(strstr(line, row->words[i]) != NULL, "%s: no '%s' in: %.900s", row->name,
                      row->words[i], text);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, panics, 0, sizeof rows / sizeof *rows);
}

int main(void)
{
    return mode_main("misuse of the locks", add);
}
