/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_EXPLORE_WORLD_H
#define HOCKET_TEST_EXPLORE_WORLD_H
/*
 * explore_world - what the files of the explorer share
 *
 *   explore.c            batches, children, reports            (the parent)
 *   explore_world.c      points and hand-overs of one run      (the child)
 *   explore_sys.c        the table of src/sys in it
 *   explore_strategy.c   who runs next
 *
 * Only the thread that has the baton touches the world, so nothing in it is atomic.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "support/explore.h"
#include "sys/sys.h"

#define EXPLORE_THREADS 64
#define EXPLORE_BATCH   32
#define EXPLORE_RING    64
#define EXPLORE_PCT_MAX 4

enum explore_state {
    EXPLORE_UNBORN, /* its creator is at it */
    EXPLORE_RUNNABLE,
    EXPLORE_SLEEPING,
    EXPLORE_JOINING,
    EXPLORE_FINISHED
};

struct explore_thread {
    int id;
    enum explore_state state;
    bool used;    /* not joined yet */
    bool yielded; /* spins: others first */
    bool held;    /* its time-outs never come */
    bool handler; /* runs an interrupt */
    bool detached;
    int end_rounds;            /* of its key destructor */
    const volatile void *addr; /* SLEEPING: the word; JOINING: the other thread */
    int64_t deadline;
    uint64_t asleep;     /* order of falling asleep */
    int result;          /* of the sleep */
    uint64_t away_until; /* step: not to run before, if others can */
    uint64_t priority;   /* PCT: higher runs first */
    void (*interrupt)(void *arg);
    void *interrupt_arg;
    const char *file; /* where it is: the last point */
    int line;
    int kind;
    _Atomic uint32_t baton; /* futex: 1 = run */
    _Atomic uint32_t ready; /* futex: 1 = its OS thread has come up */
    struct hocket__thread os;
    void *(*fn)(void *arg);
    void *arg;
    char name[16];
};

/* One change of threads, for the report. */
struct explore_switch {
    uint64_t step;
    int64_t time;
    int from, to;
    const char *file;
    int line;
};

/* Shared by a child and its parent. */
struct explore_shared {
    uint64_t seed; /* being run */
    uint64_t hash[EXPLORE_BATCH];
    uint64_t points, switches, runs;
    struct explore_switch ring[EXPLORE_RING];
    uint64_t ring_count;
    char message[4096]; /* why the explorer itself ended it; "" = it did not */
};

struct explore_strategy {
    uint64_t random;
    bool pct;
    uint32_t preempt;                 /* random: probability of a switch at a point, of 2^32 */
    uint64_t change[EXPLORE_PCT_MAX]; /* PCT: steps at which the running thread sinks */
    uint64_t lowest;                  /* PCT: priorities below all that were given so far */
    uint64_t clock;                   /* PCT: priority of time passing */
};

struct explore_world {
    struct explore_options options;
    struct explore_shared *shared;
    struct explore_thread threads[EXPLORE_THREADS];
    int count;
    int current;
    int64_t now;
    uint64_t steps;
    uint64_t slept;
    uint64_t hash;
    bool pick_anew; /* somebody became runnable */
    int verbose;    /* 1: switches, 2: points */
    struct explore_strategy strategy;
};

extern struct explore_world explore__world;

enum { EXPLORE_NOBODY = -1, EXPLORE_CLOCK = -2 };

/* strategy.c */
uint64_t explore__random(void);
void explore__strategy_start(uint64_t seed);
void explore__strategy_thread(struct explore_thread *t);
bool explore__strategy_preempts(struct explore_thread *t, bool spins);
int explore__strategy_pick(void); /* a thread, EXPLORE_CLOCK, or EXPLORE_NOBODY */

/* sys.c */
void explore__sys_open(int cpus);
struct explore_thread *explore__thread_new(void *(*fn)(void *arg), void *arg, const char *name);

/* world.c */
struct explore_thread *explore__me(void); /* NULL: not one of ours */
void explore__me_set(struct explore_thread *t);
void explore__word_wait(_Atomic uint32_t *word);
void explore__word_post(_Atomic uint32_t *word);
void explore__make_runnable(struct explore_thread *t, int result);
int explore__pick(void);
void explore__hand_over(struct explore_thread *from, int next);
void explore__reschedule(struct explore_thread *t);
void explore__world_open(const struct explore_options *options, struct explore_shared *shared,
                         int cpus);
void explore__world_run(uint64_t seed, void (*body)(void *arg), void *arg);
bool explore__can_run(const struct explore_thread *t);
int64_t explore__next_deadline(void);
_Noreturn void explore__die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
