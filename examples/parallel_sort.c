/* SPDX-License-Identifier: MIT */
/*
 * Merge sort by fork and sync: both halves at the same time, and each merge in parallel as well.
 *
 * A fork costs little more than a call, so nothing here asks how many workers there are: the
 * recursion forks down to runs that are better sorted by insertion.  Equal items keep their order, and no
 * input takes more than n log n steps.
 */
#include <hocket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct item {
    uint32_t key, place; /* where it was: shows that equal keys keep their order */
} item;

enum { RUN = 32, MERGE = 2048 };

/* ---- merge: two sorted ranges into one ---- */

struct merge {
    const item *left, *right;
    size_t left_count, right_count;
    item *to;
};

static void merge_here(const struct merge *m)
{
    const item *left = m->left, *left_end = left + m->left_count;
    const item *right = m->right, *right_end = right + m->right_count;
    item *to = m->to;
    while (left < left_end && right < right_end)
        *to++ = right->key < left->key ? *right++ : *left++;
    while (left < left_end)
        *to++ = *left++;
    while (right < right_end)
        *to++ = *right++;
}

/* How many items come before all of `key`, or (after) before all above it. */
static size_t rank(const item *items, size_t count, uint32_t key, bool after)
{
    size_t low = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (items[low + half].key < key || (after && items[low + half].key == key)) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

/* Cut the larger range in the middle and the other one where it belongs. */
static int merge(void *arg)
{
    const struct merge *m = arg;
    if (m->left_count + m->right_count <= MERGE) {
        merge_here(m);
        return hocket_check();
    }
    size_t l, r;
    if (m->left_count >= m->right_count) {
        l = m->left_count / 2;
        r = rank(m->right, m->right_count, m->left[l].key, false);
    } else {
        r = m->right_count / 2;
        l = rank(m->left, m->left_count, m->right[r].key, true);
    }
    struct merge low = { m->left, m->right, l, r, m->to };
    struct merge high = { m->left + l, m->right + r, m->left_count - l, m->right_count - r,
                          m->to + l + r };
    hocket_branch branch;
    hocket_fork(&branch, merge, &high);
    int err = merge(&low), other = hocket_sync(&branch);
    return err ? err : other;
}

/* ---- sort ---- */

struct sort {
    item *items, *spare; /* of the same size */
    size_t count;
    bool to_spare; /* where the result goes */
};

static void sort_run(item *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        item moving = items[i];
        size_t k = i;
        for (; k > 0 && moving.key < items[k - 1].key; k--)
            items[k] = items[k - 1];
        items[k] = moving;
    }
}

static int sort(void *arg)
{
    const struct sort *s = arg;
    if (s->count <= RUN) {
        sort_run(s->items, s->count);
        if (s->to_spare)
            memcpy(s->spare, s->items, s->count * sizeof(item));
        return 0;
    }
    size_t half = s->count / 2;
    struct sort low = { s->items, s->spare, half, !s->to_spare };
    struct sort high = { s->items + half, s->spare + half, s->count - half, !s->to_spare };
    hocket_branch branch;
    hocket_fork(&branch, sort, &high);
    int err = sort(&low), other = hocket_sync(&branch);
    if (err || other)
        return err ? err : other;
    const item *from = s->to_spare ? s->items : s->spare;
    struct merge both = { from, from + half, half, s->count - half,
                          s->to_spare ? s->spare : s->items };
    return merge(&both);
}

static int parallel_sort(item *items, size_t count)
{
    item *spare = malloc((count ? count : 1) * sizeof *spare);
    if (!spare)
        return hocket_fail(-ENOMEM, "no memory for %zu items more", count);
    struct sort all = { items, spare, count, false };
    int err = sort(&all);
    free(spare);
    return err;
}

/* ---- inputs that are hard for one way of sorting or another ---- */

static uint32_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static const char *const kinds[] = { "random",     "sorted",   "reversed",  "all equal",
                                     "few values", "sawtooth", "organ pipe" };

static uint32_t key_of(unsigned kind, uint32_t i, uint32_t count, uint64_t *state)
{
    switch (kind) {
    case 0: return next(state);
    case 1: return i;
    case 2: return count - i;
    case 3: return 7;
    case 4: return next(state) % 3;
    case 5: return i % 1000;
    default: return i < count / 2 ? i : count - i;
    }
}

static bool is_sorted(const item *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (items[i].key < items[i - 1].key)
            return false;
        if (items[i].key == items[i - 1].key && items[i].place <= items[i - 1].place)
            return false;
    }
    return true;
}

static int try_kind(unsigned kind, uint32_t count, item *items)
{
    uint64_t state = count, before = 0, after = 0;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (item){ key_of(kind, i, count, &state), i };
        before += (uint64_t)(items[i].key + 1) * (i + 1);
    }
    int err = parallel_sort(items, count);
    for (uint32_t i = 0; i < count; i++)
        after += (uint64_t)(items[i].key + 1) * (items[i].place + 1);
    if (err == 0 && (before != after || !is_sorted(items, count)))
        err = hocket_fail(-EIO, "%u items, %s: not sorted", (unsigned)count, kinds[kind]);
    return err;
}

static int program(void *arg)
{
    static const uint32_t counts[] = { 0, 1, 2, 3, 33, 1000, 4097, 200000 };
    item *items = malloc(200000 * sizeof *items);
    int err = items ? 0 : -ENOMEM;
    (void)arg;
    for (unsigned kind = 0; kind < sizeof kinds / sizeof kinds[0] && err == 0; kind++) {
        for (unsigned i = 0; i < sizeof counts / sizeof counts[0] && err == 0; i++)
            err = try_kind(kind, counts[i], items);
        if (err == 0)
            (void)hocket_print(stdout, "%s: sorted\n", kinds[kind]);
    }
    free(items);
    return err;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
