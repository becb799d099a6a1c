/* SPDX-License-Identifier: MIT */
/*
 * The model: a few dozen visitors at a time.  A person opens a page and then
 * fetches its pictures and styles with that page as the referrer; a bot asks
 * for /robots.txt (most do) and then walks pages without a referrer.  Hosts,
 * pages and agents repeat as they do in real logs, which is what decides how
 * well a log compresses and so what reading it costs.  Some lines are traps for
 * readers that only look for the words: /robots.txt in a referrer, with a
 * query, below a folder, and requests without any path.
 */
#include "genlogs.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

uint32_t rng_skewed(struct rng *r, uint32_t n)
{
    return rng_below(r, 1 + rng_below(r, 1 + rng_below(r, n)));
}

bool rng_chance(struct rng *r, uint32_t percent)
{
    return rng_below(r, 100) < percent;
}

/* '#' stands for a number that differs from one visitor to the next. */
static const char *const browsers[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/12#.0.67#.# Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_#) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.#.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:10#.0) Gecko/20100101 Firefox/12#.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_#_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.#.1 Mobile/15E1# Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel #) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/12#.0.63#.82 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:12#.0) Gecko/20100101 Firefox/12#.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/123.0.#.0 Safari/537.36 Edg/123.0.24#.97",
    "Mozilla/5.0 (Linux; Android 13; SM-A5#B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/24.# Chrome/117.0.#.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPad; CPU OS 16_7_# like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/16.# Mobile/15E1# Safari/604.1",
    "Mozilla/5.0 (X11; CrOS x86_64 145#.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/122.0.#.0 Safari/537.36",
};

static const char *const bots[] = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)",
    ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.0; "
     "+https://openai.com/gptbot)"),
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Tiny Tiny RSS/1.# (http://tt-rss.org/)",
    "UniversalFeedParser/4.2-pre-3#-svn +http://feedparser.org/",
};

static const char *const words[] = {
    "articles", "blog",    "projects", "notes",  "presentations", "geekery", "manual", "archive",
    "linux",    "network", "storage",  "kernel", "logging",       "music",   "choir",  "travel",
    "recipes",  "garden",  "photos",   "search", "fibers",        "locks",   "queues", "tuning",
};

static const char *const assets[] = {
    "/css/style.css",     "/css/print.css",      "/js/site.js",         "/js/menu.min.js",
    "/images/logo.png",   "/images/banner.png",  "/images/feed.png",    "/images/googledotcom.png",
    "/favicon.ico",       "/fonts/serif.woff2",  "/images/arrow.svg",   "/images/photo-1024.jpg",
    "/images/header.jpg", "/images/avatar.jpeg", "/files/fiber.tar.gz", "/images/icons/rss.svg",
};

static const char *const nets[] = {
    "dsl.example.net",   "pool.example.org",   "cable.example.com",
    "crawl.example.com", "mobile.example.net",
};

static const char *pick(struct rng *r, const char *const *list, size_t n)
{
    return list[rng_skewed(r, (uint32_t)n)];
}

/* A page is a number: the same number has the same name in every file. */
static void page_name(struct rng *r, char *out, size_t size)
{
    uint32_t n = rng_skewed(r, 20000);
    const char *a = words[n % COUNT(words)];
    const char *b = words[(n / 7 + 5) % COUNT(words)];
    if (n == 0)
        snprintf(out, size, "/");
    else if (n % 5 == 0)
        snprintf(out, size, "/%s/", a);
    else if (n % 5 == 1)
        snprintf(out, size, "/%s/%u/%02u/%s-%s.html", a, 2008 + n % 17, 1 + n % 12, b, a);
    else if (n % 5 == 2)
        snprintf(out, size, "/%s/%s?flav=rss20&page=%u", a, b, n % 40);
    else
        snprintf(out, size, "/%s/%s-%u/", a, b, n);
}

/* A host is a number too, out of 40,000; low numbers come back day after day. */
static void host_name(struct rng *r, bool bot, char *out, size_t size)
{
    uint32_t n = bot ? rng_skewed(r, 4000) : rng_skewed(r, 36000) + 4000;
    struct rng own = { n };
    uint64_t bits = rng_next(&own);
    unsigned a = 1 + (bits & 0xff) % 223, b = bits >> 8 & 0xff, c = bits >> 16 & 0xff,
             d = 1 + (bits >> 24 & 0xff) % 254;
    if (n % 16 == 3)
        snprintf(out, size, "%u-%u-%u-%u.%s", a, b, c, d, nets[n / 16 % COUNT(nets)]);
    else if (n % 32 == 5)
        snprintf(out, size, "2001:db8:%x:%x::%x", (unsigned)(bits >> 32 & 0xffff),
                 (unsigned)(bits >> 48), n);
    else
        snprintf(out, size, "%u.%u.%u.%u", a, b, c, d);
}

static void agent_name(struct rng *r, const char *form, char *out, size_t size)
{
    size_t n = 0;
    for (; *form != '\0' && n + 3 < size; form++) {
        if (*form == '#')
            n += (size_t)snprintf(out + n, size - n, "%u", rng_below(r, 100));
        else
            out[n++] = *form;
    }
    out[n] = '\0';
}

static void visitor_arrives(struct traffic *t, struct visitor *v)
{
    struct rng *r = &t->rng;
    v->bot = rng_chance(r, 22);
    v->polite = v->bot && rng_chance(r, 60);
    v->left = v->bot ? 2 + rng_below(r, 16) : 2 + rng_skewed(r, 60);
    v->assets = 0;
    v->page[0] = '\0';
    v->user = !v->bot && rng_chance(r, 2) ? "anna" : "-";
    agent_name(r, v->bot ? pick(r, bots, COUNT(bots)) : pick(r, browsers, COUNT(browsers)),
               v->agent, sizeof v->agent);
    host_name(r, v->bot, v->host, sizeof v->host);
}

