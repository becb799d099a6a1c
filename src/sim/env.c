/* SPDX-License-Identifier: MIT */
/*
 * env - a world for a program that knows nothing of it: see hocket/sim.h
 *
 * By HOCKET_SIM alone, or started by hocket_sim_exec, which leaves the number of an open file in
 * HOCKET_SIM_SHARED: that is then the memory that tells what to do and takes what happened.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "sim/session.h"
#include "sim/world.h"

#define W hocket__sim_world

/* The world has ended the program. */
static void tell(void)
{
    if (!W.shared->plan.told)
        fprintf(stderr, "hocket: sim: seed %llu: %s\n", (unsigned long long)W.plan->seed,
                W.shared->message);
    (void)fflush(NULL);
    _exit(W.shared->failure == HOCKET_SIM_PASSED ? 0 : 1);
}

static int shared_given(const char *number, struct sim_shared **ret)
{
    void *memory;
    char *end;
    long fd = strtol(number, &end, 10);
    if (*end != '\0' || fd < 0 || fd > 1 << 20)
        return -EINVAL;
    int err = hocket__shared_use((int)fd, sizeof **ret, &memory);
    (void)close((int)fd);
    (void)unsetenv("HOCKET_SIM_SHARED"); /* not for programs that this one starts */
    if (err)
        return err;
    *ret = memory;
    return (*ret)->plan.version == SIM_VERSION ? 0 : -EINVAL;
}

static int shared_own(struct sim_shared **ret)
{
    void *memory;
    char why[200];
    hocket_sim_options o = HOCKET_SIM_OPTIONS_DEFAULT;
    int fd, err = hocket__sim_options_env(&o);
    if (err == 0)
        err = hocket__shared_map(sizeof **ret, &memory, &fd);
    if (err)
        return err;
    (void)close(fd);
    *ret = memory;
    hocket__sim_options_defaults(&o);
    struct sim_plan *plan = &(*ret)->plan;
    plan->seed = o.first;
    err = hocket__sim_plan_fill(plan, &o);
    if (err || !o.replay)
        return err;
    plan->replay = true;
    err = hocket__sim_load(o.replay, plan, (*ret)->in, &plan->in_count, why, sizeof why);
    if (err)
        fprintf(stderr, "hocket: sim: %s: %s\n", o.replay, why);
    return err ? -EINVAL : 0;
}

int hocket__world_wanted(void)
{
    struct sim_shared *shared;
    if (hocket__in_world())
        return 1;
    const char *number = hocket__env("HOCKET_SIM_SHARED");
    if (!number && !hocket__env("HOCKET_SIM") && !hocket__env("HOCKET_SIM_REPLAY"))
        return 0;
    int err = number ? shared_given(number, &shared) : shared_own(&shared);
    if (err)
        return -EINVAL;
    hocket__sim_failed = tell;
    hocket__sim_open(shared);
    return atexit(hocket__sim_trace_close) == 0 ? 1 : -EINVAL;
}
