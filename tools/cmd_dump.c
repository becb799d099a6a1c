/* SPDX-License-Identifier: MIT */
/*
 * hocket dump: who waits for what in a running program.
 *
 * The program is asked by the signal that it takes for dumps, with the number of a file of ours
 * as its value; it appends the dump to that file (src/trace/dump_signal.h has the protocol).  A
 * signal that nobody has installed a handler for would end the program, so nothing is sent before
 * /proc says that it is caught, and by us.
 *
 * Numbers of processes are given anew.  A pidfd (Linux 5.3) stays with the process that had the number
 * when we began: if that one still lives after /proc was read, it is the one that was read about, and the
 * signal goes to it or to nobody.  Older kernels leave a gap between looking and sending.
 */
#include "command.h"
#include "common/interrupt.h"
#include "common/message.h"
#include "common/output.h"
#include "common/units.h"
#include "dump/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MARK   "/memfd:hocket-dump-"
#define VALUE  (UINT64_C(0x686b6400) << 32)
#define SECOND INT64_C(1000000000)
#define LAST   "hocket: end of dump\n"

enum { WAIT = 1, FROM };

static const struct option dump_options[] = {
    { WAIT, 'w', "wait", "TIME", "how long to wait for an answer (default 10s)" },
    { FROM, 'f', "from", "FILE",
      "no process: a dump that was saved, alone or in a log; - reads standard input" },
    { 0, 0, NULL, NULL, NULL },
};

struct request {
    const char *name; /* as given */
    int64_t pid;
    int signal;
    int64_t wait; /* ns */
    int file;
    int process; /* a pidfd, or -1 */
};

static int complain(const struct request *r, const char *why)
{
    message("dump", r->name, "%s", why);
    return 1;
}

static FILE *open_proc(const struct request *r, const char *what)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/%s", (long long)r->pid, what);
    return fopen(path, "re");
}

/* Which signal does it take?  The exit status. */
static int find_signal(struct request *r)
{
    char line[4096];
    bool library = false;
    unsigned version = 0;
    FILE *f = open_proc(r, "maps");
    if (f == NULL)
        return complain(r, errno == ENOENT ? "there is no such process" : strerror(errno));
    while (fgets(line, sizeof line, f) != NULL) {
        const char *mark = strstr(line, MARK);
        library = library || strstr(line, "/libhocket.so") != NULL;
        if (mark != NULL && sscanf(mark + strlen(MARK), "%u-%d", &version, &r->signal) == 2)
            break;
    }
    bool unreadable = ferror(f) != 0;
    (void)fclose(f);
    if (unreadable)
        return complain(r, "it cannot be looked into (permissions?)");
    if (version == 1 && r->signal > 0 && r->signal <= SIGRTMAX)
        return 0;
    if (version > 1)
        return complain(r, "its Hocket is of another version than this program");
    return complain(r, library ? "it uses Hocket, but takes no signal for dumps (hocket_run, or "
                                 "hocket_dump_on_signal)"
                               : "it does not run Hocket, or takes no signal for dumps");
}

/* Is the signal caught, and is the process such that it can answer?  The exit status. */
static int check_state(const struct request *r)
{
    char line[256], state = '?';
    unsigned long long caught = 0;
    FILE *f = open_proc(r, "status");
    if (f == NULL)
        return complain(r, "there is no such process");
    while (fgets(line, sizeof line, f) != NULL) {
        (void)sscanf(line, "State: %c", &state);
        (void)sscanf(line, "SigCgt: %llx", &caught);
    }
    (void)fclose(f);
    if (state == 'Z' || state == 'X')
        return complain(r, "it has ended");
    if (state == 'T' || state == 't')
        return complain(r, "it is stopped");
    if (!(caught >> (r->signal - 1) & 1))
        return complain(r, "it has taken its handler for dumps away; nothing was sent");
    return 0;
}

static int check_owner(const struct request *r)
{
    char path[64];
    struct stat s;
    snprintf(path, sizeof path, "/proc/%lld", (long long)r->pid);
    if (stat(path, &s) != 0)
        return complain(r, "there is no such process");
    if (s.st_uid == geteuid())
        return 0;
    message("dump", r->name, "it belongs to another user (uid %lu)", (unsigned long)s.st_uid);
    return 1;
}

static int make_file(struct request *r)
{
    r->file = memfd_create("hocket dump", MFD_CLOEXEC);
    if (r->file >= 0)
        return 0;
    FILE *f = tmpfile();
    r->file = f != NULL ? dup(fileno(f)) : -1;
    if (f != NULL)
        (void)fclose(f);
    return r->file >= 0 ? 0 : complain(r, strerror(errno));
}

/* From here on the process is this one. */
static void hold(struct request *r)
{
#ifdef SYS_pidfd_open
    r->process = (int)syscall(SYS_pidfd_open, (pid_t)r->pid, 0);
#endif
}

static bool has_ended(const struct request *r)
{
    struct pollfd p = { .fd = r->process, .events = POLLIN };
    if (r->process >= 0)
        return poll(&p, 1, 0) > 0;
    return kill((pid_t)r->pid, 0) != 0 && errno == ESRCH;
}

static int deliver(const struct request *r, union sigval value)
{
#ifdef SYS_pidfd_send_signal
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = r->signal;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value = value;
    if (r->process >= 0)
        return (int)syscall(SYS_pidfd_send_signal, r->process, r->signal, &info, 0);
#endif
    return sigqueue((pid_t)r->pid, r->signal, value);
}

