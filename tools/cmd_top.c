/* SPDX-License-Identifier: MIT */
/*
 * hocket top: what a running program is at, again each second.
 *
 * On a terminal the alternate screen is used, in raw mode but for signals; both are undone however this ends.
 * Elsewhere one picture is written as text.
 */
#include "command.h"
#include "common/message.h"
#include "common/terminal.h"
#include "common/units.h"
#include "top/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

enum { JSON = 1, COUNT, INTERVAL };

static const struct option top_options[] = {
    { INTERVAL, 'i', "interval", "TIME", "time between two pictures (default 1s)" },
    { COUNT, 'n', "count", "N", "so many pictures, as text" },
    { JSON, 'j', "json", NULL, "as JSON, a line each" },
    { 0, 0, NULL, NULL, NULL },
};

struct wishes {
    bool json;
    int64_t count;    /* 0: one, or on a terminal until q */
    int64_t interval; /* ns */
};

/* ---- pictures one after the other ---- */

static void pause_for(int64_t ns)
{
    struct timespec t = { ns / SECOND, ns % SECOND };
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static int pictures(const struct top *t, const struct wishes *w)
{
    static struct live_page pages[2];
    struct output out;
    output_open(&out, 1);
    int64_t count = w->count > 0 ? w->count : 1;
    int status = 0;
    for (int64_t i = 0; i < count && out.error == 0; i++) {
        if (i > 0) {
            (void)output_flush(&out);
            pause_for(w->interval);
        }
        int got = top_read(t, &pages[i % 2]);
        if (got == TOP_ENDED && i > 0)
            break;
        if (got == TOP_ENDED)
            message("top", t->name, "it has ended");
        if (got != TOP_READ) {
            status = 1;
            break;
        }
        struct top_view view = { 0, 0, false, i > 0 ? &pages[1 - i % 2] : NULL };
        if (w->json)
            top_json(&out, &pages[i % 2]);
        else
            top_text(&out, t, &pages[i % 2], &view);
        if (!w->json && i + 1 < count)
            output_text(&out, "\n");
    }
    return output_finish(&out, "top", status);
}

/* ---- a terminal ---- */

static struct termios before;
static volatile sig_atomic_t ended, stopped, resized;

static void on_signal(int signal)
{
    if (signal == SIGWINCH)
        resized = 1;
    else if (signal == SIGTSTP)
        stopped = 1;
    else
        ended = signal;
}

static void signals_take(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    (void)sigemptyset(&action.sa_mask);
    static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        (void)sigaction(signals[i], &action, NULL);
}

static void terminal_open(struct output *o)
{
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    (void)tcsetattr(0, TCSANOW, &raw);
    output_text(o, "\033[?1049h\033[?25l\033[2J");
}

static void terminal_close(struct output *o)
{
    output_text(o, "\033[?25h\033[?1049l");
    (void)output_flush(o);
    (void)tcsetattr(0, TCSANOW, &before);
}

/* The shell has the terminal, until it wants us again. */
static void stop_here(struct output *o)
{
    terminal_close(o);
    stopped = 0;
    (void)raise(SIGSTOP);
    terminal_open(o);
}

/* Until the time is over, a key, or a signal.  True: leave. */
static bool wait_for_key(int64_t ns)
{
    struct pollfd in = { .fd = 0, .events = POLLIN };
    char key = 0;
    int n = poll(&in, 1, (int)(ns / 1000000));
    if (n > 0 && read(0, &key, 1) == 0)
        return true; /* the terminal is gone */
    return ended != 0 || key == 'q' || key == 'Q' || key == 3;
}

static void draw(struct output *o, const struct top *t, const struct live_page *p,
                 const struct live_page *last)
{
    struct winsize size = { 0 };
    struct top_view view = { 80, 24, terminal_color(1), last };
    if (ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        view.width = size.ws_col;
        view.height = size.ws_row;
    }
    view.height -= view.height > 1; /* the last line, so that nothing scrolls */
    output_text(o, resized ? "\033[2J\033[H" : "\033[H");
    resized = 0;
    top_text(o, t, p, &view);
    output_text(o, "\033[J");
    if (view.height > 2)
        output_text(o, "q ends");
    (void)output_flush(o);
}

static int screen(const struct top *t, const struct wishes *w)
{
    static struct live_page pages[2];
    struct output out;
    output_open(&out, 1);
    int got = top_read(t, &pages[0]);
    if (got != TOP_READ) {
        if (got == TOP_ENDED)
            message("top", t->name, "it has ended");
        return 1;
    }
    signals_take();
    terminal_open(&out);
    for (unsigned i = 0; got == TOP_READ && out.error == 0; i++) {
        draw(&out, t, &pages[i % 2], i > 0 ? &pages[1 - i % 2] : NULL);
        if (wait_for_key(w->interval))
            break;
        if (stopped)
            stop_here(&out);
        got = top_alive(t) ? top_read(t, &pages[(i + 1) % 2]) : TOP_ENDED;
    }
    terminal_close(&out);
    if (got == TOP_ENDED)
        message("top", t->name, "it has ended");
    if (ended != 0 && ended != SIGINT)
        return 128 + (int)ended;
    return got == TOP_WRONG;
}

/* ---- the words ---- */

static int top_run(const struct command *self, char **argv)
{
    struct wishes w = { false, 0, SECOND };
    struct top t = { NULL, 0, -1 };
    struct options o;
    int id;
    options_start(&o, self, argv);
    while ((id = options_next(&o)) != OPTION_END) {
        switch (id) {
        case JSON: w.json = true; break;
        case COUNT:
            if (!units_number(o.value, 1, INT32_MAX, &w.count))
                return message_usage(self->name, "'%s' is no number of pictures", o.value);
            break;
        case INTERVAL:
            if (!units_duration(o.value, &w.interval) || w.interval < SECOND / 10 ||
                w.interval > 3600 * SECOND)
                return message_usage(self->name, "'%s' is no time from 100ms to 1h", o.value);
            break;
        case OPTION_WORD:
            if (t.name != NULL)
                return message_usage(self->name, "one program at a time");
            t.name = o.value;
            break;
        default: return o.status;
        }
    }
    if (t.name == NULL)
        return message_usage(self->name, "of which program? A process id, or its name");
    if (top_open(&t) != 0)
        return 1;
    bool terminal = !w.json && w.count == 0 && isatty(1) && tcgetattr(0, &before) == 0;
    int status = terminal ? screen(&t, &w) : pictures(&t, &w);
    top_close(&t);
    return status;
}

const struct command command_top = {
    .name = "top",
    .synopsis = "[OPTION...] PID|NAME",
    .summary = "what a running program is at, from HOCKET_LIVE=1",
    .about =
        "Shows each second what the workers of a running program do, for what its tasks wait, which\n"
        "queues are the fullest, and which tasks wait longest. The program must run as the same user\n"
        "and have been started with HOCKET_LIVE=1 in its environment, or have called\n"
        "hocket_live_start. It does not know that it is looked at, and is never stopped.\n"
        "\n"
        "q or Ctrl-C ends it. Where the output is no terminal one picture is written.\n",
    .options = top_options,
    .run = top_run,
};
