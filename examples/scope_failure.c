/* SPDX-License-Identifier: MIT */
/*
 * scope_failure - the first failure cancels the rest, and no failure is lost
 *
 * Four downloads run in one scope.  One fails; the others, which would have waited for ever,
 * are cancelled, and the scope's end says what happened.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

static const char *const urls[] = { "one", "two", "three", "four" };

static int fetch(void *arg)
{
    const char *url = *(const char *const *)arg;
    if (arg == &urls[2])
        return hocket_fail(-ENOENT, "fetch %s", url);
    return hocket_sleep_until(HOCKET_FOREVER); /* a cancel point: -ECANCELED */
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    const hocket_error *e;
    int err = 0;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.name = "downloads"));
    for (size_t i = 0; i < sizeof urls / sizeof urls[0] && err == 0; i++)
        err = hocket_spawn(&s, fetch, (void *)(uintptr_t)&urls[i]);
    if (err != 0)
        hocket_scope_cancel(&s); /* not all could be started: stop those that were */
    int first = hocket_scope_wait(&s);
    for (size_t n = 0; hocket_scope_error(&s, n, &e) == 0; n++)
        printf("%s: %s\n", e->message, hocket_error_text(e->code));
    printf("%zu failed, %zu still there\n", hocket_scope_failures(&s), hocket_scope_count(&s));
    int last = hocket_scope_close(&s);
    printf("%s, and again %s\n", hocket_error_name(first), hocket_error_name(last));
    return err;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
