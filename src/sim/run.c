/* SPDX-License-Identifier: MIT */
/*
 * run - hocket_sim_run: seeds, one child each, and what came of them
 *
 * The child opens the world and runs the body as any program would, by hocket_run.  What it died
 * of says its exit status, what happened before is in shared memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <hocket/runtime.h>

#include "base/env.h"
#include "sim/atoms.h"
#include "sim/search.h"
#include "sim/session.h"
#include "sim/world.h"
#include "task/task.h"

#define SEEDS       1000
#define DEPTH       3
#define MAX_CHOICES 100000
#define MAX_DELAY   (50 * HOCKET_MS)
#define RUN_LIMIT   (20 * HOCKET_SEC)

/* ---- in the child ---- */

struct body {
    hocket_task_fn *fn;
    void *arg;
    int result;
    bool ran;
};

static int body_main(void *arg)
{
    struct body *b = arg;
    b->ran = true;
    hocket__sim_sweep_count(true);
    b->result = b->fn(b->arg);
    hocket__sim_sweep_count(false);
    return 0;
}

/* A handle that nobody has released, its task may have ended.  Whose was it?  If one was killed: its. */
static bool leaks(struct sim_shared *s)
{
    if (hocket__sim_world.killed)
        return false;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        hocket_task *t = hocket__record_at(slot);
        if (hk_load(&t->id) == 0 || hk_load(&t->kind) == HOCKET__FOREIGN)
            continue;
        char name[HOCKET_NAME_MAX];
        (void)snprintf(s->message, sizeof s->message,
                       "leak: the handle of task %u '%s' was never released",
                       hocket__sim_task(t)->number, hocket__task_name(t, name, sizeof name));
        return true;
    }
    return false;
}

HOCKET_NORETURN static void child_program(struct sim_session *x)
{
    char number[16], seed[24];
    (void)snprintf(number, sizeof number, "%d", x->shared_fd);
    (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)x->shared->plan.seed);
    (void)setenv("HOCKET_SIM_SHARED", number, 1);
    (void)setenv("HOCKET_SIM", seed, 1); /* so that it can be seen in the environment */
    x->shared->exec_error = hocket__child_exec(x->argv, x->shared_fd);
    _exit(127);
}

HOCKET_NORETURN static void child(struct sim_session *x)
{
    struct sim_shared *s = x->shared;
    struct body body = { x->fn, x->arg, 0, false };
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = HOCKET_NO_WORKERS;
    o.no_signals = o.quiet_watchdog = true;
    if (x->output >= 0)
        hocket__child_output(x->output);
    if (x->argv)
        child_program(x);
    hocket__sim_open(s);
    int err = hocket_run_with(body_main, &body, &o);
    if (!body.ran) {
        (void)snprintf(s->message, sizeof s->message, "the runtime did not start: %s",
                       hocket_error_name(err));
        hocket__sim_fail(HOCKET_SIM_CRASH, err);
    }
    if (body.result != 0) {
        (void)snprintf(s->message, sizeof s->message, "the result is %d%s%s", body.result,
                       body.result < 0 ? " " : "",
                       body.result < 0 ? hocket_error_name(body.result) : "");
        hocket__sim_fail(HOCKET_SIM_RESULT, body.result);
    }
    hocket__sim_fail(leaks(s) ? HOCKET_SIM_LEAK : HOCKET_SIM_PASSED, 0);
}

/* ---- one run ---- */

static void clear_results(struct sim_shared *s)
{
    s->ended = s->opened = s->pruned = s->crowded = s->out_full = false;
    s->exec_error = 0;
    s->failure = s->value = 0;
    s->swept = 0;
    s->spent = 0;
    s->message[0] = '\0';
    s->choices = s->hash = s->event_count = 0;
    s->switches = s->out_count = s->word_count = 0;
    for (uint32_t i = 0; i < s->name_count; i++)
        s->names[i][0] = '\0';
    s->name_count = 0;
}

static const char panic_mark[] = "hocket: panic: ";

/* Where the line of a panic begins in what the run wrote, which may be much; or -1. */
static int64_t find_panic(const struct sim_session *x)
{
    char text[4096];
    const size_t mark = sizeof panic_mark - 1;
    int64_t at = x->output_from;
    ssize_t n;
    while (x->output >= 0 && (n = pread(x->output, text, sizeof text, at)) >= (ssize_t)mark) {
        const char *found = memmem(text, (size_t)n, panic_mark, mark);
        if (found != NULL)
            return at + (found - text);
        at += n - (ssize_t)mark + 1;
    }
    return -1;
}

