/* SPDX-License-Identifier: MIT */
/*
 * condition - wait until something that a mutex guards is true
 *
 * A ticket office: customers are served in the order of their numbers, whatever the order in which
 * they come.  The predicate is looked at with the mutex held; the wait releases it.
 */
#include <hocket.h>
#include <stdio.h>

#define CUSTOMERS 5

static hocket_mutex mutex;
static hocket_cond changed;
static int serving; /* under the mutex */

struct customer {
    int number;
};

static bool my_turn(void *arg)
{
    return serving == ((struct customer *)arg)->number;
}

static int customer(void *arg)
{
    struct customer *c = arg;
    int err;
    HOCKET_WITH(&mutex) {
        err = hocket_cond_wait_for(&changed, &mutex, my_turn, c, hocket_after(10 * HOCKET_SEC));
        if (err == 0) {
            printf("customer %d\n", c->number); /* in order: the mutex is held */
            serving++;
            hocket_cond_broadcast(&changed);
        }
    }
    return err;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    int err = 0;
    hocket_scope_open(&s, NULL);
    for (int i = CUSTOMERS; i-- > 0 && err == 0;) /* the last one first */
        err = hocket_spawn_copy(&s, customer, &(struct customer){ i }, sizeof(struct customer));
    int failed = hocket_scope_close(&s);
    printf("%u wait\n", (unsigned)hocket_cond_waiting(&changed));
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
