/* SPDX-License-Identifier: MIT */
/* tools: command lines of every form, complaints about the wrong ones, the help; a bar on a terminal. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "command.h"
#include "common/message.h"
#include "common/progress.h"
#include "common/terminal.h"

enum { ALL = 1, JOBS, NAME, LONG };

static const struct option table[] = {
    { ALL, 'a', "all", NULL, "everything" },
    { JOBS, 'j', "jobs", "N", "at once" },
    { NAME, '\0', "name", "TEXT", "one line\nand another" },
    { LONG, '\0', "an-option-whose-name-is-long", "WORD", "first\nsecond" },
    { 0, 0, NULL, NULL, NULL },
};

static int unused(const struct command *self, char **argv)
{
    (void)self;
    (void)argv;
    return 0;
}

static const struct command with = { "with",           "[options]", "Has options",
                                     "A paragraph.\n", table,       unused };
static const struct command without = { "without", "", "Has none", NULL, NULL, unused };

/* ---- a child whose output is read ---- */

struct said {
    int status;
    char text[4096];
};

static void child_of(void (*fn)(void *), void *arg, int fd)
{
    HK_EXPECT_EQ(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    HK_EXPECT_EQ(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    fn(arg);
    fflush(NULL);
    _exit(0);
}

/* `ends`: where to read it, and where it writes. */
static void run_to(struct said *s, void (*fn)(void *), void *arg, const int ends[2])
{
    size_t length = 0;
    fflush(NULL);
    pid_t pid = fork();
    HK_EXPECT(pid >= 0);
    if (pid == 0)
        child_of(fn, arg, ends[1]);
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], s->text + length, sizeof s->text - 1 - length)) > 0;)
        length += (size_t)n;
    s->text[length] = '\0';
    close(ends[0]);
    HK_EXPECT_EQ(waitpid(pid, &s->status, 0), pid);
}

static void run_piped(struct said *s, void (*fn)(void *), void *arg)
{
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    run_to(s, fn, arg, ends);
    HK_EXPECT(WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0);
}

static void says(const struct said *s, const char *words)
{
    if (strstr(s->text, words) == NULL)
        fprintf(stderr, "expected: %s\ngot: %s\n", words, s->text);
    HK_EXPECT(strstr(s->text, words) != NULL);
}

/* ---- command lines ---- */

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

/* What is seen, as text: "a", "j=4", "'word'"; "!2" for an end with status 2. */
static const char *seen(const struct command *command, char **argv)
{
    static char text[256];
    struct options o;
    size_t n = 0;
    options_start(&o, command, argv);
    for (int id; (id = options_next(&o)) != OPTION_END;) {
        const char *space = n > 0 ? " " : "";
        int length;
        if (id == OPTION_EXIT)
            length = snprintf(text + n, sizeof text - n, "%s!%d", space, o.status);
        else if (id == OPTION_WORD)
            length = snprintf(text + n, sizeof text - n, "%s'%s'", space, o.value);
        else if (id == ALL)
            length = snprintf(text + n, sizeof text - n, "%sa", space);
        else
            length = snprintf(text + n, sizeof text - n, "%s%c=%s", space, "?ajnl"[id], o.value);
        n += (size_t)length;
        HK_EXPECT(n < sizeof text);
        if (id == OPTION_EXIT)
            break;
    }
    text[n] = '\0';
    return text;
}

START_TEST(every_form)
{
    HK_EXPECT_STR(seen(&with, WORDS("-a", "-j", "4", "-j5", "-aj6", "-aa")), "a j=4 j=5 a j=6 a a");
    HK_EXPECT_STR(seen(&with, WORDS("--all", "--jobs", "4", "--jobs=5", "--name=")),
                  "a j=4 j=5 n=");
    HK_EXPECT_STR(seen(&with, WORDS("x", "-a", "-", "--name", "-a", "--", "-a", "--all", "--")),
                  "'x' a '-' n=-a '-a' '--all' '--'");
    HK_EXPECT_STR(seen(&without, WORDS("x", "y")), "'x' 'y'");
    HK_EXPECT_STR(seen(&with, WORDS("--color", "never", "--color=auto", "-a")), "a");
    HK_EXPECT_STR(seen(&with, (char *[]){ NULL }), "");
}
END_TEST

static void wrong(void *argv)
{
    HK_EXPECT_STR(seen(&with, argv), "!2");
}

static void complains(char **argv, const char *words)
{
    struct said s;
    run_piped(&s, wrong, argv);
    says(&s, words);
    says(&s, "Try 'hocket with --help'.");
}

START_TEST(complaints)
{
    complains(WORDS("-x"), "hocket: with: unknown option '-x'");
    complains(WORDS("-j"), "-j wants N");
    complains(WORDS("--jobs"), "--jobs wants N");
    complains(WORDS("--all=1"), "--all takes no value");
    complains(WORDS("--jbos"), "unknown option '--jbos'; did you mean '--jobs'?");
    complains(WORDS("--colour"), "did you mean '--color'?");
    complains(WORDS("--zzz=1"), "unknown option '--zzz'\n");
    complains(WORDS("--nothing-that-anybody-would-ever-call-an-option"),
              "unknown option '--nothing");
    complains(WORDS("--color=blue"), "--color is auto, always or never, not 'blue'");
}
END_TEST

