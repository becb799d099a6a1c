/* SPDX-License-Identifier: MIT */
/* base: the intrusive list against an array. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <stdlib.h>

#include "base/list.h"

struct item {
    int n;
    struct hocket__link link;
};

static struct item *item_of(struct hocket__link *l)
{
    return hk_container_of(l, struct item, link);
}

START_TEST(fifo_and_lifo)
{
    struct item a = { .n = 1 }, b = { .n = 2 }, c = { .n = 3 };
    struct hocket__link head = HOCKET__LIST_INIT(head);

    HK_EXPECT(hocket__list_empty(&head));
    HK_EXPECT(hocket__list_front(&head) == NULL && hocket__list_pop_front(&head) == NULL);
    hocket__list_push_back(&head, &b.link);
    hocket__list_push_back(&head, &c.link);
    hocket__list_push_front(&head, &a.link);
    HK_EXPECT(!hocket__list_empty(&head));
    for (int n = 1; n <= 3; n++)
        HK_EXPECT_EQ(item_of(hocket__list_pop_front(&head))->n, n);
    HK_EXPECT(hocket__list_empty(&head));
}
END_TEST

START_TEST(remove_is_harmless_twice)
{
    struct item a = { .n = 1 }, b = { .n = 2 }, c = { .n = 3 };
    struct hocket__link head;

    hocket__list_init(&head);
    hocket__list_push_back(&head, &a.link);
    hocket__list_push_back(&head, &b.link);
    hocket__list_push_back(&head, &c.link);
    hocket__list_remove(&b.link);
    HK_EXPECT(hocket__list_empty(&b.link));
    hocket__list_remove(&b.link);
    HK_EXPECT_EQ(item_of(hocket__list_pop_front(&head))->n, 1);
    HK_EXPECT_EQ(item_of(hocket__list_pop_front(&head))->n, 3);
    HK_EXPECT(hocket__list_empty(&head));
}
END_TEST

START_TEST(walks)
{
    struct item items[10];
    struct hocket__link head;
    int sum = 0, left = 0;

    hocket__list_init(&head);
    for (int i = 0; i < 10; i++) {
        items[i].n = i;
        hocket__list_push_back(&head, &items[i].link);
    }
    hocket__list_each(it, &head)
        sum += item_of(it)->n;
    HK_EXPECT_EQ(sum, 45);
    hocket__list_each_safe(it, &head)
        if (item_of(it)->n % 2)
            hocket__list_remove(it);
    hocket__list_each(it, &head) {
        HK_EXPECT_EQ(item_of(it)->n, 2 * left);
        left++;
    }
    HK_EXPECT_EQ(left, 5);
}
END_TEST

START_TEST(splice_keeps_order)
{
    struct item items[6];
    struct hocket__link a, b;
    int n = 0;

    hocket__list_init(&a);
    hocket__list_init(&b);
    hocket__list_splice(&a, &b);
    HK_EXPECT(hocket__list_empty(&a));
    for (int i = 0; i < 6; i++) {
        items[i].n = i;
        hocket__list_push_back(i < 3 ? &a : &b, &items[i].link);
    }
    hocket__list_splice(&a, &b);
    HK_EXPECT(hocket__list_empty(&b));
    hocket__list_each(it, &a) {
        HK_EXPECT_EQ(item_of(it)->n, n);
        n++;
    }
    HK_EXPECT_EQ(n, 6);
    hocket__list_splice(&b, &a);
    HK_EXPECT(hocket__list_empty(&a));
    HK_EXPECT_EQ(item_of(hocket__list_front(&b))->n, 0);
}
END_TEST

PLAIN_SUITE("base_list", 0)
{
    suite_once(fifo_and_lifo);
    suite_once(remove_is_harmless_twice);
    suite_once(walks);
    suite_once(splice_keeps_order);
}
