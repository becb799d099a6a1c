/* SPDX-License-Identifier: MIT */
#ifndef GENLOGS_H
#define GENLOGS_H
/*
 * genlogs - a web server's access logs that never were
 *
 * The lines of file i depend on the seed and on i alone: the same on every
 * machine, whatever the number of files or the compressor's version.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* splitmix64: one word of state, good enough for traffic. */
struct rng {
    uint64_t state;
};

uint64_t rng_next(struct rng *r);
/* 0 ... n - 1, all alike. */
uint32_t rng_below(struct rng *r, uint32_t n);
/* 0 ... n - 1, small ones far more often: the popularity of pages and visitors. */
uint32_t rng_skewed(struct rng *r, uint32_t n);
/* True `percent` times in a hundred. */
bool rng_chance(struct rng *r, uint32_t percent);

/* Those who are reading the site at the moment; each sends its requests in a sensible order. */
enum { VISITORS = 96 };

struct visitor {
    char host[64];
    char page[128]; /* what it reads now: the referrer of what comes with that page */
    char agent[192];
    uint32_t left;    /* requests until it goes away */
    uint32_t assets;  /* pictures and styles of the page still to fetch */
    const char *user; /* "-" unless logged in */
    bool bot;
    bool polite; /* a bot that will ask for /robots.txt before anything else */
};

struct traffic {
    struct rng rng;
    uint64_t clock; /* seconds since 2024-01-01 */
    struct visitor visitors[VISITORS];
    uint64_t lines;
    uint64_t robots; /* lines whose path is /robots.txt */
};

void traffic_start(struct traffic *t, uint64_t seed, uint32_t file);

enum { LINE_MAX_BYTES = 1024 };

/* Write the next line with its newline to `out` (LINE_MAX_BYTES) and return its length. */
size_t traffic_line(struct traffic *t, char *out);

/* A log file that is being written: gzip where a library for it is there, else plain. */
struct log_writer;

extern const bool log_writer_gzip;

/* Each returns 0 or an errno value.  A failed write is reported by close at the latest. */
int log_writer_open(struct log_writer **ret, const char *path);
int log_writer_put(struct log_writer *w, const char *text, size_t size);
/* Also after a failure; *ret_bytes is the size of the file. */
int log_writer_close(struct log_writer *w, uint64_t *ret_bytes);

#endif
