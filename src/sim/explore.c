/* SPDX-License-Identifier: MIT */
/*
 * explore - one run of the exhaustive search
 *
 * The parent (search.c) gives the choices of the first nodes; from there on the obvious one is taken, but
 * for tasks that are asleep: a run that goes on with such a one has been made, with the same
 * operations in another order that makes no difference (sleep sets, Godefroid 1996).  A task
 * wakes up when somebody does something that its own next operation depends on: both use the same
 * object, or it is not known which.
 */
#include "sim/world.h"

#define W hocket__sim_world

static uint32_t at; /* the next node */

static bool depend(const struct sim_task *a, const struct sim_task *b)
{
    if (a->object == SIM_OWN || b->object == SIM_OWN)
        return false;
    return a->object == 0 || b->object == 0 || a->object == b->object;
}

static void wake_dependent(struct sim_task *chosen)
{
    chosen->asleep = false;
    for (uint32_t i = 0; i < W.ready_count; i++)
        if (W.ready[i]->asleep && depend(W.ready[i], chosen))
            W.ready[i]->asleep = false;
}

HOCKET_NORETURN static void prune(void)
{
    W.shared->pruned = true;
    hocket__sim_fail(HOCKET_SIM_PASSED, 0);
}

/* The obvious one, or the first that is not asleep. */
static uint32_t first_choice(const struct sim_question *q)
{
    int obvious = hocket__sim_obvious(q);
    if (!W.ready[obvious]->asleep)
        return (uint32_t)obvious;
    for (uint32_t i = 0; i < W.ready_count; i++)
        if (!W.ready[i]->asleep)
            return i;
    prune();
}

static struct sim_node *node_new(void)
{
    if (at == SIM_NODES) {
        W.shared->crowded = true;
        return NULL;
    }
    if (W.shared->node_count <= at)
        W.shared->node_count = at + 1;
    return &W.shared->nodes[at++];
}

static uint32_t choose(struct sim_node *n, const struct sim_question *q)
{
    n->count = W.ready_count;
    for (uint32_t i = 0; i < n->count; i++) {
        n->ready[i] = W.ready[i]->number;
        n->object[i] = W.ready[i]->object;
        n->asleep[i] = W.ready[i]->asleep;
    }
    n->chosen = first_choice(q);
    return n->chosen;
}

/* A node of an earlier run: what was tried there since is asleep. */
static uint32_t follow(const struct sim_node *n)
{
    for (uint32_t i = 0; i < W.ready_count && i < n->count; i++)
        W.ready[i]->asleep = n->asleep[i];
    return n->chosen < W.ready_count ? n->chosen : 0;
}

int hocket__sim_explore_pick(const struct sim_question *q)
{
    uint32_t pick;
    bool given = at < W.plan->in_count;
    struct sim_node *n = NULL;
    if (W.ready_count > SIM_READY)
        W.shared->crowded = true;
    else if (W.ready_count > 1)
        n = node_new();
    if (n && given)
        pick = follow(n);
    else if (n)
        pick = choose(n, q);
    else
        pick = first_choice(q);
    wake_dependent(W.ready[pick]);
    return (int)pick;
}

uint32_t hocket__sim_explore_draw(uint32_t n)
{
    bool given = at < W.plan->in_count;
    struct sim_node *node = node_new();
    if (!node)
        return 0;
    if (!given)
        *node = (struct sim_node){ .draws = n };
    return node->chosen;
}
