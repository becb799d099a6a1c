/* SPDX-License-Identifier: MIT */
/* hocket top: pages of programs, good and bad, and a terminal. */
#include "top/top.h"

#include "command.h"
#include "support/expect.h"
#include "support/plain_suite.h"

#include <errno.h>
#include <fcntl.h>
#include <hocket.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* ---- a process that shows a page ---- */

static struct live_page good_page(void)
{
    struct live_page p;
    memset(&p, 0, sizeof p);
    p.magic = LIVE_MAGIC;
    p.version = LIVE_VERSION;
    p.size = sizeof p;
    p.seq = 2;
    p.tasks = 3;
    p.workers = p.workers_shown = 1;
    p.worker[0] = (struct live_worker){ 0, 1, 500, LIVE_RUNS, 7, "crunch" };
    p.waits = p.waits_shown = 1;
    p.wait[0] = (struct live_wait){ "mutex", 0x1000, 2, 5000000, 4000000, "late", "holder" };
    p.waiters_shown = 1;
    p.waiter[0] = (struct live_waiter){ "late", "mutex", 9, 0x1000, 4000000, 0, 0 };
    p.queues = 3;
    p.queue_values = 70;
    p.queues_shown = 2;
    p.queue[0] = (struct live_queue){ "fifo", "slow", 0x2000, 64, 64, 2, 0, 6000000, 0, 0 };
    p.queue[1] = (struct live_queue){ "lifo", "", 0x3000, 6, UINT64_MAX, 0, 0, 0, 1, 0 };
    return p;
}

