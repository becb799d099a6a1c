/* SPDX-License-Identifier: MIT */
/* the wait profile: what is counted, by place and by object, printed and folded. */
#include <errno.h>
#include <fcntl.h>
#include <hocket.h>
#include <sys/stat.h>

#include "support/death.h"
#include "support/suite.h"

static hocket_mutex mutex;
static hocket_event begun, waited_for;

static const hocket_profile_entry *entry_of(const hocket_profile_entry *e, ptrdiff_t n,
                                            const char *kind, const void *object)
{
    for (ptrdiff_t i = 0; i < n; i++)
        if (strcmp(e[i].kind, kind) == 0 && (object == NULL || e[i].object == object))
            return &e[i];
    return NULL;
}

static int holds(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    hocket_event_set(&begun);
    HK_EXPECT_OK(hocket_event_wait(&waited_for, HOCKET_FOREVER));
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int wants(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    hocket_mutex_unlock(&mutex);
    return 0;
}

/* One task holds the mutex until another is parked for it. */
static int contend(void *arg)
{
    (void)arg;
    hocket_event_clear(&begun);
    hocket_event_clear(&waited_for);
    hocket_task *a = run_spawn(holds, NULL);
    hocket_task_set_name(a, "the holder");
    HK_EXPECT_OK(hocket_event_wait(&begun, HOCKET_FOREVER));
    hocket_task *b = run_spawn(wants, NULL);
    RUN_UNTIL(run_parked(b));
    hocket_event_set(&waited_for);
    run_finish(b, 0);
    run_finish(a, 0);
    return 0;
}

static int counts(void *arg)
{
    (void)arg;
    static hocket_profile_entry e[64];
    hocket_profile_reset();
    hocket_profile_start();
    contend(NULL);
    HK_EXPECT_OK(hocket_sleep(5 * HOCKET_MS));
    hocket_profile_stop();

    ptrdiff_t n = hocket_profile_list(HOCKET_PROFILE_OBJECTS, e, 64);
    HK_EXPECT(n > 0 && n <= 64);
    const hocket_profile_entry *m = entry_of(e, n, "mutex", &mutex);
    HK_EXPECT(m != NULL && m->count >= 1 && m->max > 0 && m->total >= m->max);
    HK_EXPECT(entry_of(e, n, "sleep", NULL) == NULL); /* of no object */
    for (ptrdiff_t i = 1; i < n; i++)
        HK_EXPECT(e[i - 1].total >= e[i].total);
    uint64_t all = m->count;

    n = hocket_profile_list(HOCKET_PROFILE_PLACES, e, 64);
    m = entry_of(e, n, "mutex", NULL);
    HK_EXPECT(m != NULL && m->count == all && m->object == NULL);
    HK_EXPECT_STR(m->holder, "the holder");
    m = entry_of(e, n, "sleep", NULL);
    HK_EXPECT(m != NULL && m->count >= 1 && m->max > 0); /* it may have begun late */
    HK_EXPECT_STR(m->holder, "");
    return 0;
}

START_TEST(waits_are_counted)
{
    run_in(_i, counts, NULL);
}
END_TEST

static int off(void *arg)
{
    (void)arg;
    hocket_profile_reset();
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    HK_EXPECT_EQ(hocket_profile_list(HOCKET_PROFILE_PLACES, NULL, 0), 0);
    hocket_profile_start();
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    hocket_profile_stop();
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    hocket_profile_start(); /* what was counted stays */
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    hocket_profile_stop();
    hocket_profile_entry e[8];
    ptrdiff_t n = hocket_profile_list(HOCKET_PROFILE_PLACES, e, 8);
    uint64_t sleeps = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        sleeps += strcmp(e[i].kind, "sleep") == 0 ? e[i].count : 0;
    HK_EXPECT_EQ(sleeps, 2);
    hocket_profile_reset();
    HK_EXPECT_EQ(hocket_profile_list(HOCKET_PROFILE_OBJECTS, NULL, 0), 0);
    HK_EXPECT_EQ(hocket_profile_list(2, NULL, 0), -EINVAL);
    HK_EXPECT_EQ(hocket_profile_list(-1, NULL, 0), -EINVAL);
    return 0;
}

START_TEST(only_while_it_is_on)
{
    run_in(_i, off, NULL);
}
END_TEST

static int many_objects(void *arg)
{
    (void)arg;
    enum { MANY = 5000 };
    hocket_word *words = calloc(MANY, sizeof *words);
    HK_EXPECT(words != NULL);
    hocket_profile_reset();
    hocket_profile_start();
    for (int i = 0; i < MANY; i++)
        HK_EXPECT_EQ(hocket_wait_on(&words[i], 0, hocket_after(1)), -ETIMEDOUT);
    hocket_profile_stop();
    hocket_profile_entry *e = calloc(MANY, sizeof *e);
    HK_EXPECT(e != NULL);
    ptrdiff_t n = hocket_profile_list(HOCKET_PROFILE_OBJECTS, e, MANY);
    uint64_t waits = 0;
    bool others = false;
    HK_EXPECT(n > 100 && n < MANY);
    for (ptrdiff_t i = 0; i < n; i++) {
        waits += strcmp(e[i].kind, "word") == 0 || strcmp(e[i].kind, "(others)") == 0 ? e[i].count
                                                                                      : 0;
        others = others || strcmp(e[i].kind, "(others)") == 0;
    }
    HK_EXPECT(others && waits > 1024); /* those whose time had passed did not wait */
    free(e);
    free(words);
    return 0;
}

START_TEST(memory_is_bounded)
{
    run_in(0, many_objects, NULL);
}
END_TEST

static size_t text_of(int (*write_to)(int), char *text, size_t size)
{
    char name[] = "/tmp/hocket-profile-XXXXXX";
    int fd = mkstemp(name);
    HK_EXPECT(fd >= 0);
    (void)unlink(name);
    HK_EXPECT_EQ(write_to(fd), 0);
    ssize_t n = pread(fd, text, size - 1, 0);
    HK_EXPECT(n >= 0);
    text[n] = '\0';
    close(fd);
    return (size_t)n;
}

static int prints(void *arg)
{
    (void)arg;
    static char text[65536];
    hocket_profile_reset();
    hocket_profile_start();
    contend(NULL);
    hocket_profile_stop();
    (void)text_of(hocket_profile_print, text, sizeof text);
    HK_EXPECT(strstr(text, "hocket: waits by place") != NULL);
    HK_EXPECT(strstr(text, "hocket: waits by object") != NULL);
    HK_EXPECT(strstr(text, "mutex") != NULL && strstr(text, "held by the holder") != NULL);
    (void)text_of(hocket_profile_folded, text, sizeof text);
    HK_EXPECT(strstr(text, "mutex;held by the holder ") != NULL);
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        char *end = strchr(line, '\n'), *space = strrchr(line, ' ');
        HK_EXPECT(end != NULL && space != NULL);
        char *last = end;
        while (last[-1] >= '0' && last[-1] <= '9')
            last--;
        HK_EXPECT(last < end && last[-1] == ' '); /* a number of microseconds */
    }
    HK_EXPECT_EQ(hocket_profile_print(-1), -EBADF);
    return 0;
}

