/* SPDX-License-Identifier: MIT */
/*
 * broadcast - one writer, readers that see everything, and one that is told what it missed
 *
 * The same values go to two broadcasts: one waits for slow readers, the other one drops the oldest.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

#define VALUES 100

static int read_all(void *arg)
{
    hocket_reader *reader = arg;
    int value, err;
    long sum = 0;
    while ((err = hocket_reader_get(reader, &value, NULL, HOCKET_FOREVER)) == 0)
        sum += value;
    printf("a reader: sum %ld\n", sum);
    return err == -EPIPE ? 0 : err;
}

static int program(void *arg)
{
    hocket_broadcast *patient, *news;
    hocket_reader *readers[2], *sleepy;
    hocket_scope scope;
    (void)arg;
    int err = hocket_broadcast_new(&patient, sizeof(int), NULL);
    err = err ? err
              : hocket_broadcast_new(
                    &news, sizeof(int),
                    HOCKET_BROADCAST_OPTIONS(.capacity = 10, .lag = HOCKET_LAG_DROP_OLDEST));
    err = err ? err : hocket_broadcast_subscribe(news, &sleepy);
    if (err)
        return err;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 2 && err == 0; i++) {
        err = hocket_broadcast_subscribe(patient, &readers[i]);
        err = err ? err : hocket_spawn(&scope, read_all, readers[i]);
    }
    for (int value = 1; value <= VALUES && err == 0; value++) {
        err = hocket_broadcast_put(patient, &value, HOCKET_FOREVER);
        err = err ? err : hocket_broadcast_put(news, &value, HOCKET_NOW);
    }
    (void)hocket_broadcast_close(patient);
    int ended = hocket_scope_close(&scope);

    int value = 0;
    uint64_t missed = 0;
    err = err ? err : hocket_reader_get(sleepy, &value, &missed, HOCKET_NOW);
    printf("the sleepy one: missed %d, then %d\n", (int)missed, value);
    for (int i = 0; i < 2; i++)
        hocket_reader_free(readers[i]);
    hocket_reader_free(sleepy);
    hocket_broadcast_free(patient);
    hocket_broadcast_free(news);
    return err ? err : ended;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
