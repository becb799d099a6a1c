/* SPDX-License-Identifier: MIT */
/* hocket sim: a program under many interleavings, each one repeatable. */
#include "command.h"
#include "common/json.h"
#include "common/message.h"
#include "common/output.h"
#include "common/units.h"

#include <hocket/sim.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEEDS = 1, FIRST, STRATEGY, DEPTH, CHOICES, LIMIT, REPLAY, SAVE, TRACE, NO_SHRINK, JSON };

static const struct option sim_options[] = {
    { SEEDS, 'n', "seeds", "N", "how many runs (default 1000)" },
    { FIRST, 0, "first", "SEED", "the first seed (default 0)" },
    { STRATEGY, 's', "strategy", "WHICH", "random (default), pct or exhaustive" },
    { DEPTH, 'd', "depth", "N", "of pct: ordered steps that a bug may take (default 3)" },
    { CHOICES, 0, "max-choices", "N", "a run with more is a livelock (default 100000)" },
    { LIMIT, 't', "time", "TIME", "start no further run after that (default: none)" },
    { REPLAY, 0, "replay", "FILE", "one run that follows the choices in FILE" },
    { SAVE, 0, "save", "FILE", "write the choices of the failing run, made short" },
    { TRACE, 0, "trace", "FILE", "write what happened in the last run, line by line" },
    { NO_SHRINK, 0, "no-shrink", NULL, "leave the failing schedule as long as it was" },
    { JSON, 0, "json", NULL, "the result as an object on standard output" },
    { 0, 0, NULL, NULL, NULL },
};

struct request {
    hocket_sim_options sim;
    bool json;
};

static const char *const failures[] = { "passed",   "result", "crash", "deadlock",
                                        "livelock", "leak",   "hang" };

static int report(const struct request *q, const hocket_sim_result *r)
{
    struct output *out = malloc(sizeof *out);
    if (out == NULL) {
        message("sim", NULL, "%s", strerror(ENOMEM));
        return 1;
    }
    output_open(out, STDOUT_FILENO);
    unsigned long long runs = r->runs, choices = r->choices, seed = r->seed;
    double a_second = r->spent > 0 ? (double)choices / ((double)r->spent / 1e9) : 0;
    if (q->json) {
        output_printf(out, "{\"failure\":\"%s\",\"runs\":%llu,\"choices\":%llu",
                      failures[r->failure], runs, choices);
        if (r->failure != HOCKET_SIM_PASSED) {
            output_printf(out, ",\"seed\":%llu,\"value\":%d,\"switches\":%u,\"shrunk\":%u", seed,
                          r->value, r->switches, r->shrunk);
            output_text(out, ",\"message\":");
            json_string(out, r->message, strlen(r->message));
        }
        output_printf(out, ",\"complete\":%s,\"choices_a_second\":%.0f}\n",
                      r->complete ? "true" : "false", a_second);
    } else if (r->failure == HOCKET_SIM_PASSED) {
        output_printf(out, "%llu run%s passed, %llu choices%s, %.0f a second\n", runs,
                      runs == 1 ? "" : "s", choices,
                      r->complete ? ", there is no other schedule" : "", a_second);
    }
    int status = output_finish(out, "sim", r->failure != HOCKET_SIM_PASSED);
    free(out);
    return status;
}

static int strategy(const char *text)
{
    static const char *const names[] = { "random", "pct", "exhaustive", NULL };
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return -1;
}

/* A number for a field; false: it is none. */
static bool number(const char *text, int64_t min, int64_t max, uint32_t *ret)
{
    int64_t n;
    if (!units_number(text, min, max, &n))
        return false;
    *ret = (uint32_t)n;
    return true;
}

static bool take(struct request *q, int id, const char *value)
{
    hocket_sim_options *o = &q->sim;
    int64_t n = 0;
    switch (id) {
    case SEEDS: return number(value, 1, UINT32_MAX, &o->seeds);
    case DEPTH: return number(value, 1, 32, &o->depth);
    case CHOICES: return number(value, 1, UINT32_MAX, &o->max_choices);
    case LIMIT: return units_duration(value, &o->time_limit);
    case FIRST:
        if (!units_number(value, 0, INT64_MAX, &n))
            return false;
        o->first = (uint64_t)n;
        return true;
    case STRATEGY: return (o->strategy = strategy(value)) >= 0;
    case REPLAY: o->replay = value; return true;
    case SAVE: o->save = value; return true;
    case TRACE: o->trace = value; return true;
    case NO_SHRINK: o->no_shrink = true; return true;
    default: q->json = true; return true;
    }
}

/* The program and its words begin at the first word: what is behind is the program's. */
static int parse(const struct command *self, char **argv, struct request *q, char ***ret_program)
{
    struct options o;
    options_start(&o, self, argv);
    for (int id; (id = options_next(&o)) != OPTION_END;) {
        if (id == OPTION_WORD) {
            *ret_program = o.words - 1;
            return -1;
        }
        if (id == OPTION_EXIT)
            return o.status;
        if (!take(q, id, o.value))
            return message_usage(self->name, "'%s' is not what that option wants", o.value);
    }
    return message_usage(self->name, "which program?  hocket sim [OPTION...] -- PROGRAM [WORD...]");
}

static int sim_command(const struct command *self, char **argv)
{
    struct request q = { .sim = HOCKET_SIM_OPTIONS_DEFAULT, .json = false };
    hocket_sim_result result = { 0 };
    char **program = NULL;
    int status = parse(self, argv, &q, &program);
    if (status >= 0)
        return status;
    q.sim.result = &result;
    int err = hocket_sim_exec(program, &q.sim);
    if (result.failure == HOCKET_SIM_PASSED && err != 0) {
        if (err == -ENOEXEC)
            message(self->name, program[0], "it has started no runtime of this version of Hocket");
        else if (q.sim.replay == NULL || err != -EINVAL) /* that was told already */
            message(self->name, program[0], "%s", strerror(-err));
        return err == -EINVAL ? 2 : 1;
    }
    return report(&q, &result);
}

const struct command command_sim = {
    .name = "sim",
    .synopsis = "[OPTION...] [--] PROGRAM [WORD...]",
    .summary = "a program under many interleavings, each one repeatable",
    .about =
        "PROGRAM, linked to Hocket and otherwise as it is, runs once for each seed, in a world where\n"
        "its tasks go one at a time, in an order that the seed says, and time is virtual. A run fails\n"
        "that ends with a status other than 0, by a signal, in a deadlock or not at all. Then its\n"
        "schedule is made as short as possible and shown; the exit status is 1. What a run writes is\n"
        "shown only if it fails.\n",
    .options = sim_options,
    .run = sim_command,
};