START_TEST(it_is_printed)
{
    run_in(_i, prints, NULL);
}
END_TEST

static int sleeps(void *arg)
{
    (void)arg;
    return hocket_sleep(HOCKET_MS);
}

static void by_variable(void *value)
{
    (void)setenv("HOCKET_PROFILE", value, 1);
    int err = hocket_run(sleeps, NULL);
    exit(err ? 1 : 0);
}

static int leaves(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(chdir("/"), 0);
    return hocket_sleep(HOCKET_MS);
}

static void by_variable_elsewhere(void *folder)
{
    HK_EXPECT_EQ(chdir(folder), 0);
    (void)setenv("HOCKET_PROFILE", "waits", 1);
    exit(hocket_run(leaves, NULL) != 0);
}

/* The file is where the name meant when the program began. */
START_TEST(the_program_may_change_its_folder)
{
    char folder[] = "/tmp/hocket-profile-XXXXXX", name[64];
    HK_EXPECT(mkdtemp(folder) != NULL);
    death_by_exit(by_variable_elsewhere, folder, 0, "");
    (void)snprintf(name, sizeof name, "%s/waits", folder);
    HK_EXPECT_EQ(unlink(name), 0);
    (void)snprintf(name, sizeof name, "%s/waits.folded", folder);
    HK_EXPECT_EQ(unlink(name), 0);
    HK_EXPECT_EQ(rmdir(folder), 0);
}
END_TEST

START_TEST(the_environment_switches_it_on)
{
    struct death d;
    death_by_exit(by_variable, "1", 0, "hocket: waits by place");
    death_of(&d, by_variable, "0", NULL);
    HK_EXPECT_EQ(d.length, 0);
    death_by_exit(by_variable, "/nonexistent/%p", 0, "HOCKET_PROFILE: /nonexistent/");
    death_by_exit(by_variable, "/tmp/%q", 0, "HOCKET_PROFILE: Invalid argument");
    char name[] = "/tmp/hocket-profile-XXXXXX", folded[64];
    int fd = mkstemp(name);
    HK_EXPECT(fd >= 0);
    close(fd);
    death_of(&d, by_variable, name, NULL);
    HK_EXPECT_EQ(d.length, 0);
    struct stat s;
    HK_EXPECT(stat(name, &s) == 0 && s.st_size > 0);
    (void)snprintf(folded, sizeof folded, "%s.folded", name);
    HK_EXPECT(stat(folded, &s) == 0 && s.st_size > 0);
    HK_EXPECT_EQ(unlink(name), 0);
    HK_EXPECT_EQ(unlink(folded), 0);
}
END_TEST

SUITE("trace_profile", 30)
{
    suite_each(waits_are_counted);
    suite_each(only_while_it_is_on);
    suite_each(it_is_printed);
    suite_once(memory_is_bounded);
    suite_once(the_environment_switches_it_on);
    suite_once(the_program_may_change_its_folder);
}
