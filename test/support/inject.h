/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_INJECT_H
#define HOCKET_TEST_INJECT_H
/*
 * inject - the n-th call that may fail does, and what was taken is counted
 *
 *     inject_install();                          // before anything else of the library
 *     HK_EXPECT(inject_sweep(INJECT_MAP, program, NULL) > 0);
 *
 * The sweep runs the program with the first call of that kind failing, then with
 * the second, and so on until none is left to fail; once with only that call failing and
 * once with all from there on.  Each time the program must come back with 0 or an
 * error that the kind allows; then it must work again and nothing may be left behind:
 * blocks, mappings and threads are counted.
 *
 * A failed expectation says which call had failed (one line on standard error).
 *
 * inject_disturb makes sleeps in the kernel end for no reason, or with -EINTR.
 */
#include <stdbool.h>
#include <stddef.h>

enum inject_kind {
    INJECT_NOTHING,
    INJECT_ALLOC,   /* hocket_set_allocator: -ENOMEM */
    INJECT_MAP,     /* sys.map */
    INJECT_GUARD,   /* sys.guard says -EINVAL, as an older kernel does */
    INJECT_PROTECT, /* sys.protect: no more mappings */
    INJECT_THREAD,  /* sys.thread_start: -EAGAIN */
    INJECT_KINDS
};

struct inject_counts {
    long blocks, maps, threads; /* taken and not given back */
};

void inject_install(void);

/* Fail the nth call of the kind from now on (1 is the next); `rest`: and all after it. */
void inject_fail(enum inject_kind kind, unsigned nth, bool rest);

/* No more failures.  Did the one that was asked for happen? */
bool inject_off(void);

struct inject_counts inject_counts(void);

/* How many calls of the kind the program makes.  See the head. */
unsigned inject_sweep(enum inject_kind kind, int (*program)(void *arg), void *arg);

/* One of so many sleeps ends early; 0 = none. */
void inject_disturb(unsigned one_of);

#endif
