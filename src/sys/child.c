/* SPDX-License-Identifier: MIT */
/*
 * child - see sys/child.h
 *
 * Waiting with a limit is by a pidfd where the kernel has them (5.3), and by asking again with
 * pauses elsewhere: no signal handler of the program's is touched.
 *
 * A program that ignores SIGCHLD, or was started like that, never learns how its children ended, and
 * one whose handler waits for every child takes ours away.  So from the fork to the end of the wait the
 * signal is blocked, and not ignored.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sys/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int hocket__scratch_file(void)
{
    int fd = (int)syscall(SYS_memfd_create, "hocket", 1 /* MFD_CLOEXEC */);
    if (fd < 0) {
        char name[] = "/tmp/hocket-XXXXXX";
        fd = mkostemp(name, O_CLOEXEC);
        if (fd < 0)
            return -errno;
        (void)unlink(name);
    }
    (void)fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

int hocket__shared_use(int fd, size_t size, void **ret)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -errno;
    if (st.st_size != (off_t)size)
        return -EINVAL;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return -errno;
    *ret = memory;
    return 0;
}

int hocket__shared_map(size_t size, void **ret, int *ret_fd)
{
    int fd = hocket__scratch_file();
    int err = fd < 0 ? fd : ftruncate(fd, (off_t)size) != 0 ? -errno : 0;
    if (err == 0)
        err = hocket__shared_use(fd, size, ret);
    if (err == 0)
        *ret_fd = fd;
    else if (fd >= 0)
        (void)close(fd);
    return err;
}

void hocket__shared_unmap(void *memory, size_t size)
{
    (void)munmap(memory, size);
}

int hocket__child_exec(char *const *argv, int fd)
{
    (void)fcntl(fd, F_SETFD, 0);
    (void)execvp(argv[0], argv);
    return -errno;
}

/* From fork to wait; one child at a time. */
static struct sigaction action_before;
static sigset_t mask_before;

static void ends_are_kept(void)
{
    struct sigaction plain = { .sa_handler = SIG_DFL };
    sigset_t ends;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &ends, &mask_before);
    (void)sigaction(SIGCHLD, NULL, &action_before);
    if (action_before.sa_handler == SIG_IGN || (action_before.sa_flags & SA_NOCLDWAIT))
        (void)sigaction(SIGCHLD, &plain, NULL);
}

static void ends_as_before(void)
{
    if (action_before.sa_handler == SIG_IGN || (action_before.sa_flags & SA_NOCLDWAIT))
        (void)sigaction(SIGCHLD, &action_before, NULL);
    (void)sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

int hocket__child_fork(void)
{
    ends_are_kept();
    pid_t child = fork();
    int err = child < 0 ? -errno : 0;
    if (child <= 0)
        ends_as_before();
    return err ? err : (int)child;
}

void hocket__child_output(int fd)
{
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)close(null);
    }
}

static int64_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Until it has ended or the time is up; true: it has ended. */
static bool wait_until(int child, int pidfd, int64_t until, int *ret_status)
{
    int64_t left;
    while ((left = until - now()) > 0) {
        if (pidfd >= 0) {
            struct pollfd p = { pidfd, POLLIN, 0 };
            (void)poll(&p, 1, left > 1000000000 ? 1000 : (int)(left / 1000000) + 1);
        } else {
            struct timespec pause = { 0, 1000000 };
            (void)nanosleep(&pause, NULL);
        }
        if (waitpid(child, ret_status, WNOHANG) == child)
            return true;
    }
    return false;
}

void hocket__child_wait(int child, int64_t limit_ns, struct hocket__child_end *ret)
{
    int status = 0;
    bool late = false;
    if (limit_ns != INT64_MAX) {
#ifdef SYS_pidfd_open
        int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
#else
        int pidfd = -1;
#endif
        late = !wait_until(child, pidfd, now() + limit_ns, &status);
        if (pidfd >= 0)
            (void)close(pidfd);
        if (late)
            (void)kill(child, SIGKILL);
    }
    if (limit_ns == INT64_MAX || late)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    ends_as_before();
    ret->late = late;
    ret->signalled = WIFSIGNALED(status);
    ret->value = ret->signalled ? WTERMSIG(status) : WEXITSTATUS(status);
}
