/* SPDX-License-Identifier: MIT */
/*
 * A waiter is cancelled or timed out, and what it waits for is released, at each point of its wait.
 *
 * The waiter (this thread) stops at its n-th atomic operation and lets a second
 * thread end its wait by cancel or time-out, and at its m-th lets a third one release, m near n.  Both get a
 * moment to finish; they may have to wait for a guard that the waiter holds.  Then
 * either the waiter was woken and has the thing, or it has an error and the thing is there for the next:
 * a second waiter, that nobody disturbs, must always get it in the end.  So no lock, permit,
 * wakeup or round can be lost between two outcomes.
 */
#include <errno.h>
#include <pthread.h>

#include <hocket/barrier.h>
#include <hocket/cond.h>
#include <hocket/event.h>
#include <hocket/latch.h>
#include <hocket/lock_all.h>
#include <hocket/once.h>
#include <hocket/park.h>
#include <hocket/scope.h>
#include <hocket/sem.h>

#include "park/wait.h"
#include "support/modes.h"

#define NEAR   2
#define MOMENT (20 * HOCKET_US)

/* ---- the things to wait for ---- */

static struct {
    hocket_mutex m, m2;
    hocket_rmutex r;
    hocket_rwlock w;
    hocket_cond c;
    hocket_event e;
    hocket_sem s;
    hocket_latch l;
    hocket_barrier b;
    hocket_once o;
    hocket_word word;
    int items, party;
} x;

struct thing {
    const char *name;
    void (*hold)(void);    /* the releaser, before the wait */
    void (*release)(void); /* the releaser, at the m-th point */
    int (*wait)(void);     /* the waiters */
    void (*give)(void);    /* a waiter that got it, for the next one; or NULL */
    void (*check)(void);   /* afterwards */
};

static void m_hold(void)
{
    hocket_mutex_lock(&x.m);
}
static void m_release(void)
{
    hocket_mutex_unlock(&x.m);
}
static int m_wait(void)
{
    return hocket_mutex_lock_until(&x.m, HOCKET_FOREVER);
}
static void m_check(void)
{
    hocket_mutex_destroy(&x.m);
}

static void r_hold(void)
{
    hocket_rmutex_lock(&x.r);
}
static void r_release(void)
{
    hocket_rmutex_unlock(&x.r);
}
static int r_wait(void)
{
    return hocket_rmutex_lock_until(&x.r, HOCKET_FOREVER);
}
static void r_check(void)
{
    hocket_rmutex_destroy(&x.r);
}

static void w_write(void)
{
    hocket_rwlock_wrlock(&x.w);
}
static void w_read(void)
{
    hocket_rwlock_rdlock(&x.w);
}
static void w_release(void)
{
    hocket_rwlock_unlock(&x.w);
}
static int w_wait_write(void)
{
    return hocket_rwlock_wrlock_until(&x.w, HOCKET_FOREVER);
}
static int w_wait_read(void)
{
    return hocket_rwlock_rdlock_until(&x.w, HOCKET_FOREVER);
}
static void w_check(void)
{
    hocket_rwlock_destroy(&x.w);
}

static void all_hold(void)
{
    hocket_mutex_lock(&x.m2);
}
static void all_release(void)
{
    hocket_mutex_unlock(&x.m2);
}
static int all_wait(void)
{
    return hocket_lock_all(&x.m, &x.m2, &x.r, &x.w);
}
static void all_give(void)
{
    hocket_unlock_all(&x.m, &x.m2, &x.r, &x.w);
}
static void all_check(void)
{
    m_check();
    r_check();
    w_check();
    hocket_mutex_destroy(&x.m2);
}

static void none(void)
{
}

