/* SPDX-License-Identifier: MIT */
#ifndef MUTEX_THREADS_H
#define MUTEX_THREADS_H

/* threads - run the contended shape on OS threads; the contender has defined lock() and unlock().
 */

#include <pthread.h>

#include "shape.h"

static void *threads_entry(void *arg)
{
    atomic_fetch_add(&shape.ready, 1);
    while (!atomic_load(&shape.go))
        continue;
    shape_worker((int)(intptr_t)arg);
    return NULL;
}

static void threads_pass(_Bool timed)
{
    pthread_t threads[SHAPE_MAX];
    shape_reset(timed);
    atomic_store(&shape.ready, 0);
    atomic_store(&shape.go, 0);
    for (int i = 0; i < shape.tasks; i++)
        bench_check(pthread_create(&threads[i], NULL, threads_entry, (void *)(intptr_t)i) == 0,
                    "pthread_create failed");
    while (atomic_load(&shape.ready) < shape.tasks)
        bench_sleep(100000);
    atomic_store(&shape.go, 1);
    int64_t elapsed = shape_time();
    for (int i = 0; i < shape.tasks; i++)
        pthread_join(threads[i], NULL);
    shape_report(elapsed);
}

static int threads_main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("uncontended")) {
        bench_batches(shape_uncontended, NULL, SHAPE_UNCONTENDED);
    } else if (shape_parse()) {
        threads_pass(0);
        threads_pass(1);
    } else {
        return BENCH_SKIP;
    }
    return 0;
}

#endif
