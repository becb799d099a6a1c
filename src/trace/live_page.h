/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_LIVE_PAGE_H
#define HOCKET_TRACE_LIVE_PAGE_H

/*
 * live_page - what a program shows of itself to `hocket top`
 *
 * The page is a memfd called LIVE_NAME that the program keeps open.  It is written as a whole: `seq` is odd
 * meanwhile, and another even number afterwards.  A reader copies the page between two readings of `seq`, and
 * again if they differ or are odd.  It must believe nothing: all counts are to be checked, and no text
 * need be terminated.
 */
#include <stdint.h>

#define LIVE_NAME    "hocket-live"
#define LIVE_MAGIC   UINT64_C(0x6576696c20746b68) /* "hkt live" */
#define LIVE_VERSION 2u
#define LIVE_WORKERS 64
#define LIVE_LINES   16
#define LIVE_TEXT    32

enum live_state { LIVE_SLEEPS, LIVE_SEARCHES, LIVE_RUNS, LIVE_BLOCKED, LIVE_SPARE };

struct live_worker {
    uint32_t index, queued;
    uint32_t load; /* of the last second, in thousandths */
    uint32_t state;
    uint64_t task_id; /* it runs, or 0 */
    char task[LIVE_TEXT];
};

/* All that wait for one object. */
struct live_wait {
    char kind[LIVE_TEXT];
    uint64_t object, tasks;
    uint64_t total, longest; /* ns until now */
    char task[LIVE_TEXT];    /* who waits longest */
    char holder[LIVE_TEXT];  /* for whom, or "" */
};

struct live_waiter {
    char name[LIVE_TEXT], kind[LIVE_TEXT];
    uint64_t id, object, waited; /* ns */
    uint32_t thread;             /* 1: placed on a thread */
    uint32_t padding;
};

/* Something is in it, or somebody waits for it. */
struct live_queue {
    char kind[LIVE_TEXT]; /* "fifo", "lifo", "priority", "rendezvous", "delay", "reader" */
    char task[LIVE_TEXT]; /* who waits longest, or "" */
    uint64_t object, length;
    uint64_t capacity; /* UINT64_MAX: no bound */
    uint64_t putters, getters;
    uint64_t longest; /* ns until now, of that task */
    uint32_t closed, padding;
};

struct live_page {
    uint64_t magic;
    uint32_t version, size; /* sizeof(struct live_page) */
    uint32_t pid, seq;
    uint64_t written;  /* ns of CLOCK_MONOTONIC */
    uint64_t age;      /* ns since it was switched on */
    uint64_t interval; /* ns between two writings */
    uint64_t tasks, waiting, running, ready, held, threads;
    uint64_t spawned, switches, steals, wakes; /* since the runtime started */
    uint32_t workers, workers_shown;
    uint32_t waits, waits_shown; /* objects that somebody waits for */
    uint32_t waiters_shown, queues_shown;
    uint64_t queues, queue_values; /* all there are, and what is in them */
    struct live_worker worker[LIVE_WORKERS];
    struct live_wait wait[LIVE_LINES];
    struct live_waiter waiter[LIVE_LINES];
    struct live_queue queue[LIVE_LINES]; /* the fullest, first */
};

#endif
