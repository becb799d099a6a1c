/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_TRACE_OWNERS_H
#define TOOLS_TRACE_OWNERS_H
#include "trace/model.h"

/*
 * owners - what is known of each task and each lane while the model goes through a trace
 *
 * Tasks are in a table by their ids.  Of those that have ended the id stays, so that an event that
 * comes late finds that out, and nothing else: a trace may have a million of them.
 */
enum owner_state { OWNER_UNKNOWN, OWNER_READY, OWNER_RUN, OWNER_WAIT, OWNER_ENDED };

enum { OWNER_OPEN_MAX = 4096 }; /* pieces of one owner; a close looks through them */

struct open_piece {
    struct open_piece *next; /* opened before this one */
    struct model_piece piece;
    char name[];
};

struct owner {
    uint64_t id; /* 0: a lane */
    enum owner_state state;
    bool early_wake; /* woken before it had parked, by: */
    uint64_t early_waker;
    uint64_t next_holder; /* of the wait that is about to begin */
    uint64_t below;       /* the task that joined it in place */
    struct model_bar bar; /* the one that lasts */
    struct open_piece *open;
    unsigned open_count;
    uint64_t running; /* lane: the task it is with */
    bool ran;         /* lane: something said what it runs */
    bool known;       /* it is in `known` of its owners */
    struct owner *next_spare;
};

struct owner_slot {
    uint64_t id;         /* 0: free */
    struct owner *owner; /* NULL: it has ended */
};

struct owners {
    struct owner_slot *slots;
    size_t room, used;    /* room is a power of two */
    struct owner *spare;  /* those of tasks that have ended, by next_spare */
    struct owner **known; /* see owner_known; some may have ended since */
    size_t known_count, known_room;
    struct owner *lanes;
    uint32_t lane_count;
};

bool owners_start(struct owners *s, uint32_t lanes);
void owners_end(struct owners *s);
/*
 * Made if need be.  *ret is NULL for one that has ended.  False: no memory.
 */
bool owner_of(struct owners *s, uint64_t id, struct owner **ret);
/* Something is known of it until the next owners_forget, which gives it.  False: no memory. */
bool owner_known(struct owners *s, struct owner *o);
void owners_forget(struct owners *s, void (*forget)(void *context, struct owner *o), void *context);
struct owner *owner_find(struct owners *s, uint64_t id); /* NULL: none, or it has ended */

/* It has ended, and has no pieces open. */
void owner_end(struct owners *s, struct owner *o);

/* The pieces that an owner has open, as a stack; a close takes the innermost that fits. */
struct open_piece *owner_open(struct owner *o, enum model_piece_type type, uint64_t object,
                              const char *name);
struct open_piece *owner_close(struct owner *o, enum model_piece_type type, uint64_t object);
struct open_piece *owner_close_any(struct owner *o, bool but_spans);

#endif
