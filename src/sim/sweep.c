/* SPDX-License-Identifier: MIT */
/*
 * sweep - the n-th event of a kind goes wrong
 *
 * Counted while the body runs, not while the runtime starts or stops.
 */
#include <errno.h>

#include <hocket/cond.h>
#include <hocket/park.h>

#include <string.h>

#include "base/alloc.h"
#include "sim/world.h"

#define W hocket__sim_world

static bool counting;

/* Is this the one? */
static bool is_it(int kind)
{
    return counting && W.plan->sweep == kind && ++W.shared->swept == W.plan->sweep_at;
}

static bool alloc_fails(void)
{
    return is_it(HOCKET_SIM_ALLOC);
}

static int failing_map(size_t size, void **ret)
{
    return alloc_fails() ? -ENOMEM : hocket__sys_linux.map(size, ret);
}

void hocket__sim_sweep_open(struct hocket__sys *sys)
{
    if (W.plan->sweep != HOCKET_SIM_ALLOC)
        return;
    hocket__alloc_fails = alloc_fails;
    sys->map = failing_map;
}

void hocket__sim_sweep_count(bool on)
{
    counting = on;
}

/* A wait that may end without a reason is one for a condition or a word. */
static void wake_spuriously(const char *class, const void *object)
{
    bool word = strcmp(class, "word") == 0;
    if ((!word && strcmp(class, "cond") != 0) || !is_it(HOCKET_SIM_SPURIOUS))
        return;
    W.quiet = true; /* it is not the task that does it */
    if (word)
        (void)hocket_wake(object, 1);
    else
        (void)hocket_cond_signal_many((hocket_cond *)(uintptr_t)object, 1);
    W.quiet = false;
}

void hocket__sim_sweep_wait(struct sim_task *t)
{
    hocket_task *task = t->task;
    const struct hocket__wait_class *cls = hk_load(&task->wait_class);
    hocket_time deadline = hk_load(&task->wait_deadline);
    if (cls == NULL)
        return;
    wake_spuriously(cls->name, hk_load(&task->wait_object));
    if (deadline != HOCKET_FOREVER && is_it(HOCKET_SIM_TIMEOUT)) {
        W.now = deadline > W.now ? deadline : W.now;
        (void)hocket__wait_decide(task, HOCKET__TIMEDOUT);
    }
}

void hocket__sim_sweep_place(struct sim_task *t)
{
    if (is_it(HOCKET_SIM_DELAY))
        t->delayed = true;
    if (hk_load(&t->task->flags) & (HOCKET__TASK_SERVICE | HOCKET__TASK_DAEMON))
        return;
    if (is_it(HOCKET_SIM_CANCEL)) {
        W.quiet = true;
        hocket_cancel(t->task);
        W.quiet = false;
    }
}

bool hocket__sim_sweep_interrupts(void)
{
    return is_it(HOCKET_SIM_EINTR);
}
