/* SPDX-License-Identifier: MIT */
/*
 * start - the onlookers that the environment asks for
 *
 * Each looks at its own variables when a runtime starts, and does what is left to do when it has
 * stopped.  In the order of the table, and backwards.
 */
#include "park/watch.h"

#include <stddef.h>

#include "trace/dump.h"
#include "trace/live.h"
#include "trace/lockorder.h"
#include "trace/profile.h"
#include "trace/timeline.h"
#include "trace/timeout.h"

struct side {
    void (*start)(void);
    void (*stop)(void);
};

static const struct side sides[] = {
    { hocket__dump_start, NULL },
    { hocket__timeout_by_env, NULL },
    { hocket__lockorder_by_env, NULL },
    { hocket__profile_by_env, NULL },
    { hocket__live_by_env, hocket__live_runtime_stopped },
    { hocket__trace_by_env, hocket__trace_runtime_stopped },
};

#define SIDES (sizeof sides / sizeof sides[0])

void hocket__onlookers_start(void)
{
    for (size_t i = 0; i < SIDES; i++)
        if (sides[i].start != NULL)
            sides[i].start();
}

void hocket__onlookers_stop(void)
{
    for (size_t i = SIDES; i-- > 0;)
        if (sides[i].stop != NULL)
            sides[i].stop();
}
