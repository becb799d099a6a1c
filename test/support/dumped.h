/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_DUMPED_H
#define HOCKET_TEST_DUMPED_H
/*
 * dumped - what hocket_dump writes, as a string
 *
 *     char *text = dumped();
 *     DUMPED_HAS(text, "held by writer");
 *     free(text);
 */
#include "support/expect.h"

#include <hocket/dump.h>

static inline char *dumped__read(FILE *file)
{
    long size = lseek(fileno(file), 0, SEEK_END);
    HK_EXPECT(size > 0);
    char *text = malloc((size_t)size + 1);
    HK_EXPECT(text != NULL);
    HK_EXPECT_EQ(pread(fileno(file), text, (size_t)size, 0), size);
    text[size] = '\0';
    return text;
}

static inline char *dumped(void)
{
    FILE *file = tmpfile();
    HK_EXPECT(file != NULL);
    HK_EXPECT_OK(hocket_dump(fileno(file)));
    char *text = dumped__read(file);
    fclose(file);
    HK_EXPECT(strncmp(text, "hocket: dump of ", 16) == 0);
    HK_EXPECT(strstr(text, "hocket: end of dump\n") != NULL);
    return text;
}

static inline void dumped__has(const char *text, const char *words, bool wanted, const char *file,
                               int line)
{
    if ((strstr(text, words) != NULL) == wanted)
        return;
    fprintf(stderr, "%s:%d: expected %s'%s' in\n%s", file, line, wanted ? "" : "no ", words, text);
    abort();
}

#define DUMPED_HAS(text, words)   dumped__has(text, words, true, __FILE__, __LINE__)
#define DUMPED_LACKS(text, words) dumped__has(text, words, false, __FILE__, __LINE__)

/* Frames need the tables that compilers write, and the names that strip(1) takes away. */
#if defined(HOCKET_SWITCH_UCONTEXT)
#define DUMPED_FRAMES 0
#else
#define DUMPED_FRAMES 1
#endif

#endif
