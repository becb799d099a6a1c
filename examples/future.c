/* SPDX-License-Identifier: MIT */
/*
 * future - what a submitted job will give: a result, bytes, or the words of a failure
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int shout(const void *input, size_t size, hocket_buffer *output)
{
    const char *text = input;
    if (size < 2)
        return hocket_fail(-EINVAL, "nothing to shout");
    for (const char *c = text; *c; c++) {
        char upper = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        int err = hocket_buffer_append(output, &upper, 1);
        if (err)
            return err;
    }
    return hocket_buffer_append(output, "!", 2);
}

static int wait_for_ever(void *arg)
{
    return hocket_event_wait(arg, HOCKET_FOREVER);
}

static void show(const char *name, hocket_future *f)
{
    int result, err = hocket_future_get(f, &result, HOCKET_FOREVER);
    if (err)
        printf("%s: waiting failed: %s\n", name, hocket_error_name(err));
    else if (result < 0)
        printf("%s: %s (%s)\n", name, hocket_future_error(f)->message, hocket_error_name(result));
    else
        printf("%s: %s\n", name, (const char *)hocket_future_output(f, NULL));
    hocket_future_free(f);
}

static int program(void *arg)
{
    (void)arg;
    hocket_executor *ex;
    hocket_future *good, *bad, *endless;
    static hocket_event never;
    int err = hocket_executor_new(&ex, "fibers", NULL);
    if (err)
        return err;
    if ((err = hocket_submit(ex, &good, shout, "hocket", sizeof "hocket")) == 0)
        show("good", good);
    if (err == 0 && (err = hocket_submit(ex, &bad, shout, "", 1)) == 0)
        show("bad", bad);
    if (err == 0 && (err = hocket_submit_fn(ex, &endless, wait_for_ever, &never)) == 0) {
        int early = hocket_future_wait(endless, hocket_after(HOCKET_MS));
        printf("after a millisecond: %s\n", hocket_error_name(early));
        (void)hocket_future_cancel(endless);
        show("endless", endless);
    }
    hocket_executor_free(ex); /* waits for what still runs */
    return err;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
