/* SPDX-License-Identifier: MIT */
/*
 * outlives_its_data - a task works on data of a function that has returned
 *
 * Right: a scope around them, which waits.
 */
#include "catalogue.h"

struct request {
    bool alive; /* false: the frame is gone */
};

static struct request request;
static bool too_late;

static int serve(void *arg)
{
    struct request *r = arg;
    OK(hocket_yield());
    too_late = too_late || !r->alive;
    return 0;
}

static void handle(hocket_scope *scope)
{
    request.alive = true;
    OK(hocket_spawn(scope, serve, &request));
    OK(hocket_yield());
    request.alive = false;
}

static void handle_in_scope(void)
{
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    request.alive = true;
    OK(hocket_spawn(&s, serve, &request));
    OK(hocket_yield());
    OK(hocket_scope_close(&s));
    request.alive = false;
}

static int wrong(void *arg)
{
    (void)arg;
    hocket_scope all;
    hocket_scope_open(&all, NULL);
    handle(&all);
    OK(hocket_scope_close(&all));
    return too_late ? 1 : 0;
}

static int right(void *arg)
{
    (void)arg;
    handle_in_scope();
    return too_late ? 1 : 0;
}

const struct bug bug_outlives_its_data = { "outlives_its_data", wrong, right };
