/* SPDX-License-Identifier: MIT */
/*
 * hocket-genlogs: seeded access logs to try `hocket robots` on.
 *
 *     hocket-genlogs [--files N] [--bytes SIZE] [--seed N] OUTDIR
 *
 * Writes access-00.log.gz ... to OUTDIR, SIZE bytes of text in all, and says on
 * standard output what is in them.  As on a real server some days are busier
 * than others: the sizes differ by up to a quarter.
 */
#include "genlogs.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] =
    "Usage: hocket-genlogs [--files N] [--bytes SIZE] [--seed N] OUTDIR\n"
    "Write seeded, realistic Apache access logs (combined format, gzipped) to OUTDIR.\n"
    "\n"
    "  --files N      how many files (default 64)\n"
    "  --bytes SIZE   bytes of text in all, with K, M or G behind (default 200M)\n"
    "  --seed N       the same seed gives the same text everywhere (default 1)\n"
    "  --help         this text\n";

struct settings {
    uint64_t files;
    uint64_t bytes;
    uint64_t seed;
    const char *folder;
};

struct totals {
    uint64_t text;
    uint64_t written;
    uint64_t lines;
    uint64_t robots;
};

static bool parse_number(const char *text, uint64_t max, bool suffix, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (end == text || errno != 0 || text[0] < '0' || text[0] > '9')
        return false;
    const char *scale = suffix && *end != '\0' ? strchr("KMG", *end) : NULL;
    uint64_t factor = scale == NULL   ? 1
                      : *scale == 'K' ? 1000
                      : *scale == 'M' ? 1000000
                                      : 1000000000;
    end += scale != NULL;
    if (*end != '\0' || n > max / factor)
        return false;
    *ret = n * factor;
    return true;
}

static int bad_usage(const char *what, const char *value)
{
    fprintf(stderr, "hocket-genlogs: %s%s\nTry 'hocket-genlogs --help'.\n", what, value);
    return 2;
}

/* 0: go on; 1: done; 2: wrong usage. */
static int parse_options(int argc, char **argv, struct settings *s)
{
    static const struct option options[] = {
        { "files", required_argument, NULL, 'f' },
        { "bytes", required_argument, NULL, 'b' },
        { "seed", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(usage, stdout);
            return 1;
        }
        if (c == 'f' && (!parse_number(optarg, 100000, false, &s->files) || s->files == 0))
            return bad_usage("--files wants a number from 1 to 100000, not ", optarg);
        if (c == 'b' && !parse_number(optarg, UINT64_C(1) << 50, true, &s->bytes))
            return bad_usage("--bytes wants a number such as 200M, not ", optarg);
        if (c == 's' && !parse_number(optarg, UINT64_MAX, false, &s->seed))
            return bad_usage("--seed wants a number, not ", optarg);
        if (c == '?')
            return bad_usage("wrong option", "");
    }
    if (optind + 1 != argc)
        return bad_usage("one folder is wanted", "");
    s->folder = argv[optind];
    return 0;
}

/* The share of file i: three quarters to five quarters of the mean, the last takes what is left. */
static uint64_t share(const struct settings *s, uint64_t i, uint64_t left)
{
    if (i + 1 == s->files)
        return left;
    struct rng r = { s->seed ^ (i + 1) * 0x2545f4914f6cdd1d };
    uint64_t mean = left / (s->files - i);
    return mean - mean / 4 + rng_next(&r) % (mean / 2 + 1);
}

static int write_file(const struct settings *s, uint64_t i, uint64_t size, struct totals *sum)
{
    char path[4096];
    int digits = snprintf(NULL, 0, "%llu", (unsigned long long)(s->files - 1));
    int n = snprintf(path, sizeof path, "%s/access-%0*llu.log%s", s->folder,
                     digits < 2 ? 2 : digits, (unsigned long long)i, log_writer_gzip ? ".gz" : "");
    struct log_writer *w;
    int error = n >= (int)sizeof path ? ENAMETOOLONG : log_writer_open(&w, path);
    if (error == 0) {
        static struct traffic t;
        traffic_start(&t, s->seed, (uint32_t)i);
        uint64_t text = 0, bytes;
        while (text < size && error == 0) {
            char line[LINE_MAX_BYTES];
            size_t length = traffic_line(&t, line);
            error = log_writer_put(w, line, length);
            text += length;
        }
        error = log_writer_close(w, &bytes);
        sum->text += text;
        sum->written += bytes;
        sum->lines += t.lines;
        sum->robots += t.robots;
    }
    if (error != 0)
        fprintf(stderr, "hocket-genlogs: %s: %s\n", path, strerror(error));
    return error;
}

int main(int argc, char **argv)
{
    struct settings s = { .files = 64, .bytes = 200000000, .seed = 1 };
    int rc = parse_options(argc, argv, &s);
    if (rc != 0)
        return rc == 1 ? 0 : rc;
    if (mkdir(s.folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "hocket-genlogs: %s: %s\n", s.folder, strerror(errno));
        return 1;
    }
    struct totals sum = { 0 };
    for (uint64_t i = 0; i < s.files; i++) {
        uint64_t left = s.bytes > sum.text ? s.bytes - sum.text : 0;
        if (write_file(&s, i, share(&s, i, left), &sum) != 0)
            return 1;
    }
    printf("%llu files, %.1f MB of text in %.1f MB, %llu lines, %llu requests for /robots.txt\n",
           (unsigned long long)s.files, (double)sum.text / 1e6, (double)sum.written / 1e6,
           (unsigned long long)sum.lines, (unsigned long long)sum.robots);
    return fflush(stdout) == 0 ? 0 : 1;
}