static void c_release(void)
{
    hocket_mutex_lock(&x.m);
    x.items++;
    hocket_cond_signal(&x.c);
    hocket_mutex_unlock(&x.m);
}
static int c_wait(void)
{
    int err = 0;
    HOCKET_WITH(&x.m) {
        while (x.items == 0 && err == 0)
            err = hocket_cond_wait(&x.c, &x.m, HOCKET_FOREVER);
        if (err == 0)
            x.items--;
        else if (x.items)
            hocket_cond_signal(&x.c); /* as everybody must who leaves an item behind */
    }
    return err;
}
static void c_check(void)
{
    HK_EXPECT(x.items <= 1);
    x.items = 0;
    hocket_cond_destroy(&x.c);
    m_check();
}
/* As above, but who leaves does not care: the signal itself must not be lost. */
static int c_wait_bare(void)
{
    int err = 0;
    HOCKET_WITH(&x.m) {
        while (x.items == 0 && err == 0)
            err = hocket_cond_wait(&x.c, &x.m, HOCKET_FOREVER);
        if (err == 0)
            x.items--;
    }
    return err;
}

static void e_release(void)
{
    hocket_event_set(&x.e);
}
static int e_wait(void)
{
    return hocket_event_wait(&x.e, HOCKET_FOREVER);
}
static void e_check(void)
{
    hocket_event_clear(&x.e);
    hocket_event_destroy(&x.e);
}

static void s_release(void)
{
    HK_EXPECT_OK(hocket_sem_release(&x.s));
}
static int s_wait(void)
{
    return hocket_sem_acquire(&x.s, HOCKET_FOREVER);
}
static void s_check(void)
{
    HK_EXPECT_EQ(hocket_sem_value(&x.s), 1); /* the second waiter gave it back */
    HK_EXPECT_OK(hocket_sem_try(&x.s));
    hocket_sem_destroy(&x.s);
}

static void l_hold(void)
{
    HK_EXPECT_OK(hocket_latch_add(&x.l, 1));
}
static void l_release(void)
{
    hocket_latch_done(&x.l);
}
static int l_wait(void)
{
    return hocket_latch_wait(&x.l, HOCKET_FOREVER);
}
static void l_check(void)
{
    hocket_latch_destroy(&x.l);
}

static int once_fn(void *arg)
{
    (void)arg;
    return 0;
}
static volatile int o_go, o_fails;
static int once_held(void *arg)
{
    (void)arg;
    __atomic_store_n(&o_go, 1, __ATOMIC_RELEASE);
    HK_WAIT_UNTIL(__atomic_load_n(&o_go, __ATOMIC_ACQUIRE) == 2);
    return o_fails ? -EIO : 0;
}
static pthread_t o_runner;
static void *o_run(void *arg)
{
    (void)arg;
    (void)!hocket_once_do(&x.o, once_held, NULL, HOCKET_FOREVER);
    return NULL;
}
static void o_hold(void)
{
    x.o = (hocket_once)HOCKET_ONCE_INIT;
    o_go = 0;
    o_fails = !o_fails;
    HK_EXPECT(pthread_create(&o_runner, NULL, o_run, NULL) == 0);
    HK_WAIT_UNTIL(__atomic_load_n(&o_go, __ATOMIC_ACQUIRE) == 1);
}
static void o_release(void)
{
    __atomic_store_n(&o_go, 2, __ATOMIC_RELEASE);
    pthread_join(o_runner, NULL);
}
static int o_wait(void)
{
    return hocket_once_do(&x.o, once_fn, NULL, HOCKET_FOREVER);
}
static void o_check(void)
{
    HK_EXPECT(hocket_once_done(&x.o));
}

static void word_hold(void)
{
    atomic_store(&x.word, 0);
}
static void word_release(void)
{
    atomic_store(&x.word, 1);
    (void)hocket_wake(&x.word, 2);
}
static int word_wait(void)
{
    int err = 0;
    while (err == 0 && atomic_load(&x.word) == 0)
        err = hocket_wait_on(&x.word, 0, HOCKET_FOREVER);
    return err;
}
static void word_check(void)
{
    HK_EXPECT_EQ(hocket_wake(&x.word, 2), 0);
}

