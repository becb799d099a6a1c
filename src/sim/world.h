/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SIM_WORLD_H
#define HOCKET_SIM_WORLD_H

/*
 * world - what the files of the simulated world share, in the process that runs in it
 *
 *   world.c     points, and who goes on
 *   program.c   what the program asks
 *   world_sys.c the table of src/sys: time, sleep, chance
 *   atoms.c     points of the test build as places
 *   names.c     numbers of tasks and objects, the trace
 *   strategy.c  random, PCT, replay
 *   explore.c   the exhaustive search, one run of it
 *   run.c       the parent: seeds, children, the report
 *
 * Everything here is used by one OS thread and not by the loops of the scheduler while a task's own
 * code runs, so nothing is atomic.
 */
#include "park/world.h"
#include "sched/worker.h"
#include "sim/shared.h"

struct sim_task {
    hocket_task *task;
    uint64_t id;       /* of the task, to know a record that is used again */
    uint32_t number;   /* 1, 2, ... in order of first sight; 0: the slot is unused */
    uint32_t step;     /* places that it has come to */
    uint64_t priority; /* PCT */
    uint64_t ran;      /* W.turn when it was last chosen; 0: never */
    const char *what;  /* it is about to do, or waits in */
    uint32_t object;   /* with this; 0: may be any, or none */
    bool delayed;      /* others first, as long as there are any */
    bool kept;         /* sent off the CPU in an event: in W.kept */
    bool asleep;       /* EXHAUSTIVE: to go on with it would bring nothing new */
    bool killed;
    int within;                   /* of what cannot be left half done */
    unsigned inside;              /* in the world's own code: its points are no places */
    struct sim_task *next, *prev; /* in W.kept */
};

struct sim_world {
    struct sim_shared *shared;
    const struct sim_plan *plan;
    bool open;
    int64_t began; /* real time */
    bool quiet;    /* what happens is the world's doing: no place */
    int64_t now;
    int64_t tick; /* by which each place advances the clock */
    uint64_t turn;
    uint64_t random;          /* of the strategy */
    uint64_t chance;          /* of sys.random */
    struct sim_task *tasks;   /* by slot */
    struct sim_task *kept;    /* a ring */
    struct sim_task *current; /* who was chosen last; NULL: nobody, or it has ended */
    struct sim_task *thread;  /* it waits only so that others run, and could go on; or NULL */
    struct sim_task nobody;   /* counts the choices made when nobody has run before */
    struct sim_task *forced;  /* chosen already: the loop is to begin with it */
    struct sim_task **ready;
    uint32_t ready_count;
    uint32_t task_count;
    hocket_task *killed; /* by a sweep */
};

extern struct sim_world hocket__sim_world;

#define SIM_OWN UINT32_MAX /* sim_task.object: nothing that others could touch */

#define SIM_TASKS_MAX (1u << 20)

/* What a strategy is asked: who of W.ready goes on?  `self`: index of who runs, or -1. */
struct sim_question {
    int self;
    bool yields;
    bool time; /* the clock may jump to a deadline instead */
    bool atom; /* before an atomic operation: there are many of them */
};
enum { SIM_CLOCK = -1 };

/* world.c */
void hocket__sim_open(struct sim_shared *shared);
HOCKET_NORETURN void hocket__sim_fail(int failure, int value);
void *hocket__sim_map(size_t size); /* of the world's own; ends the run without memory */
void hocket__sim_place(const char *what, const void *object);
void hocket__sim_point_place(struct sim_task *self, const char *what, const void *object,
                             bool spins); /* of `self`, which runs */
void hocket__sim_thread_place(const char *what, const void *object, bool yields);
bool hocket__sim_jump(struct hocket__worker *w); /* to the first deadline; false: there is none */
struct sim_task *hocket__sim_running(void);      /* NULL: no task's code runs */
uint32_t hocket__sim_ready(struct hocket__worker *w);
extern void (*hocket__sim_failed)(void); /* instead of a quiet end of the process */

/* names.c */
struct sim_task *hocket__sim_task(hocket_task *task);
uint32_t hocket__sim_object(const void *object);
void hocket__sim_trace(struct sim_task *who, const char *what, uint32_t object);
void hocket__sim_trace_open(void);
void hocket__sim_trace_close(void);
void hocket__sim_describe_waits(char *text, size_t size);

/* strategy.c */
uint64_t hocket__sim_random(uint64_t *state);
void hocket__sim_strategy_start(void);
void hocket__sim_strategy_task(struct sim_task *t);
int hocket__sim_obvious(const struct sim_question *q);
int hocket__sim_pick(const struct sim_question *q);
uint32_t hocket__sim_draw(uint32_t n);
void hocket__sim_log(enum sim_choice_kind kind, uint32_t value);

/* replay.c */
void hocket__sim_replay_start(void);
const struct sim_choice *hocket__sim_replay_find(enum sim_choice_kind kind);

/* explore.c: one run of the exhaustive search */
int hocket__sim_explore_pick(const struct sim_question *q);
uint32_t hocket__sim_explore_draw(uint32_t n);

/* sweep.c */
void hocket__sim_sweep_open(struct hocket__sys *sys);
void hocket__sim_sweep_count(bool on);
void hocket__sim_sweep_wait(struct sim_task *t);  /* it has begun a wait */
void hocket__sim_sweep_place(struct sim_task *t); /* it has come to a place */
bool hocket__sim_sweep_interrupts(void);          /* the sleep that would begin now */
bool hocket__sim_sweep_shortens(void);            /* the transfer likewise */
void hocket__sim_sweep_touch(const char *what, const void *object); /* before its place */

/* world_sys.c */
void hocket__sim_sys_open(void);

#endif
