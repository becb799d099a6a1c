/* SPDX-License-Identifier: MIT */
/*
 * three-queues - a pool of workers with an input, an output and an error queue
 *
 * The recipe is relay(): one call, which everybody else reaches through the queues.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

static hocket_executor *pool;
static hocket_queue *input, *output, *errors;

static int halve(const void *in, size_t size, hocket_buffer *out)
{
    int n = *(const int *)in;
    (void)size;
    (void)out;
    return n % 2 == 0 ? n / 2 : hocket_fail(-EDOM, "%d is odd", n);
}

static int relay(void *arg)
{
    (void)arg;
    int err = hocket_map_queues(pool, halve, input, sizeof(int), output, errors, HOCKET_FOREVER);
    (void)hocket_queue_close(output, HOCKET_CLOSE_DRAIN);
    (void)hocket_queue_close(errors, HOCKET_CLOSE_DRAIN);
    return err;
}

/* Results come as they are done: add them up, which does not depend on the order. */
static int print_sum(void)
{
    hocket_map_result *r;
    int sum = 0, count = 0;
    while (hocket_queue_get(output, &r, HOCKET_FOREVER) == 0) {
        sum += r->result;
        count++;
        hocket_map_result_free(r);
    }
    printf("%d halves, %d in all\n", count, sum);
    while (hocket_queue_get(errors, &r, HOCKET_FOREVER) == 0) {
        printf("input %zu: %s\n", r->index, r->error->message);
        hocket_map_result_free(r);
    }
    return 0;
}

static int open_all(void)
{
    int err = hocket_queue_new(&input, sizeof(int), NULL);
    if (err == 0)
        err = hocket_queue_new(&output, sizeof(hocket_map_result *), NULL);
    if (err == 0)
        err = hocket_queue_new(&errors, sizeof(hocket_map_result *), NULL);
    if (err == 0)
        err = hocket_executor_new(&pool, "fibers", NULL);
    return err;
}

static int program(void *arg)
{
    hocket_scope scope;
    (void)arg;
    int err = open_all();
    if (err)
        return err;
    hocket_scope_open(&scope, NULL);
    err = hocket_spawn(&scope, relay, NULL);
    for (int i = 0; i < 20 && err == 0; i++) {
        int n = i == 13 ? 13 : 2 * i;
        err = hocket_queue_put(input, &n, HOCKET_FOREVER);
    }
    (void)hocket_queue_close(input, HOCKET_CLOSE_DRAIN);
    (void)print_sum();
    int failed = hocket_scope_close(&scope);
    hocket_executor_free(pool);
    hocket_queue_free(input);
    hocket_queue_free(output);
    hocket_queue_free(errors);
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
