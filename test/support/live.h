/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_LIVE_H
#define HOCKET_TEST_LIVE_H
/*
 * live - the page that this process shows of itself
 *
 *     struct live_page p;
 *     live_picture(&p);      // of this moment
 */
#include <dirent.h>
#include <sched.h>
#include <unistd.h>

#include <hocket/live.h>

#include "support/expect.h"
#include "trace/live_page.h"

static inline int live__open(void)
{
    char link[64];
    int found = -1;
    DIR *folder = opendir("/proc/self/fd");
    HK_EXPECT(folder != NULL);
    for (struct dirent *e; found < 0 && (e = readdir(folder)) != NULL;) {
        ssize_t n = readlinkat(dirfd(folder), e->d_name, link, sizeof link - 1);
        link[n > 0 ? n : 0] = '\0';
        if (strncmp(link, "/memfd:" LIVE_NAME, strlen("/memfd:" LIVE_NAME)) == 0)
            found = atoi(e->d_name);
    }
    closedir(folder);
    HK_EXPECT(found >= 0);
    return found;
}

/* The next page that is complete, of a view that is on. */
static inline void live_page_read(struct live_page *ret)
{
    int fd = live__open();
    uint32_t after = 0;
    do {
        (void)sched_yield();
        HK_EXPECT_EQ(pread(fd, ret, sizeof *ret, 0), (ssize_t)sizeof *ret);
        HK_EXPECT_EQ(pread(fd, &after, sizeof after, offsetof(struct live_page, seq)),
                     (ssize_t)sizeof after);
    } while (ret->seq == 0 || (ret->seq & 1) != 0 || after != ret->seq);
    HK_EXPECT(ret->magic == LIVE_MAGIC && ret->version == LIVE_VERSION);
}

/* The view is switched on for one page. */
static inline void live_picture(struct live_page *ret)
{
    HK_EXPECT_OK(hocket_live_start());
    live_page_read(ret);
    hocket_live_stop();
}

static inline const struct live_queue *live_queue_of(const struct live_page *p, const void *queue)
{
    HK_EXPECT(p->queues_shown <= LIVE_LINES);
    for (uint32_t i = 0; i < p->queues_shown; i++)
        if (p->queue[i].object == (uintptr_t)queue)
            return &p->queue[i];
    return NULL;
}

#endif
