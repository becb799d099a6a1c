/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PROFILE_H
#define HOCKET_PROFILE_H
#include <hocket/task.h>

/*
 * profile - where did the waiting go?
 *
 * While the wait profile is on, each wait that makes its task leave the CPU is counted when it ends: how
 * often, how long in all and how long at most, once by *place*, which is the kind of the object, the call
 * in the program and who held the object when the wait began, and once by *object*.
 *
 *     waits by place, 4.210 s in 1,203 waits
 *        total   count      max     mean  kind    where                     held by
 *      3.902 s     311  41.2 ms  12.5 ms  mutex   transfer+0x41             bookkeeper
 *      ...
 *
 *     hocket_profile_start();
 *     serve_for_a_while();
 *     hocket_profile_stop();
 *     err = hocket_profile_print(STDERR_FILENO);
 *
 * Or without a change to the program: HOCKET_PROFILE=1 writes both tables to standard error when it exits,
 * HOCKET_PROFILE=FILE to that file and the folded stacks to FILE.folded (%p in the name is the process id).
 *
 *   Callers    threads and fibers alike, also without a runtime.
 *   Cost       90 to 110 ns a wait (bench/trace, pass-profile less pass-off); nothing where nobody waits, and
 *              nothing while it is off.
 *   Memory     bounded: 1,024 places and objects a worker.  What does not fit is counted as "(others)".
 *   Limits     a wait that has not ended is not in it.  Tasks without a name share one: name those that
 *              hold locks.  Places are functions where the program was not stripped.
 *   Blocks     print and folded as long as writing takes; no cancel points.
 */

/* What entries are about. */
enum hocket_profile_by {
    HOCKET_PROFILE_PLACES = 0, /* kind, address and holder */
    HOCKET_PROFILE_OBJECTS = 1 /* kind and object */
};

typedef struct hocket_profile_entry {
    const char *kind;             /* "mutex", "queue"...; "(others)": what did not fit */
    const void *address;          /* of the call in the program; NULL: not known */
    const void *object;           /* what was waited for; it may not exist any more */
    char holder[HOCKET_NAME_MAX]; /* "": nobody in particular; "task": one without a name */
    uint64_t count;
    hocket_time total, max;
} hocket_profile_entry;

HOCKET_BEGIN_DECLS

/* Begin, or go on after a stop; what was counted before stays.  Waits under way do not count. */
HOCKET_API void hocket_profile_start(void);

/* Count no more. */
HOCKET_API void hocket_profile_stop(void);

/* Forget all that was counted. */
HOCKET_API void hocket_profile_reset(void);

/*
 * The first `max` entries, those with the longest total first, into ret_entries (NULL if max is 0).  Gives how
 * many there are; -ENOMEM, -EINVAL.
 */
HOCKET_API ptrdiff_t hocket_profile_list(int by, hocket_profile_entry *ret_entries, size_t max);

/* Write both tables, at most 40 lines each.  0, -ENOMEM, or what write(2) failed with, negative. */
HOCKET_API int hocket_profile_print(int fd);

/*
 * Write all places as folded stacks, a line each, for flamegraph.pl and its kin: the calls from the outermost,
 * then kind and holder, and the total in microseconds.  Errors as print.
 *
 *     main;serve;transfer;mutex;held by bookkeeper 3902113
 */
HOCKET_API int hocket_profile_folded(int fd);

HOCKET_END_DECLS
#endif
