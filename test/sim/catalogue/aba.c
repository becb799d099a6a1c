/* SPDX-License-Identifier: MIT */
/*
 * aba - a pop without lock: the top is the same node again, but not the one below it
 *
 * Right: a count in the word, here the lock.
 */
#include "catalogue.h"

struct node {
    struct node *next;
    bool taken;
};

static struct node nodes[3], *top;
static hocket_mutex lock;
static bool twice;

/* What a compare-and-swap does. */
static bool swap(struct node *expected, struct node *to)
{
    if (top != expected)
        return false;
    top = to;
    return true;
}

static struct node *pop(void)
{
    for (;;) {
        struct node *first = top;
        if (first == NULL)
            return NULL;
        struct node *next = first->next;
        hocket_sim_point();
        if (swap(first, next)) {
            twice = twice || first->taken;
            first->taken = true;
            return first;
        }
    }
}

static void push(struct node *n)
{
    n->taken = false;
    n->next = top;
    top = n;
}

static int pop_one(void *arg)
{
    (void)arg;
    (void)pop();
    return 0;
}

/* Takes two and puts the first back: the same top over another rest. */
static int shuffle(void *arg)
{
    (void)arg;
    struct node *a = pop();
    hocket_sim_point();
    (void)pop();
    hocket_sim_point();
    if (a != NULL)
        push(a);
    return 0;
}

static int pop_one_locked(void *arg)
{
    hocket_mutex_lock(&lock);
    (void)pop_one(arg);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int shuffle_locked(void *arg)
{
    hocket_mutex_lock(&lock);
    (void)shuffle(arg);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int finish(int failed)
{
    OK(failed);
    while (pop() != NULL)
        continue;
    return twice ? 1 : 0;
}

static void start(void)
{
    for (int i = 2; i >= 0; i--)
        push(&nodes[i]);
}

static int wrong(void *arg)
{
    (void)arg;
    start();
    return finish(TOGETHER(pop_one, shuffle));
}

static int right(void *arg)
{
    (void)arg;
    start();
    return finish(TOGETHER(pop_one_locked, shuffle_locked));
}

const struct bug bug_aba = { "aba", wrong, right };
