/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_MAP_H
#define HOCKET_TASK_MAP_H

/*
 * map - the one machine behind all forms of map; see map.c
 */
#include <hocket/map.h>

#include "task/executor.h"

struct hocket__map_item;

struct hocket_imap {
    hocket_executor *executor;
    hocket_call *call;
    hocket_map_next *next;
    void *context;
    bool as_completed, more; /* more: `next` has not said that there is none */
    size_t window, chunk;
    size_t chunk_now;                /* what the next job gets */
    size_t inputs;                   /* given by next so far */
    size_t given;                    /* jobs so far */
    struct hocket__map_item *items;  /* the window */
    struct hocket__map_item *free;   /* as completed: items not in use */
    struct hocket__map_item *loaded; /* has inputs, and could not be submitted yet */
    struct hocket__map_item *open;   /* its results are being given; `position` of them are */
    size_t position;
    hocket_map_result result;    /* the one given last */
    hocket_error plain;          /* for a result without words */
    struct hocket__words *words; /* of that result; borrowed; NULL: none */

    hocket__guard guard; /* everything below; `taken` changes in the mapping task only */
    size_t taken;        /* jobs whose results were all given */
    struct hocket__map_item *ready, **ready_tail;
    size_t pending; /* watches not called yet */
    bool draining;  /* waiting for all of them */
    hocket_task *waiting;
};

/* In place; destroy waits until no job of it runs, and says so of what nobody has seen. */
int hocket__imap_init(struct hocket_imap *m, hocket_executor *executor, hocket_call *call,
                      hocket_map_next *next, void *context, const hocket_map_options *options);
void hocket__imap_destroy(struct hocket_imap *m, hocket_task *self);

/* A copy for hocket_map_result_free, or NULL.  Words NULL: what result->error says is static. */
hocket_map_result *hocket__map_result_keep(const hocket_map_result *result,
                                           struct hocket__words *words);

#endif
