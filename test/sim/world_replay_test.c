/* SPDX-License-Identifier: MIT */
/* The same seed is the same run, byte for byte; choices that were kept fail again. */
#include <errno.h>
#include <fcntl.h>
#include <hocket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/atoms.h"
#include "support/death.h"
#include "support/expect.h"
#include "support/suite.h"

__attribute__((constructor)) static void not_from_outside(void)
{
    (void)unsetenv("HOCKET_SIM_SEEDS"); /* here the number matters */
}

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[4][128];
    static unsigned next;
    char *to = path[next++ % 4];
    if (folder[0] == '\0') {
        snprintf(folder, sizeof folder, "/tmp/hocket-sim-XXXXXX");
        HK_EXPECT(mkdtemp(folder) != NULL);
    }
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static char *contents(const char *path, size_t *ret_size)
{
    FILE *f = fopen(path, "rb");
    HK_EXPECT(f != NULL);
    HK_EXPECT(fseek(f, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(f);
    char *text = malloc(size + 1);
    HK_EXPECT(text != NULL);
    rewind(f);
    HK_EXPECT_EQ(fread(text, 1, size, f), size);
    fclose(f);
    text[size] = '\0';
    *ret_size = size;
    return text;
}

static void clean(void)
{
    char command[96];
    if (folder[0] == '\0')
        return;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    HK_EXPECT_EQ(system(command), 0);
    folder[0] = '\0';
}

/* ---- a bit of everything ---- */

static hocket_mutex mutex;
static hocket_cond cond;
static hocket_sem sem;
static hocket_queue *queue;
static int turn;

static int worker(void *arg)
{
    int number = (int)(intptr_t)arg;
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_OK(hocket_sem_acquire(&sem, HOCKET_FOREVER));
        hocket_mutex_lock(&mutex);
        turn++;
        hocket_cond_broadcast(&cond);
        hocket_mutex_unlock(&mutex);
        HK_EXPECT_OK(hocket_sem_release(&sem));
        HK_EXPECT_OK(hocket_queue_put(queue, &number, HOCKET_FOREVER));
        HK_EXPECT_OK(hocket_sleep((hocket_time)hocket_sim_choice(5) * HOCKET_MS));
    }
    return 0;
}

static int taker(void *arg)
{
    int sum = 0, got;
    for (int i = 0; i < 9; i++) {
        HK_EXPECT_OK(hocket_queue_get(queue, &got, HOCKET_FOREVER));
        sum += got;
    }
    *(int *)arg = sum;
    return 0;
}

static int job(void *arg)
{
    HK_EXPECT_OK(hocket_yield());
    return (int)(intptr_t)arg;
}

static int everything(void *arg)
{
    hocket_scope scope;
    int sum = 0;
    HK_EXPECT_OK(hocket_sem_init(&sem, 2, 0));
    HK_EXPECT_OK(hocket_queue_new(&queue, sizeof(int), &(hocket_queue_options){ .capacity = 2 }));
    hocket_scope_open(&scope, NULL);
    for (intptr_t i = 1; i <= 3; i++)
        HK_EXPECT_OK(hocket_spawn(&scope, worker, (void *)i));
    HK_EXPECT_OK(hocket_spawn(&scope, taker, &sum));
    hocket_mutex_lock(&mutex);
    while (turn < 9)
        HK_EXPECT_OK(hocket_cond_wait(&cond, &mutex, HOCKET_FOREVER));
    hocket_mutex_unlock(&mutex);
    hocket_executor *ex;
    hocket_future *f;
    int result;
    HK_EXPECT_OK(hocket_executor_new(&ex, arg ? arg : "fibers", NULL));
    HK_EXPECT_OK(hocket_submit_fn(ex, &f, job, (void *)7));
    HK_EXPECT_OK(hocket_future_get(f, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, 7);
    hocket_future_free(f);
    hocket_executor_free(ex);
    HK_EXPECT_OK(hocket_scope_close(&scope));
    HK_EXPECT_EQ(sum, 18);
    hocket_queue_free(queue);
    return 0;
}

static void run_traced(uint64_t seed, int strategy, const char *path, uint64_t *ret_hash)
{
    hocket_sim_result r;
    HK_EXPECT_EQ(hocket_sim_run(everything, NULL,
                                HOCKET_SIM_OPTIONS(.first = seed, .seeds = 1, .result = &r,
                                                   .strategy = strategy, .trace = path)),
                 0);
    *ret_hash = r.hash;
}

static void twice(unsigned seeds)
{
    uint64_t hash[100], other;
    unsigned different = 0;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        int strategy = seed % 2 ? HOCKET_SIM_PCT : HOCKET_SIM_RANDOM;
        const char *a = in_folder("a"), *b = in_folder("b");
        size_t size_a, size_b;
        run_traced(seed, strategy, a, &hash[seed]);
        void *moves_the_heap = malloc(64 + (size_t)seed * 40);
        run_traced(seed, strategy, b, &other);
        free(moves_the_heap);
        char *text_a = contents(a, &size_a), *text_b = contents(b, &size_b);
        HK_EXPECT_EQ(hash[seed], other);
        HK_EXPECT_EQ(size_a, size_b);
        HK_EXPECT(memcmp(text_a, text_b, size_a) == 0);
        HK_EXPECT(size_a > 1000);
        free(text_a);
        free(text_b);
        different += seed > 0 && hash[seed] != hash[seed - 1];
    }
    HK_EXPECT(different > seeds - seeds / 10); /* and other seeds are other runs */
    clean();
}

START_TEST(a_hundred_seeds_twice)
{
    twice(100);
}
END_TEST

START_TEST(seeds_twice_with_atomic_operations)
{
    hocket__sim_atoms = true;
    twice((unsigned)run_scaled(100, 20));
}
END_TEST

START_TEST(executors_on_threads_are_in_the_world)
{
    HK_EXPECT_EQ(hocket_sim_run(everything, (void *)"threads", HOCKET_SIM_OPTIONS(.seeds = 50)), 0);
    HK_EXPECT_EQ(hocket_sim_run(everything, (void *)"inline", HOCKET_SIM_OPTIONS(.seeds = 50)), 0);
}
END_TEST

/* ---- choices ---- */

static int first, second;

static int racer(void *arg)
{
    int seen = first;
    hocket_sim_point();
    (void)arg;
    first = seen + 1;
    hocket_sim_point();
    second++;
    return 0;
}

static int race(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 4; i++)
        HK_EXPECT_OK(hocket_spawn(&scope, racer, NULL));
    HK_EXPECT_OK(hocket_scope_close(&scope));
    return first == 4 || hocket_sim_choice(8) == 0 ? 0 : -EILSEQ;
}

