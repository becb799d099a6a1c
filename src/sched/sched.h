/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SCHED_SCHED_H
#define HOCKET_SCHED_SCHED_H

/*
 * sched - what src/task needs of the scheduler
 */

#include <hocket/runtime.h>

#include "park/wait.h"

struct hocket__sched_config {
    int workers;          /* 0 = everything on the thread that waits */
    bool seat;            /* worker 0 is a thread that waits (hocket_run, or no workers) */
    hocket_task *host;    /* it alone, until hocket__sched_seat_free; NULL: whoever waits */
    int max_blocking;     /* 0 = none: blocking calls run where they are made */
    hocket_time watchdog; /* HOCKET_FOREVER = off */
    void (*run)(hocket_task *task);                     /* call the task's function and end it */
    void (*start_failed)(hocket_task *task, int error); /* end a task that could not be started */
    /* So many tasks of it have ended. */
    void (*left)(struct hocket__cancel_scope *scope, uint32_t count);
    void (*report)(hocket_task *task, hocket_time ran); /* watchdog; may be NULL */
    void (*pending)(void); /* called by a worker after hocket__sched_interrupt */
    void (*late)(void);    /* called by the monitor if no worker has come to that */
    /* sched/quiet.h; NULL: nobody looks.  May something happen that the scheduler knows nothing of?
     * for_cancel: some task sleeps until it is cancelled. */
    bool (*outside)(bool for_cancel);
    void (*quiescent)(void); /* nothing will ever go on; may return */
};

extern void (*hocket__sched_late)(void); /* the config's, kept */

/* Start and stop; one runtime a process, serialised by the caller. */
int hocket__sched_start(const struct hocket__sched_config *config);
void hocket__sched_stop(void);

/* Make the calling native thread a worker until its own wait is decided (hocket__drive). */
bool hocket__sched_drive(hocket_task *self, hocket_time deadline);

/* The host is about to run the program's code: others who wait may drive now. */
void hocket__sched_seat_free(void);

/* Async-signal-safe: make some worker call config->pending soon. */
void hocket__sched_interrupt(void);

/*
 * Around what runs on this native thread: tasks or loops.  It panics if the thread ends in
 * between.  forget: give back what enter keeps for the next time.
 */
void hocket__native_enter(bool fibers);
void hocket__native_leave(void);
void hocket__native_forget(void);

/* Blocking calls (blocking.c). */
int hocket__sched_blocking(hocket_task *self, hocket_task_fn *fn, void *arg, int *ret_result);
void hocket__sched_blocking_begin(void);
void hocket__sched_blocking_end(void);

bool hocket__sched_on_worker(void);
int hocket__sched_workers(void);
void hocket__sched_stats(hocket_runtime_stats *stats);

#endif