/* The page lies in a child; pid 0 in it becomes the child's. */
static pid_t show_page(struct live_page page, size_t size)
{
    int ready[2];
    char c;
    HK_EXPECT_EQ(pipe(ready), 0);
    pid_t pid = fork();
    HK_EXPECT(pid >= 0);
    if (pid == 0) {
        int fd = memfd_create(LIVE_NAME, MFD_CLOEXEC);
        page.pid = page.pid == 0 ? (uint32_t)getpid() : page.pid;
        HK_EXPECT(fd >= 0 && write(fd, &page, size) == (ssize_t)size);
        HK_EXPECT_EQ(write(ready[1], "x", 1), 1);
        for (;;)
            pause();
    }
    HK_EXPECT_EQ(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void end(pid_t pid)
{
    HK_EXPECT_EQ(kill(pid, SIGKILL), 0);
    HK_EXPECT_EQ(waitpid(pid, NULL, 0), pid);
}

static int read_page(pid_t pid, struct live_page *ret)
{
    char name[16];
    snprintf(name, sizeof name, "%d", (int)pid);
    struct top t = { name, 0, -1 };
    if (top_open(&t) != 0)
        return -1;
    int got = top_read(&t, ret);
    top_close(&t);
    return got;
}

static int read_bad(struct live_page page, size_t size)
{
    struct live_page p;
    pid_t pid = show_page(page, size);
    int got = read_page(pid, &p);
    end(pid);
    return got;
}

START_TEST(a_good_page)
{
    struct live_page p;
    pid_t pid = show_page(good_page(), sizeof p);
    HK_EXPECT_EQ(read_page(pid, &p), TOP_READ);
    HK_EXPECT_EQ(p.tasks, 3);
    HK_EXPECT_STR(p.worker[0].task, "crunch");
    end(pid);
    HK_EXPECT_EQ(read_page(pid, &p), -1);                           /* no such process */
    HK_EXPECT_EQ(read_page(getppid() > 1 ? getppid() : 1, &p), -1); /* no page */
}
END_TEST

START_TEST(bad_pages)
{
    struct live_page p = good_page();
    HK_EXPECT_EQ(read_bad(p, sizeof p - 1), TOP_WRONG);
    HK_EXPECT_EQ(read_bad(p, offsetof(struct live_page, written)), TOP_WRONG);
    HK_EXPECT_EQ(read_bad(p, 3), TOP_WRONG);
    HK_EXPECT_EQ(read_bad(p, 0), TOP_WRONG);
    p.magic++;
    HK_EXPECT_EQ(read_bad(p, sizeof p), TOP_WRONG);
    p = good_page();
    p.version++;
    HK_EXPECT_EQ(read_bad(p, sizeof p), TOP_WRONG);
    p = good_page();
    p.size--;
    HK_EXPECT_EQ(read_bad(p, sizeof p), TOP_WRONG);
    p = good_page();
    p.pid = 1; /* of the one it was forked from */
    HK_EXPECT_EQ(read_bad(p, sizeof p), TOP_WRONG);
    p = good_page();
    p.seq = 3; /* for ever in the middle of writing */
    HK_EXPECT_EQ(read_bad(p, sizeof p), TOP_WRONG);
    p.seq = 0;
    HK_EXPECT_EQ(read_bad(p, sizeof p), TOP_WRONG);
}
END_TEST

static char *text_of(const struct live_page *p, int width, int height, bool json)
{
    static char text[65536];
    static struct output out;
    char name[] = "/tmp/hocket-top-XXXXXX";
    int fd = mkstemp(name);
    HK_EXPECT(fd >= 0);
    (void)unlink(name);
    output_open(&out, fd);
    struct top t = { "program", 42, -1 };
    struct top_view view = { width, height, false, NULL };
    if (json)
        top_json(&out, p);
    else
        top_text(&out, &t, p, &view);
    HK_EXPECT_EQ(output_flush(&out), 0);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    HK_EXPECT(n >= 0);
    text[n] = '\0';
    close(fd);
    return text;
}

START_TEST(nothing_in_it_is_believed)
{
    struct live_page p = good_page();
    memset((char *)&p + offsetof(struct live_page, written), 0xff,
           sizeof p - offsetof(struct live_page, written));
    pid_t pid = show_page(p, sizeof p);
    HK_EXPECT_EQ(read_page(pid, &p), TOP_READ);
    end(pid);
    HK_EXPECT(p.workers_shown <= LIVE_WORKERS && p.waits_shown <= LIVE_LINES);
    HK_EXPECT(p.waiters_shown <= LIVE_LINES && p.worker[0].load <= 1000);
    HK_EXPECT(p.queues_shown <= LIVE_LINES && strlen(p.queue[0].task) < LIVE_TEXT);
    HK_EXPECT(strlen(p.waiter[LIVE_LINES - 1].kind) < LIVE_TEXT);
    HK_EXPECT(strlen(text_of(&p, 0, 0, false)) > 100);
    HK_EXPECT(strlen(text_of(&p, 0, 0, true)) > 100);
    p = good_page();
    memcpy(p.worker[0].task, "\033[2Jx\n", 7);
    pid = show_page(p, sizeof p);
    HK_EXPECT_EQ(read_page(pid, &p), TOP_READ);
    end(pid);
    HK_EXPECT_STR(p.worker[0].task, "?[2Jx?");
}
END_TEST

START_TEST(what_is_shown)
{
    struct live_page p = good_page();
    const char *text = text_of(&p, 0, 0, false);
    HK_EXPECT(strstr(text, "program, pid 42: 3 tasks") != NULL);
    HK_EXPECT(strstr(text, "runs crunch") != NULL && strstr(text, "50%") != NULL);
    HK_EXPECT(strstr(text, "late, held by holder") != NULL);
    HK_EXPECT(strstr(text, "late [9]") != NULL);
    HK_EXPECT(strstr(text, "\n3 queues with 70 values in all\n") != NULL);
    HK_EXPECT(strstr(text, "     64  64             2       0     6 ms  fifo 0x2000") != NULL);
    HK_EXPECT(strstr(text, "      6  no bound       0       0           lifo 0x3000 closed") !=
              NULL);
    text = text_of(&p, 0, 0, true);
    HK_EXPECT(strstr(text, "\"load\":0.500") != NULL);
    HK_EXPECT(strstr(text, "\"queues\":3,\"queue_values\":70,") != NULL);
    HK_EXPECT(strstr(text, "\"fullest\":[{\"kind\":\"fifo\",\"object\":\"0x2000\",\"length\":64,"
                           "\"capacity\":64,\"putters\":2,\"getters\":0,\"closed\":false,"
                           "\"longest_ns\":6000000,\"task\":\"slow\"},{") != NULL);
    HK_EXPECT(strstr(text, "\"capacity\":null,") != NULL);
    HK_EXPECT(strstr(text, "\"holder\":\"holder\"") != NULL);
    /* Lines are cut, and no more are there than fit. */
    text = text_of(&p, 20, 5, false);
    int lines = 0;
    for (const char *line = text; *line != '\0'; lines++) {
        const char *stop = strstr(line, "\033[K");
        HK_EXPECT(stop != NULL && stop - line <= 20);
        line = strchr(stop, '\n') + 1;
    }
    HK_EXPECT_EQ(lines, 5);
    /* A program without queues shows nothing of them. */
    p.queues = p.queues_shown = 0;
    text = text_of(&p, 0, 0, false);
    HK_EXPECT(strstr(text, "queues") == NULL && strstr(text, "putters") == NULL);
}
END_TEST

/* ---- the library's own page ---- */

START_TEST(a_program_of_ours)
{
    struct live_page p;
    int ready[2];
    char c;
    HK_EXPECT_EQ(pipe(ready), 0);
    pid_t pid = fork();
    HK_EXPECT(pid >= 0);
    if (pid == 0) {
        static hocket_event never;
        hocket_queue *q = NULL;
        HK_EXPECT_OK(hocket_queue_new(&q, 1, HOCKET_QUEUE_OPTIONS(.capacity = 9)));
        HK_EXPECT_OK(hocket_queue_put(q, "x", HOCKET_NOW));
        HK_EXPECT_EQ(hocket_live_start(), 0);
        HK_EXPECT_EQ(hocket_live_start(), -EALREADY);
        HK_EXPECT_EQ(write(ready[1], "x", 1), 1);
        _exit(hocket_event_wait(&never, HOCKET_FOREVER) != 0);
    }
    HK_EXPECT_EQ(read(ready[0], &c, 1), 1);
    while (read_page(pid, &p) != TOP_READ || p.waiting == 0)
        ; /* until it has been written, and its thread waits */
    HK_EXPECT_EQ(p.waits_shown, 1);
    HK_EXPECT_STR(p.wait[0].kind, "event");
    HK_EXPECT_EQ(p.workers, 0);
    HK_EXPECT_EQ(p.threads, 1);
    HK_EXPECT_EQ(p.queues_shown, 1);
    HK_EXPECT(p.queue[0].length == 1 && p.queue[0].capacity == 9);
    end(pid);
    /* On and off; a page is there only meanwhile. */
    hocket_live_stop();
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(hocket_live_start(), 0);
        HK_EXPECT(read_page(getpid(), &p) != -1);
        hocket_live_stop();
        HK_EXPECT_EQ(read_page(getpid(), &p), -1);
    }
}
END_TEST

/* ---- a terminal ---- */

/* Everything the child writes until `word` comes, or it ends. */
static bool read_until(int fd, const char *word)
{
    static char text[65536];
    size_t used = 0;
    ssize_t n;
    while ((n = read(fd, text + used, sizeof text - 1 - used)) > 0) {
        used += (size_t)n;
        text[used] = '\0';
        if (strstr(text, word) != NULL)
            return true;
        if (used > sizeof text / 2) {
            memmove(text, text + used - 100, 100);
            used = 100;
        }
    }
    return false;
}

static pid_t on_terminal(int terminal, const char *of)
{
    struct winsize size = { .ws_row = 30, .ws_col = 100 };
    HK_EXPECT_EQ(ioctl(terminal, TIOCSWINSZ, &size), 0);
    const char *slave = ptsname(terminal);
    HK_EXPECT(slave != NULL);
    pid_t pid = fork();
    HK_EXPECT(pid >= 0);
    if (pid == 0) {
        (void)setsid();
        int fd = open(slave, O_RDWR); /* becomes the controlling terminal */
        HK_EXPECT(fd >= 0 && dup2(fd, 0) == 0 && dup2(fd, 1) == 1);
        char interval[] = "-i100ms", name[16];
        snprintf(name, sizeof name, "%s", of);
        char *words[] = { interval, name, NULL };
        _exit(command_top.run(&command_top, words));
    }
    return pid;
}

START_TEST(on_a_terminal)
{
    char name[16];
    int status;
    pid_t shown = show_page(good_page(), sizeof(struct live_page));
    snprintf(name, sizeof name, "%d", (int)shown);
    for (int how = 0; how < 3; how++) {
        int terminal = posix_openpt(O_RDWR | O_NOCTTY);
        HK_EXPECT(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
        pid_t pid = on_terminal(terminal, name);
        HK_EXPECT(read_until(terminal, "\033[?1049h"));
        HK_EXPECT(read_until(terminal, "runs crunch"));
        if (how == 0) {
            HK_EXPECT_EQ(write(terminal, "q", 1), 1);
        } else if (how == 1) {
            HK_EXPECT_EQ(write(terminal, "\003", 1), 1); /* Ctrl-C */
        } else {
            struct winsize size = { .ws_row = 12, .ws_col = 40 };
            HK_EXPECT_EQ(ioctl(terminal, TIOCSWINSZ, &size), 0);
            HK_EXPECT(read_until(terminal, "\033[2J")); /* drawn anew */
            end(shown);
        }
        HK_EXPECT(read_until(terminal, "\033[?1049l")); /* the old screen is back */
        HK_EXPECT_EQ(waitpid(pid, &status, 0), pid);
        HK_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        close(terminal);
    }
}
END_TEST

START_TEST(the_terminal_is_left)
{
    char name[16];
    int status;
    pid_t shown = show_page(good_page(), sizeof(struct live_page));
    snprintf(name, sizeof name, "%d", (int)shown);
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    HK_EXPECT(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    pid_t pid = on_terminal(terminal, name);
    HK_EXPECT(read_until(terminal, "runs crunch"));
    HK_EXPECT_EQ(write(terminal, "\032", 1), 1); /* Ctrl-Z */
    HK_EXPECT(read_until(terminal, "\033[?1049l"));
    HK_EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
    HK_EXPECT(WIFSTOPPED(status));
    HK_EXPECT_EQ(kill(pid, SIGCONT), 0);
    HK_EXPECT(read_until(terminal, "\033[?1049h"));
    HK_EXPECT(read_until(terminal, "runs crunch"));
    HK_EXPECT_EQ(write(terminal, "\034", 1), 1); /* Ctrl-Backslash */
    HK_EXPECT(read_until(terminal, "\033[?1049l"));
    HK_EXPECT_EQ(waitpid(pid, &status, 0), pid);
    HK_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGQUIT);
    end(shown);
    close(terminal);
}
END_TEST

PLAIN_SUITE("top", 60)
{
    suite_once(a_good_page);
    suite_once(bad_pages);
    suite_once(nothing_in_it_is_believed);
    suite_once(what_is_shown);
    suite_once(a_program_of_ours);
    suite_once(on_a_terminal);
    suite_once(the_terminal_is_left);
}
