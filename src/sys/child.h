/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_CHILD_H
#define HOCKET_SYS_CHILD_H

/*
 * child - processes of our own that are to be looked at when they have ended
 *
 * For the simulated world, whose every run is a child: memory that both see, a place for what the
 * child writes, and a limit to its time.  Not for use while other threads of ours run.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory that children share, and the file behind it (close-on-exec).  0, -errno. */
int hocket__shared_map(size_t size, void **ret, int *ret_fd);
void hocket__shared_unmap(void *memory, size_t size);

/* Map such a file, in another program: 0, -EINVAL (it is not as large), -errno. */
int hocket__shared_use(int fd, size_t size, void **ret);

/* A file without a name, open for reading and appending.  The descriptor, or -errno. */
int hocket__scratch_file(void);

/* How a child ended. */
struct hocket__child_end {
    bool signalled;
    bool late; /* it was ended because it took longer than allowed */
    int value; /* the signal or the exit status */
};

/* Fork.  In the child 0; -EAGAIN, -ENOMEM; else the child's id, which is to be waited for next. */
int hocket__child_fork(void);

/* In the child: become another program, which keeps `fd`.  -errno. */
int hocket__child_exec(char *const *argv, int fd);

/* In the child: standard output and error go to `fd`, standard input is empty. */
void hocket__child_output(int fd);

/* Wait for it, `limit_ns` at most; INT64_MAX: for ever. */
void hocket__child_wait(int child, int64_t limit_ns, struct hocket__child_end *ret);

#endif