static int ask(const struct request *r)
{
    union sigval value = { .sival_ptr = (void *)(uintptr_t)(VALUE | (unsigned)r->file) };
    if (deliver(r, value) == 0)
        return 0;
    return complain(r, errno == ESRCH ? "it has ended" : strerror(errno));
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* Where the first dump in the file ends, or 0.  `*scanned` is how far it was looked at. */
static off_t end_of_dump(int file, off_t *scanned)
{
    char bytes[8192];
    const size_t last = sizeof LAST - 1;
    ssize_t n;
    while ((n = pread(file, bytes, sizeof bytes, *scanned)) >= (ssize_t)last) {
        const char *at = memmem(bytes, (size_t)n, LAST, last);
        if (at != NULL)
            return *scanned + (at - bytes) + (off_t)last;
        *scanned += n - (ssize_t)last + 1;
    }
    return 0;
}

/*
 * Ask and wait.  A signal is lost where the same one is still pending, from the keyboard for
 * instance: as long as nothing was written it is sent again.  Should both come through, there are
 * two dumps and the first is taken.
 */
static int await(const struct request *r, off_t *ret_end)
{
    int64_t end = now() + r->wait, again = 0;
    off_t scanned = 0;
    while ((*ret_end = end_of_dump(r->file, &scanned)) == 0) {
        struct stat s;
        if (interrupt_pending())
            return 1;
        if (has_ended(r))
            return complain(r, "it has ended");
        if (now() >= end) {
            message("dump", r->name,
                    "no answer within %g s: is the signal blocked, or has it "
                    "another PID namespace?",
                    (double)r->wait / SECOND);
            return 1;
        }
        if (now() >= again && fstat(r->file, &s) == 0 && s.st_size == 0) {
            int status = check_state(r);
            if (status == 0)
                status = ask(r);
            if (status != 0)
                return status;
            again = now() + SECOND;
        }
        (void)poll(NULL, 0, 5);
    }
    return 0;
}

/* Up to `most` bytes, freed by the caller; NULL: it cannot be read. */
static char *read_all(int file, size_t most, size_t *ret_size)
{
    size_t size = 0, room = 0;
    char *text = NULL;
    ssize_t n = 1;
    while (n > 0 && size < most) {
        if (size == room) {
            char *more = realloc(text, room = room * 2 + 65536);
            if (more == NULL) {
                n = -1;
                break;
            }
            text = more;
        }
        size_t left = most - size < room - size ? most - size : room - size;
        n = read(file, text + size, left);
        size += n > 0 ? (size_t)n : 0;
    }
    *ret_size = size;
    if (n >= 0)
        return text;
    free(text);
    return NULL;
}

/* With source lines, where they are known. */
static int show(const char *name, int file, size_t most)
{
    struct output out;
    size_t size;
    char *text = read_all(file, most, &size);
    if (text == NULL) {
        message("dump", name, "%s", strerror(errno));
        return 1;
    }
    output_open(&out, STDOUT_FILENO);
    lines_write(&out, text, size);
    free(text);
    return output_finish(&out, "dump", 0);
}

static int show_saved(const char *name)
{
    int file = strcmp(name, "-") == 0 ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        message("dump", name, "%s", strerror(errno));
        return 1;
    }
    if (!lines_known)
        message("dump", NULL, "built without libdw, so no source lines are known");
    int status = show(name, file, SIZE_MAX);
    (void)close(file);
    return status;
}

static int dump_run(const struct command *self, char **argv)
{
    struct options o;
    struct request r = { .wait = 10 * SECOND, .file = -1, .process = -1 };
    const char *from = NULL;
    options_start(&o, self, argv);
    for (int id; (id = options_next(&o)) != OPTION_END;) {
        if (id == WAIT && (!units_duration(o.value, &r.wait) || r.wait == 0))
            return message_usage(self->name, "--wait is a time such as 10s, not '%s'", o.value);
        if (id == FROM)
            from = o.value;
        if (id == OPTION_EXIT)
            return o.status;
        if (id == OPTION_WORD && r.name != NULL)
            return message_usage(self->name, "one process at a time");
        if (id == OPTION_WORD)
            r.name = o.value;
    }
    if (from != NULL && r.name != NULL)
        return message_usage(self->name, "--from takes the place of a process");
    if (from != NULL)
        return show_saved(from);
    if (r.name == NULL)
        return message_usage(self->name, "of which process?");
    if (!units_number(r.name, 1, INT32_MAX, &r.pid))
        return message_usage(self->name, "'%s' is no process id", r.name);
    interrupt_watch();
    hold(&r);
    int status = check_owner(&r);
    if (status == 0)
        status = find_signal(&r);
    if (status == 0)
        status = make_file(&r);
    off_t end = 0;
    if (status == 0)
        status = await(&r, &end);
    if (status == 0 && lseek(r.file, 0, SEEK_SET) == 0)
        status = show(r.name, r.file, (size_t)end);
    if (r.file >= 0)
        (void)close(r.file);
    if (r.process >= 0)
        (void)close(r.process);
    return status;
}

const struct command command_dump = {
    .name = "dump",
    .synopsis = "[--wait TIME] PID | --from FILE",
    .summary = "show what every task of a running program waits for",
    .about =
        "Asks a program of the same user that runs Hocket for a dump of its tasks and writes it\n"
        "to standard output: what each waits for and since when, who holds that, and the calls\n"
        "it stands in.  The program goes on.  It must have been started by hocket_run, without\n"
        ".no_dump, or have called hocket_dump_on_signal.\n"
        "\n"
        "Calls are shown with file and line where the program was compiled with -g and hocket\n"
        "with libdw (elfutils), otherwise with addresses for addr2line(1).  --from does that to a\n"
        "dump that a program wrote by itself, and leaves all other text as it is.\n",
    .options = dump_options,
    .run = dump_run,
};
