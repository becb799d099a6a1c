/* SPDX-License-Identifier: MIT */
/* catalogue - what all entries use */
#include "catalogue.h"

#include <stdio.h>
#include <stdlib.h>

void hocket_panic_here(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    abort();
}

int together(hocket_task_fn *const *fns)
{
    hocket_scope s;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.keep_going = true));
    for (; *fns; fns++)
        OK(hocket_spawn(&s, *fns, NULL));
    return hocket_scope_close(&s);
}
