/* SPDX-License-Identifier: MIT */
/* program - what a program asks of the world it is in; see hocket/sim.h */
#include "sim/world.h"

#define W hocket__sim_world

bool hocket_sim_active(void)
{
    return W.open;
}

uint64_t hocket_sim_seed(void)
{
    return W.open ? W.plan->seed : 0;
}

void hocket_sim_point(void)
{
    if (W.open)
        hocket__sim_place("point", NULL);
}

uint32_t hocket_sim_choice(uint32_t n)
{
    uint64_t drawn;
    if (n < 2)
        return 0;
    if (W.open)
        return hocket__sim_draw(n);
    hocket__random(&drawn, sizeof drawn);
    return (uint32_t)(drawn % n);
}

size_t hocket_sim_part(size_t size)
{
    uint32_t most = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    if (size < 2 || !W.open || !hocket__sim_sweep_shortens())
        return size;
    return 1 + hocket__sim_draw(most - 1);
}
