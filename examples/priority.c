/* SPDX-License-Identifier: MIT */
/*
 * priority - what is most urgent comes first, what is equally urgent in the order it came
 *
 * The queue sorts by numbers that are given with each value.  The other way is a comparison of the
 * values themselves, for values that carry their priority.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

struct patient {
    char name[16];
    int age;
};

static int eldest_first(const void *a, const void *b, void *context)
{
    const struct patient *x = a, *y = b;
    (void)context;
    return (y->age > x->age) - (y->age < x->age);
}

static const struct patient patients[] = {
    { "Ada", 36 }, { "Grace", 85 }, { "Alan", 41 }, { "Edsger", 72 }, { "Barbara", 41 },
};
static const int urgency[] = { 1, 5, 1, 9, 5 };

static int call(hocket_queue *queue)
{
    struct patient p;
    int err;
    while ((err = hocket_queue_get(queue, &p, HOCKET_FOREVER)) == 0)
        printf("%s, %d\n", p.name, p.age);
    hocket_queue_free(queue);
    return err == -EPIPE ? 0 : err;
}

static int program(void *arg)
{
    hocket_queue *queue;
    (void)arg;
    puts("by urgency:");
    int err = hocket_queue_new(
        &queue, sizeof(struct patient),
        HOCKET_QUEUE_OPTIONS(.order = HOCKET_PRIORITY, .first = HOCKET_HIGHEST_FIRST));
    if (err)
        return err;
    for (int i = 0; i < 5 && err == 0; i++)
        err = hocket_queue_put_with(queue, &patients[i], urgency[i], HOCKET_FOREVER);
    (void)hocket_queue_close(queue, HOCKET_CLOSE_DRAIN);
    if (err == 0)
        err = call(queue);
    if (err)
        return err;

    puts("by age:");
    err = hocket_queue_new(&queue, sizeof(struct patient),
                           HOCKET_QUEUE_OPTIONS(.order = HOCKET_PRIORITY, .compare = eldest_first));
    if (err)
        return err;
    for (int i = 0; i < 5 && err == 0; i++)
        err = hocket_queue_put(queue, &patients[i], HOCKET_FOREVER);
    (void)hocket_queue_close(queue, HOCKET_CLOSE_DRAIN);
    return err ? err : call(queue);
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
