/* SPDX-License-Identifier: MIT */
/* Jobs in a pool, each result as soon as it is there; in Python's words in doc/from-python.md. */
#include <errno.h>
#include <hocket.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 4 };

static const char *const words[WORDS] = { "hocket", "motet", "m0tet", "organum" };

static int measure(const void *input, size_t size, hocket_buffer *output)
{
    (void)output;
    if (strpbrk(input, "0123456789"))
        return hocket_fail(-EINVAL, "%s is no word", (const char *)input);
    return (int)size - 1;
}

static int program(void *arg)
{
    (void)arg;
    hocket_executor *ex;
    hocket_future *futures[WORDS] = { NULL };
    hocket_completed *done = NULL;
    hocket_time deadline = hocket_after(HOCKET_SEC);
    size_t i;
    int err = hocket_executor_new(&ex, "threads", HOCKET_EXECUTOR_OPTIONS(.workers = 2));
    if (err)
        return err;
    for (i = 0; i < WORDS && err == 0; i++)
        err = hocket_submit(ex, &futures[i], measure, words[i], strlen(words[i]) + 1);
    if (err == 0)
        err = hocket_completed_open(&done, futures, WORDS);
    while (err == 0 && (err = hocket_completed_next(done, &i, deadline)) == 0) {
        int result = hocket_future_result(futures[i]);
        if (result < 0)
            printf("failed: %s\n", hocket_future_error(futures[i])->message);
        else
            printf("%s: %d letters\n", words[i], result);
    }
    hocket_completed_close(done);
    for (i = 0; i < WORDS; i++)
        hocket_future_free(futures[i]);
    hocket_executor_free(ex);
    return err == -ENOENT ? 0 : err; /* -ENOENT: that was all */
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
