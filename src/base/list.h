/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BASE_LIST_H
#define HOCKET_BASE_LIST_H
/*
 * list - an intrusive circular doubly linked list
 *
 * A head and its members are the same type.  An empty head points to itself;
 * so does a member that is on no list, once initialised or removed, which is
 * why `hocket__list_empty(&m->link)` also answers "is m on no list?" and why
 * removing twice does no harm.  No function allocates, fails or locks.
 *
 *     struct waiter { int n; struct hocket__link link; };
 *     hocket__list_push_back(&queue, &w->link);
 *     while ((l = hocket__list_pop_front(&queue)) != NULL)
 *         serve(hk_container_of(l, struct waiter, link));
 */
#include <stdbool.h>
#include <stddef.h>

struct hocket__link {
    struct hocket__link *next;
    struct hocket__link *prev;
};

#define hk_container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* A static initialiser for head `h`. */
#define HOCKET__LIST_INIT(h) \
    {                        \
        &(h), &(h)           \
    }

/* Walk from front to back; the body must not remove `it`. */
#define hocket__list_each(it, head) \
    for (struct hocket__link *it = (head)->next; it != (head); it = it->next)

/* As above; the body may remove `it`, and nothing else. */
#define hocket__list_each_safe(it, head)                                              \
    for (struct hocket__link *it = (head)->next, *it##_next = it->next; it != (head); \
         it = it##_next, it##_next = it->next)

static inline void hocket__list_init(struct hocket__link *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool hocket__list_empty(const struct hocket__link *l)
{
    return l->next == l;
}

static inline void hocket__list_insert_before(struct hocket__link *pos, struct hocket__link *l)
{
    l->next = pos;
    l->prev = pos->prev;
    pos->prev->next = l;
    pos->prev = l;
}

static inline void hocket__list_push_back(struct hocket__link *head, struct hocket__link *l)
{
    hocket__list_insert_before(head, l);
}

static inline void hocket__list_push_front(struct hocket__link *head, struct hocket__link *l)
{
    hocket__list_insert_before(head->next, l);
}

static inline void hocket__list_remove(struct hocket__link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    hocket__list_init(l);
}

static inline struct hocket__link *hocket__list_front(const struct hocket__link *head)
{
    return hocket__list_empty(head) ? NULL : head->next;
}

static inline struct hocket__link *hocket__list_pop_front(struct hocket__link *head)
{
    struct hocket__link *l = hocket__list_front(head);
    if (l != NULL)
        hocket__list_remove(l);
    return l;
}

/* Move all members of `from` to the back of `to`, in order. */
static inline void hocket__list_splice(struct hocket__link *to, struct hocket__link *from)
{
    if (hocket__list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    hocket__list_init(from);
}

#endif
