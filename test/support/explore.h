/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_EXPLORE_H
#define HOCKET_TEST_EXPLORE_H
/*
 * explore - runs a small concurrent program under thousands of seeded schedules
 *
 *     static void body(void *arg)
 *     {
 *         int t = explore_start(writer, &x);
 *         ...                                    // use the library, HK_EXPECT invariants
 *         explore_join(t);
 *     }
 *     START_TEST(writers) { explore("writers", body, NULL, NULL); } END_TEST
 *
 * The threads of the body (its own and those that the library starts) run strictly one
 * at a time.  At every point of the library (base/atomic.h) the running one may
 * be preempted, as the seed says.  Sleeping and waking is simulated; the clock is
 * virtual and jumps to the next deadline when nobody can run, and now and
 * then when somebody can, as if the others had been off the CPU for long.
 *
 *   even seeds   random: at each point a switch with a probability drawn from the seed
 *   odd seeds    PCT: random priorities and a few points where they change
 *
 * The same seed gives the same run: the first batch of each test runs twice and the traces
 * are compared.  Reported with the seed and a line that replays it: a failed
 * expectation or any other death, a deadlock (nobody can run and nobody has a
 * deadline), a livelock (too many points).
 *
 *     HOCKET_SEEDS=20               twenty times as many seeds, and as much time
 *     HOCKET_SEED=writers:4711      only this one, with its switches written to stderr
 *     HOCKET_SEED=...  HOCKET_TRACE=1   every point as well
 *
 * Seeds run in batches, each in a child process of its own, so that a run depends on no more
 * than the batch up to it; the replay repeats exactly that.
 *
 * Limits: interleavings are sequentially consistent (no store buffers), and code between two
 * points is one step.  A body must not block its OS thread but through the library.
 */
#include <stdbool.h>
#include <stdint.h>

struct explore_options {
    unsigned seeds;    /* how many; 0 = 2000 */
    double seconds;    /* stop after this time, with at least one batch done; 0 = 1 */
    unsigned steps;    /* points a run before it counts as a livelock; 0 = 200,000 */
    int cpus;          /* what sys says; 0 = 1 and 2 in turn */
    bool hold_monitor; /* the scheduler's monitor never gets its time: what it would mend shows */
    bool no_membarrier;
    unsigned spurious; /* one of so many futex waits ends for no reason or with -EINTR; 0 = none */
    uint64_t first;    /* the first seed */
};

/* Run the body under each seed; aborts the test at the first failure.  NULL options: defaults. */
void explore(const char *name, void (*body)(void *arg), void *arg,
             const struct explore_options *options);

/* A seed that failed once, by name: runs it and its batch. */
void explore_again(const char *name, void (*body)(void *arg), void *arg,
                   const struct explore_options *options, uint64_t seed);

/* ---- inside a body ---- */

/* A thread that the runtime did not start.  Join each. */
int explore_start(void *(*fn)(void *arg), void *arg);
void explore_join(int thread);

/* Which thread is this?  0 is the body's own. */
int explore_self(void);

/* Interrupt a thread at some point of its own choice, as a signal would: it runs fn(arg)
 * there.  A thread that has ended by then never does. */
void explore_interrupt(int thread, void (*fn)(void *arg), void *arg);
bool explore_delivered(int thread);

/* Randomness of the run: 0 .. n-1. */
uint32_t explore_choice(uint32_t n);

/* A place where the running thread may be preempted, for state of the test itself. */
void explore_point(void);

/* Let others run until `condition` holds; for states that nothing can be waited for with. */
#define explore_until(condition) \
    do {                         \
        while (!(condition))     \
            explore_pause();     \
    } while (0)
void explore_pause(void);

/* Virtual time. */
int64_t explore_now(void);

#endif
