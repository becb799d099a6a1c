/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_LIVE_H
#define HOCKET_LIVE_H
#include <hocket/task.h>

/*
 * live - let `hocket top` look at this program while it runs
 *
 *     HOCKET_LIVE=1 ./server &
 *     hocket top server
 *
 * A thread of its own writes twice a second what the workers do, how many tasks wait for what, how full
 * the queues are, and which tasks wait longest, into a page of shared memory that exists only while it
 * is on.  A viewer of the same user reads that page and nothing else: it never stops the program, and
 * the program does not know of it.  HOCKET_LIVE=1 switches it on when the runtime starts, or the
 * program does by these calls.
 *
 *   Callers    threads and fibers alike, also without a runtime.  Not signal handlers.
 *   Queues     hocket_queue of every kind, hocket_delay_queue and each hocket_reader of a broadcast, with the
 *              values that it has not got; also those made before it was switched on: the 16 in which most
 *              values are, those of waiting putters too, then those with most getters.  Who waits to put
 *              into a broadcast stands at the readers that have not got its oldest value.
 *   Cost       50 looks at the workers and two at all tasks and queues a second; nothing in the tasks
 *              themselves, but that making or freeing a queue may wait while 64 others are looked at.
 *   Blocks     stop waits for the thread, some milliseconds; no cancel points.
 *
 *     if ((err = hocket_live_start()) < 0)
 *         fprintf(stderr, "no live view: %s\n", strerror(-err));
 */

HOCKET_BEGIN_DECLS

/* Switch it on.  0, -EALREADY, -ENOMEM, -EAGAIN (no thread), -ENOSYS, -EMFILE, -ENFILE. */
HOCKET_API HOCKET_MUST_CHECK int hocket_live_start(void);

/* Switch it off; the page is gone then.  Without a start nothing happens. */
HOCKET_API void hocket_live_stop(void);

HOCKET_END_DECLS
#endif
