/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BASE_PANIC_H
#define HOCKET_BASE_PANIC_H

/*
 * panic - the end of a program that misuses the library
 *
 * One line on standard error, then abort():
 *
 *     hocket: panic: hocket_mutex_unlock: mutex 0x7ffe12 is not held (task robots, id 7)
 *
 * The message names the function first and the object after it.  The line is
 * made on the stack and goes out in one write(2): no allocation, no stdio, so a panic works
 * without memory, with any lock held and from a signal handler.  Formats are
 * kept to %s, %d, %u, %lu, %zu and %p, for which libc allocates nothing.
 */

#include <hocket/base.h>

HOCKET_NORETURN void hocket__panic(const char *format, ...) HOCKET_PRINTF(1, 2);

/*
 * Says who panics: fills `buffer` with "task NAME, id N" and returns true, or
 * returns false when the calling thread is no task.  NULL until src/park has the first record,
 * which stores it there; base knows no tasks.  Set it by hocket__panic_set_who.
 */
typedef bool hocket__panic_who_fn(char *buffer, size_t size);
void hocket__panic_set_who(hocket__panic_who_fn *who);

/*
 * Call `fn` once when the process is about to end without exit(3): after the line of a panic, and
 * at a second Ctrl-C.  It runs wherever that happens, perhaps in a signal handler, with any lock
 * held.
 */
void hocket__at_death(void (*fn)(void));
void hocket__dying(void);

/* Stands for assert(): in every build, for what cannot happen unless the library is wrong. */
#define hocket__require(condition)      \
    (__builtin_expect(!!(condition), 1) \
         ? (void)0                      \
         : hocket__panic("%s: internal error: %s", __func__, #condition))

#endif
