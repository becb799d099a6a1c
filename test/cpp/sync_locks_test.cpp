// SPDX-License-Identifier: MIT
// The locks from C++: HOCKET_WITH and HOCKET_WITH_VALUE release on every way out, exceptions
// included; lock_all takes locks of several kinds; initialisers and option structs compile.
#include <stdexcept>
#include <thread>

#include <hocket/barrier.h>
#include <hocket/cond.h>
#include <hocket/event.h>
#include <hocket/guarded.h>
#include <hocket/latch.h>
#include <hocket/lock_all.h>
#include <hocket/once.h>
#include <hocket/sem.h>

#include "support/expect.h"

static hocket_mutex m = HOCKET_MUTEX_INIT;
static hocket_rmutex r = HOCKET_RMUTEX_INIT;
static hocket_rwlock w = HOCKET_RWLOCK_INIT;

static bool all_free()
{
    return !hocket_mutex_locked(&m) && !hocket_rmutex_locked(&r) && !hocket_rwlock_locked(&w);
}

static int leave(int how)
{
    for (int i = 0; i < 2; i++) {
        HOCKET_WITH(&m) {
            HOCKET_WITH(&r) {
                HOCKET_WITH(&w) {
                    HK_EXPECT(hocket_mutex_held(&m) && hocket_rwlock_write_locked(&w));
                    if (how == 0)
                        return 10;
                    if (how == 1)
                        break;
                    if (how == 2)
                        continue;
                    if (how == 3)
                        throw std::runtime_error("out");
                }
                HOCKET_WITH_READ(&w) {
                    HK_EXPECT_EQ(hocket_rwlock_readers(&w), 1);
                }
            }
        }
        HK_EXPECT(all_free());
    }
    return 20;
}

static void scoped()
{
    HK_EXPECT_EQ(leave(0), 10);
    HK_EXPECT(all_free());
    HK_EXPECT_EQ(leave(1), 20);
    HK_EXPECT_EQ(leave(2), 20);
    HK_EXPECT_EQ(leave(4), 20);
    bool caught = false;
    try {
        leave(3);
    } catch (const std::runtime_error &) {
        caught = true;
    }
    HK_EXPECT(caught && all_free());
}

static void all()
{
    HK_EXPECT_OK(hocket_lock_all(&m, &r, &w));
    HK_EXPECT(hocket_mutex_held(&m) && hocket_rwlock_write_locked(&w));
    hocket_unlock_all(&m, &r, &w);
    HK_EXPECT_OK(hocket_lock_all_until(HOCKET_NOW, &w, &m));
    hocket_unlock_all(&w, &m);
    HK_EXPECT(all_free());
}

struct account {
    int balance;
};

static int add(void *value, void *arg)
{
    return static_cast<account *>(value)->balance += *static_cast<int *>(arg);
}

static void guarded()
{
    account savings = { 5 };
    int two = 2;
    hocket_guarded g = HOCKET_GUARDED_INIT(&savings);
    hocket_guarded_options options = HOCKET_GUARDED_OPTIONS_DEFAULT;
    options.lock = HOCKET_LOCK_REF(&r);
    hocket_guarded_init(&g, &savings, &options);
    HK_EXPECT_EQ(hocket_guarded_call(&g, add, &two), 7);
    try {
        HOCKET_WITH_VALUE(account, a, &g) {
            HK_EXPECT_EQ(hocket_rmutex_depth(&r), 1);
            a->balance++;
            throw 1;
        }
    } catch (int) {
    }
    HOCKET_WITH_VALUE(account, a, &g) {
        if (a->balance == 8)
            break;
    }
    HK_EXPECT(all_free());
    HK_EXPECT_EQ(savings.balance, 8);
}

static bool is_set(void *arg)
{
    return *static_cast<bool *>(arg);
}

static void between_threads()
{
    static hocket_cond c = HOCKET_COND_INIT;
    static hocket_event e = HOCKET_EVENT_INIT;
    static hocket_sem s = HOCKET_SEM_INIT(0);
    static hocket_latch l = HOCKET_LATCH_INIT(1);
    static hocket_barrier b = HOCKET_BARRIER_INIT(2);
    static hocket_once o = HOCKET_ONCE_INIT;
    static bool ready = false;
    std::thread other([] {
        HOCKET_WITH(&m) {
            ready = true;
            hocket_cond_signal(&c);
        }
        hocket_event_set(&e);
        HK_EXPECT_OK(hocket_sem_release(&s));
        hocket_latch_done(&l);
        HK_EXPECT(hocket_barrier_wait(&b, HOCKET_FOREVER) >= 0);
    });
    HOCKET_WITH(&m) {
        HK_EXPECT_OK(hocket_cond_wait_for(&c, &m, is_set, &ready, HOCKET_FOREVER));
    }
    HK_EXPECT_OK(hocket_event_wait(&e, HOCKET_FOREVER));
    HK_EXPECT_OK(hocket_sem_acquire(&s, HOCKET_FOREVER));
    HK_EXPECT_OK(hocket_latch_wait(&l, HOCKET_FOREVER));
    HK_EXPECT(hocket_barrier_wait(&b, HOCKET_FOREVER) >= 0);
    HK_EXPECT_OK(hocket_once_do(
        &o, [](void *) { return 0; }, nullptr, HOCKET_FOREVER));
    HK_EXPECT(hocket_once_done(&o));
    other.join();
}

int main()
{
    scoped();
    all();
    guarded();
    between_threads();
    HK_EXPECT(all_free());
    return 0;
}
