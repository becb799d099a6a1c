/* SPDX-License-Identifier: MIT */
/*
 * wait_profile - what did the tasks wait for, and for how long?
 *
 * Four tasks share a lock that each keeps over a sleep.  The profile shows that nearly all the waiting was
 * for that lock.  For a program as it is, HOCKET_PROFILE=1 prints the same tables when it exits.
 */
#include <hocket.h>
#include <stdio.h>
#include <unistd.h>

static hocket_mutex lock;

static int work(void *arg)
{
    (void)arg;
    int err = 0;
    for (int i = 0; i < 5 && err == 0; i++) {
        hocket_mutex_lock(&lock);
        err = hocket_sleep(HOCKET_MS); /* better done without the lock */
        hocket_mutex_unlock(&lock);
    }
    return err;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope scope;
    hocket_profile_entry entries[2], *most = &entries[0];
    hocket_profile_start();
    hocket_scope_open(&scope, NULL);
    int err = 0;
    for (int i = 0; i < 4 && err == 0; i++)
        err = hocket_spawn(&scope, work, NULL);
    int failed = hocket_scope_close(&scope);
    hocket_profile_stop();
    if (err || failed)
        return -1;
    if (hocket_profile_list(HOCKET_PROFILE_OBJECTS, entries, 2) < 2)
        return -1;
    if (most->object == &scope) /* our own wait, which is as long as the program runs */
        most = &entries[1];
    printf("most time went into waits for a %s%s\n", most->kind,
           most->object == &lock ? ": the lock" : "");
    return hocket_profile_print(STDERR_FILENO);
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
