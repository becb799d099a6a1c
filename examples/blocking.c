/* SPDX-License-Identifier: MIT */
/*
 * blocking - calls that block their thread, without holding up the other tasks
 *
 * read(2) from an empty pipe blocks a thread.  On a fiber it would block a worker with all its
 * tasks, and here the very task that is to write.  hocket_blocking hands it to a thread made for
 * that.  (With HOCKET_WORKERS=0 there are no such threads: then one must not wait like this.)
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int ends[2];

static int read_byte(void *arg)
{
    ssize_t n = read(ends[0], arg, 1);
    return n == 1 ? 0 : n == 0 ? -EPIPE : -errno;
}

static int reader(void *arg)
{
    (void)arg;
    char c;
    int err = hocket_blocking(read_byte, &c); /* this task waits, its worker goes on */
    if (err == 0)
        printf("got %c\n", c);
    return err;
}

static int writer(void *arg)
{
    (void)arg;
    int err = 0;
    hocket_blocking_begin(); /* the other way: for a few calls in a row */
    if (write(ends[1], "x", 1) != 1)
        err = -errno;
    hocket_blocking_end();
    return err;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    if (pipe(ends) != 0)
        return -errno;
    hocket_scope_open(&s, NULL);
    int err = 0;
    if (hocket_workers() > 0)
        err = hocket_spawn(&s, reader, NULL);
    if (err == 0)
        err = hocket_spawn(&s, writer, NULL);
    int failed = hocket_scope_close(&s);
    if (err == 0 && hocket_workers() == 0)
        err = reader(NULL); /* the byte is there already */
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