START_TEST(a_failing_schedule_gets_short_and_fails_again)
{
    hocket_sim_result r, again;
    const char *path = in_folder("choices");
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_EXHAUSTIVE; strategy++) {
        HK_EXPECT_EQ(hocket_sim_run(race, NULL,
                                    HOCKET_SIM_OPTIONS(.quiet = true, .save = path, .result = &r,
                                                       .strategy = strategy, .seeds = 1000)),
                     -EILSEQ);
        HK_EXPECT(r.shrunk <= r.switches);
        HK_EXPECT(r.shrunk <= 3);
        for (int i = 0; i < 34; i++) {
            HK_EXPECT_EQ(hocket_sim_run(race, NULL,
                                        HOCKET_SIM_OPTIONS(.quiet = true, .replay = path,
                                                           .no_shrink = true, .result = &again)),
                         -EILSEQ);
            HK_EXPECT_EQ(again.runs, 1);
            HK_EXPECT_EQ(again.seed, r.seed);
            HK_EXPECT_EQ(again.switches, r.shrunk);
        }
    }
    clean();
}
END_TEST

START_TEST(a_failing_seed_fails_again_alone)
{
    hocket_sim_result r, again;
    HK_EXPECT_EQ(hocket_sim_run(race, NULL,
                                HOCKET_SIM_OPTIONS(.quiet = true, .result = &r, .no_shrink = true)),
                 -EILSEQ);
    HK_EXPECT_EQ(hocket_sim_run(race, NULL,
                                HOCKET_SIM_OPTIONS(.quiet = true, .result = &again, .seeds = 1,
                                                   .first = r.seed, .no_shrink = true)),
                 -EILSEQ);
    HK_EXPECT_EQ(again.switches, r.switches);
    HK_EXPECT_EQ(again.hash, r.hash);
}
END_TEST

/* ---- files that are none ---- */

static int replay_of(const char *text, size_t size)
{
    const char *path = in_folder("choices");
    FILE *f = fopen(path, "wb");
    HK_EXPECT(f != NULL);
    HK_EXPECT_EQ(fwrite(text, 1, size, f), size);
    HK_EXPECT_EQ(fclose(f), 0);
    return hocket_sim_run(race, NULL, HOCKET_SIM_OPTIONS(.quiet = true, .replay = path));
}

