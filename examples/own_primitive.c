/* SPDX-License-Identifier: MIT */
/*
 * own_primitive - a primitive of one's own, from one word: hocket_wait_on and hocket_wake
 *
 * A turnstile lets as many pass as were let in, and its waits have deadlines and can be
 * cancelled like all others.  The pattern is that of futex(2): try; sleep only if the word still
 * has the value that made the try fail; try again.
 */
#include <hocket.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

struct turnstile {
    hocket_word places;
};

static int turnstile_pass(struct turnstile *t, hocket_time deadline)
{
    uint32_t places = atomic_load(&t->places);
    for (;;) {
        while (places > 0) /* on failure the exchange has read the word again */
            if (atomic_compare_exchange_weak(&t->places, &places, places - 1))
                return 0;
        int err = hocket_wait_on(&t->places, 0, deadline);
        if (err < 0)
            return err;
        places = atomic_load(&t->places);
    }
}

static void turnstile_let_in(struct turnstile *t, uint32_t count)
{
    atomic_fetch_add(&t->places, count); /* change the word first, then wake */
    (void)hocket_wake(&t->places, count > INT_MAX ? INT_MAX : (int)count);
}

static struct turnstile gate;
static hocket_word passed;

static int visitor(void *arg)
{
    (void)arg;
    int err = turnstile_pass(&gate, HOCKET_FOREVER);
    if (err == 0)
        atomic_fetch_add(&passed, 1);
    return err;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    int err = 0;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 10 && err == 0; i++)
        err = hocket_spawn(&s, visitor, NULL);
    turnstile_let_in(&gate, 4);
    turnstile_let_in(&gate, 6);
    int failed = hocket_scope_close(&s);
    printf("%u passed\n", (unsigned)passed);
    int late = turnstile_pass(&gate, hocket_after(HOCKET_MS));
    printf("one more: %s\n", hocket_error_name(late));
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
