/* SPDX-License-Identifier: MIT */
/*
 * report - what happened, for people
 *
 * The events of the last run, a line for each time that a task was on the CPU.  An event is written down
 * before it happens; so where a task was sent off, its last one belongs to its next line.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/session.h"

#define OUTPUT_MAX 4096
#define LINES_MAX  60u

/* The end of what the run wrote. */
static void show_output(const struct sim_session *x)
{
    char text[OUTPUT_MAX];
    if (x->output < 0)
        return;
    int64_t end = lseek(x->output, 0, SEEK_END), from = x->output_from;
    if (end - from > OUTPUT_MAX)
        from = end - OUTPUT_MAX;
    ssize_t n = pread(x->output, text, sizeof text, (off_t)from);
    if (n > 0)
        fprintf(stderr, "%.*s%s", (int)n, text, text[n - 1] == '\n' ? "" : "\n");
}

static const struct sim_event *event_at(const struct sim_shared *s, uint64_t i)
{
    return &s->events[i % SIM_EVENTS];
}

static bool is(const struct sim_shared *s, const struct sim_event *e, const char *word)
{
    return strcmp(s->words[e->what], word) == 0;
}

/* Did the task leave the CPU by itself behind this event? */
static bool leaves(const struct sim_shared *s, const struct sim_event *e)
{
    return is(s, e, "wait") || is(s, e, "end") || is(s, e, "yield") || is(s, e, "killed");
}

/* Told behind what was done. */
static bool is_done(const struct sim_shared *s, const struct sim_event *e)
{
    return is(s, e, "wake") || is(s, e, "spawn") || is(s, e, "begin") || is(s, e, "woken") ||
           is(s, e, "timed out") || is(s, e, "cancelled");
}

static void say_event(const struct sim_shared *s, const struct sim_event *e, const char *before)
{
    /* Numbers of tasks are not those of objects: what is about a task goes without. */
    bool plain = e->object == 0 || is(s, e, "end") || is(s, e, "wake") || is(s, e, "spawn") ||
                 is(s, e, "join") || is(s, e, "woken") || is(s, e, "wait");
    fprintf(stderr, "%s%s", before, s->words[e->what]);
    if (!plain)
        fprintf(stderr, " %u", e->object);
}

static void say_task(const struct sim_shared *s, uint32_t number)
{
    char text[48];
    const char *name = number < SIM_NAMES ? s->names[number] : "";
    (void)snprintf(text, sizeof text, "task %u%s%s%s", number, *name ? " '" : "", name,
                   *name ? "'" : "");
    fprintf(stderr, "  %-20s", text);
}

/* "ready" is told about others, by whoever woke them. */
static bool shown(const struct sim_shared *s, const struct sim_event *e)
{
    return e->task != 0 && !is(s, e, "ready");
}

/* The index behind the last event of the turn that begins at `i`. */
static uint64_t turn_end(const struct sim_shared *s, uint64_t i)
{
    uint32_t task = event_at(s, i)->task;
    while (i < s->event_count && (!shown(s, event_at(s, i)) || event_at(s, i)->task == task))
        i++;
    return i;
}

/* What each task was about to do when it was sent off: index of the event + 1. */
static uint64_t about[SIM_NAMES];

static void show_turn(const struct sim_shared *s, uint64_t i, uint64_t end)
{
    uint32_t task = event_at(s, i)->task;
    const struct sim_event *last = NULL;
    const char *before = " ";
    for (uint64_t k = i; k < end; k++)
        if (shown(s, event_at(s, k)))
            last = event_at(s, k);
    bool sent_off = end < s->event_count && !leaves(s, last) && !is_done(s, last);
    say_task(s, task);
    if (task < SIM_NAMES && about[task] != 0) {
        say_event(s, event_at(s, about[task] - 1), before);
        before = ", ";
        about[task] = 0;
    }
    for (; i < end; i++) {
        const struct sim_event *e = event_at(s, i);
        if (!shown(s, e) || (e == last && sent_off) || is(s, e, "killed"))
            continue;
        fputs(before, stderr);
        say_event(s, e, i + 1 < end && is(s, event_at(s, i + 1), "killed") ? "killed before " : "");
        before = ", ";
    }
    if (sent_off && task < SIM_NAMES)
        about[task] = (uint64_t)(last - s->events) + 1;
    if (sent_off)
        say_event(s, last, "   <- before ");
    fprintf(stderr, "\n");
}

static void show_schedule(const struct sim_session *x)
{
    const struct sim_shared *s = x->shared;
    uint64_t first = s->event_count > SIM_EVENTS ? s->event_count - SIM_EVENTS : 0;
    uint32_t turns = 0;
    memset(about, 0, sizeof about);
    while (first < s->event_count && !shown(s, event_at(s, first)))
        first++;
    for (uint64_t i = first; i < s->event_count; i = turn_end(s, i))
        turns++;
    fprintf(stderr, "  what they did, %u choice%s that %s not obvious", x->choice_count,
            x->choice_count == 1 ? "" : "s", x->choice_count == 1 ? "was" : "were");
    if (x->result.switches > x->choice_count)
        fprintf(stderr, " (left of %u)", x->result.switches);
    fprintf(stderr, "%s:\n", turns > LINES_MAX ? ", the end of it" : "");
    for (uint64_t i = first; i < s->event_count; turns--) {
        uint64_t end = turn_end(s, i);
        if (turns <= LINES_MAX)
            show_turn(s, i, end);
        i = end;
    }
}

static void show_hint(const struct sim_session *x)
{
    static const char *const strategies[] = { "random", "pct", "exhaustive" };
    const hocket_sim_options *o = &x->options;
    unsigned long long seed = x->result.seed;
    const char *strategy = strategies[o->strategy];
    if (o->replay) {
        fprintf(stderr, "  again: the choices are in %s\n", o->replay);
    } else if (x->argv) {
        fprintf(stderr, "  again: hocket sim --first %llu --seeds 1 --strategy %s", seed, strategy);
        if (o->strategy == HOCKET_SIM_PCT)
            fprintf(stderr, " --depth %u", o->depth);
        fprintf(stderr, " -- ...\n");
    } else {
        fprintf(stderr, "  again: HOCKET_SIM=%llu HOCKET_SIM_STRATEGY=%s", seed, strategy);
        if (o->strategy == HOCKET_SIM_PCT)
            fprintf(stderr, " HOCKET_SIM_DEPTH=%u", o->depth);
        fprintf(stderr, " %s\n", program_invocation_name);
    }
    if (o->save && !x->shared->out_full)
        fprintf(stderr, "  the choices: %s\n", o->save);
}

static const char *const event_names[] = { "?",
                                           "cancel",
                                           "time-out",
                                           "spurious wake-up",
                                           "allocation that failed",
                                           "interruption",
                                           "delay",
                                           "death of a task",
                                           "short transfer" };

void hocket__sim_report(struct sim_session *x)
{
    const struct sim_shared *s = x->shared;
    show_output(x);
    fprintf(stderr, "hocket: sim: seed %llu fails: %s\n", (unsigned long long)x->result.seed,
            s->message[0] ? s->message : x->result.message);
    if (s->plan.sweep)
        fprintf(stderr, "  with the %s that was number %u\n", event_names[s->plan.sweep],
                s->plan.sweep_at);
    if (x->differs)
        fprintf(stderr, "  It did not fail again in the same way when the schedule was repeated: "
                        "something outside of the world decides.\n");
    show_schedule(x);
    show_hint(x);
}