/*
 * The line of a panic in what the run wrote becomes the message.  A cycle of waits is found by the
 * library itself, which panics: to us it is a deadlock like any other.
 */
static bool take_panic(struct sim_session *x)
{
    static const char cycle[] = "deadlock: ";
    struct sim_shared *s = x->shared;
    char line[1024];
    int64_t at = find_panic(x);
    ssize_t n = at >= 0 ? pread(x->output, line, sizeof line - 1, (off_t)at) : 0;
    if (n <= 0)
        return false;
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(s->message, sizeof s->message, "%s", line + strlen("hocket: "));
    return strncmp(line + sizeof panic_mark - 1, cycle, strlen(cycle)) == 0;
}

static void judge(struct sim_session *x, const struct hocket__child_end *end)
{
    struct sim_shared *s = x->shared;
    if (end->late) {
        s->failure = HOCKET_SIM_HANG;
        (void)snprintf(s->message, sizeof s->message,
                       "hang: it computes or blocks outside of the library for longer than %.1f s",
                       (double)x->options.run_limit / 1e9);
    } else if (!s->ended && end->signalled) {
        s->failure = HOCKET_SIM_CRASH;
        s->value = end->value;
        (void)snprintf(s->message, sizeof s->message, "crash: signal %d (%s)", end->value,
                       strsignal(end->value));
        if (take_panic(x))
            s->failure = HOCKET_SIM_DEADLOCK;
    } else if (!s->ended && (!x->argv || end->value != 0)) {
        s->failure = x->argv ? HOCKET_SIM_RESULT : HOCKET_SIM_CRASH;
        s->value = end->value;
        (void)snprintf(s->message, sizeof s->message, "exit status %d%s", end->value,
                       x->argv && !s->opened ? ", before a world: no runtime of this version" : "");
    }
}

int hocket__sim_once(struct sim_session *x)
{
    struct hocket__child_end end;
    clear_results(x->shared);
    if (x->output >= 0)
        x->output_from = lseek(x->output, 0, SEEK_END);
    if (x->output_from > 1 << 20) {
        (void)ftruncate(x->output, 0); /* nobody asks for what the runs before have written */
        x->output_from = 0;
    }
    (void)fflush(NULL);
    int id = hocket__child_fork();
    if (id == 0)
        child(x);
    if (id < 0)
        return id;
    hocket__child_wait(id, x->options.run_limit, &end);
    if (x->shared->exec_error)
        return x->shared->exec_error;
    judge(x, &end);
    return x->argv && !x->shared->opened && !x->shared->failure ? -ENOEXEC : 0;
}

/* ---- options ---- */

static bool env_number(const char *name, uint64_t *ret)
{
    const char *text = hocket__env(name);
    char *end;
    if (!text)
        return true;
    errno = 0;
    *ret = strtoull(text, &end, 0);
    return errno == 0 && *end == '\0' && *text != '-';
}

static int strategy_of(const char *text, int *ret)
{
    static const char *const names[] = { "random", "pct", "exhaustive" };
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = i;
            return 0;
        }
    }
    return -EINVAL;
}

int hocket__sim_options_env(hocket_sim_options *o)
{
    uint64_t seed = o->first, seeds = o->seeds, depth = o->depth;
    const char *strategy = hocket__env("HOCKET_SIM_STRATEGY");
    if (!env_number("HOCKET_SIM", &seed) || !env_number("HOCKET_SIM_SEEDS", &seeds) ||
        !env_number("HOCKET_SIM_DEPTH", &depth) || seeds > UINT32_MAX || depth > SIM_DEPTH_MAX)
        return -EINVAL;
    o->first = seed;
    o->seeds = hocket__env("HOCKET_SIM") ? 1 : (uint32_t)seeds;
    o->depth = (uint32_t)depth;
    if (hocket__env("HOCKET_SIM_REPLAY"))
        o->replay = hocket__env("HOCKET_SIM_REPLAY");
    if (hocket__env("HOCKET_SIM_TRACE"))
        o->trace = hocket__env("HOCKET_SIM_TRACE");
    return strategy ? strategy_of(strategy, &o->strategy) : 0;
}

