/* SPDX-License-Identifier: MIT */
/*
 * clear_after_work - the event is cleared after the work was looked for: what came in between
 * is forgotten
 *
 * Right: clear first, then look.
 */
#include "catalogue.h"

static hocket_event news;
static hocket_mutex lock;
static int letters, read_letters;

static int post(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        hocket_mutex_lock(&lock);
        letters++;
        hocket_mutex_unlock(&lock);
        hocket_event_set(&news);
    }
    return 0;
}

static void empty_box(void)
{
    hocket_mutex_lock(&lock);
    read_letters += letters;
    letters = 0;
    hocket_mutex_unlock(&lock);
}

static int read_late(void *arg)
{
    (void)arg;
    while (read_letters < 2) {
        OK(hocket_event_wait(&news, HOCKET_FOREVER));
        empty_box();
        hocket_event_clear(&news);
    }
    return 0;
}

static int read_all(void *arg)
{
    (void)arg;
    while (read_letters < 2) {
        OK(hocket_event_wait(&news, HOCKET_FOREVER));
        hocket_event_clear(&news);
        empty_box();
    }
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(read_late, post);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(read_all, post);
}

const struct bug bug_clear_after_work = { "clear_after_work", wrong, right };
