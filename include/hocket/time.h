/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TIME_H
#define HOCKET_TIME_H
#include <hocket/base.h>

/*
 * time - deadlines and durations
 *
 * One type for both: nanoseconds in 64 bits.  A *deadline* is a point of the
 * monotonic clock, a *duration* a difference.  Every call that waits takes an
 * absolute deadline as its last argument, so that a sequence of calls can
 * share one:
 *
 *     hocket_time until = hocket_after(2 * HOCKET_SEC);
 *     if ((err = hocket_sem_acquire(&slots, until)) == 0)
 *         err = hocket_queue_put(q, &item, until);
 */
typedef int64_t hocket_time;

#define HOCKET_NS  ((hocket_time)1)
#define HOCKET_US  (1000 * HOCKET_NS)
#define HOCKET_MS  (1000 * HOCKET_US)
#define HOCKET_SEC (1000 * HOCKET_MS)

/*
 * The deadline that has passed already: try, never wait.  Being 0 it is also what options that are
 * deadlines hold when they were not set; there it means none.
 */
#define HOCKET_NOW ((hocket_time)0)

/* The deadline that never comes. */
#define HOCKET_FOREVER INT64_MAX

HOCKET_BEGIN_DECLS

/* The monotonic clock now.  Never a cancel point. */
HOCKET_API hocket_time hocket_now(void);

/*
 * The deadline `duration` from now.  Saturates: hocket_after(HOCKET_FOREVER)
 * is HOCKET_FOREVER, a duration of zero or less is HOCKET_NOW.  Never a cancel point.
 */
HOCKET_API hocket_time hocket_after(hocket_time duration);

/*
 * Let at least `duration` pass; other tasks run meanwhile.  A cancel point.
 * Zero or less returns at once, after the check for cancellation.
 * 0, -ECANCELED.
 */
HOCKET_API int hocket_sleep(hocket_time duration);

/* As hocket_sleep, until a point in time; HOCKET_FOREVER sleeps until cancelled.  A cancel point. */
HOCKET_API int hocket_sleep_until(hocket_time deadline);

/*
 * Let the other tasks that are ready run first.  On an OS thread this is
 * sched_yield(2).  A cancel point.  0, -ECANCELED.
 */
HOCKET_API int hocket_yield(void);

HOCKET_END_DECLS
#endif
