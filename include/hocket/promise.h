/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PROMISE_H
#define HOCKET_PROMISE_H
#include <hocket/future.h>

/*
 * promise - a future that you fill yourself
 *
 * For results that come from elsewhere than from an executor's job: an answer over a
 * connection, a child that ended, another library's callback.  Whoever will know the result holds
 * the promise, whoever waits for it the future.
 *
 *   Callers    threads and fibers alike; any number may try to set, the first one wins.
 *   Blocks     never.
 *   Order      what happens before a set happens before a get or wait that returns 0.
 *   Lifetime   promise and future are freed apart, in any order.  A promise that is freed
 *              before it was set is broken: the future's result is -EPIPE, with words.
 *   Cancel     hocket_future_cancel before start (or set) ends the future at once, with -ECANCELED;
 *              later it only makes hocket_promise_cancelled true.
 *
 *     hocket_promise *p;
 *     hocket_future *f;
 *     int err = hocket_promise_new(&p, &f);
 *     ...
 *     static void on_answer(void *context, const char *text)   // of some library
 *     {
 *         (void)hocket_promise_set(context, 0, text, strlen(text));
 *         hocket_promise_free(context);
 *     }
 *     ...
 *     err = hocket_future_get(f, &result, hocket_after(HOCKET_SEC));
 */
typedef struct hocket_promise hocket_promise;

HOCKET_BEGIN_DECLS

/* Make both ends.  0, -ENOMEM. */
HOCKET_API HOCKET_MUST_CHECK int hocket_promise_new(hocket_promise **ret_promise,
                                                    hocket_future **ret_future);

/*
 * Say that the work has begun: the future is running, and a cancel no longer ends it.  Not needed
 * before set.  0; -ECANCELED: the future was cancelled, nobody wants the result; -EALREADY: started
 * or set before.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_promise_start(hocket_promise *promise);

/*
 * Set the result and a copy of `size` bytes as output.  If the result is negative, the
 * words that hocket_fail has kept for the calling task go with it (and are the task's no more):
 *
 *     hocket_promise_set(p, hocket_fail(-EIO, "connection lost"), NULL, 0);
 *
 *   0           set: the future is done
 *   -EALREADY   set before; nothing has changed
 *   -ECANCELED  the future was cancelled before; likewise
 *   -ENOMEM     no memory for the output; it can still be set
 */
HOCKET_API int hocket_promise_set(hocket_promise *promise, int result, const void *output,
                                  size_t size);

/* Has somebody called hocket_future_cancel while the future was not done? */
HOCKET_API bool hocket_promise_cancelled(const hocket_promise *promise);

/* Give the promise back; NULL is ignored.  See Lifetime. */
HOCKET_API void hocket_promise_free(hocket_promise *promise);

HOCKET_END_DECLS
#endif
