/* SPDX-License-Identifier: MIT */
/* names: of what lies in more files than are kept open the file and the place are known at least. */
#include "support/suite.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "trace/dump.h"
#include "trace/names.h"

#define LIBRARIES 80 /* more than there is room for */
#define LIBRARY   HOCKET_PLUGIN_DIR "/runtime_plugin.so"

static char folder[] = "/tmp/hocket-names-XXXXXX";

static void path_of(int i, char path[64])
{
    (void)snprintf(path, 64, "%s/plugin-%d.so", folder, i);
}

/* A file of its own: the loader knows one file by whatever name. */
static void copy(const char *path)
{
    static char bytes[65536];
    int from = open(LIBRARY, O_RDONLY | O_CLOEXEC);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    HK_EXPECT(from >= 0 && to >= 0);
    for (ssize_t n; (n = read(from, bytes, sizeof bytes)) > 0;)
        HK_EXPECT_EQ(write(to, bytes, (size_t)n), n);
    HK_EXPECT_EQ(close(from), 0);
    HK_EXPECT_EQ(close(to), 0);
}

START_TEST(of_many_libraries)
{
    int functions = 0;
    HK_EXPECT(mkdtemp(folder) != NULL);
    HK_EXPECT(hocket__dump_take(false));
    for (int i = 0; i < LIBRARIES; i++) {
        char path[64], file[64];
        struct hocket__name name;
        path_of(i, path);
        copy(path);
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        HK_EXPECT(library != NULL);
        uintptr_t work = (uintptr_t)dlsym(library, "plugin_work");
        HK_EXPECT(work != 0);
        hocket__name_of(work, false, &name);
        (void)snprintf(file, sizeof file, "plugin-%d.so", i);
        HK_EXPECT_STR(name.module, file);
        HK_EXPECT(name.address > 0);
        functions += name.function != NULL && memcmp(name.function, "plugin_work", 11) == 0;
        HK_EXPECT_EQ(unlink(path), 0);
    }
    hocket__names_end();
    hocket__dump_give_back();
    HK_EXPECT_EQ(rmdir(folder), 0);
    HK_EXPECT(functions > 20 && functions < LIBRARIES);
}
END_TEST

SUITE("trace_names", 20)
{
    suite_once(of_many_libraries);
}
