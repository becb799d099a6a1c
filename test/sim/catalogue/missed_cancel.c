/* SPDX-License-Identifier: MIT */
/*
 * missed_cancel - the flag is looked at before the wait, and nothing ends the wait when it is
 * set later
 *
 * Right: hocket_cancel, which also ends waits.
 */
#include "catalogue.h"

static bool stop;
static hocket_event work;

static int serve_flag(void *arg)
{
    (void)arg;
    while (!stop)
        OK(hocket_event_wait(&work, HOCKET_FOREVER));
    return 0;
}

static int stop_it(void *arg)
{
    (void)arg;
    stop = true;
    return 0;
}

static int serve(void *arg)
{
    (void)arg;
    int err;
    while ((err = hocket_event_wait(&work, HOCKET_FOREVER)) == 0)
        continue;
    return err;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(serve_flag, stop_it);
}

static int right(void *arg)
{
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    OK(hocket_spawn(&s, serve, arg));
    hocket_scope_cancel(&s);
    return hocket_scope_close(&s);
}

const struct bug bug_missed_cancel = { "missed_cancel", wrong, right };
