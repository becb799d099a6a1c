/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_CATALOGUE_H
#define HOCKET_TEST_CATALOGUE_H

/*
 * catalogue - classic concurrency bugs as small programs, each with its repaired twin
 *
 * One file a bug.  Its head says what goes wrong and how it is put right; `wrong` and `right` are
 * bodies for hocket_sim_run, which return 0 if all is well.  Everything they use is public.  Each
 * run starts in a process of its own, so the state is in static variables that are zero at first.
 *
 * Plain memory that tasks share without a lock is what most of these bugs are about; there,
 * hocket_sim_point() says where another task could have come in between.
 */
#include <hocket.h>

struct bug {
    const char *name; /* of the file */
    hocket_task_fn *wrong, *right;
};

/* Check what can only fail for lack of memory, or if the bug is another than the one shown. */
#define OK(call)                                          \
    do {                                                  \
        if ((call) != 0)                                  \
            hocket_panic_here(__FILE__, __LINE__, #call); \
    } while (0)

_Noreturn void hocket_panic_here(const char *file, int line, const char *what);

/* Run the functions (up to 6, NULL ends) as tasks and wait for them: 0 if all returned 0. */
int together(hocket_task_fn *const *fns);
#define TOGETHER(...) together((hocket_task_fn *const[]){ __VA_ARGS__, NULL })

#endif
