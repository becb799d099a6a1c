/* SPDX-License-Identifier: MIT */
/*
 * hocket robots: the hosts that asked for a path, from Apache access logs.
 *
 * The command line, and what is written at the end; the work is in robots.c.
 */
#include "command.h"
#include "common/interrupt.h"
#include "common/jobs.h"
#include "common/json.h"
#include "common/message.h"
#include "common/output.h"
#include "common/units.h"
#include "robots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS = 1, ON, PATH, COUNT, JSON, PROGRESS, NO_PROGRESS };

static const struct option robots_options[] = {
    { JOBS, 'j', "jobs", "N", "files read at a time (default: usable CPUs)" },
    { ON, 0, "on", "WHERE", "inline, threads or fibers (default)" },
    { PATH, 0, "path", "PATH", "what they asked for (default /robots.txt)" },
    { COUNT, 0, "count", NULL, "also how often: host, tab, hits" },
    { JSON, 0, "json", NULL, "an array of objects with host and hits" },
    { PROGRESS, 0, "progress", NULL, "show how far it is (default: on a terminal)" },
    { NO_PROGRESS, 0, "no-progress", NULL, "do not" },
    { 0, 0, NULL, NULL, NULL },
};

struct report {
    struct output out;
    enum { PLAIN, COUNTED, AS_JSON } form;
    bool any;
};

static int report_host(void *arg, const char *host, size_t length, uint64_t hits)
{
    struct report *r = arg;
    struct output *out = &r->out;
    if (r->form == AS_JSON) {
        output_text(out, r->any ? ",\n{\"host\":" : "\n{\"host\":");
        json_string(out, host, length);
        if (!json_is_exact(host, length)) {
            output_text(out, ",\"host_hex\":");
            json_hex(out, host, length);
        }
        output_printf(out, ",\"hits\":%llu}", (unsigned long long)hits);
    } else {
        output_escaped(out, host, length);
        if (r->form == COUNTED)
            output_printf(out, "\t%llu", (unsigned long long)hits);
        output_put(out, "\n", 1);
    }
    r->any = true;
    return out->error;
}

/* The answer, on standard output.  The exit status. */
static int report(struct robots *robots, int form, int status)
{
    struct report *r = malloc(sizeof *r);
    if (r == NULL) {
        message("robots", NULL, "%s", strerror(ENOMEM));
        return 1;
    }
    r->form = form;
    r->any = false;
    output_open(&r->out, STDOUT_FILENO);
    if (form == AS_JSON)
        output_text(&r->out, "[");
    int error = robots_each(robots, report_host, r);
    /* An answer that is not complete does not look as if it were. */
    if (form == AS_JSON && error == 0)
        output_text(&r->out, r->any ? "\n]\n" : "]\n");
    if (error != 0 && error != EINTR && error != r->out.error) {
        message("robots", error == ENOMEM ? "hosts" : "temporary file", "%s", strerror(error));
        status = 1;
    }
    status = output_finish(&r->out, "robots", status);
    free(r);
    return status;
}

struct request {
    struct robots_options robots;
    int form;
};

static int robots_main(void *arg)
{
    struct request *q = arg;
    struct robots *robots;
    if (q->robots.jobs == 0)
        q->robots.jobs = jobs_workers_default();
    int status = robots_new(&robots, &q->robots);
    if (status != 0) {
        message("robots", NULL, "%s", strerror(status));
        return 1;
    }
    status = robots_run(robots);
    if (!interrupt_pending())
        status = report(robots, q->form, status);
    if (interrupt_pending())
        robots_tell_how_far(robots);
    robots_free(robots);
    return status;
}

static bool path_is_field(const char *path)
{
    return *path != '\0' && strpbrk(path, " \t\n") == NULL;
}

/* -1: go on; else the exit status. */
static int parse(const struct command *self, char **argv, struct request *q, char **words)
{
    struct options o;
    size_t n = 0;
    int64_t jobs;
    options_start(&o, self, argv);
    for (int id; (id = options_next(&o)) != OPTION_END;) {
        switch (id) {
        case OPTION_WORD: words[n++] = (char *)o.value; break;
        case JOBS:
            if (!units_number(o.value, 1, ROBOTS_JOBS_MAX, &jobs))
                return message_usage(self->name, "-j wants a number from 1 to %d, not '%s'",
                                     ROBOTS_JOBS_MAX, o.value);
            q->robots.jobs = (int)jobs;
            break;
        case ON:
            if (!jobs_on_known(o.value))
                return message_usage(self->name, "--on is inline, threads or fibers, not '%s'",
                                     o.value);
            q->robots.on = o.value;
            break;
        case PATH:
            if (!path_is_field(o.value))
                return message_usage(self->name,
                                     "--path: a path in a log is not empty and has no blanks");
            q->robots.path = o.value;
            break;
        case COUNT: q->form = q->form == AS_JSON ? AS_JSON : COUNTED; break;
        case JSON: q->form = AS_JSON; break;
        case PROGRESS: q->robots.progress = PROGRESS_ALWAYS; break;
        case NO_PROGRESS: q->robots.progress = PROGRESS_NEVER; break;
        default: return o.status;
        }
    }
    words[n] = NULL;
    if (n == 0)
        return message_usage(self->name, "which logs? Give files, folders or '-'");
    return -1;
}

static int robots_command(const struct command *self, char **argv)
{
    size_t count = 0;
    while (argv[count] != NULL)
        count++;
    char **words = calloc(count + 1, sizeof words[0]);
    if (words == NULL) {
        message(self->name, NULL, "%s", strerror(ENOMEM));
        return 1;
    }
    struct request q = { .robots = { .on = "fibers",
                                     .path = "/robots.txt",
                                     .progress = PROGRESS_AUTO,
                                     .words = words },
                         .form = PLAIN };
    int status = parse(self, argv, &q, words);
    if (status < 0)
        status = jobs_main(self->name, q.robots.on, q.robots.jobs, robots_main, &q);
    free(words);
    return status;
}

const struct command command_robots = {
    .name = "robots",
    .synopsis = "[OPTION...] PATH...",
    .summary = "the hosts that asked for /robots.txt, from Apache access logs",
    .about =
        "PATH is a log (plain or gzip, common or combined format), '-' for standard input, or a\n"
        "folder: all *.log, *.log.N, access_log* and *.gz below it. The hosts are sorted by\n"
        "their bytes; bytes that a terminal would obey are written as \\xNN.\n",
    .options = robots_options,
    .run = robots_command,
};