/* Two parties: the waiter and the releaser.  They agree on how the round ended. */
static hocket_task *waiter;
static int b_mine;
static void b_hold(void)
{
    hocket_barrier_reset(&x.b);
}
static void b_release(void)
{
    x.party = hocket_barrier_wait(&x.b, HOCKET_FOREVER);
}
static int b_wait(void)
{
    if (hocket_self() != waiter)
        return 0;
    b_mine = hocket_barrier_wait(&x.b, HOCKET_FOREVER);
    return b_mine < 0 ? b_mine : 0;
}
static void b_check(void)
{
    HK_EXPECT_EQ(hocket_barrier_broken(&x.b), b_mine < 0);
    HK_EXPECT(b_mine < 0 ? x.party == -EPIPE : x.party == 1 - b_mine);
    hocket_barrier_destroy(&x.b);
}

static const struct thing things[] = {
    { "mutex", m_hold, m_release, m_wait, m_release, m_check },
    { "rmutex", r_hold, r_release, r_wait, r_release, r_check },
    { "write behind writer", w_write, w_release, w_wait_write, w_release, w_check },
    { "write behind reader", w_read, w_release, w_wait_write, w_release, w_check },
    { "read behind writer", w_write, w_release, w_wait_read, w_release, w_check },
    { "lock_all", all_hold, all_release, all_wait, all_give, all_check },
    { "cond", none, c_release, c_wait, c_release, c_check },
    { "cond, bare", none, c_release, c_wait_bare, c_release, c_check },
    { "event", none, e_release, e_wait, NULL, e_check },
    { "sem", none, s_release, s_wait, s_release, s_check },
    { "latch", l_hold, l_release, l_wait, NULL, l_check },
    { "once", o_hold, o_release, o_wait, NULL, o_check },
    { "barrier", b_hold, b_release, b_wait, NULL, b_check },
    { "word", word_hold, word_release, word_wait, NULL, word_check },
};

/* ---- helpers: threads that do one thing when told ---- */

struct helper {
    int told, done;
    void (*run)(void);
    pthread_t thread;
};

static bool over;

static void *helper_entry(void *arg)
{
    struct helper *h = arg;
    for (int n = 1;; n++) {
        HK_WAIT_UNTIL(__atomic_load_n(&h->told, __ATOMIC_ACQUIRE) >= n);
        if (__atomic_load_n(&over, __ATOMIC_RELAXED))
            return NULL;
        h->run();
        __atomic_store_n(&h->done, n, __ATOMIC_RELEASE);
    }
}

static void tell(struct helper *h, void (*run)(void))
{
    h->run = run;
    __atomic_store_n(&h->told, h->told + 1, __ATOMIC_RELEASE);
}

static bool finished(struct helper *h)
{
    return __atomic_load_n(&h->done, __ATOMIC_ACQUIRE) == h->told;
}

static struct helper releaser, ender, second, watcher;

/* ---- one wait, disturbed ---- */

static const struct thing *thing;
static hocket_scope scope;
static bool by_cancel;
static int end_at, release_at, points;
static bool ended, released, waiting;
static const volatile void *last_addr;
static __thread bool counted;

/*
 * As a timer does, but only a wait that has an end: this thread may be late, and the waiter in the
 * plain lock behind a condition's wait, which nobody may end.
 */
static void time_out(void)
{
    uint32_t s = hk_load_acq(&waiter->wait_state);
    while (s == HOCKET__WAITING_C || s == HOCKET__PARKED_C) {
        bool parked = s == HOCKET__PARKED_C;
        if (hk_cas_sc(&waiter->wait_state, &s, HOCKET__TIMEDOUT)) {
            if (parked)
                waiter->ops->ready(waiter);
            return;
        }
    }
}

static void end_it(void)
{
    if (by_cancel)
        hocket_scope_cancel(&scope);
    else
        time_out();
}

