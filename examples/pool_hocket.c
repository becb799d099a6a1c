/* SPDX-License-Identifier: MIT */
/* The program of pool_pthread.c with an executor in place of the pool; see doc/from-pthreads.md. */
#include <hocket.h>
#include <stdio.h>

struct range {
    int begin, end, primes;
};

static int count_primes(void *arg)
{
    struct range *r = arg;
    for (int n = r->begin; n < r->end; n++) {
        int d = 2;
        while (d * d <= n && n % d != 0)
            d++;
        r->primes += n > 1 && d * d > n;
    }
    return 0;
}

static int program(void *arg)
{
    (void)arg;
    static struct range ranges[100];
    int sum = 0;
    hocket_executor *pool;
    int err = hocket_executor_new(&pool, "threads",
                                  HOCKET_EXECUTOR_OPTIONS(.workers = 4, .queue = 16));
    if (err)
        return err;
    for (int i = 0; i < 100 && err == 0; i++) {
        ranges[i] = (struct range){ i * 1000, (i + 1) * 1000, 0 };
        err = hocket_submit_fn(pool, NULL, count_primes, &ranges[i]);
    }
    hocket_executor_free(pool); /* waits for all of them */
    for (int i = 0; i < 100; i++)
        sum += ranges[i].primes;
    if (err == 0)
        printf("%d primes below 100000\n", sum);
    return err;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
