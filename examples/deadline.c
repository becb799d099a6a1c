/* SPDX-License-Identifier: MIT */
/*
 * deadline - one deadline for a sequence of calls
 *
 * Deadlines are points of time, not lengths, so what one call has used up is gone for the
 * next: the request below takes a fifth of a second in all, whichever of its steps waits.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

static hocket_sem slots = HOCKET_SEM_INIT(1);
static hocket_mutex table;
static hocket_event answered; /* nobody ever answers */

static int request(hocket_time deadline)
{
    int err = hocket_sem_acquire(&slots, deadline);
    if (err)
        return hocket_fail(err, "no slot");
    err = hocket_mutex_lock_until(&table, deadline);
    if (err == 0) {
        hocket_mutex_unlock(&table);
        err = hocket_event_wait(&answered, deadline);
        if (err)
            (void)hocket_fail(err, "no answer");
    }
    (void)hocket_sem_release(&slots);
    return err;
}

static int program(void *arg)
{
    (void)arg;
    hocket_time begin = hocket_now();
    int err = request(hocket_after(200 * HOCKET_MS));
    hocket_time took = hocket_now() - begin;
    printf("%s: %s\n", hocket_fail_words()->message, hocket_error_name(err));
    printf("%s\n", took >= 200 * HOCKET_MS ? "not before its time" : "too early");
    hocket_fail_clear(); /* handled */

    err = hocket_event_wait(&answered, HOCKET_NOW); /* a try */
    printf("now: %s\n", hocket_error_name(err));
    printf("for ever and a day: %s\n",
           hocket_after(HOCKET_FOREVER) == HOCKET_FOREVER ? "for ever" : "overflow");
    return 0;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
