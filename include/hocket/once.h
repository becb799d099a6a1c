/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_ONCE_H
#define HOCKET_ONCE_H
#include <hocket/time.h>

/*
 * once - a function that runs once, however many call for it
 *
 * The first caller runs the function, the others wait until it is done.  If it
 * fails, it has not been done: the next caller tries again.
 *
 *   Callers    threads and fibers alike.  Not signal handlers.
 *   Blocks     do, while another task runs the function; a cancel point on every call.
 *              Nothing else.
 *   Order      the end of the function happens before each do that returns 0 and each
 *              done that returns true.
 *   Lifetime   all-zero: not done.  It must outlive every call.
 *
 *     static hocket_once opened;
 *     if (!hocket_once_done(&opened) &&                      // a load, inline
 *         (err = hocket_once_do(&opened, open_log, NULL, HOCKET_FOREVER)) < 0)
 *         return err;
 *
 * The members are private.
 */
typedef struct hocket_once {
    uint32_t hocket__word;
    uint32_t hocket__guard;
    void *hocket__head;
} hocket_once;

/* Not done, the same as all-zero. */
#define HOCKET_ONCE_INIT \
    {                    \
        0, 0, NULL       \
    }

/* What runs once; a negative result means failure. */
typedef int hocket_once_fn(void *arg);

/* Private: the value of the word once it is done. */
#define HOCKET__ONCE_DONE 0x80000000u

HOCKET_BEGIN_DECLS

/*
 * Run fn(arg) unless that was done.
 *
 *   0           done, by this call or before
 *   -ETIMEDOUT  the deadline passed while another task ran it; the deadline does not
 *               end fn itself (HOCKET_NOW: run it, but wait for nobody)
 *   -ECANCELED  the calling scope was cancelled; fn may see to that itself
 *   -EDEADLK    fn calls for itself, or who runs it waits for the caller
 *   otherwise   fn ran in this call and returned this; it is not done
 *
 * A cancel point, also if it is done.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_once_do(hocket_once *once, hocket_once_fn *fn, void *arg,
                                                hocket_time deadline);

/* Is it done?  An acquiring load, inline as well. */
HOCKET_API bool hocket_once_done(const hocket_once *once);

#if defined(__GNUC__) && !defined(HOCKET_NO_INLINE)
extern inline __attribute__((gnu_inline)) bool hocket_once_done(const hocket_once *once)
{
    return __atomic_load_n(&once->hocket__word, __ATOMIC_ACQUIRE) == HOCKET__ONCE_DONE;
}
#endif

HOCKET_END_DECLS
#endif