START_TEST(files_of_choices_that_are_damaged)
{
    static const char good[] =
        "hocket choices 1\nseed 3\nstrategy 0\nmax_choices 1000\nmax_delay 5\nsweep 0 0\n"
        "1 2 go 3\n2 4 time 1\n2 5 draw 1\nend 3\n";
    static const char *const bad[] = {
        "",
        "\n",
        "hello",
        "hocket choices",
        "hocket choices 2\nseed 3\nstrategy 0\nmax_choices 1000\nmax_delay 5\nsweep 0 0\nend 0\n",
        "hocket choices 1\nseed 3\nstrategy 0\nmax_choices 0\nmax_delay 5\nsweep 0 0\nend 0\n",
        "hocket choices 1\nseed 3\nstrategy 0\nmax_delay 5\nsweep 0 0\nend 0\n",
        "hocket choices 1\nseed 3\nstrategy 0\nmax_choices 1000\nmax_delay 5\nsweep 0 0\n1 2 run 3\nend 1\n",
        "hocket choices 1\nseed 3\nstrategy 0\nmax_choices 1000\nmax_delay 5\nsweep 0 0\n1 2 go 3 4\nend 1\n",
        "hocket choices 1\nseed 3\nstrategy 0\nmax_choices 1000\nmax_delay 5\nsweep 0 0\n1 2 go 3\nend 2\n",
        "hocket choices 1\nseed 3\nstrategy 0\nmax_choices 1000\nmax_delay 5\nsweep 99 1\nend 0\n",
        "hocket choices 1\nseed 3\nstrategy 0\nmax_choices 1000\nmax_delay 5\nsweep -1 1\nend 0\n",
    };
    int rc = replay_of(good, sizeof good - 1);
    HK_EXPECT(rc == 0 || rc == -EILSEQ);
    for (size_t size = 0; size < sizeof good - 1; size++)
        HK_EXPECT_EQ(replay_of(good, size), -EINVAL); /* cut at every byte */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        HK_EXPECT_EQ(replay_of(bad[i], strlen(bad[i])), -EINVAL);
    const char *path = in_folder("huge");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    HK_EXPECT(fd >= 0);
    HK_EXPECT_EQ(ftruncate(fd, (off_t)1 << 32), 0);
    close(fd);
    HK_EXPECT_EQ(hocket_sim_run(race, NULL, HOCKET_SIM_OPTIONS(.quiet = true, .replay = path)),
                 -EINVAL);
    clean();
}
END_TEST

START_TEST(choices_from_a_pipe)
{
    static const char text[] =
        "hocket choices 1\nseed 3\nstrategy 0\nmax_choices 1000\nmax_delay 5\n"
        "sweep 0 0\n1 2 go 3\nend 1\n";
    char path[32];
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    HK_EXPECT_EQ(write(ends[1], text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(ends[1]);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    int rc = hocket_sim_run(race, NULL, HOCKET_SIM_OPTIONS(.quiet = true, .replay = path));
    HK_EXPECT(rc == 0 || rc == -EILSEQ);
    close(ends[0]);
}
END_TEST

/* More than there is room for: it is told that they are not kept. */
static int draws_much(void *arg)
{
    (void)arg;
    for (int i = 0; i <= 1 << 18; i++)
        while (hocket_sim_choice(16) == 0)
            continue;
    return 1;
}

static void saves_too_much(void *path)
{
    int err = hocket_sim_run(draws_much, NULL,
                             HOCKET_SIM_OPTIONS(.seeds = 1, .max_choices = UINT32_MAX,
                                                .save = (const char *)path, .no_shrink = true));
    _exit(err == -EPROTO ? 5 : 6);
}

START_TEST(too_many_choices_to_keep)
{
    const char *path = in_folder("too-many");
    struct death d;
    death_of(&d, saves_too_much, (void *)(uintptr_t)path, NULL);
    HK_EXPECT(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 5);
    death__says(&d, "too-many: File too large\n");
    HK_EXPECT_EQ(access(path, F_OK), -1);
    clean();
}
END_TEST

SUITE("sim_replay", 60)
{
    suite_once(a_hundred_seeds_twice);
    suite_once(seeds_twice_with_atomic_operations);
    suite_once(executors_on_threads_are_in_the_world);
    suite_once(a_failing_schedule_gets_short_and_fails_again);
    suite_once(a_failing_seed_fails_again_alone);
    suite_once(files_of_choices_that_are_damaged);
    suite_once(choices_from_a_pipe);
    suite_once(too_many_choices_to_keep);
}
