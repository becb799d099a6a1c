/* SPDX-License-Identifier: MIT */
/* env - a world for a program that knows nothing of it: see hocket/sim.h */
#include "base/env.h"
#include "park/world.h"
#include "sim/world.h"

int hocket__world_wanted(void)
{
    return hocket__in_world() ? 1 : 0;
}
