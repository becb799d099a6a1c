/* SPDX-License-Identifier: MIT */
/*
 * A test of a mailbox under many interleavings.  The first form checks, then waits, with nothing that keeps the
 * two together: one schedule in many loses the wake-up, and the world finds it.  The second form is right.
 */
#include <hocket.h>

#include <errno.h>
#include <stdio.h>

static hocket_mutex mutex;
static hocket_cond cond;
static bool full, careless;

static int receive(void *arg)
{
    int err = 0;
    (void)arg;
    hocket_mutex_lock(&mutex);
    while (!full && err == 0)
        err = hocket_cond_wait(&cond, &mutex, HOCKET_FOREVER);
    hocket_mutex_unlock(&mutex);
    return err;
}

static int send(void *arg)
{
    (void)arg;
    if (!careless)
        hocket_mutex_lock(&mutex);
    full = true; /* careless: the receiver may be between its look and its wait */
    hocket_cond_signal(&cond);
    if (!careless)
        hocket_mutex_unlock(&mutex);
    return 0;
}

static int test(void *arg)
{
    hocket_scope scope;
    careless = arg != NULL;
    hocket_scope_open(&scope, NULL);
    int err = hocket_spawn(&scope, receive, NULL);
    if (err == 0)
        err = hocket_spawn(&scope, send, NULL);
    int closed = hocket_scope_close(&scope);
    return err ? err : closed;
}

int main(void)
{
    hocket_sim_result r = { 0 };
    hocket_sim_options o = HOCKET_SIM_OPTIONS_DEFAULT;
    o.result = &r;
    o.quiet = true; /* otherwise: what each task did, and how to do it again */
    int err = hocket_sim_run(test, "careless", &o);
    printf("without the lock: %s\n", err == -EDEADLK ? "deadlock" : hocket_error_name(err));
    printf("in few steps: %s\n", r.shrunk <= 3 ? "yes" : "no");
    o.seeds = 200;
    err = hocket_sim_run(test, NULL, &o);
    printf("with the lock: %s in %llu runs\n", hocket_error_name(err), (unsigned long long)r.runs);
    return err != 0;
}
