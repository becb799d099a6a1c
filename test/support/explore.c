/* SPDX-License-Identifier: MIT */
/*
 * explore - batches of seeds in child processes, and the report of what went wrong
 *
 * See explore_world.h for the files.  A child runs a batch in a world of its own
 * and dies of whatever goes wrong in it; the parent reads from shared memory how
 * far it came.
 */
#define _GNU_SOURCE
#include "support/explore.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/explore_world.h"

#define SEEDS        2000
#define SECONDS      1.0
#define STEPS        200000
#define BATCH_LIMIT  120 /* seconds: it hangs outside of the library */
#define REPORT_LINES 40

struct exploration {
    const char *name;
    void (*body)(void *arg);
    void *arg;
    struct explore_options options;
    struct explore_shared *shared;
};

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Hand-overs within one CPU cost a fifth; different tests take different ones. */
static void bind_to_one_cpu(void)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    int nth = (int)(getppid() % CPU_COUNT(&allowed));
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && nth-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            (void)sched_setaffinity(0, sizeof one, &one);
            return;
        }
    }
}

static uint64_t batch_of(const struct exploration *x, uint64_t seed)
{
    return x->options.first + (seed - x->options.first) / EXPLORE_BATCH * EXPLORE_BATCH;
}

/* In the child: the seeds from the start of the batch up to `last`. */
static void run_batch(struct exploration *x, uint64_t batch, uint64_t last, int verbose)
{
    int cpus = x->options.cpus ? x->options.cpus : 1 + (int)(batch / EXPLORE_BATCH % 2);
    (void)alarm(BATCH_LIMIT);
    bind_to_one_cpu();
    explore__world_open(&x->options, x->shared, cpus);
    for (uint64_t seed = batch; seed <= last; seed++) {
        x->shared->seed = seed;
        x->shared->ring_count = 0;
        explore__world.verbose = seed == last ? verbose : 0;
        explore__world_run(seed, x->body, x->arg);
        x->shared->hash[seed - batch] = explore__world.hash;
        x->shared->runs++;
    }
}

static void report_switches(const struct explore_shared *s)
{
    uint64_t n = s->ring_count < REPORT_LINES ? s->ring_count : REPORT_LINES;
    fprintf(stderr, "  the last changes of threads:\n");
    for (uint64_t i = s->ring_count - n; i < s->ring_count; i++) {
        const struct explore_switch *w = &s->ring[i % EXPLORE_RING];
        const char *slash = w->file ? strrchr(w->file, '/') : NULL;
        fprintf(stderr, "    %6llu  %d -> %d  before %s:%d\n", (unsigned long long)w->step, w->from,
                w->to,
                slash     ? slash + 1
                : w->file ? w->file
                          : "?",
                w->line);
    }
}

_Noreturn static void report(const struct exploration *x, int status)
{
    const struct explore_shared *s = x->shared;
    fprintf(stderr, "explore: %s fails with seed %llu: ", x->name, (unsigned long long)s->seed);
    if (s->message[0])
        fprintf(stderr, "%s\n", s->message);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        fprintf(stderr, "it hangs outside of the library\n");
    else if (WIFSIGNALED(status))
        fprintf(stderr, "signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        fprintf(stderr, "exit status %d\n", WEXITSTATUS(status));
    report_switches(s);
    fprintf(stderr, "  replay: HOCKET_SEED=%s:%llu %s\n", x->name, (unsigned long long)s->seed,
            program_invocation_name);
    abort();
}

static void batch(struct exploration *x, uint64_t first, uint64_t last, int verbose)
{
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        abort();
    }
    if (child == 0) {
        run_batch(x, first, last, verbose);
        _exit(0);
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        report(x, status);
}

static void check_determinism(struct exploration *x, uint64_t first, uint64_t last)
{
    uint64_t hash[EXPLORE_BATCH];
    batch(x, first, last, 0);
    memcpy(hash, x->shared->hash, sizeof hash);
    batch(x, first, last, 0);
    for (uint64_t i = 0; i <= last - first; i++) {
        if (hash[i] == x->shared->hash[i])
            continue;
        fprintf(stderr, "explore: %s: seed %llu ran in two ways\n", x->name,
                (unsigned long long)(first + i));
        abort();
    }
}

static void open_exploration(struct exploration *x, const char *name, void (*body)(void *arg),
                             void *arg, const struct explore_options *options)
{
    static const struct explore_options none;
    *x = (struct exploration){ name, body, arg, options ? *options : none, NULL };
    struct explore_options *o = &x->options;
    o->seeds = o->seeds ? o->seeds : SEEDS;
    o->seconds = o->seconds > 0 ? o->seconds : SECONDS;
    o->steps = o->steps ? o->steps : STEPS;
    const char *factor = getenv("HOCKET_SEEDS");
    if (factor && atof(factor) > 0) {
        o->seeds = (unsigned)(o->seeds * atof(factor)) + 1;
        o->seconds *= atof(factor);
    }
    x->shared = mmap(NULL, sizeof *x->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0);
    if (x->shared == MAP_FAILED) {
        perror("mmap");
        abort();
    }
}

/* HOCKET_SEED=name:seed.  True if it says something, for us or another. */
static bool replay(struct exploration *x)
{
    const char *wanted = getenv("HOCKET_SEED");
    if (!wanted)
        return false;
    const char *colon = strrchr(wanted, ':');
    size_t length = colon ? (size_t)(colon - wanted) : 0;
    if (strlen(x->name) == length && strncmp(x->name, wanted, length) == 0) {
        uint64_t seed = strtoull(colon + 1, NULL, 0);
        batch(x, batch_of(x, seed), seed, getenv("HOCKET_TRACE") ? 2 : 1);
        fprintf(stderr, "explore: %s: seed %llu is fine\n", x->name, (unsigned long long)seed);
    }
    return true;
}

static void close_exploration(struct exploration *x, double start)
{
    struct explore_shared *s = x->shared;
    double took = seconds_now() - start;
    if (getenv("HOCKET_EXPLORE_STATS"))
        fprintf(
            stderr,
            "explore: %-28s %7llu runs %6.0f points and %5.0f switches a run, %4.0f k points/s\n",
            x->name, (unsigned long long)s->runs, (double)s->points / (double)s->runs,
            (double)s->switches / (double)s->runs, (double)s->points / took / 1000);
    (void)munmap(s, sizeof *s);
}

void explore(const char *name, void (*body)(void *arg), void *arg,
             const struct explore_options *options)
{
    struct exploration x;
    open_exploration(&x, name, body, arg, options);
    double start = seconds_now();
    if (!replay(&x)) {
        uint64_t first = x.options.first, end = first + x.options.seeds;
        for (uint64_t seed = first; seed < end; seed += EXPLORE_BATCH) {
            uint64_t last = (end - seed < EXPLORE_BATCH ? end : seed + EXPLORE_BATCH) - 1;
            if (seed == first)
                check_determinism(&x, seed, last);
            else
                batch(&x, seed, last, 0);
            if (seconds_now() - start > x.options.seconds)
                break;
        }
        close_exploration(&x, start);
    }
}

void explore_again(const char *name, void (*body)(void *arg), void *arg,
                   const struct explore_options *options, uint64_t seed)
{
    struct exploration x;
    open_exploration(&x, name, body, arg, options);
    if (!replay(&x))
        batch(&x, batch_of(&x, seed), seed, 0);
    (void)munmap(x.shared, sizeof *x.shared);
}
