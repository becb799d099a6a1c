/* SPDX-License-Identifier: MIT */
/*
 * file - choices in a file
 *
 *     hocket choices 1
 *     seed 4711
 *     strategy 0                  how it was found: places of the exhaustive search are fewer
 *     max_choices 100000
 *     max_delay 50000000
 *     sweep 0 0                   event and which one, of hocket_sim_sweep
 *     2 17 go 3                   task, step, what, value
 *     end 1
 *
 * Text, so that a test can keep it and a person can read it.  The last line says how many there are:
 * without it the file was cut short.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/session.h"

#define FILE_MAX (64L << 20)

static const char *const kinds[] = { "?", "go", "time", "draw" };

int hocket__sim_save(const char *path, const struct sim_plan *plan,
                     const struct sim_choice *choices, uint32_t count)
{
    FILE *f = fopen(path, "we");
    if (!f)
        return -errno;
    fprintf(f, "hocket choices %d\nseed %llu\nstrategy %d\nmax_choices %u\nmax_delay %lld\n",
            SIM_VERSION, (unsigned long long)plan->seed, plan->strategy, plan->max_choices,
            (long long)plan->max_delay);
    fprintf(f, "sweep %d %u\n", plan->sweep, plan->sweep_at);
    for (uint32_t i = 0; i < count; i++)
        fprintf(f, "%u %u %s %u\n", choices[i].task, choices[i].step, kinds[choices[i].kind],
                choices[i].value);
    fprintf(f, "end %u\n", count);
    int err = ferror(f) ? -EIO : 0;
    return fclose(f) != 0 && err == 0 ? -errno : err;
}

static int kind_of(const char *word)
{
    for (int i = SIM_GO; i <= SIM_DRAW; i++)
        if (strcmp(word, kinds[i]) == 0)
            return i;
    return 0;
}

/* The lines behind the head.  A text for what is wrong, or NULL. */
static const char *read_choices(FILE *f, struct sim_choice *choices, uint32_t *ret_count)
{
    char line[128], word[8], rest;
    uint32_t n = 0, total;
    while (fgets(line, sizeof line, f)) {
        struct sim_choice c = { 0, 0, 0, 0 };
        if (!strchr(line, '\n'))
            return "cut short, or no file of choices";
        if (sscanf(line, "end %u %c", &total, &rest) == 1) {
            *ret_count = n;
            return total == n ? NULL : "damaged: it does not have as many choices as it says";
        }
        if (sscanf(line, "%u %u %7s %u %c", &c.task, &c.step, word, &c.value, &rest) != 4 ||
            (c.kind = (uint32_t)kind_of(word)) == 0)
            return "damaged: a line is no choice";
        if (n == SIM_CHOICES)
            return "too large";
        choices[n++] = c;
    }
    return "cut short";
}

static const char *read_all(FILE *f, struct sim_plan *plan, struct sim_choice *choices,
                            uint32_t *ret_count)
{
    int version;
    unsigned long long seed;
    long long delay;
    if (fseek(f, 0, SEEK_END) == 0) { /* not of a pipe */
        if (ftell(f) > FILE_MAX)
            return "too large";
        rewind(f);
    }
    if (fscanf(f, "hocket choices %d ", &version) != 1)
        return "no file of choices";
    if (version != SIM_VERSION)
        return "of another version of Hocket";
    if (fscanf(f, "seed %llu strategy %d max_choices %u max_delay %lld sweep %d %u ", &seed,
               &plan->strategy, &plan->max_choices, &delay, &plan->sweep, &plan->sweep_at) != 6 ||
        plan->max_choices == 0 || plan->strategy < 0 || plan->strategy > HOCKET_SIM_EXHAUSTIVE ||
        plan->sweep < 0 || plan->sweep > HOCKET_SIM_SHORT)
        return "damaged: its head is not complete";
    plan->seed = seed;
    plan->max_delay = delay;
    return read_choices(f, choices, ret_count);
}

int hocket__sim_load(const char *path, struct sim_plan *plan, struct sim_choice *choices,
                     uint32_t *ret_count, char *why, size_t size)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        int err = -errno;
        (void)snprintf(why, size, "%s", strerror(-err));
        return err;
    }
    const char *wrong = read_all(f, plan, choices, ret_count);
    (void)fclose(f);
    if (wrong)
        (void)snprintf(why, size, "%s", wrong);
    return wrong ? -EINVAL : 0;
}
