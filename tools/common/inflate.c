/* SPDX-License-Identifier: MIT */
#include "common/inflate.h"
#include "common/inflate_library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In the order of preference. */
static const struct inflate_library *const libraries[] = {
#ifdef HOCKET_HAVE_ISAL
    &inflate_isal,
#endif
#ifdef HOCKET_HAVE_ZLIB
    &inflate_zlib,
#endif
    NULL,
};

struct inflate {
    const struct inflate_library *library;
    void *state;
};

const char *inflate_names(void)
{
    static char names[64];
    if (libraries[0] == NULL)
        return "nothing: plain logs only";
    names[0] = '\0';
    for (size_t i = 0; libraries[i] != NULL; i++) {
        strcat(names, i > 0 ? ", " : "");
        strcat(names, libraries[i]->name);
    }
    return names;
}

int inflate_new(struct inflate **ret, const char *name)
{
    size_t i = 0;
    while (libraries[i] != NULL && name != NULL && strcmp(libraries[i]->name, name) != 0)
        i++;
    if (libraries[i] == NULL)
        return ENOSYS;
    struct inflate *z = malloc(sizeof *z);
    if (z == NULL)
        return ENOMEM;
    z->library = libraries[i];
    z->state = z->library->new ();
    if (z->state == NULL) {
        free(z);
        return ENOMEM;
    }
    *ret = z;
    return 0;
}

void inflate_free(struct inflate *z)
{
    if (z == NULL)
        return;
    z->library->free(z->state);
    free(z);
}

void inflate_start(struct inflate *z)
{
    z->library->start(z->state);
}

int inflate_step(struct inflate *z, const unsigned char **in, const unsigned char *in_end,
                 unsigned char **out, unsigned char *out_end)
{
    return z->library->step(z->state, in, in_end, out, out_end);
}