static void second_waits(void)
{
    HK_EXPECT_OK(thing->wait());
    if (thing->give)
        thing->give();
}

/* Exactly once a wait, by whoever comes first: the waiter's m-th point or the watcher. */
static bool release_now(void)
{
    return !__atomic_exchange_n(&released, true, __ATOMIC_ACQ_REL);
}

/* A waiter that sleeps before either point came is released by this thread. */
static void watch(void)
{
    while (__atomic_load_n(&waiting, __ATOMIC_ACQUIRE)) {
        uint32_t state = atomic_load(&waiter->wait_state);
        bool parked = state == HOCKET__PARKED || state == HOCKET__PARKED_C;
        if (parked && !__atomic_load_n(&ended, __ATOMIC_ACQUIRE) && release_now())
            tell(&releaser, thing->release);
        sched_yield();
    }
}

static void moment(struct helper *h)
{
    hocket_time until = hocket_now() + MOMENT;
    while (!finished(h) && hocket_now() < until)
        sched_yield();
}

static void at_point(int kind, const volatile void *addr, const char *file, int line)
{
    (void)file, (void)line;
    /* Turns of a spin loop count once. */
    if (!counted || kind == HOCKET_POINT_YIELD || (kind == HOCKET_POINT_LOAD && addr == last_addr))
        return;
    last_addr = addr;
    counted = false; /* what we do here is not part of the wait */
    int n = points++;
    if (n == end_at) {
        __atomic_store_n(&ended, true, __ATOMIC_RELEASE);
        tell(&ender, end_it);
        moment(&ender);
    }
    if (n == release_at && release_now()) {
        tell(&releaser, thing->release);
        moment(&releaser);
    }
    counted = true;
}

/* False when the wait was over before the point. */
static bool disturb(int end, int release)
{
    end_at = end;
    release_at = release;
    points = 0;
    last_addr = NULL;
    ended = released = false;
    tell(&releaser, thing->hold);
    HK_WAIT_UNTIL(finished(&releaser));
    hocket_scope_open(&scope, NULL);
    tell(&second, second_waits);
    waiting = true;
    tell(&watcher, watch);

    counted = true;
    int err = thing->wait();
    counted = false;

    __atomic_store_n(&waiting, false, __ATOMIC_RELEASE);
    HK_WAIT_UNTIL(finished(&watcher));
    HK_EXPECT(err == 0 || err == (by_cancel ? -ECANCELED : -ETIMEDOUT));
    HK_EXPECT(err == 0 || ended);
    HK_WAIT_UNTIL(finished(&ender));
    if (release_now())
        tell(&releaser, thing->release);
    HK_WAIT_UNTIL(finished(&releaser));
    if (err == 0 && thing->give)
        thing->give();
    (void)!hocket_scope_close(&scope);
    HK_WAIT_UNTIL(finished(&second)); /* nothing was lost */
    thing->check();
    return ended;
}

static void sweep(void)
{
    waiter = hocket_self();
    HK_EXPECT_OK(hocket_barrier_init(&x.b, 2, NULL, NULL));
    for (int end = 0;; end++) {
        bool any = false;
        for (int release = end - NEAR; release <= end + NEAR; release++)
            if (release >= 0)
                any |= disturb(end, release);
        if (!any)
            return;
    }
}

START_TEST(nothing_is_lost)
{
    thing = &things[_i / 2];
    by_cancel = _i % 2;
    struct helper *helpers[] = { &releaser, &ender, &second, &watcher };
    for (int i = 0; i < 4; i++)
        HK_EXPECT(pthread_create(&helpers[i]->thread, NULL, helper_entry, helpers[i]) == 0);
    hocket__point_hook = at_point;
    sweep();
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++) {
        tell(helpers[i], NULL);
        pthread_join(helpers[i]->thread, NULL);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, nothing_is_lost, 0, 2 * (int)(sizeof things / sizeof *things));
}

int main(void)
{
    return mode_main("sweep of cancel and time-out", add);
}
