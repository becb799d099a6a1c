/* SPDX-License-Identifier: MIT */
#include "common/options.h"
#include "command.h"
#include "common/message.h"
#include "common/output.h"
#include "common/terminal.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { COMMON_HELP = 0x7001, COMMON_COLOR };

static const struct option common[] = {
    { COMMON_COLOR, 0, "color", "auto|always|never", "colours (also NO_COLOR)" },
    { COMMON_HELP, 0, "help", NULL, "this text" },
    { 0, 0, NULL, NULL, NULL },
};

static const struct option none[] = { { 0, 0, NULL, NULL, NULL } };

static const struct option *table_of(const struct command *command)
{
    return command->options != NULL ? command->options : none;
}

void options_start(struct options *o, const struct command *command, char **argv)
{
    *o = (struct options){ .command = command, .words = argv };
}

/* The option called name[0..length) in the command's table or the common one. */
static const struct option *find_name(const struct options *o, const char *name, size_t length)
{
    const struct option *tables[] = { table_of(o->command), common };
    for (int t = 0; t < 2; t++)
        for (const struct option *p = tables[t]; p->id != 0; p++)
            if (strlen(p->name) == length && memcmp(p->name, name, length) == 0)
                return p;
    return NULL;
}

static const struct option *find_letter(const struct options *o, char letter)
{
    for (const struct option *p = table_of(o->command); p->id != 0; p++)
        if (p->letter == letter && letter != '\0')
            return p;
    return NULL;
}

static int wrong(struct options *o, int status)
{
    o->status = status;
    return OPTION_EXIT;
}

/* What the command gets to see of `p`; the common options are done right here. */
static int deliver(struct options *o, const struct option *p)
{
    switch (p->id) {
    case COMMON_HELP: return wrong(o, options_help(o->command));
    case COMMON_COLOR:
        if (terminal_set_color(o->value))
            return options_next(o);
        return wrong(o, message_usage(o->command->name,
                                      "--color is auto, always or never, not '%s'", o->value));
    default: return p->id;
    }
}

static int unknown_name(struct options *o, const char *word, size_t length)
{
    enum { MOST = 32 };
    const char *names[MOST + 1];
    const struct option *tables[] = { table_of(o->command), common };
    char typed[32];
    size_t n = 0;
    for (int t = 0; t < 2; t++)
        for (const struct option *p = tables[t]; p->id != 0 && n < MOST; p++)
            names[n++] = p->name;
    names[n] = NULL;
    const char *near = NULL;
    if (length < sizeof typed) {
        memcpy(typed, word, length);
        typed[length] = '\0';
        near = options_nearest(typed, names);
    }
    if (near != NULL)
        return message_usage(o->command->name, "unknown option '--%.*s'; did you mean '--%s'?",
                             (int)length, word, near);
    return message_usage(o->command->name, "unknown option '--%.*s'", (int)length, word);
}

static int next_long(struct options *o, const char *word)
{
    size_t length = strcspn(word, "=");
    const struct option *p = find_name(o, word, length);
    if (p == NULL)
        return wrong(o, unknown_name(o, word, length));
    o->value = word[length] == '=' ? word + length + 1 : NULL;
    if (p->value == NULL && o->value != NULL)
        return wrong(o, message_usage(o->command->name, "--%s takes no value", p->name));
    if (p->value != NULL && o->value == NULL) {
        if (*o->words == NULL)
            return wrong(o, message_usage(o->command->name, "--%s wants %s", p->name, p->value));
        o->value = *o->words++;
    }
    return deliver(o, p);
}

static int next_letter(struct options *o)
{
    const struct option *p = find_letter(o, *o->cluster);
    if (p == NULL)
        return wrong(o, message_usage(o->command->name, "unknown option '-%c'", *o->cluster));
    o->cluster++;
    o->value = NULL;
    if (p->value != NULL) {
        o->value = *o->cluster != '\0' ? o->cluster : *o->words;
        if (*o->cluster == '\0' && *o->words++ == NULL)
            return wrong(o, message_usage(o->command->name, "-%c wants %s", p->letter, p->value));
        o->cluster = NULL;
    }
    return deliver(o, p);
}

int options_next(struct options *o)
{
    if (o->cluster != NULL && *o->cluster != '\0')
        return next_letter(o);
    o->cluster = NULL;
    const char *word = *o->words;
    if (word == NULL)
        return OPTION_END;
    o->words++;
    if (!o->no_more && strcmp(word, "--") == 0) {
        o->no_more = true;
        return options_next(o);
    }
    if (!o->no_more && word[0] == '-' && word[1] == '-')
        return next_long(o, word + 2);
    if (!o->no_more && word[0] == '-' && word[1] != '\0') {
        o->cluster = word + 1;
        return next_letter(o);
    }
    o->value = word;
    return OPTION_WORD;
}

/* "-j, --jobs N" with its text beside it; each line of the text in the same column. */
static void help_option(struct output *out, const struct option *p)
{
    enum { COLUMN = 30 };
    char letter[4] = { '-', p->letter, ',', '\0' };
    size_t width = 2 + 4 + 2 + strlen(p->name) + (p->value != NULL ? 1 + strlen(p->value) : 0);
    output_printf(out, "  %3s --%s%s%s", p->letter != '\0' ? letter : "", p->name,
                  p->value != NULL ? " " : "", p->value != NULL ? p->value : "");
    const char *text = p->help;
    for (;;) {
        size_t length = strcspn(text, "\n");
        int pad = width < COLUMN ? (int)(COLUMN - width) : 1;
        output_printf(out, "%*s%.*s\n", pad, "", (int)length, text);
        if (text[length] == '\0')
            return;
        text += length + 1;
        width = 0;
    }
}

int options_help(const struct command *command)
{
    struct output out;
    bool color = terminal_color(STDOUT_FILENO);
    output_open(&out, STDOUT_FILENO);
    output_printf(&out, "%sUsage:%s hocket %s %s\n", color ? "\033[1m" : "", color ? "\033[0m" : "",
                  command->name, command->synopsis);
    output_printf(&out, "%s.\n\n", command->summary);
    if (command->about != NULL) {
        output_text(&out, command->about);
        output_text(&out, "\n");
    }
    const struct option *tables[] = { table_of(command), common };
    for (int t = 0; t < 2; t++)
        for (const struct option *p = tables[t]; p->id != 0; p++)
            help_option(&out, p);
    return output_finish(&out, command->name, 0);
}

/* Edits (insert, drop, change, swap two neighbours) from a to b; only short words. */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 32 };
    size_t n = strlen(a), m = strlen(b);
    uint8_t d[MOST + 1][MOST + 1];
    if (n > MOST || m > MOST)
        return SIZE_MAX;
    for (size_t i = 0; i <= n; i++) {
        for (size_t j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (uint8_t)(i + j);
                continue;
            }
            unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1u < best)
                best = d[i - 1][j] + 1u;
            if (d[i][j - 1] + 1u < best)
                best = d[i][j - 1] + 1u;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1u < best)
                best = d[i - 2][j - 2] + 1u;
            d[i][j] = (uint8_t)best;
        }
    }
    return d[n][m];
}

const char *options_nearest(const char *typed, const char *const *names)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (; *names != NULL; names++) {
        size_t d = distance(typed, *names), length = strlen(*names);
        /* Up to a third of the word may be wrong; a beginning of it is always meant. */
        if (strlen(typed) >= 2 && strncmp(typed, *names, strlen(typed)) == 0)
            d = 1;
        if (d <= (length + 2) / 3 && d < least) {
            least = d;
            best = *names;
        }
    }
    return best;
}
