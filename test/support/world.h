/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_WORLD_H
#define HOCKET_TEST_WORLD_H
/*
 * world - tests that run under many seeds of the simulated world
 *
 *     WORLD(two_writers)
 *     {
 *         ...                       // the root task of one run: use the library, HK_EXPECT
 *         return 0;
 *     }
 *     SUITE("world_mutex", 60) {
 *         suite_once(two_writers);
 *     }
 *
 * Each run is a process of its own, so statics begin zero.  Half of the seeds are random, half PCT.
 * A few more of each choose before every atomic operation of the library as well (sim/atoms.h).
 *
 *     HOCKET_SIM_SEEDS=10000        so many of each (scripts/run-world)
 *     HOCKET_WORLD_ATOMS=yes        all of them before atomic operations as well; no: none
 *     HOCKET_SIM=4711 HOCKET_SIM_STRATEGY=pct      this one
 */
#include <errno.h>
#include <hocket.h>
#include <stdlib.h>
#include <string.h>

#include "sim/atoms.h"
#include "support/expect.h"
#include "support/suite.h"

#define WORLD_SEEDS      25
#define WORLD_ATOM_SEEDS run_scaled(10, 2) /* that choose before atomic operations as well */

static inline void world_runs(const char *name, hocket_task_fn *fn, int strategy, bool atoms)
{
    hocket_sim_result r = { 0 };
    hocket_sim_options o = HOCKET_SIM_OPTIONS_DEFAULT;
    o.seeds = (uint32_t)(atoms ? WORLD_ATOM_SEEDS : WORLD_SEEDS);
    o.strategy = strategy;
    o.result = &r;
    o.max_choices = atoms ? 5000000 : 0;
    hocket__sim_atoms = atoms;
    int err = hocket_sim_run(fn, NULL, &o);
    hocket__sim_atoms = false;
    if (err != 0)
        fprintf(stderr, "world: %s%s\n", name, atoms ? " HOCKET_WORLD_ATOMS=yes" : "");
    HK_EXPECT_EQ(err, 0);
    if (getenv("HOCKET_WORLD_STATS"))
        fprintf(stderr, "world: %-36s %s %7llu runs %9llu choices\n", name,
                strategy == HOCKET_SIM_PCT ? "pct   " : "random", (unsigned long long)r.runs,
                (unsigned long long)r.choices);
}

static inline void world_run(const char *name, hocket_task_fn *fn)
{
    const char *atoms = getenv("HOCKET_WORLD_ATOMS");
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_PCT; strategy++) {
        if (!atoms || strcmp(atoms, "yes") != 0)
            world_runs(name, fn, strategy, false);
        if (!atoms || strcmp(atoms, "no") != 0)
            world_runs(name, fn, strategy, true);
    }
}

#define WORLD(name)                     \
    static int name##_body(void *none); \
    START_TEST(name)                    \
    {                                   \
        world_run(#name, name##_body);  \
    }                                   \
    END_TEST                            \
    static int name##_body(void *none __attribute__((unused)))

/* Seconds for one test, of SUITE. */
static inline double world_limit(void)
{
    return getenv("HOCKET_SIM_SEEDS") ? 3600 : 120;
}

/* Run fn(number) in n tasks and wait for all: numbers from 0. */
static inline void world_tasks(hocket_task_fn *fn, int n)
{
    hocket_scope scope;
    hocket_scope_open(&scope, NULL);
    for (intptr_t i = 0; i < n; i++)
        HK_EXPECT_OK(hocket_spawn(&scope, fn, (void *)i));
    HK_EXPECT_OK(hocket_scope_close(&scope));
}

static inline hocket_task *world_spawn(hocket_task_fn *fn, void *arg)
{
    hocket_task *t = NULL;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, fn, arg, NULL));
    return t;
}

static inline int world_join(hocket_task *t)
{
    int result = 0;
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    hocket_task_release(t);
    return result;
}

#endif
