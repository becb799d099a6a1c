/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_TOP_H
#define TOOLS_TOP_H
#include "../../src/trace/live_page.h"
#include "common/output.h"

#include <stdbool.h>

/*
 * top - the page that a program shows of itself, and showing it
 */
struct top {
    const char *name; /* as given: a number or a name */
    long pid;
    int fd; /* of the page */
};

/* Find the process and open its page.  0, or 1 with a complaint written. */
int top_open(struct top *t);
void top_close(struct top *t);

enum { TOP_READ, TOP_ENDED, TOP_WRONG };

/* A consistent copy, checked; TOP_WRONG with a complaint written. */
int top_read(const struct top *t, struct live_page *ret);

/* Is the program still there? */
bool top_alive(const struct top *t);

struct top_view {
    int width, height; /* 0: as many lines as there are */
    bool color;
    const struct live_page *before; /* for rates; NULL: none */
};

void top_text(struct output *o, const struct top *t, const struct live_page *p,
              const struct top_view *view);
void top_json(struct output *o, const struct live_page *p);

#endif
