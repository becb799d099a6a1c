/* SPDX-License-Identifier: MIT */
/*
 * The world that chooses before atomic operations as well (sim/atoms.h): it finds what no event lies in
 * between, repeats it, and survives what its own places make possible.
 */
#include "support/world.h"

#include <unistd.h>

#include "base/atomic.h"
#include "park/guard.h"
#include "park/record.h"

__attribute__((constructor)) static void not_from_outside(void)
{
    (void)unsetenv("HOCKET_SIM_SEEDS"); /* here the number matters */
}

#define SEEDS ((uint32_t)run_scaled(500, 20)) /* that find nothing */

static hocket_sim_result result;

static int sim(hocket_task_fn *fn, int strategy, bool atoms, uint32_t seeds)
{
    memset(&result, 0, sizeof result);
    hocket__sim_atoms = atoms;
    int err = hocket_sim_run(
        fn, NULL,
        HOCKET_SIM_OPTIONS(.strategy = strategy, .seeds = seeds, .quiet = true, .result = &result));
    hocket__sim_atoms = false;
    return err;
}

/* Found within so many seeds, and short; not by the events alone; the twin is right. */
static void finds(hocket_task_fn *wrong, hocket_task_fn *right, uint32_t seeds)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_PCT; strategy++) {
        HK_EXPECT_EQ(sim(wrong, strategy, true, seeds), -EILSEQ);
        if (getenv("HOCKET_WORLD_STATS"))
            fprintf(stderr, "world: found after %llu runs, %u choices of %u left\n",
                    (unsigned long long)result.runs, result.shrunk, result.switches);
        HK_EXPECT(result.shrunk <= 3);
        HK_EXPECT_EQ(sim(wrong, strategy, false, SEEDS), 0);
        HK_EXPECT_EQ(sim(right, strategy, true, SEEDS), 0);
    }
}

/* ---- a small lock ---- */

static _Atomic uint32_t word;
static int inside, met;

static bool try_in_two_steps(void)
{
    if (hk_load_acq(&word) != 0)
        return false;
    hk_store(&word, 1u); /* the defect: who else has seen the 0? */
    return true;
}

static bool try_in_one_step(void)
{
    uint32_t old = 0;
    return hk_cas(&word, &old, 1u);
}

static int use(bool (*try)(void))
{
    while (!try())
        HK_EXPECT_OK(hocket_yield());
    met += inside++ > 0;
    HK_EXPECT_OK(hocket_yield());
    inside--;
    hk_store_rel(&word, 0u);
    return 0;
}

static int use_wrong(void *arg)
{
    (void)arg;
    return use(try_in_two_steps);
}

static int use_right(void *arg)
{
    (void)arg;
    return use(try_in_one_step);
}

static int lock_wrong(void *arg)
{
    (void)arg;
    world_tasks(use_wrong, 3);
    return met == 0 ? 0 : -EILSEQ;
}

static int lock_right(void *arg)
{
    (void)arg;
    world_tasks(use_right, 3);
    return met == 0 ? 0 : -EILSEQ;
}

START_TEST(a_lock_that_is_taken_by_load_and_store)
{
    finds(lock_wrong, lock_right, 1000);
}
END_TEST

/* ---- a count of references ---- */

static _Atomic uint32_t references = 3;
static int freed;

static int drop_wrong(void *arg)
{
    (void)arg;
    uint32_t left = hk_load(&references) - 1;
    hk_store(&references, left); /* the defect: one of two that drop is not counted */
    freed += left == 0;
    return 0;
}

static int drop_right(void *arg)
{
    (void)arg;
    freed += hk_sub(&references, 1) == 1;
    return 0;
}

static int count_wrong(void *arg)
{
    (void)arg;
    world_tasks(drop_wrong, 3);
    return freed == 1 ? 0 : -EILSEQ;
}

static int count_right(void *arg)
{
    (void)arg;
    world_tasks(drop_right, 3);
    return freed == 1 ? 0 : -EILSEQ;
}

START_TEST(references_that_are_dropped_by_load_and_store)
{
    finds(count_wrong, count_right, 1000);
}
END_TEST