void traffic_start(struct traffic *t, uint64_t seed, uint32_t file)
{
    memset(t, 0, sizeof *t);
    t->rng.state = seed;
    t->rng.state = rng_next(&t->rng) + file * 0xd1342543de82ef95;
    t->clock = (uint64_t)file * 86400;
    for (int i = 0; i < VISITORS; i++)
        visitor_arrives(t, &t->visitors[i]);
}

/* "17/May/2024:10:05:03 +0000" for seconds since the start of 2024, a leap year. */
static void date_text(uint64_t seconds, char *out, size_t size)
{
    static const char names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    static const uint8_t lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    uint64_t day = seconds / 86400;
    unsigned year = 2024, month = 0, second = (unsigned)(seconds % 86400);
    for (;;) {
        unsigned leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        unsigned length = lengths[month] + (month == 1 ? leap : 0);
        if (day < length)
            break;
        day -= length;
        if (++month == 12) {
            month = 0;
            year++;
        }
    }
    snprintf(out, size, "%02u/%s/%u:%02u:%02u:%02u +0000", (unsigned)day + 1, names[month], year,
             second / 3600, second / 60 % 60, second % 60);
}

struct request {
    char path[160];
    char referrer[224];
    const char *method;
    unsigned status;
    unsigned bytes;
};

static void ask_for_robots(struct traffic *t, struct visitor *v, struct request *q)
{
    static const char *const near[] = { "/robots.txt?", "/blog/robots.txt", "/robots.txt.bak",
                                        "//robots.txt" };
    v->polite = false;
    bool trap = rng_chance(&t->rng, 4);
    snprintf(q->path, sizeof q->path, "%s",
             trap ? pick(&t->rng, near, COUNT(near)) : "/robots.txt");
    q->bytes = trap ? 315 : 71;
    q->status = trap ? 404 : 200;
    t->robots += !trap;
}

static void ask_for_page(struct traffic *t, struct visitor *v, struct request *q)
{
    struct rng *r = &t->rng;
    static const char site[] = "https://www.example.org";
    if (!v->bot && v->page[0] != '\0')
        snprintf(q->referrer, sizeof q->referrer, "%s%s", site, v->page);
    else if (!v->bot && rng_chance(r, 55))
        snprintf(q->referrer, sizeof q->referrer,
                 "https://www.google.com/url?sa=t&rct=j&q=%s&source=web&cd=%u&ei=%08x%08x",
                 words[rng_skewed(r, COUNT(words))], 1 + rng_skewed(r, 30), (unsigned)rng_next(r),
                 (unsigned)rng_next(r));
    else if (rng_chance(r, 1))
        snprintf(q->referrer, sizeof q->referrer, "%s/robots.txt", site);
    page_name(r, v->page, sizeof v->page);
    v->assets = v->bot ? 0 : rng_below(r, 9);
    snprintf(q->path, sizeof q->path, "%s", v->page);
    q->bytes = 2000 + rng_skewed(r, 60000);
    uint32_t luck = rng_below(r, 100);
    q->status = luck < 90 ? 200 : luck < 94 ? 304 : luck < 96 ? 301 : luck < 99 ? 404 : 500;
    if (rng_chance(r, 2))
        q->method = rng_chance(r, 50) ? "HEAD" : "POST";
}

static void ask_for_asset(struct traffic *t, struct visitor *v, struct request *q)
{
    v->assets--;
    uint32_t n = rng_skewed(&t->rng, COUNT(assets));
    snprintf(q->path, sizeof q->path, "%s", assets[n]);
    snprintf(q->referrer, sizeof q->referrer, "https://www.example.org%s", v->page);
    q->bytes = 900 + n * 7919;
    q->status = rng_chance(&t->rng, 12) ? 304 : 200;
}

/* What scanners and broken clients leave in a log: no method, no path, no protocol. */
static size_t junk_line(struct traffic *t, const char *host, const char *date, char *out)
{
    static const char *const requests[] = { "-", "\\x16\\x03\\x01\\x02", "GET", "quit",
                                            "GET http://example.com/robots.txt HTTP/1.1" };
    return (size_t)snprintf(out, LINE_MAX_BYTES, "%s - - [%s] \"%s\" 400 226 \"-\" \"-\"\n", host,
                            date, pick(&t->rng, requests, COUNT(requests)));
}

size_t traffic_line(struct traffic *t, char *out)
{
    struct rng *r = &t->rng;
    struct visitor *v = &t->visitors[rng_below(r, VISITORS)];
    if (v->left == 0)
        visitor_arrives(t, v);
    v->left--;
    t->lines++;
    t->clock += rng_below(r, 12);

    char date[40];
    date_text(t->clock, date, sizeof date);
    if (rng_below(r, 400) == 0)
        return junk_line(t, v->host, date, out);

    struct request q = { .method = "GET", .referrer = "-" };
    if (v->polite)
        ask_for_robots(t, v, &q);
    else if (v->assets > 0)
        ask_for_asset(t, v, &q);
    else
        ask_for_page(t, v, &q);
    char bytes[16] = "-";
    if (q.status != 304)
        snprintf(bytes, sizeof bytes, "%u", q.status == 200 ? q.bytes : 300 + q.bytes % 64);
    return (size_t)snprintf(out, LINE_MAX_BYTES,
                            "%s - %s [%s] \"%s %s HTTP/1.1\" %u %s \"%s\" \"%s\"\n", v->host,
                            v->user, date, q.method, q.path, q.status, bytes, q.referrer, v->agent);
}
