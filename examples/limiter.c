/* SPDX-License-Identifier: MIT */
/*
 * limiter - at most three at a time, by a bounded semaphore
 *
 * A hundred tasks, three permits.  A release too many is refused: with it, four could get in.
 */
#include <hocket.h>
#include <stdatomic.h>
#include <stdio.h>

static hocket_sem permits = HOCKET_SEM_INIT_BOUNDED(3);
static atomic_int inside, most, served;

static int visitor(void *arg)
{
    (void)arg;
    int err = hocket_sem_acquire(&permits, hocket_after(10 * HOCKET_SEC));
    if (err)
        return err;
    int now = atomic_fetch_add(&inside, 1) + 1, seen = atomic_load(&most);
    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
        ;
    err = hocket_yield(); /* the others try to get in */
    atomic_fetch_sub(&inside, 1);
    atomic_fetch_add(&served, 1);
    (void)hocket_sem_release(&permits);
    return err;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    int err = 0;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 100 && err == 0; i++)
        err = hocket_spawn(&s, visitor, NULL);
    int failed = hocket_scope_close(&s);
    printf("%d served, %s at a time\n", served, most <= 3 ? "at most 3" : "too many");
    printf("%u permits of %u\n", (unsigned)hocket_sem_value(&permits),
           (unsigned)hocket_sem_bound(&permits));
    printf("one too many: %s\n", hocket_error_name(hocket_sem_release(&permits)));
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