void hocket__sim_options_defaults(hocket_sim_options *o)
{
    o->seeds = o->seeds ? o->seeds : SEEDS;
    o->depth = o->depth ? o->depth : DEPTH;
    o->max_choices = o->max_choices ? o->max_choices : MAX_CHOICES;
    o->max_delay = o->max_delay ? o->max_delay : MAX_DELAY;
    o->run_limit = o->run_limit ? o->run_limit : RUN_LIMIT;
}

static int options_take(hocket_sim_options *o, const hocket_sim_options *from)
{
    *o = (hocket_sim_options)HOCKET_SIM_OPTIONS_DEFAULT;
    if (from)
        *o = *from;
    if ((o->size != 0 && o->size < sizeof *o) || o->strategy < 0 ||
        o->strategy > HOCKET_SIM_EXHAUSTIVE || o->run_limit < 0 || o->time_limit < 0)
        return -EINVAL;
    int err = hocket__sim_options_env(o);
    hocket__sim_options_defaults(o);
    return err;
}

int hocket__sim_plan_fill(struct sim_plan *plan, const hocket_sim_options *o)
{
    plan->version = SIM_VERSION;
    plan->strategy = o->strategy;
    plan->depth = o->depth;
    plan->max_choices = o->max_choices;
    plan->max_delay = o->max_delay;
    plan->atoms = SIM_ATOMS && o->strategy != HOCKET_SIM_EXHAUSTIVE;
    plan->replay = false;
    plan->in_count = 0;
    plan->trace[0] = '\0';
    if (o->trace && strlen(o->trace) >= sizeof plan->trace)
        return -ENAMETOOLONG;
    if (o->trace)
        (void)snprintf(plan->trace, sizeof plan->trace, "%s", o->trace);
    return 0;
}

/* ---- all runs ---- */

static int64_t real_now(void)
{
    return hocket__sys_linux.clock();
}

static int error_of(const hocket_sim_result *r)
{
    switch (r->failure) {
    case HOCKET_SIM_PASSED: return 0;
    case HOCKET_SIM_RESULT: return r->value < 0 ? r->value : -EPROTO;
    case HOCKET_SIM_DEADLOCK: return -EDEADLK;
    case HOCKET_SIM_LIVELOCK: return -ELOOP;
    case HOCKET_SIM_LEAK: return -EBUSY;
    case HOCKET_SIM_HANG: return -ETIME;
    default: return -EFAULT;
    }
}

/* A run has failed: remember it, make it short, tell. */
static void failed(struct sim_session *x)
{
    struct sim_shared *s = x->shared;
    hocket_sim_result *r = &x->result;
    r->failure = s->failure;
    r->value = s->value;
    r->seed = s->plan.seed;
    r->switches = s->out_count;
    (void)snprintf(r->message, sizeof r->message, "%.*s", (int)strcspn(s->message, "\n"),
                   s->message);
    memcpy(x->choices, s->out, s->out_count * sizeof *s->out);
    x->choice_count = s->out_count;
    if (!s->out_full && s->failure != HOCKET_SIM_HANG && !x->options.no_shrink)
        x->differs = !hocket__sim_shrink(x);
    r->shrunk = x->choice_count;
    if (x->options.save) {
        int err = s->out_full
                      ? -EFBIG
                      : hocket__sim_save(x->options.save, &s->plan, x->choices, x->choice_count);
        if (err && !x->options.quiet)
            fprintf(stderr, "hocket: sim: %s: %s\n", x->options.save, strerror(-err));
    }
    if (!x->options.quiet)
        hocket__sim_report(x);
}

/* One run, counted.  1: it failed, and all is done; 0: go on; -errno. */
static int counted(struct sim_session *x)
{
    int err = hocket__sim_once(x);
    if (err)
        return err;
    x->result.runs++;
    x->result.choices += x->shared->choices;
    x->result.spent += x->shared->spent;
    x->result.hash = x->shared->hash;
    if (x->shared->failure == HOCKET_SIM_PASSED)
        return 0;
    failed(x);
    return 1;
}

static int run_all(struct sim_session *x)
{
    struct sim_plan *plan = &x->shared->plan;
    const hocket_sim_options *o = &x->options;
    int64_t until = o->time_limit ? real_now() + o->time_limit : INT64_MAX;
    bool search = o->strategy == HOCKET_SIM_EXHAUSTIVE && !plan->replay, crowded = false;
    int rc = 0;
    for (uint32_t i = 0; i < o->seeds && rc == 0 && real_now() < until; i++) {
        if (!plan->replay)
            plan->seed = o->first + (search ? 0 : i);
        rc = counted(x);
        crowded = crowded || x->shared->crowded;
        if (rc == 0 && search && !hocket__sim_search_next(x->shared)) {
            x->result.complete = !crowded;
            break;
        }
        if (plan->replay)
            break;
    }
    return rc;
}

