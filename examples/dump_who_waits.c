/* SPDX-License-Identifier: MIT */
/*
 * dump_who_waits - what a program knows of its own waits
 *
 * A shift of workers waits for the whistle, two more for the one hammer.  The dump on standard
 * error says all of it; hocket_stats gives the numbers, for a status page or a test.  At the end
 * nothing may be left.
 */
#include <hocket.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static hocket_event whistle;
static hocket_mutex hammer;

static int waits_for_the_whistle(void *arg)
{
    (void)arg;
    return hocket_event_wait(&whistle, HOCKET_FOREVER);
}

static int holds_the_hammer(void *arg)
{
    hocket_mutex_lock(&hammer);
    int err = waits_for_the_whistle(arg);
    hocket_mutex_unlock(&hammer);
    return err;
}

static size_t waits_for(const hocket_stats_info *s, const char *kind)
{
    for (size_t i = 0; i < s->wait_kinds; i++)
        if (strcmp(s->waits[i].kind, kind) == 0)
            return s->waits[i].count;
    return 0;
}

static int program(void *arg)
{
    hocket_scope shift;
    hocket_stats_info s;
    int err = 0;
    (void)arg;
    hocket_scope_open(&shift, HOCKET_SCOPE_OPTIONS(.name = "shift"));
    for (int i = 0; i < 5 && err == 0; i++)
        err = hocket_spawn(&shift, waits_for_the_whistle, NULL);
    for (int i = 0; i < 3 && err == 0; i++)
        err = hocket_spawn(&shift, holds_the_hammer, NULL);
    if (err)
        hocket_scope_cancel(&shift);

    do { /* until all of them wait */
        if (err == 0)
            err = hocket_yield();
        hocket_stats(&s);
    } while (err == 0 && waits_for(&s, "event") + waits_for(&s, "mutex") < 8);
    printf("%zu wait for the whistle, %zu for the hammer\n", waits_for(&s, "event"),
           waits_for(&s, "mutex"));
    (void)hocket_dump(STDERR_FILENO); /* the five and the one with the hammer are an entry each */

    hocket_event_set(&whistle);
    int failed = hocket_scope_close(&shift);
    hocket_assert_quiet(NULL); /* panics and names them, should anybody be left */
    printf("quiet\n");
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
