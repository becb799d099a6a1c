/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SIM_H
#define HOCKET_SIM_H
#include <hocket/task.h>

/*
 * sim - a seeded world: the same program under thousands of interleavings, each one repeatable
 *
 *     static int body(void *arg)                       // uses the library as always, and checks
 *     {                                                // its invariants with assert
 *         ...
 *         return 0;
 *     }
 *     assert(hocket_sim_run(body, NULL, NULL) == 0);   // 1,000 seeds
 *
 * In the world all tasks, also those placed on threads, run one at a time on one OS thread.  At every
 * place that may matter (lock, unlock, wait, wake, spawn, put, get, yield, the end of a task) the
 * seed says which task goes on.  The clock is virtual and jumps to the next deadline when nobody can
 * run, so an hour of sleeping takes no time.  The same binary with the same seed does the same thing, switch
 * by switch.
 *
 * A run fails when the body returns anything but 0, the process panics, aborts or crashes, all
 * tasks wait for something that cannot come (deadlock), there is no end in sight (livelock), or
 * task handles were never released.  It is reported on standard error with the seed, a line that
 * replays it and, after its schedule was shortened as far as it still fails, what each task did.
 *
 * What is not the world's: memory that tasks share without a lock is seen as written, in program order
 * (ThreadSanitizer finds such races), and code between two such places is one step; put
 * hocket_sim_point() where a switch should be possible.  Threads that the program makes itself, signal
 * handlers, the real clock and other processes are outside; a loop that waits for them without a
 * call of the library is a hang.  The thread that calls hocket_runtime_start takes part like a task.
 * Priorities mean nothing in a world; hocket_blocking runs its function in place.
 *
 * Pipes and sockets between tasks are the kernel's: what is in them, whether there is room, how much one
 * read gives, end of file and errors.  When it is asked, and who goes on then, is the world's: where a
 * task waits, ends or yields, and before the clock moves, so no wait times out whose descriptor is ready.
 * The kernel does at once what a write, read or close asks for, with pipes, UNIX sockets and eventfds, so a
 * seed repeats them to the byte.  TCP, timerfds and what other processes do have a time of their own.
 *
 * Environment, for a program that calls hocket_run or hocket_runtime_start and knows nothing of this:
 *   HOCKET_SIM            a seed: the program runs in a world ("hocket sim" sets it)
 *   HOCKET_SIM_STRATEGY   random (default), pct
 *   HOCKET_SIM_DEPTH      of pct
 *   HOCKET_SIM_REPLAY     a file of choices to follow, as hocket_sim_options.save writes it
 *   HOCKET_SIM_TRACE      a file to write the trace to
 * hocket_sim_run obeys them, too: with HOCKET_SIM it runs that one seed, with HOCKET_SIM_SEEDS so
 * many.
 */

enum hocket_sim_strategy {
    HOCKET_SIM_RANDOM = 0, /* a coin at each place, the next task drawn evenly */
    HOCKET_SIM_PCT = 1,    /* random priorities, and `depth` - 1 places where they change */
    /* Every schedule that differs in the order of operations on some object (sleep sets), for small
     * tests: `seeds` is the most schedules to run. */
    HOCKET_SIM_EXHAUSTIVE = 2
};

enum hocket_sim_failure {
    HOCKET_SIM_PASSED = 0,
    HOCKET_SIM_RESULT = 1,   /* the body returned something else than 0 */
    HOCKET_SIM_CRASH = 2,    /* panic, failed assert, signal, exit */
    HOCKET_SIM_DEADLOCK = 3, /* nobody can run, and nothing will change that */
    HOCKET_SIM_LIVELOCK = 4, /* more choices than max_choices */
    HOCKET_SIM_LEAK = 5,     /* handles of tasks were never released */
    HOCKET_SIM_HANG = 6      /* a run took longer than run_limit of real time */
};

/* What hocket_sim_run found. */
typedef struct hocket_sim_result {
    int failure;       /* enum hocket_sim_failure, of the first run that failed */
    int value;         /* what the body returned, the signal, or the exit status */
    uint64_t seed;     /* of that run */
    uint64_t runs;     /* runs, without those that shortened the schedule */
    uint64_t choices;  /* places where somebody else could have gone on, in all runs */
    uint64_t hash;     /* of the trace of the last run */
    hocket_time spent; /* real time in the worlds, without what processes cost; 0 for a crash */
    uint32_t switches; /* choices of the failing run that were not the obvious one */
    uint32_t shrunk;   /* those that were left after it was shortened */
    uint32_t
        event;     /* hocket_sim_sweep: the n at which it failed; else how many events there were */
    bool complete; /* HOCKET_SIM_EXHAUSTIVE: there is no other schedule */
    char message[200]; /* one line about the failure */
} hocket_sim_result;

typedef struct hocket_sim_options {
    size_t size;          /* sizeof(hocket_sim_options); 0 = the fields of version 0.1 */
    uint64_t first;       /* the first seed */
    uint32_t seeds;       /* how many; 0 = 1,000 */
    int strategy;         /* enum hocket_sim_strategy */
    uint32_t depth;       /* of PCT: how many ordered steps a bug may take, up to 32; 0 = 3 */
    uint32_t max_choices; /* a run with more is a livelock; 0 = 100,000 */
    hocket_time
        max_delay; /* a deadline so near may pass while tasks could run; 0 = 50 ms, < 0: none */
    hocket_time run_limit;     /* real time for one run; 0 = 20 s */
    hocket_time time_limit;    /* real time after which no further run starts; 0 = none */
    const char *replay;        /* a file of choices: one run that follows them */
    const char *save;          /* write the shortened choices of the failing run to this file */
    const char *trace;         /* write the trace of each run to this file, the last one stays */
    bool quiet;                /* write nothing to standard error */
    bool no_shrink;            /* report the run as it was */
    hocket_sim_result *result; /* where to tell what happened, or NULL */
} hocket_sim_options;

