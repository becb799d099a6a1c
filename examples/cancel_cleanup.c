/* SPDX-License-Identifier: MIT */
/*
 * cancel_cleanup - a cancelled task cleans up with calls that wait
 *
 * After a cancel every cancel point fails, also those of the cleanup.  A shield keeps the cancel
 * out; its deadline keeps the cleanup from taking for ever.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

static hocket_queue *log_lines;
static hocket_event started;

static int say(const char *line, hocket_time deadline)
{
    return hocket_queue_put(log_lines, &line, deadline);
}

static int session(void *arg)
{
    (void)arg;
    hocket_event_set(&started);
    int err = hocket_sleep_until(HOCKET_FOREVER); /* until cancelled */
    if (say("never said", HOCKET_FOREVER) != -ECANCELED)
        return -EPROTO; /* without a shield cleanup would fail like this */

    hocket_scope shield;
    hocket_scope_open(&shield,
                      HOCKET_SCOPE_OPTIONS(.shield = true, .deadline = hocket_after(HOCKET_SEC)));
    int said = say("goodbye", HOCKET_FOREVER);
    int closed = hocket_scope_close(&shield);
    return said ? said : closed ? closed : err;
}

static int program(void *arg)
{
    (void)arg;
    hocket_task *t;
    const char *line;
    int result, err = hocket_queue_new(&log_lines, sizeof line, NULL);
    if (err)
        return err;
    err = hocket_spawn_task(&t, NULL, session, NULL, HOCKET_SPAWN_OPTIONS(.name = "session"));
    if (err == 0) {
        err = hocket_event_wait(&started, HOCKET_FOREVER);
        hocket_cancel(t);
        if (err == 0)
            err = hocket_join(t, &result, hocket_after(10 * HOCKET_SEC));
        if (err == 0)
            printf("session ended with %s\n", hocket_error_name(result));
        while (hocket_queue_get(log_lines, &line, HOCKET_NOW) == 0)
            printf("it said: %s\n", line);
        hocket_task_release(t);
    }
    hocket_queue_free(log_lines);
    return err;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
