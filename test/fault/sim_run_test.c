/* SPDX-License-Identifier: MIT */
/* sim: where there is no memory or no process for a world, it says so and leaves nothing behind. */
#include "support/suite.h"

#include <errno.h>
#include <sys/mman.h>

#include <hocket/sim.h>

#include "support/death.h"
#include "support/inject.h"
#include "support/process.h"
#include "support/refuse.h"

static int body(void *arg)
{
    (void)arg;
    return 0;
}

static int run(void)
{
    return hocket_sim_run(body, NULL, HOCKET_SIM_OPTIONS(.seeds = 2, .quiet = true));
}

/*
 * Twice, and no descriptor and no mapping is left.
 * gets: hocket_sim_run -EAGAIN -ENOMEM
 */
static void run_says(bool possible, int error)
{
    int before = process_descriptors();
    long maps = inject_counts().maps;
    if (!possible) {
        fprintf(stderr, "no seccomp here: not tested\n");
        return;
    }
    HK_EXPECT_EQ(run(), error);
    HK_EXPECT_EQ(run(), error);
    HK_EXPECT_EQ(process_descriptors(), before);
    HK_EXPECT_EQ(inject_counts().maps, maps);
}

START_TEST(no_memory)
{
    inject_install();
    int before = process_descriptors();
    inject_fail(INJECT_MAP, 1, false);
    HK_EXPECT_EQ(run(), -ENOMEM);
    HK_EXPECT(inject_off());
    HK_EXPECT_EQ(process_descriptors(), before);
}
END_TEST

START_TEST(no_memory_to_share)
{
    inject_install();
    run_says(refuse_with(SYS_mmap, 3, MAP_SHARED, ENOMEM), -ENOMEM);
}
END_TEST

static void refuses_processes(void *arg)
{
    (void)arg;
#ifdef SYS_fork
    bool possible = refuse(SYS_fork, EAGAIN);
#else
    bool possible = true;
#endif
    run_says(possible && refuse(SYS_clone, EAGAIN), -EAGAIN);
}

/* In a child that ends by _exit: at an exit, LSan wants a process of its own. */
START_TEST(no_process)
{
    inject_install();
    death_by_exit(refuses_processes, NULL, 0, "");
}
END_TEST

SUITE("sim_run", 20)
{
    suite_once(no_memory);
    suite_once(no_memory_to_share);
    suite_once(no_process);
}