#define HOCKET_SIM_OPTIONS_DEFAULT                                                               \
    {                                                                                            \
        sizeof(hocket_sim_options), 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, false, false, NULL \
    }
#ifndef __cplusplus
#define HOCKET_SIM_OPTIONS(...) \
    (&(hocket_sim_options){ .size = sizeof(hocket_sim_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/*
 * Run fn(arg) as the root task of a runtime, once a seed, each time in a child process of its own: so
 * every run starts from the same state, and a crash is a report.  What a run writes to standard
 * output and error is kept back and shown only if the run fails.
 *
 * Call it where no runtime is running and no other thread is in the library.  NULL: defaults.  Not a
 * cancel point.
 *
 * 0: all runs passed (or the time limit was reached).  A failed run: what fn returned if that is
 * negative, -EPROTO if it was positive, -EFAULT (crash), -EDEADLK, -ELOOP (livelock), -EBUSY (leak), -ETIME
 * (hang).  -EINVAL: the options or variables make no sense, or the file of choices is no such file, of
 * another version or damaged.  -EALREADY: a runtime is running.  -ENOMEM, -EAGAIN (no process to be
 * had), or what open or read said about a file.
 *
 *     hocket_sim_result r;
 *     int err = hocket_sim_run(body, NULL, HOCKET_SIM_OPTIONS(.strategy = HOCKET_SIM_PCT,
 *                                                             .seeds = 10000, .result = &r));
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_sim_run(hocket_task_fn *fn, void *arg,
                                                const hocket_sim_options *options);

/*
 * The same for a program: argv[0] is searched for in PATH, argv ends with NULL.  Each run executes it anew,
 * in a world that opens where it calls hocket_run or hocket_runtime_start.  A run also fails
 * when the program ends with a status other than 0 (HOCKET_SIM_RESULT, -EPROTO); handles that were not
 * released are not looked for.
 *
 * As hocket_sim_run, and what execvp says (-ENOENT, -EACCES, ...); -ENOEXEC: the program
 * ended without having started a runtime, or has another version of Hocket.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_sim_exec(char *const *argv,
                                                 const hocket_sim_options *options);

/* What hocket_sim_sweep does to a run, once. */
enum hocket_sim_event {
    /* A task that comes to a place is cancelled there, also between waits.  Not the runtime's own. */
    HOCKET_SIM_CANCEL = 1,
    HOCKET_SIM_TIMEOUT = 2,  /* a wait that has a deadline ends by it, however far it is */
    HOCKET_SIM_SPURIOUS = 3, /* a wait for a condition or a word is woken without a reason */
    HOCKET_SIM_ALLOC = 4,    /* an allocation of the library fails */
    HOCKET_SIM_EINTR = 5,    /* a sleep of the process is interrupted by a signal */
    HOCKET_SIM_DELAY = 6, /* a task that comes to a place stays there as long as others can go on */
    /*
     * A task that begins a call, or sleeps, is killed there, as if its thread had died: it never
     * goes on, nothing of it is undone, and the locks it holds stay held.  Its result is
     * -EOWNERDEAD: that is what joiners, its scope and who syncs the branch get, once its branches
     * and the tasks of the scopes that it has open, which are cancelled, have ended.  Not the root
     * task, and not in a job, whose task belongs to the executor.  Handles that were never released
     * are not looked for: they may have been its.
     */
    HOCKET_SIM_KILL = 7,
    HOCKET_SIM_SHORT = 8 /* a transfer is shorter than asked for: hocket_sim_part */
};

/*
 * Run fn(arg) again and again: with the first event of the kind, enum hocket_sim_event, then with the
 * second, and so on until a run ends without having come to its n-th; each time with the schedule of the same
 * seed.  fn has to keep its invariants whatever its calls return, and to return 0 then.  `seeds` is the
 * number of schedules that are swept, 0 = 1; the strategy must not be HOCKET_SIM_EXHAUSTIVE.
 *
 * Returns as hocket_sim_run.
 *
 *     hocket_sim_result r = { 0 };
 *     int err = hocket_sim_sweep(body, NULL, HOCKET_SIM_CANCEL, HOCKET_SIM_OPTIONS(.result = &r));
 *     printf("%d with a cancel at place %u\n", err, r.event);
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_sim_sweep(hocket_task_fn *fn, void *arg, int event,
                                                  const hocket_sim_options *options);

/* Is the caller in a world? */
HOCKET_API bool hocket_sim_active(void);

/* The seed of this run; 0 outside of a world. */
HOCKET_API uint64_t hocket_sim_seed(void);

/*
 * 0 .. n-1, drawn from the seed and part of the recorded choices; n = 0 counts as 1.  Outside of a world:
 * any of them.
 */
HOCKET_API uint32_t hocket_sim_choice(uint32_t n);

/*
 * A place where another task may go on; nothing outside of a world.  Between accesses to
 * memory that tasks share without a lock.  Not a cancel point.
 */
HOCKET_API void hocket_sim_point(void);

/*
 * How much of `size` bytes to read or write at once: `size`; less, but at least 1, in a sweep
 * of HOCKET_SIM_SHORT at the transfer that is to be short.  Outside of a world and of such a sweep:
 * `size`.  A stream gives what there is, mostly all, and a test never sees the rest of the time; the
 * library does not read or write for the program, so the program says where it does:
 *
 *     ssize_t n = read(fd, at, hocket_sim_part(left));
 *
 * Not for datagrams, which would be cut off.  Not a cancel point.
 */
HOCKET_API size_t hocket_sim_part(size_t size);

HOCKET_END_DECLS
#endif
