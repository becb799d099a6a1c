/* SPDX-License-Identifier: MIT */
/*
 * deadlock - a program whose tasks all wait for each other is told so
 *
 * Three consumers wait for values; the producer ends after two, and nobody closes the queue.  No task
 * can ever go on, so the program that hocket_run runs lists its tasks on standard error and aborts.  Here it
 * is a child, so that this program can say how it ended.
 */
#include <hocket.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static hocket_queue *values;

static int consume(void *arg)
{
    (void)arg;
    int value;
    return hocket_queue_get(values, &value, HOCKET_FOREVER);
}

static int produce(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++)
        if (hocket_queue_put(values, &i, HOCKET_FOREVER) < 0)
            return -1;
    return 0; /* and no hocket_queue_close */
}

static int program(void *arg)
{
    (void)arg;
    if (hocket_queue_new(&values, sizeof(int), NULL) < 0)
        return -1;
    for (int i = 0; i < 3; i++)
        if (hocket_spawn(NULL, consume, NULL) < 0)
            return -1;
    return hocket_spawn(NULL, produce, NULL);
}

int main(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = { 0, 0 };
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)setenv("HOCKET_DEADLOCK", "panic", 1); /* as by default, whatever is set here */
        alarm(20); /* where threads are there that are not ours, nothing is claimed */
        return hocket_run(program, NULL) != 0;
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    bool ended = WIFSIGNALED(status) &&
                 (WTERMSIG(status) == SIGABRT || WTERMSIG(status) == SIGALRM);
    printf("the program %s\n", ended ? "did not end by itself" : "ended");
    return 0;
}
