/* SPDX-License-Identifier: MIT */
#include "trace/owners.h"

#include <stdlib.h>
#include <string.h>

bool owners_start(struct owners *s, uint32_t lanes)
{
    *s = (struct owners){ .room = 1024, .lane_count = lanes };
    s->slots = calloc(s->room, sizeof *s->slots);
    s->lanes = calloc(lanes ? lanes : 1, sizeof *s->lanes);
    return s->slots != NULL && s->lanes != NULL;
}

static void close_all(struct owner *o)
{
    struct open_piece *p;
    while ((p = owner_close_any(o, false)) != NULL)
        free(p);
}

void owners_end(struct owners *s)
{
    for (size_t i = 0; s->slots != NULL && i < s->room; i++)
        if (s->slots[i].owner != NULL) {
            close_all(s->slots[i].owner);
            free(s->slots[i].owner);
        }
    for (uint32_t i = 0; s->lanes != NULL && i < s->lane_count; i++)
        close_all(&s->lanes[i]);
    for (struct owner *o; (o = s->spare) != NULL;) {
        s->spare = o->next_spare;
        free(o);
    }
    free(s->slots);
    free(s->known);
    free(s->lanes);
}

/* Ids are consecutive; neighbours should not be neighbours in the table. */
static size_t place(size_t room, uint64_t id)
{
    return (size_t)((id * 0x9e3779b97f4a7c15u) >> 20) & (room - 1);
}

static struct owner_slot *look(struct owner_slot *slots, size_t room, uint64_t id)
{
    size_t i = place(room, id);
    while (slots[i].id != 0 && slots[i].id != id)
        i = (i + 1) & (room - 1);
    return &slots[i];
}

static bool grow(struct owners *s)
{
    struct owner_slot *more = calloc(s->room * 2, sizeof *more);
    if (more == NULL)
        return false;
    for (size_t i = 0; i < s->room; i++)
        if (s->slots[i].id != 0)
            *look(more, s->room * 2, s->slots[i].id) = s->slots[i];
    free(s->slots);
    s->slots = more;
    s->room *= 2;
    return true;
}

static struct owner *owner_new(struct owners *s)
{
    struct owner *o = s->spare;
    if (o == NULL)
        return calloc(1, sizeof *o);
    s->spare = o->next_spare;
    memset(o, 0, sizeof *o);
    return o;
}

bool owner_of(struct owners *s, uint64_t id, struct owner **ret)
{
    struct owner_slot *slot = look(s->slots, s->room, id);
    if (slot->id == 0) {
        if (s->used >= s->room / 2) {
            if (!grow(s))
                return false;
            slot = look(s->slots, s->room, id);
        }
        struct owner *o = owner_new(s);
        if (o == NULL)
            return false;
        o->id = id;
        o->bar.lane = MODEL_NO_LANE;
        *slot = (struct owner_slot){ id, o };
        s->used++;
    }
    *ret = slot->owner;
    return true;
}

bool owner_known(struct owners *s, struct owner *o)
{
    if (o->known)
        return true;
    if (s->known_count == s->known_room) {
        size_t room = s->known_room ? s->known_room * 2 : 256;
        struct owner **more = realloc(s->known, room * sizeof more[0]);
        if (more == NULL)
            return false;
        s->known = more;
        s->known_room = room;
    }
    s->known[s->known_count++] = o;
    return o->known = true;
}

void owners_forget(struct owners *s, void (*forget)(void *context, struct owner *o), void *context)
{
    for (size_t i = 0; i < s->known_count; i++) {
        s->known[i]->known = false;
        forget(context, s->known[i]);
    }
    s->known_count = 0;
}

struct owner *owner_find(struct owners *s, uint64_t id)
{
    struct owner_slot *slot = look(s->slots, s->room, id);
    return slot->id == id ? slot->owner : NULL;
}

void owner_end(struct owners *s, struct owner *o)
{
    look(s->slots, s->room, o->id)->owner = NULL;
    o->next_spare = s->spare;
    s->spare = o;
}

struct open_piece *owner_open(struct owner *o, enum model_piece_type type, uint64_t object,
                              const char *name)
{
    size_t size = strlen(name) + 1;
    struct open_piece *p = calloc(1, sizeof *p + size);
    if (p == NULL)
        return NULL;
    for (struct open_piece *q = o->open; q != NULL; q = q->next)
        p->piece.depth += q->piece.type == type;
    memcpy(p->name, name, size);
    p->piece.type = type;
    p->piece.object = object;
    p->next = o->open;
    o->open = p;
    o->open_count++;
    return p;
}

struct open_piece *owner_close(struct owner *o, enum model_piece_type type, uint64_t object)
{
    for (struct open_piece **at = &o->open; *at != NULL; at = &(*at)->next) {
        struct open_piece *p = *at;
        if (p->piece.type == type && p->piece.object == object) {
            *at = p->next;
            o->open_count--;
            return p;
        }
    }
    return NULL;
}

struct open_piece *owner_close_any(struct owner *o, bool but_spans)
{
    struct open_piece **at = &o->open, *p;
    while ((p = *at) != NULL && but_spans && p->piece.type == MODEL_SPAN)
        at = &p->next;
    if (p != NULL) {
        *at = p->next;
        o->open_count--;
    }
    return p;
}
