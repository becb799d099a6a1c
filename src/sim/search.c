/* SPDX-License-Identifier: MIT */
/*
 * search - depth first through all schedules: which one the next run is to follow
 *
 * The nodes of the last run lie in shared memory.  The deepest one with something left to try is
 * changed: what was chosen there goes to sleep, the next one is chosen, and all below is forgotten.
 */
#include "sim/search.h"

/* The next task that was neither tried nor is asleep; SIM_READY: none. */
static uint32_t next_task(const struct sim_node *n)
{
    uint32_t i = 0;
    while (i < n->count && n->asleep[i])
        i++;
    return i < n->count ? i : SIM_READY;
}

bool hocket__sim_search_next(struct sim_shared *s)
{
    for (uint32_t k = s->node_count; k-- > 0;) {
        struct sim_node *n = &s->nodes[k];
        if (n->count == 0) {
            if (n->chosen + 1 >= n->draws)
                continue;
            n->chosen++;
        } else {
            n->asleep[n->chosen] = true;
            uint32_t i = next_task(n);
            if (i == SIM_READY)
                continue;
            n->chosen = i;
        }
        s->plan.in_count = k + 1;
        s->node_count = k + 1;
        return true;
    }
    return false;
}
