/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_DUMP_H
#define HOCKET_TRACE_DUMP_H

/*
 * dump - what the files of the dump share
 *
 * A dump is made in two goes over the records: dump_collect.c notes who there is and which scopes
 * are open, dump_tree.c sorts that and writes it, reading each task once more.  In between tasks
 * come and go, so each reading stands for itself and is checked against the id.
 *
 * Room for the notes is mapped; where that fails a small static table serves, and what does not
 * fit in is written as a plain list.  There is one dump at a time, and its state is static.
 */
#include "park/record.h"
#include "trace/backtrace.h"
#include "trace/out.h"

enum hocket__dump_state {
    HOCKET__DUMP_HELD,
    HOCKET__DUMP_READY,
    HOCKET__DUMP_RUNNING,
    HOCKET__DUMP_WAITING,
    HOCKET__DUMP_STATES
};

/* One task; 40 bytes. */
struct hocket__dumped {
    uint64_t id;
    uint64_t key;     /* equal: shown as one; after sorting the id of the first of them */
    const void *home; /* its scope: compared, never followed */
    uint32_t slot;
    uint8_t state; /* enum hocket__dump_state */
    bool owner;    /* has scopes open */
    bool shown;
};

struct hocket__dumped_scope {
    const void *scope;
    uint32_t owner; /* slot; 0: the runtime's */
    uint32_t depth; /* how many of the owner's lie inside of it */
    hocket_time deadline;
    bool cancelled, shield;
    char name[HOCKET_NAME_MAX];
};

struct hocket__dump {
    struct hocket__out out;
    bool in_handler;
    const void *context; /* that the handler interrupted, or NULL */
    hocket_time now;
    struct hocket__dumped *tasks;
    struct hocket__dumped_scope *scopes;
    uint32_t task_count, task_room, scope_count, scope_room;
    uint32_t by_state[HOCKET__DUMP_STATES];
    uint32_t missed; /* tasks for which there was no room */
    unsigned asked;  /* tasks whose answer is kept: dump_running.c */
};

/* What one look at a task gives; `stack` is looked at only when asked for. */
struct hocket__look {
    hocket_task *task;
    uint64_t id;
    enum hocket__dump_state state;
    const struct hocket__wait_class *cls; /* NULL: not waiting */
    const void *object;
    hocket_time deadline, since;
    bool on_top;  /* a joiner whose child runs on its stack */
    bool stacked; /* `frames` are good */
    struct hocket__frames frames;
    enum hocket__sample_answer refused; /* why they are not, if it runs and this is not GOOD */
    char thread_state;                  /* with SILENT */
};

/* ---- dump_collect.c */
void hocket__dump_collect(struct hocket__dump *d);
/* The same without a backtrace.  False if the record is nobody's, or its task has ended. */
bool hocket__dump_state_of(hocket_task *t, struct hocket__look *l);
bool hocket__dump_look(struct hocket__dump *d, hocket_task *t, struct hocket__look *l);

/* ---- dump_running.c */
/* Asks the thread that runs it; false: then `refused` may say why. */
bool hocket__dump_running(struct hocket__dump *d, struct hocket__look *l);
struct hocket__worker *hocket__dump_worker_of(const hocket_task *t); /* that runs it, or NULL */
uintptr_t hocket__dump_stack_end(const hocket_task *self);           /* 0: not a fiber's */

/* ---- dump_tree.c */
void hocket__dump_tree(struct hocket__dump *d);
void hocket__dump_list(struct hocket__dump *d); /* of those for whom there was no room */

/* ---- dump_task.c */
/* All of one task, or of `count` alike; `longest` is the longest wait among them. */
void hocket__dump_task(struct hocket__dump *d, const struct hocket__look *l, unsigned depth,
                       const struct hocket__dumped *alike, uint32_t count);
void hocket__dump_frames(struct hocket__dump *d, const struct hocket__frames *f, unsigned depth);
void hocket__dump_name(struct hocket__dump *d, const hocket_task *t, uint64_t id);

/* ---- dump_cycle.c: what those who find deadlocks are to call */
void hocket__dump_start(void);

/* ---- dump.c */
/* All of it, in a handler with its context, else NULL; 0, -EBUSY, or a write's error. */
int hocket__dump_to(int fd, const void *context);

/* NULL: somebody else makes one (in handlers), or the stacks are just being given back. */
struct hocket__dump *hocket__dump_begin(int fd, const void *context);
int hocket__dump_end(struct hocket__dump *d); /* 0 or a write's error */

/*
 * The right to use trace/names.h, of which there is one: a dump has it, and whoever else names
 * calls. False, in a handler alone (or for who says so): somebody has it.
 */
bool hocket__dump_take(bool in_handler);
void hocket__dump_give_back(void);

#endif
