/* SPDX-License-Identifier: MIT */
/*
 * world_sys - the table of src/sys in a world: time, sleep and chance
 *
 * Only one OS thread is in the library.  When it would sleep, either a loop found nothing to do, and the
 * clock jumps; or a task spins on a guard of one that was sent off the CPU, and others go on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sched/poll.h"
#include "sim/world.h"
#include "sys/ticks.h"

#define W hocket__sim_world

#define OUTSIDE_MS 1000 /* something outside of the world may still write to a descriptor */
#define READ_TIME \
    20 /* ns that a look at the clock takes: who waits for a time by looking gets there */

static int64_t sim_clock(void)
{
    W.now += READ_TIME;
    return W.now;
}

static int64_t sim_clock_coarse(void)
{
    return W.now;
}

HOCKET_NORETURN static void deadlock(void)
{
    char *text = W.shared->message;
    size_t size = sizeof W.shared->message;
    int n = snprintf(text, size, "deadlock: nobody can run");
    hocket__sim_describe_waits(text + n, size - (size_t)n);
    hocket__sim_fail(HOCKET_SIM_DEADLOCK, 0);
}

/* Of the thread without a task, on a guard of a task that was sent off at a point.  False: of nobody. */
static bool thread_spins(void)
{
    uint64_t turn = W.turn;
    hocket__sim_thread_place("spin", NULL, true);
    return W.turn != turn;
}

static int sim_futex_wait(const _Atomic uint32_t *addr, uint32_t expected, int64_t deadline)
{
    struct sim_task *self = hocket__sim_running();
    if (hk_load(addr) != expected)
        return -EAGAIN;
    if (self) {
        self->task->ops->yield(self->task);
        return deadline <= W.now ? -ETIMEDOUT : 0;
    }
    if (W.plan->atoms && !hocket__worker_here() && thread_spins())
        return 0;
    if (hocket__sim_sweep_interrupts())
        return -EINTR;
    if (deadline == INT64_MAX && hocket__poll_waiting() > 0) {
        hocket__poll_turn(OUTSIDE_MS);
        if (hocket__sim_ready(hocket__worker_here()) > 0)
            return 0;
    }
    if (deadline == INT64_MAX)
        deadlock();
    W.now = deadline > W.now ? deadline : W.now;
    return -ETIMEDOUT;
}

static int sim_futex_wake(const _Atomic uint32_t *addr, int n)
{
    (void)addr;
    (void)n;
    return 0;
}

static int sim_thread_start(struct hocket__thread *ret, void *(*fn)(void *), void *arg,
                            size_t stack_size, const char *name, unsigned flags)
{
    (void)ret;
    (void)fn;
    (void)arg;
    (void)stack_size;
    (void)name;
    (void)flags;
    return -EAGAIN;
}

static void sim_thread_gone(struct hocket__thread t)
{
    (void)t;
}

static void sim_thread_yield(void)
{
    struct sim_task *self = hocket__sim_running();
    if (self)
        self->task->ops->yield(self->task);
    else
        hocket__sim_thread_place("yield", NULL, true);
}

static int sim_membarrier(void)
{
    return 0;
}

static void sim_random(void *buf, size_t size)
{
    unsigned char *to = buf;
    while (size > 0) {
        uint64_t bits = hocket__sim_random(&W.chance);
        size_t n = size < sizeof bits ? size : sizeof bits;
        memcpy(to, &bits, n);
        to += n;
        size -= n;
    }
}

static int sim_one_cpu(void)
{
    return 1;
}

void hocket__sim_sys_open(void)
{
    static struct hocket__sys sys;
    sys = hocket__sys_linux; /* memory stays what it is */
    sys.clock = sim_clock;
    sys.clock_coarse = sim_clock_coarse;
    sys.futex_wait = sim_futex_wait;
    sys.futex_wake = sim_futex_wake;
    sys.thread_start = sim_thread_start;
    sys.thread_join = sim_thread_gone;
    sys.thread_detach = sim_thread_gone;
    sys.thread_yield = sim_thread_yield;
    sys.membarrier = sim_membarrier;
    sys.random = sim_random;
    sys.cpu_count = sys.cpu_mask = sim_one_cpu;
    hocket__sim_sweep_open(&sys);
    hocket__sys = &sys;
    hocket__ticks_by_clock = true;
}
