/* SPDX-License-Identifier: MIT */
/* The dump when no memory can be had: nothing is lost but the order of very many. */
#include "support/suite.h"

#include <hocket.h>
#include <sys/resource.h>

#include "support/death.h"
#include "support/dumped.h"
#include "support/inject.h"

static hocket_event opened;

static int waits(void *arg)
{
    (void)arg;
    return hocket_event_wait(&opened, HOCKET_FOREVER);
}

static size_t count_of(const char *text, const char *words)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        n++;
    return n;
}

static int dump_body(void *arg)
{
    int n = *(int *)arg;
    char words[64];
    hocket_scope s;
    hocket_event_clear(&opened);
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.name = "crowd"));
    for (int i = 0; i < n; i++)
        HK_EXPECT_OK(hocket_spawn(&s, waits, NULL));
    RUN_UNTIL(hocket__parked_count() > (size_t)n);
    FILE *file = tmpfile();
    HK_EXPECT(file != NULL);
    inject_fail(INJECT_MAP, 1, true);
    int err = hocket_dump(fileno(file));
    bool failed = inject_off();
    HK_EXPECT_EQ(err, 0);
    HK_EXPECT(failed || n < 500); /* few need no room, but a worker that starts may ask for some */
    char *text = dumped__read(file);
    fclose(file);
    DUMPED_HAS(text, "scope 'crowd'");
    DUMPED_HAS(text, "hocket: end of dump\n");
    /* All are counted; those beyond the table have a line each. */
    snprintf(words, sizeof words, n >= 1000 ? ": %d,%03d tasks (" : ": %d tasks (",
             n + 2 >= 1000 ? (n + 2) / 1000 : n + 2, (n + 2) % 1000);
    DUMPED_HAS(text, words);
    if (n > 1024)
        HK_EXPECT(count_of(text, " fiber, waits ") > (size_t)n - 1024);
    free(text);
    hocket_event_set(&opened);
    return hocket_scope_close(&s);
}

START_TEST(without_mappings)
{
    static const int numbers[] = { 20, 600, 1500 };
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    int n = numbers[_i];
    inject_install();
    o.workers = 2;
    o.no_signals = true;
    HK_EXPECT_EQ(hocket_run_with(dump_body, &n, &o), 0);
}
END_TEST

static int exhausted_body(void *arg)
{
    hocket_task *t = NULL;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, waits, NULL, HOCKET_SPAWN_OPTIONS(.name = "sleeper")));
    RUN_UNTIL(run_parked(t));
    struct rlimit none = { 0, 0 };
    HK_EXPECT_EQ(setrlimit(RLIMIT_AS, &none), 0); /* no file is mapped, no heap grows */
    HK_EXPECT_EQ(hocket_dump(2), 0);
    hocket_event_set(&opened);
    run_finish(t, 0);
    return 0;
}

static void exhausted(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = *(int *)arg;
    o.no_signals = true;
    _exit(hocket_run_with(exhausted_body, NULL, &o));
}

START_TEST(without_address_space)
{
    static int workers[] = { 2, HOCKET_NO_WORKERS };
    death_by_exit(exhausted, &workers[_i], 0, "sleeper [");
    death_by_exit(exhausted, &workers[_i], 0, "hocket: end of dump\n");
}
END_TEST

SUITE("trace_dump", 30)
{
    tcase_add_loop_test(suite__case, without_mappings, 0, 3);
    if (!HOCKET_ASAN && !HOCKET_TSAN && getenv("HOCKET_EMULATOR") == NULL)
        tcase_add_loop_test(suite__case, without_address_space, 0, 2);
}
