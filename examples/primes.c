/* SPDX-License-Identifier: MIT */
/*
 * Loops over ranges: a sieve by hocket_parallel_for, counted by hocket_parallel_reduce.  The second part
 * shows what becomes of a chunk that fails: the rest is left out, and its words arrive.
 */
#include <hocket.h>

#include <errno.h>

enum { LIMIT = 1000000, BLOCK = 20000 };

static unsigned char composite[LIMIT];

/* Strike out the multiples of the small primes in one block; blocks do not touch each other. */
static int strike(size_t begin, size_t end, void *arg)
{
    (void)arg;
    for (size_t n = 2; n * n < end; n++) {
        size_t first = (begin + n - 1) / n * n;
        for (size_t k = first < n * n ? n * n : first; k < end; k += n)
            composite[k] = 1;
    }
    return 0;
}

static int count(size_t begin, size_t end, void *value, void *arg)
{
    size_t *primes = value;
    (void)arg;
    for (size_t i = begin < 2 ? 2 : begin; i < end; i++)
        *primes += !composite[i];
    return 0;
}

static void add(void *value, const void *right, void *arg)
{
    (void)arg;
    *(size_t *)value += *(const size_t *)right;
}

static int no_composites(size_t begin, size_t end, void *arg)
{
    (void)arg;
    for (size_t i = begin; i < end; i++)
        if (i == 4242)
            return hocket_fail(-EDOM, "%zu is not prime", i);
    return 0;
}

static int program(void *arg)
{
    const size_t zero = 0;
    const hocket_reduction primes = { &zero, sizeof zero, count, add, NULL };
    size_t found = 0;
    (void)arg;
    int err = hocket_parallel_for(0, LIMIT, BLOCK, strike, NULL);
    if (err == 0)
        err = hocket_parallel_reduce(&primes, 0, LIMIT, 0, &found);
    if (err)
        return err;
    (void)hocket_print(stdout, "%zu primes below %d\n", found, LIMIT);

    err = hocket_parallel_for(0, LIMIT, 0, no_composites, NULL);
    (void)hocket_print(stdout, "%s: %s\n", hocket_error_name(err), hocket_fail_words()->message);
    hocket_fail_clear();
    return 0;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
