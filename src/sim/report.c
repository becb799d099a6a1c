/* SPDX-License-Identifier: MIT */
/* report - what happened, for people */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/session.h"

#define OUTPUT_MAX 4096

/* The end of what the run wrote. */
static void show_output(const struct sim_session *x)
{
    char text[OUTPUT_MAX];
    if (x->output < 0)
        return;
    int64_t end = lseek(x->output, 0, SEEK_END), from = x->output_from;
    if (end - from > OUTPUT_MAX)
        from = end - OUTPUT_MAX;
    ssize_t n = pread(x->output, text, sizeof text, (off_t)from);
    if (n > 0)
        fprintf(stderr, "%.*s%s", (int)n, text, text[n - 1] == '\n' ? "" : "\n");
}

void hocket__sim_report(struct sim_session *x)
{
    const struct sim_shared *s = x->shared;
    show_output(x);
    fprintf(stderr, "hocket: sim: seed %llu fails: %s\n", (unsigned long long)x->result.seed,
            s->message);
}
