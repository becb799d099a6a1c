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

void owners_end(struct owners *s)
{
    struct open_piece *p;
    for (size_t i = 0; s->slots != NULL && i < s->room; i++)
        while ((p = owner_close_any(&s->slots[i])) != NULL)
            free(p);
    for (uint32_t i = 0; s->lanes != NULL && i < s->lane_count; i++)
        while ((p = owner_close_any(&s->lanes[i])) != NULL)
            free(p);
    free(s->slots);
    free(s->lanes);
}

/* Ids are consecutive; neighbours should not be neighbours in the table. */
static size_t place(size_t room, uint64_t id)
{
    return (size_t)((id * 0x9e3779b97f4a7c15u) >> 20) & (room - 1);
}

static struct owner *look(struct owner *slots, size_t room, uint64_t id)
{
    size_t i = place(room, id);
    while (slots[i].id != 0 && slots[i].id != id)
        i = (i + 1) & (room - 1);
    return &slots[i];
}

bool owners_room(struct owners *s)
{
    if (s->used < s->room / 2)
        return true;
    struct owner *more = calloc(s->room * 2, sizeof *more);
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

struct owner *owner_of(struct owners *s, uint64_t id)
{
    struct owner *o = look(s->slots, s->room, id);
    if (o->id == 0) {
        o->id = id;
        o->bar.lane = MODEL_NO_LANE;
        s->used++;
    }
    return o;
}

struct owner *owner_find(struct owners *s, uint64_t id)
{
    struct owner *o = look(s->slots, s->room, id);
    return o->id == id ? o : NULL;
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

struct open_piece *owner_close_any(struct owner *o)
{
    struct open_piece *p = o->open;
    if (p != NULL) {
        o->open = p->next;
        o->open_count--;
    }
    return p;
}
