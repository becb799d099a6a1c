/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SIM_SHARED_H
#define HOCKET_SIM_SHARED_H

/*
 * shared - what the process that runs in a world and the one that started it both see
 *
 * One mapping, written by the parent before a run and by the run after that, never by both at a time;
 * so nothing in it is atomic, and whatever the run dies of, what it wrote is there.
 *
 * A schedule is told by what was not obvious in it.  Obvious is: who runs goes on; who yields or waits is
 * followed by the one who has not run for longest.  A choice says what happens instead, at the
 * `step`-th place that task `task` comes to.  A task's places are counted for itself, so a choice keeps
 * its meaning when an earlier one is taken away.
 */
#include <hocket/sim.h>

enum sim_choice_kind {
    SIM_GO = 1,   /* `value`: the task that goes on */
    SIM_TIME = 2, /* `value`: how often the clock jumps to the next deadline first */
    SIM_DRAW = 3  /* `value`: what hocket_sim_choice gives */
};

struct sim_choice {
    uint32_t task; /* 0: nobody runs */
    uint32_t step;
    uint32_t kind;
    uint32_t value;
};

/* One thing that happened. */
struct sim_event {
    int64_t time;
    uint32_t task;     /* who did it */
    uint32_t object;   /* 0: none */
    uint16_t what;     /* of words[] */
    uint16_t switched; /* somebody else was running before, and could have gone on: 1 */
};

#define SIM_CHOICES   (1u << 18)
#define SIM_EVENTS    (1u << 15) /* the last ones; a power of two */
#define SIM_WORDS     256
#define SIM_WORD_SIZE 24
#define SIM_NAMES     256
#define SIM_NODES     (1u << 13)
#define SIM_READY     16
#define SIM_VERSION   1
#define SIM_DEPTH_MAX 32

/* What a run is to do. */
struct sim_plan {
    uint32_t version; /* SIM_VERSION: a program may be linked to another library than its starter */
    bool told;        /* the starter tells what went wrong */
    bool atoms; /* atoms.h; only by a fork of the same program, so no other version's business */
    uint64_t seed;
    int strategy;
    uint32_t depth;
    uint32_t max_choices;
    int64_t max_delay;
    bool replay;       /* follow in[] */
    uint32_t in_count; /* choices in in[]; or EXHAUSTIVE: nodes whose choice is given */
    int sweep;         /* enum hocket_sim_event, 0: none */
    uint32_t sweep_at; /* which of them */
    char trace[512];   /* file; "" = none */
};

/* EXHAUSTIVE: one place where several could go on. */
struct sim_node {
    uint32_t count;  /* of ready; 0: a draw of `chosen` out of `draws` */
    uint32_t chosen; /* index */
    uint32_t draws;
    uint32_t ready[SIM_READY];  /* tasks */
    uint32_t object[SIM_READY]; /* that each is about to use; 0: it may be any */
    bool asleep[SIM_READY];     /* nothing new would come of it */
};

struct sim_shared {
    struct sim_plan plan;
    /* ---- written by the run */
    bool opened; /* there was a world */
    int exec_error;
    bool ended; /* it came to its end, or the world ended it */
    int failure;
    int value;
    uint32_t swept; /* events of the swept kind */
    bool pruned;    /* EXHAUSTIVE: a run like it was there before */
    bool crowded;   /* EXHAUSTIVE: more ready tasks or nodes than fit */
    char message[2048];
    uint64_t choices, hash;
    int64_t spent; /* ns of real time */
    uint32_t switches;
    uint32_t out_count;
    bool out_full;
    uint64_t event_count;
    uint32_t word_count, name_count, node_count;
    char words[SIM_WORDS][SIM_WORD_SIZE];
    char names[SIM_NAMES][SIM_WORD_SIZE]; /* by number; "" = none */
    struct sim_choice in[SIM_CHOICES], out[SIM_CHOICES];
    struct sim_event events[SIM_EVENTS];
    struct sim_node nodes[SIM_NODES];
};

#endif
