/* SPDX-License-Identifier: MIT */
/*
 * map - one function over many inputs, on an executor of your choice
 *
 *     map [inline|fibers|threads]
 *
 * Results come in the order of the inputs, or as they are done.  At most `window` inputs are on
 * their way at a time, so the list could be endless.
 */
#include <hocket.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = { "aria", "ballad", "hocket", "motet", "organum" };
#define WORDS (sizeof words / sizeof words[0])

static int count_vowels(const void *input, size_t size, hocket_buffer *output)
{
    const char *word = input;
    int n = 0;
    for (size_t i = 0; i + 1 < size; i++)
        n += strchr("aeiou", word[i]) != NULL;
    return hocket_buffer_append(output, &n, sizeof n);
}

struct state {
    size_t next; /* word to give */
    size_t seen; /* results taken */
    int vowels;
    bool quiet;
};

static int give(void *context, const void **ret_input, size_t *ret_size)
{
    struct state *s = context;
    if (s->next == WORDS)
        return 0;
    *ret_input = words[s->next++];
    *ret_size = strlen(*ret_input) + 1;
    return 1;
}

static int take(void *context, const hocket_map_result *r)
{
    struct state *s = context;
    if (r->result < 0)
        return r->result; /* stop; 0 would go on */
    s->seen++;
    s->vowels += *(const int *)r->output;
    if (!s->quiet)
        printf("%zu %s: %d\n", r->index, (const char *)r->input, *(const int *)r->output);
    return 0;
}

static int program(void *arg)
{
    hocket_executor *ex;
    struct state ordered = { 0 }, completed = { .quiet = true };
    int err = hocket_executor_new(&ex, arg, HOCKET_EXECUTOR_OPTIONS(.workers = 2));
    if (err)
        return err;
    err = hocket_map(ex, count_vowels, give, take, &ordered, NULL, HOCKET_FOREVER);
    if (err == 0)
        err = hocket_map(ex, count_vowels, give, take, &completed,
                         HOCKET_MAP_OPTIONS(.as_completed = true, .window = 3), HOCKET_FOREVER);
    printf("as completed: %zu words, %d vowels\n", completed.seen, completed.vowels);
    hocket_executor_free(ex);
    return err;
}

int main(int argc, char **argv)
{
    int err = hocket_run(program, argc > 1 ? argv[1] : "fibers");
    if (err)
        fprintf(stderr, "map: %s\n", hocket_error_text(err));
    return err != 0;
}