static void help_of(void *command)
{
    const struct command *c = command;
    char *words[] = { "--help", NULL };
    HK_EXPECT_STR(seen(c, words), "!0");
}

START_TEST(help)
{
    struct said s;
    run_piped(&s, help_of, (void *)(uintptr_t)&with);
    says(&s, "Usage: hocket with [options]\nHas options.\n\nA paragraph.\n\n");
    says(&s, "  -a, --all                   everything\n");
    says(&s, "  -j, --jobs N                at once\n");
    says(&s, "      --name TEXT             one line\n                              and another\n");
    says(&s, "--an-option-whose-name-is-long WORD first\n                              second\n");
    run_piped(&s, help_of, (void *)(uintptr_t)&without);
    says(&s, "Usage: hocket without \nHas none.\n\n");
    HK_EXPECT(strstr(s.text, "paragraph") == NULL);
}
END_TEST

/* ---- a bar ---- */

/* Due at once, and twice; a message between takes it away and brings it back. */
static void draws(void *when)
{
    struct progress p;
    progress_start(&p, *(enum progress_when *)when);
    progress_expect(&p, 1000);
    p.next = 0;
    progress_add(&p, 0); /* nobody knows yet how much there will be */
    progress_expected(&p);
    p.start -= 1000000000;
    p.next = 0;
    progress_add(&p, 450);
    progress_add(&p, 50); /* too early */
    message("with", "odd\033name", "cannot be read");
    p.next = 0;
    progress_add(&p, 500);
    progress_end(&p);
}

static bool draw_on_terminal(struct said *s, enum progress_when when, int columns)
{
    struct winsize size = { .ws_col = (unsigned short)columns, .ws_row = 24 };
    int ends[2] = { posix_openpt(O_RDWR | O_NOCTTY), -1 };
    char name[64];
    if (ends[0] < 0 || grantpt(ends[0]) != 0 || unlockpt(ends[0]) != 0 ||
        ptsname_r(ends[0], name, sizeof name) != 0 || (ends[1] = open(name, O_RDWR | O_NOCTTY)) < 0)
        return false; /* no terminals here */
    HK_EXPECT_EQ(ioctl(ends[0], TIOCSWINSZ, &size), 0);
    run_to(s, draws, &when, ends);
    return true;
}

START_TEST(bar_on_a_terminal)
{
    struct said s;
    HK_EXPECT_EQ(setenv("TERM", "xterm", 1), 0);
    HK_EXPECT_EQ(unsetenv("NO_COLOR"), 0);
    if (!draw_on_terminal(&s, PROGRESS_AUTO, 100))
        return;
    says(&s, "0 B, 0 B/s");
    says(&s, " 45% [\033[32m####");
    says(&s, "450 B of 1.0 kB");
    says(&s, "\r\033[Khocket: with: \033[1modd\\x1bname\033[0m: cannot be read\r\n 45% [");
    says(&s, "100% [\033[32m");
    HK_EXPECT_EQ(strlen(s.text) - (size_t)(strrchr(s.text, '\r') - s.text), 4); /* cleared */
    HK_EXPECT(draw_on_terminal(&s, PROGRESS_AUTO, 0)); /* as if it had 80 */
    says(&s, " 45% [\033[32m####");
    HK_EXPECT(draw_on_terminal(&s, PROGRESS_NEVER, 80));
    HK_EXPECT(strchr(s.text, '%') == NULL);
    HK_EXPECT_EQ(setenv("TERM", "dumb", 1), 0);
    HK_EXPECT(draw_on_terminal(&s, PROGRESS_AUTO, 100));
    says(&s, " 45% [####");
    says(&s, "hocket: with: odd\\x1bname: cannot be read");
}
END_TEST

START_TEST(lines_elsewhere)
{
    struct said s;
    enum progress_when when = PROGRESS_ALWAYS;
    run_piped(&s, draws, &when);
    says(&s, "hocket: 0 B, ");
    says(&s, "hocket:  45% 450 B of 1.0 kB, ");
    says(&s, "hocket: 100% 1.0 kB of 1.0 kB, ");
    HK_EXPECT(strchr(s.text, '\033') == NULL);
    when = PROGRESS_AUTO;
    run_piped(&s, draws, &when);
    HK_EXPECT_STR(s.text, "hocket: with: odd\\x1bname: cannot be read\n");
}
END_TEST

PLAIN_SUITE("tools_options", 0)
{
    suite_once(every_form);
    suite_once(complaints);
    suite_once(help);
    suite_once(bar_on_a_terminal);
    suite_once(lines_elsewhere);
}
