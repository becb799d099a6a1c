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
#include "base/panic.h"
#include "park/forks.h"
#include "sim/world.h"
#include "task/task.h"

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

/* ---- a task is killed ---- */

/*
 * Nobody runs on top of a joiner: one may be killed without the other.  Called where the new task
 * is in the queue, and the strategy was not asked since.
 */
void hocket__sim_sweep_touch(const char *what, const void *object)
{
    hocket_task *self = hocket__self_or_null(), *task = NULL;
    if (W.plan->sweep != HOCKET_SIM_KILL || !self)
        return;
    if (strcmp(what, "join") == 0)
        task = (hocket_task *)(uintptr_t)object;
    else if (strcmp(what, "fork") == 0 && hk_load(hk_branch(&self->forks.taken)) == object)
        task = ((const hocket_branch *)object)->hocket__task;
    if (task)
        hk_store(&task->queued_on, 0);
}

static bool sleeps(const hocket_task *task)
{
    return hk_load(&task->wait_class) == &hocket__sleep_class;
}

/*
 * Where a call of the library begins, or asleep: not where one has still to do something for others
 * or is in their lists, and not in a job, whose task is not the user's.
 */
static bool may_be_killed(const struct sim_task *t)
{
    static const char *const inside[] = { "wake", "spawn", "submit", "end" };
    if ((hk_load(&t->task->flags) & (HOCKET__TASK_ROOT | HOCKET__TASK_SERVICE)) || t->killed ||
        t->within > 0 || (hk_load(&t->task->wait_state) != HOCKET__IDLE && !sleeps(t->task)))
        return false;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        if (strcmp(t->what, inside[i]) == 0)
            return false;
    return true;
}

/* Nobody has it in a queue: who leaves the CPU so has left it for good. */
HOCKET_NORETURN static void kill_it(struct sim_task *t)
{
    t->killed = true;
    W.killed = t->task;
    hocket__sim_trace(t, "killed", 0);
    if (sleeps(t->task))
        hocket__wait_end(t->task);
    hocket__task_lose(t->task, -EOWNERDEAD);
    W.current = t;
    hocket__loop_leave(t->task, NULL);
    hocket__panic("a task goes on that was killed");
}

void hocket__sim_sweep_place(struct sim_task *t)
{
    if (W.plan->sweep == HOCKET_SIM_KILL && may_be_killed(t) && is_it(HOCKET_SIM_KILL))
        kill_it(t);
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

bool hocket__sim_sweep_shortens(void)
{
    return is_it(HOCKET_SIM_SHORT);
}