START_TEST(a_failing_schedule_fails_again)
{
    char path[] = "/tmp/hocket-atoms-XXXXXX";
    hocket_sim_options o = HOCKET_SIM_OPTIONS_DEFAULT;
    int fd = mkstemp(path);
    HK_EXPECT(fd >= 0);
    (void)close(fd);
    hocket__sim_atoms = true;
    o.quiet = o.no_shrink = true;
    o.result = &result;
    HK_EXPECT_EQ(hocket_sim_run(count_wrong, NULL, &o), -EILSEQ);
    uint64_t seed = result.seed, hash = result.hash;
    uint32_t switches = result.switches;
    o.first = seed; /* the seed alone */
    o.seeds = 1;
    o.save = path;
    HK_EXPECT_EQ(hocket_sim_run(count_wrong, NULL, &o), -EILSEQ);
    HK_EXPECT(result.seed == seed && result.hash == hash && result.switches == switches);
    o.save = NULL; /* its choices */
    o.replay = path;
    HK_EXPECT_EQ(hocket_sim_run(count_wrong, NULL, &o), -EILSEQ);
    HK_EXPECT(result.seed == seed && result.hash == hash && result.switches == switches);
    (void)unlink(path);
}
END_TEST

/* ---- under a guard ---- */

static hocket__guard guard;
static int under_guard, tried;

/* Nobody else is under it, though who is may be sent off there, and others spin. */
static int take_guard(void *arg)
{
    (void)arg;
    for (int i = 0; i < 4; i++) {
        hocket__guard_lock(&guard);
        tried += under_guard++ > 0;
        (void)hk_load(&references);
        under_guard--;
        (void)hocket__guard_unlock(&guard);
    }
    return 0;
}

static int guards(void *arg)
{
    (void)arg;
    world_tasks(take_guard, 3);
    return tried == 0 ? 0 : -EILSEQ;
}

/* A place that a task comes to under a guard is one: some of its spins are seen to be. */
START_TEST(who_spins_on_a_guard_hands_over)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_PCT; strategy++)
        HK_EXPECT_EQ(sim(guards, strategy, true, SEEDS), 0);
}
END_TEST

/* ---- what belongs to the worker ---- */

#define SPAWNED 40 /* by each of three: more than a worker keeps of records or ids */

static uint64_t ids[3 * SPAWNED];

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int spawn_many(void *arg)
{
    hocket_task *t[SPAWNED];
    uint64_t *mine = &ids[(intptr_t)arg * SPAWNED];
    for (int i = 0; i < SPAWNED; i++) {
        t[i] = world_spawn(nothing, NULL);
        mine[i] = hocket_task_id(t[i]);
    }
    for (int i = 0; i < SPAWNED; i++)
        HK_EXPECT_EQ(world_join(t[i]), 0);
    return 0;
}

static int many_tasks(void *arg)
{
    (void)arg;
    world_tasks(spawn_many, 3);
    if (hocket__record_limit() > 3 * SPAWNED + 80)
        return -EOVERFLOW; /* some were lost */
    for (int i = 0; i < 3 * SPAWNED; i++)
        for (int k = 0; k < i; k++)
            if (ids[i] == ids[k])
                return -EILSEQ;
    return 0;
}

START_TEST(records_and_ids_come_to_one_task_each)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_PCT; strategy++)
        HK_EXPECT_EQ(sim(many_tasks, strategy, true, SEEDS / 10), 0);
}
END_TEST

/* ---- the end of the program ---- */

static int open_and_close(void *arg)
{
    (void)arg;
    while (hocket_sleep(HOCKET_MS) == 0) {}
    return 0;
}

/* The thread that stops the runtime cancels daemons, which may have been sent off under the guards that it takes. */
static int ends_over_daemons(void *arg)
{
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.daemon = true;
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket_task *t;
        HK_EXPECT_OK(hocket_spawn_task(&t, NULL, open_and_close, NULL, &o));
        hocket_task_release(t);
    }
    return 0;
}

START_TEST(the_end_meets_daemons_anywhere)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_PCT; strategy++)
        HK_EXPECT_EQ(sim(ends_over_daemons, strategy, true, SEEDS), 0);
}
END_TEST

SUITE("world_atoms", 60)
{
    suite_once(a_lock_that_is_taken_by_load_and_store);
    suite_once(references_that_are_dropped_by_load_and_store);
    suite_once(a_failing_schedule_fails_again);
    suite_once(who_spins_on_a_guard_hands_over);
    suite_once(records_and_ids_come_to_one_task_each);
    suite_once(the_end_meets_daemons_anywhere);
}
