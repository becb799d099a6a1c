/* SPDX-License-Identifier: MIT */
/* guarded - see hocket/guarded.h */
#include <hocket/guarded.h>

#include <errno.h>
#include <string.h>

#include "base/panic.h"
#include "sync/ref.h"

static hocket_lock_ref lock_of(hocket_guarded *g)
{
    return g->hocket__lock.lock ? g->hocket__lock : HOCKET_LOCK_REF(&g->hocket__own);
}

void hocket_guarded_init(hocket_guarded *guarded, void *value,
                         const hocket_guarded_options *options)
{
    hocket_guarded_options o = HOCKET_GUARDED_OPTIONS_DEFAULT;
    if (options)
        memcpy(&o, options, options->size && options->size < sizeof o ? options->size : sizeof o);
    if (o.lock.lock && !hocket__ref_valid(o.lock))
        hocket__panic("hocket_guarded_init: %d is no kind of lock", o.lock.kind);
    *guarded = (hocket_guarded){ value, o.before, o.after, o.context, o.lock, HOCKET_RMUTEX_INIT };
}

void hocket_guarded_destroy(hocket_guarded *guarded)
{
    if (!guarded->hocket__lock.lock)
        hocket_rmutex_destroy(&guarded->hocket__own);
}

static void *enter(hocket_guarded *g)
{
    if (g->hocket__before)
        g->hocket__before(g->hocket__value, g->hocket__context);
    return g->hocket__value;
}

void *hocket_guarded_lock(hocket_guarded *guarded)
{
    hocket_lock_ref_lock(lock_of(guarded));
    return enter(guarded);
}

void hocket_guarded_unlock(hocket_guarded *guarded)
{
    if (guarded->hocket__after)
        guarded->hocket__after(guarded->hocket__value, guarded->hocket__context);
    hocket_lock_ref_unlock(lock_of(guarded));
}

int hocket_guarded_call(hocket_guarded *guarded, hocket_guarded_fn *fn, void *arg)
{
    int rc = fn(hocket_guarded_lock(guarded), arg);
    hocket_guarded_unlock(guarded);
    return rc;
}

int hocket_guarded_call_until(hocket_guarded *guarded, hocket_guarded_fn *fn, void *arg,
                              hocket_time deadline)
{
    int rc = hocket__ref_lock_until(lock_of(guarded), deadline);
    if (rc < 0)
        return rc;
    rc = fn(enter(guarded), arg);
    hocket_guarded_unlock(guarded);
    return rc;
}

const void *hocket_guarded_peek(const hocket_guarded *guarded)
{
    return guarded->hocket__value;
}
