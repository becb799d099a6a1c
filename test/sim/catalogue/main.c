/* SPDX-License-Identifier: MIT */
/*
 * Runs the catalogue: every wrong form must fail within so many seeds, fail again the same way
 * under the seed it failed with, and every right form must pass.  Last line "N passed, N
 * failed".
 *
 *   usage: sim_catalogue [--full] [NAME...] | --run NAME [right]
 *
 * --run: as a program of its own, for "hocket sim".
 * --full: the median of 20 tries with random choices and with PCT, and 10,000 seeds for the
 * right forms.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"

#define LIMIT 2000 /* seeds */

#define X(name) extern const struct bug bug_##name;
#include "entries.h"
#undef X

#define X(name) &bug_##name,
static const struct bug *const bugs[] = {
#include "entries.h"
};
#undef X

#define BUGS (sizeof bugs / sizeof bugs[0])

static const char *const failures[] = { "nothing",  "result", "crash", "deadlock",
                                        "livelock", "leak",   "hang" };

static const struct {
    const char *name;
    int strategy;
} strategies[] = { { "random", HOCKET_SIM_RANDOM }, { "pct", HOCKET_SIM_PCT } };

#define STRATEGIES 2

#ifndef RIGHT_SEEDS /* fewer under sanitizers */
#define RIGHT_SEEDS 100
#endif

static unsigned tries = 1, right_seeds = RIGHT_SEEDS;
static unsigned passed, failed, again, again_same;

/* 0, or what hocket_sim_run says. */
static int run(hocket_task_fn *fn, int strategy, uint64_t first, uint32_t seeds,
               hocket_sim_result *ret_result)
{
    memset(ret_result, 0, sizeof *ret_result);
    return hocket_sim_run(fn, NULL,
                          HOCKET_SIM_OPTIONS(.first = first, .seeds = seeds, .strategy = strategy,
                                             .quiet = true, .no_shrink = true,
                                             .result = ret_result));
}

/* The seed that failed fails in the same way, switch by switch. */
static bool fails_again(const struct bug *bug, int strategy, const hocket_sim_result *before)
{
    hocket_sim_result r;
    (void)run(bug->wrong, strategy, before->seed, 1, &r);
    again++;
    bool same = r.failure == before->failure && r.value == before->value && r.hash == before->hash;
    again_same += same;
    return same;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Seeds until the wrong form failed: median and worst of all tries.  False: one try did not find it. */
static bool hunt(const struct bug *bug, int strategy, int *ret_failure, uint64_t *ret_median,
                 uint64_t *ret_worst)
{
    uint64_t needed[64];
    bool good = true;
    for (unsigned i = 0; i < tries; i++) {
        hocket_sim_result r;
        (void)run(bug->wrong, strategy, 1 + i * UINT64_C(1000000), LIMIT, &r);
        needed[i] = r.runs;
        *ret_failure = r.failure;
        good = good && r.failure != HOCKET_SIM_PASSED && fails_again(bug, strategy, &r);
    }
    qsort(needed, tries, sizeof needed[0], by_size);
    *ret_median = needed[tries / 2];
    *ret_worst = needed[tries - 1];
    return good;
}

static void judge(const struct bug *bug)
{
    bool good = true;
    uint64_t runs = 0;
    int failure = 0;
    printf("%-22s", bug->name);
    for (int s = 0; s < STRATEGIES; s++) {
        uint64_t median, worst;
        bool found = hunt(bug, strategies[s].strategy, &failure, &median, &worst);
        good = good && found;
        printf(" %6llu %6llu%s", (unsigned long long)median, (unsigned long long)worst,
               found ? " " : "!");
    }
    for (int s = 0; s < STRATEGIES; s++) {
        hocket_sim_result r;
        int err = run(bug->right, strategies[s].strategy, 1, right_seeds, &r);
        runs += r.runs;
        if (err != 0) {
            good = false;
            printf("\n  right form, %s, seed %llu: %s\n", strategies[s].name,
                   (unsigned long long)r.seed, r.message);
        }
    }
    printf(" %8llu  %s\n", (unsigned long long)runs, failures[failure]);
    (void)fflush(stdout);
    passed += good;
    failed += !good;
}

/* A program like any other: one form of one bug, once, for "hocket sim". */
static int run_one(const char *name, bool right)
{
    for (size_t i = 0; i < BUGS; i++)
        if (strcmp(bugs[i]->name, name) == 0)
            return hocket_run(right ? bugs[i]->right : bugs[i]->wrong, NULL);
    fprintf(stderr, "sim_catalogue: there is no '%s'\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    int at = 1;
    if (argc > 2 && strcmp(argv[1], "--run") == 0)
        return run_one(argv[2], argc > 3);
    if (argc > at && strcmp(argv[at], "--full") == 0) {
        tries = 20;
        right_seeds = 10000;
        at++;
    }
    printf("%-22s %13s  %13s  %8s\n", "seeds until it fails", "random", "pct", "right");
    printf("%-22s %6s %6s  %6s %6s  %8s\n", "", "median", "worst", "median", "worst", "runs");
    for (size_t i = 0; i < BUGS; i++) {
        bool wanted = at == argc;
        for (int k = at; k < argc; k++)
            wanted = wanted || strcmp(argv[k], bugs[i]->name) == 0;
        if (wanted)
            judge(bugs[i]);
    }
    printf("failing seeds run again: %u, the same to the last switch: %u\n", again, again_same);
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
