/* SPDX-License-Identifier: MIT */
/*
 * follow-up - what to do when a future is done: another job, a callback, or go on with the first
 */
#include <hocket.h>
#include <stdio.h>
#include <string.h>

static int square(void *arg)
{
    int n = *(const int *)arg;
    return n * n;
}

/* A job of its own, which starts when the first one is done. */
static int half(hocket_future *squared, void *arg)
{
    (void)arg;
    int result = hocket_future_result(squared);
    return result < 0 ? result : result / 2;
}

/* Called by whoever ends the future. */
static int announce(hocket_future *f, void *arg)
{
    printf("%s: %d\n", (const char *)arg, hocket_future_result(f));
    return 0;
}

static int chain(hocket_executor *ex)
{
    static int six = 6;
    hocket_future *squared, *halved;
    int result, err = hocket_submit_fn(ex, &squared, square, &six);
    if (err)
        return err;
    err = hocket_future_then(squared, &halved, ex, half, NULL);
    hocket_future_free(squared); /* the follow-up keeps it */
    if (err)
        return err;
    if ((err = hocket_future_get(halved, &result, HOCKET_FOREVER)) == 0)
        printf("half of 6 squared: %d\n", result);
    hocket_future_free(halved);
    return err;
}

/* Three answers from elsewhere; the first one that comes is enough. */
static int race(void)
{
    hocket_promise *p[3];
    hocket_future *f[3];
    size_t first;
    for (int i = 0; i < 3; i++) {
        int err = hocket_promise_new(&p[i], &f[i]);
        if (err)
            return err;
    }
    (void)hocket_promise_set(p[1], 0, "here", sizeof "here");
    int err = hocket_future_wait_many(f, 3, HOCKET_WAIT_FIRST, &first, HOCKET_FOREVER);
    if (err == 0)
        printf("number %zu says '%s'\n", first, (const char *)hocket_future_output(f[first], NULL));
    for (int i = 0; i < 3; i++)
        hocket_promise_free(p[i]); /* two of them broken: nobody will answer */
    printf("number 2: %s\n", hocket_future_error(f[2])->message);
    for (int i = 0; i < 3; i++) {
        (void)hocket_future_error(f[i]); /* seen: nothing to report */
        hocket_future_free(f[i]);
    }
    return err;
}

static int program(void *arg)
{
    (void)arg;
    static int nine = 9;
    static char what[] = "9 squared";
    hocket_executor *ex;
    hocket_future *f;
    int err = hocket_executor_new(&ex, "fibers", NULL);
    if (err)
        return err;
    err = chain(ex);
    if (err == 0 && (err = hocket_submit_fn(ex, &f, square, &nine)) == 0) {
        err = hocket_future_on_done(f, announce, what);
        hocket_future_free(f);
    }
    hocket_executor_free(ex); /* waits for what still runs */
    return err ? err : race();
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
