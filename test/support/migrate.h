/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_MIGRATE_H
#define HOCKET_TEST_MIGRATE_H
/*
 * migrate - make the calling fiber wait and go on on another OS thread
 *
 * In a runtime of two workers: one helper keeps this worker, the other, on the other
 * worker, waits until we are parked, wakes us and ends; so we are next there.
 * C and C++.
 */
#include <hocket/park.h>
#include <hocket/task.h>
#include <sys/syscall.h>

#include "support/expect.h"

struct migration {
    long home; /* the thread that we leave */
    hocket_word kept, word, done;
    int users; /* whoever is last frees it */
};

static inline long migrate_thread(void)
{
    return syscall(SYS_gettid);
}

static inline unsigned migrate__get(const hocket_word *word)
{
    return __atomic_load_n((const unsigned *)(const void *)word, __ATOMIC_SEQ_CST);
}

static inline void migrate__set(hocket_word *word)
{
    __atomic_store_n((unsigned *)(void *)word, 1u, __ATOMIC_SEQ_CST);
}

static inline void migrate__drop(struct migration *m)
{
    if (__atomic_sub_fetch(&m->users, 1, __ATOMIC_ACQ_REL) == 0)
        free(m);
}

static int migrate__helper(void *arg)
{
    struct migration *m = (struct migration *)arg;
    if (migrate_thread() == m->home) {
        migrate__set(&m->kept);
        HK_WAIT_UNTIL(migrate__get(&m->done));
    } else {
        HK_WAIT_UNTIL(migrate__get(&m->kept));
        migrate__set(&m->word);
        HK_WAIT_UNTIL(hocket_wake(&m->word, 1) == 1 || migrate__get(&m->done));
    }
    migrate__drop(m);
    return 0;
}

/* The caller must not wait again before it has looked. */
__attribute__((noinline)) static void migrate(void)
{
    struct migration *m = (struct migration *)calloc(1, sizeof *m);
    HK_EXPECT(m != NULL);
    m->home = migrate_thread();
    m->users = 3;
    HK_EXPECT_OK(hocket_spawn(NULL, migrate__helper, m));
    HK_EXPECT_OK(hocket_spawn(NULL, migrate__helper, m));
    while (!migrate__get(&m->word))
        HK_EXPECT_OK(hocket_wait_on(&m->word, 0, HOCKET_FOREVER));
    HK_EXPECT(migrate_thread() != m->home);
    migrate__set(&m->done);
    migrate__drop(m);
}

#endif
