/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * progress - how far a job of so many bytes has got
 *
 * On a terminal a bar that is drawn over itself ten times a second; elsewhere,
 * if it was asked for, a line every second.  Any task may add bytes; whoever
 * comes when it is time draws, so no task of its own is needed and none waits.
 */
struct progress {
    bool shown;
    bool terminal;
    /* Relaxed atomics: they are for show and publish nothing. */
    uint64_t done, total; /* bytes */
    bool growing;         /* total is not final yet: no bar, no time left */
    int64_t next;         /* when to draw again; whoever moves it on draws */
    int64_t start;
};

enum progress_when { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

void progress_start(struct progress *p, enum progress_when when);

/* More to do, from the task that started it. */
void progress_expect(struct progress *p, uint64_t bytes);
/* No more will be expected. */
void progress_expected(struct progress *p);

/* Done so much more; from any task. */
void progress_add(struct progress *p, uint64_t bytes);

enum { PROGRESS_LINE = 320 };

/*
 * What is drawn at the time `at` where there are so many columns, at most one
 * line: " 45% [####----] 90 MB of 200 MB, 1.1 GB/s, 0:03 left", the bar only on a
 * terminal that has the room.  `out` takes PROGRESS_LINE bytes; the length.
 */
size_t progress_line(const struct progress *p, int64_t at, int columns, bool color, char *out);

/* Take the bar away. */
void progress_end(struct progress *p);

#endif