/* All events of one schedule after another. */
static int sweep_seed(struct sim_session *x, int64_t until)
{
    struct sim_plan *plan = &x->shared->plan;
    int rc = 0;
    for (plan->sweep_at = 1; rc == 0 && real_now() < until; plan->sweep_at++) {
        x->result.event = plan->sweep_at;
        rc = counted(x);
        if (rc == 0 && x->shared->swept < plan->sweep_at) {
            x->result.event = x->shared->swept;
            break;
        }
    }
    return rc;
}

static int sweep_all(struct sim_session *x)
{
    struct sim_plan *plan = &x->shared->plan;
    const hocket_sim_options *o = &x->options;
    int64_t until = o->time_limit ? real_now() + o->time_limit : INT64_MAX;
    int rc = 0;
    plan->sweep = x->sweep;
    plan->atoms = false;
    for (uint32_t i = 0; i < o->seeds && rc == 0 && real_now() < until; i++) {
        plan->seed = o->first + i;
        rc = sweep_seed(x, until);
    }
    return rc;
}

static int replay_prepare(struct sim_session *x)
{
    char why[200] = "";
    struct sim_plan *plan = &x->shared->plan;
    if (!x->options.replay)
        return 0;
    plan->replay = true;
    int err = hocket__sim_load(x->options.replay, plan, x->shared->in, &plan->in_count, why,
                               sizeof why);
    if (err && !x->options.quiet)
        fprintf(stderr, "hocket: sim: %s: %s\n", x->options.replay, why);
    return err;
}

static int session_open(struct sim_session *x)
{
    void *memory;
    int err = hocket__map(sizeof x->shared->out, &memory); /* large, and mostly not touched */
    if (err)
        return err;
    x->choices = memory;
    err = hocket__shared_map(sizeof *x->shared, &memory, &x->shared_fd);
    if (err) {
        hocket__unmap(x->choices, sizeof x->shared->out);
        return err;
    }
    x->shared = memory;
    x->shared->plan.told = true;
    x->output = hocket__scratch_file();
    return 0;
}

static void session_close(struct sim_session *x)
{
    if (x->output >= 0)
        (void)close(x->output);
    (void)close(x->shared_fd);
    hocket__unmap(x->choices, sizeof x->shared->out);
    hocket__shared_unmap(x->shared, sizeof *x->shared);
}

static int session_run(struct sim_session *x, const hocket_sim_options *options)
{
    if (hocket_running() || hocket_sim_active())
        return -EALREADY;
    int err = options_take(&x->options, options);
    if (err == 0)
        err = session_open(x);
    if (err)
        return err;
    err = hocket__sim_plan_fill(&x->shared->plan, &x->options);
    if (err == 0)
        err = replay_prepare(x);
    if (err == 0)
        err = x->sweep && !x->options.replay ? sweep_all(x) : run_all(x);
    if (x->options.result)
        *x->options.result = x->result;
    session_close(x);
    return err > 0 ? error_of(&x->result) : err;
}

int hocket_sim_sweep(hocket_task_fn *fn, void *arg, int event, const hocket_sim_options *options)
{
    struct sim_session x = { .fn = fn, .arg = arg, .sweep = event };
    hocket_sim_options o = HOCKET_SIM_OPTIONS_DEFAULT;
    if (options)
        o = *options;
    if (event < HOCKET_SIM_CANCEL || event > HOCKET_SIM_SHORT ||
        o.strategy == HOCKET_SIM_EXHAUSTIVE)
        return -EINVAL;
    o.seeds = o.seeds ? o.seeds : 1;
    return session_run(&x, &o);
}

int hocket_sim_run(hocket_task_fn *fn, void *arg, const hocket_sim_options *options)
{
    struct sim_session x = { .fn = fn, .arg = arg };
    return session_run(&x, options);
}

int hocket_sim_exec(char *const *argv, const hocket_sim_options *options)
{
    struct sim_session x = { .argv = argv };
    return argv[0] ? session_run(&x, options) : -EINVAL;
}
