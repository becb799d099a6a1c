/* SPDX-License-Identifier: MIT */
/*
 * live - a program that lets `hocket top` look at it
 *
 *     ./live 60 &              works for a minute
 *     hocket top live          in another terminal; q ends it
 *
 * Four tasks count under one lock and put what they counted into a queue without bound.  Whoever gets it is
 * slower: the view shows a lock that is waited for, and a queue that grows.
 *
 * Instead of the call, HOCKET_LIVE=1 in the environment does the same for any program.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hocket_mutex counter_lock;
static hocket_queue *counts;
static long counter;

static int count(void *arg)
{
    hocket_time end = *(hocket_time *)arg;
    int err;
    do {
        hocket_mutex_lock(&counter_lock);
        long n = ++counter;
        err = hocket_sleep(100 * HOCKET_US);
        hocket_mutex_unlock(&counter_lock);
        if (err == 0)
            err = hocket_queue_put(counts, &n, HOCKET_FOREVER);
    } while (err == 0 && hocket_now() < end);
    return err;
}

static int get(void *arg)
{
    hocket_time end = *(hocket_time *)arg;
    int err;
    long n;
    while ((err = hocket_queue_get(counts, &n, end)) == 0)
        if ((err = hocket_sleep(HOCKET_MS)) != 0)
            break;
    return err == -ETIMEDOUT ? 0 : err;
}

static int program(void *arg)
{
    hocket_time end = hocket_after(*(hocket_time *)arg);
    hocket_scope scope;
    int err = hocket_live_start();
    if (err < 0 && err != -EALREADY) { /* by HOCKET_LIVE */
        fprintf(stderr, "no live view: %s\n", strerror(-err));
        return err;
    }
    if ((err = hocket_queue_new(&counts, sizeof(long),
                                HOCKET_QUEUE_OPTIONS(.capacity = HOCKET_UNBOUNDED))) < 0)
        return err;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 5 && err == 0; i++)
        err = hocket_spawn(&scope, i < 4 ? count : get, &end);
    int failed = hocket_scope_close(&scope);
    hocket_live_stop();
    hocket_queue_free(counts);
    printf("counted: %s\n", counter > 0 ? "yes" : "no");
    return err < 0 ? err : failed;
}

int main(int argc, char **argv)
{
    hocket_time span = argc > 1 ? atoi(argv[1]) * HOCKET_SEC : 20 * HOCKET_MS;
    return hocket_run(program, &span) != 0;
}
