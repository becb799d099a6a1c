/* SPDX-License-Identifier: MIT */
/* Buffers: growth, bytes of its own, errors. */
#include "support/suite.h"

#include <errno.h>
#include <wchar.h>
#include <hocket/buffer.h>

START_TEST(grows)
{
    hocket_buffer b = { NULL, 0, 0 };
    for (int i = 0; i < 1000; i++) {
        char c = (char)i;
        HK_EXPECT_EQ(hocket_buffer_append(&b, &c, 1), 0);
    }
    HK_EXPECT(b.size == 1000 && b.capacity >= 1000);
    for (int i = 0; i < 1000; i++)
        HK_EXPECT_EQ((char)b.data[i], (char)i);
    hocket_buffer_free(&b);
    HK_EXPECT(b.data == NULL && b.size == 0 && b.capacity == 0);
    HK_EXPECT_EQ(hocket_buffer_append(&b, NULL, 0), 0);
    HK_EXPECT(b.data == NULL);
    hocket_buffer_free(&b);
}
END_TEST

START_TEST(reserve_and_fill)
{
    hocket_buffer b = { NULL, 0, 0 };
    HK_EXPECT_EQ(hocket_buffer_reserve(&b, 10000), 0);
    HK_EXPECT(b.size == 0 && b.capacity >= 10000);
    memset(b.data, 'x', 10000);
    b.size += 10000;
    unsigned char *data = b.data;
    HK_EXPECT_EQ(hocket_buffer_reserve(&b, b.capacity - b.size), 0);
    HK_EXPECT(b.data == data); /* there was room */
    hocket_buffer_free(&b);
}
END_TEST

START_TEST(appends_itself)
{
    hocket_buffer b = { NULL, 0, 0 };
    HK_EXPECT_EQ(hocket_buffer_append(&b, "abcd", 4), 0);
    for (int i = 0; i < 10; i++)
        HK_EXPECT_EQ(hocket_buffer_append(&b, b.data, b.size), 0);
    HK_EXPECT_EQ(b.size, 4096);
    for (size_t i = 0; i < b.size; i++)
        HK_EXPECT_EQ(b.data[i], "abcd"[i % 4]);
    hocket_buffer_free(&b);
}
END_TEST

START_TEST(formats)
{
    hocket_buffer b = { NULL, 0, 0 };
    for (int i = 0; i < 100; i++)
        HK_EXPECT_EQ(hocket_buffer_format(&b, "%d,", i), 0);
    HK_EXPECT_EQ(hocket_buffer_format(&b, "%s", ""), 0);
    HK_EXPECT_EQ(b.size, 10 * 2 + 90 * 3);
    HK_EXPECT(memcmp(b.data, "0,1,2,", 6) == 0);
    HK_EXPECT(memcmp(b.data + b.size - 6, "98,99,", 6) == 0);
    hocket_buffer_free(&b);
}
END_TEST

/* Sanitizers end the program when malloc is asked for absurd amounts. */
static void *modest(void *memory, size_t size, void *context)
{
    (void)context;
    return size < SIZE_MAX / 16 ? realloc(memory, size) : NULL;
}

START_TEST(too_much)
{
    hocket_buffer b = { NULL, 0, 0 };
    hocket_allocator a = { NULL, modest, NULL, NULL };
    HK_EXPECT_EQ(hocket_set_allocator(&a), 0);
    volatile size_t most = SIZE_MAX;
    HK_EXPECT_EQ(hocket_buffer_append(&b, "a", 1), 0);
    HK_EXPECT_EQ(hocket_buffer_reserve(&b, most), -EOVERFLOW);
    HK_EXPECT_EQ(hocket_buffer_append(&b, "a", most), -EOVERFLOW);
    HK_EXPECT_EQ(hocket_buffer_reserve(&b, most / 2), -ENOMEM);
    HK_EXPECT(b.size == 1 && b.data[0] == 'a');
    hocket_buffer_free(&b);
}
END_TEST

START_TEST(bad_format)
{
    static const wchar_t none[] = { 0xd800, 0 }; /* half of a pair: no character at all */
    hocket_buffer b = { NULL, 0, 0 };
    HK_EXPECT_OK(hocket_buffer_append(&b, "a", 1));
    HK_EXPECT_EQ(hocket_buffer_format(&b, "%ls", none), -EINVAL);
    HK_EXPECT(b.size == 1 && b.data[0] == 'a');
    hocket_buffer_free(&b);
}
END_TEST

START_TEST(nothing_to_add)
{
    hocket_buffer b = { NULL, 0, 0 };
    HK_EXPECT_OK(hocket_buffer_append(&b, "a", 1));
    HK_EXPECT_OK(hocket_buffer_append(&b, NULL, 0));
    HK_EXPECT_OK(hocket_buffer_append(&b, b.data, 0));
    HK_EXPECT_EQ(b.size, 1);
    hocket_buffer_free(&b);
}
END_TEST

SUITE("buffer", 10)
{
    suite_once(bad_format);
    suite_once(nothing_to_add);
    suite_once(grows);
    suite_once(reserve_and_fill);
    suite_once(appends_itself);
    suite_once(formats);
    suite_once(too_much);
}
