// Making indexes of envelopes, and keeping them.
#include "mailbox/sort_index.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "formats/base_subject.h"
#include "formats/mime.h"
#include "mailbox/mailbox_internal.h"
#include "mailbox/search_envelope.h"
#include "store/message_references.h"

#define READER_MESSAGES 5000 // read under one snapshot before a new one is taken
#define TEXTS_SPARE 4        // times the texts that the rows can have, before they are made anew

// --- Indexes ---

static struct sort_index *index_new(uint32_t n, struct sort_texts *texts, struct sort_texts *ids) {
    struct sort_index *index = g_new0(struct sort_index, 1);
    index->refs = 1;
    index->n = n;
    index->rows = g_new0(struct sort_row, n + 1);
    index->texts = texts;
    index->ids = ids;
    return index;
}

void sort_index_unref(struct sort_index *index) {
    if (!index || !g_atomic_int_dec_and_test(&index->refs))
        return;
    sort_texts_unref(index->texts);
    sort_texts_unref(index->ids);
    if (index->pool)
        g_array_unref(index->pool);
    g_free(index->rows);
    g_free(index);
}

static struct sort_index *index_ref(struct sort_index *index) {
    g_atomic_int_inc(&index->refs);
    return index;
}

// --- The cache ---

struct kept {
    struct guid mailbox;
    uint64_t fid;
    struct sort_index *index;
    int64_t used; // monotonic, microseconds
};

struct sort_cache {
    pthread_mutex_t lock;
    GArray *kept; // of struct kept; few
};

struct sort_cache *sort_cache_new(void) {
    struct sort_cache *c = g_new0(struct sort_cache, 1);
    pthread_mutex_init(&c->lock, NULL);
    c->kept = g_array_new(FALSE, FALSE, sizeof(struct kept));
    return c;
}

static void drop(struct sort_cache *c, guint i) {
    sort_index_unref(g_array_index(c->kept, struct kept, i).index);
    g_array_remove_index_fast(c->kept, i);
}

void sort_cache_free(struct sort_cache *c) {
    if (!c)
        return;
    while (c->kept->len > 0)
        drop(c, c->kept->len - 1);
    g_array_unref(c->kept);
    pthread_mutex_destroy(&c->lock);
    g_free(c);
}

static struct kept *find(struct sort_cache *c, const struct guid *mailbox, uint64_t fid) {
    for (guint i = 0; i < c->kept->len; i++) {
        struct kept *k = &g_array_index(c->kept, struct kept, i);
        if (k->fid == fid && guid_equal(&k->mailbox, mailbox))
            return k;
    }
    return NULL;
}

static struct sort_index *cache_get(struct mailbox *m, uint64_t fid) {
    struct sort_cache *c = m->service->sorting;
    pthread_mutex_lock(&c->lock);
    struct kept *k = find(c, mbox_guid(m->mbox), fid);
    struct sort_index *index = k ? index_ref(k->index) : NULL;
    if (k)
        k->used = g_get_monotonic_time();
    pthread_mutex_unlock(&c->lock);
    return index;
}

// Drops what is old, and the oldest while there is too much. Lock held.
static void trim(struct sort_cache *c, int64_t now) {
    uint64_t n_rows = 0;
    for (guint i = c->kept->len; i > 0; i--) {
        const struct kept *k = &g_array_index(c->kept, struct kept, i - 1);
        if (now - k->used > SORT_CACHE_SECONDS * G_USEC_PER_SEC)
            drop(c, i - 1);
        else
            n_rows += k->index->n;
    }
    while (n_rows > SORT_CACHE_ROWS) {
        guint oldest = 0;
        for (guint i = 1; i < c->kept->len; i++)
            if (g_array_index(c->kept, struct kept, i).used <
                g_array_index(c->kept, struct kept, oldest).used)
                oldest = i;
        n_rows -= g_array_index(c->kept, struct kept, oldest).index->n;
        drop(c, oldest);
    }
}

static void cache_put(struct mailbox *m, uint64_t fid, struct sort_index *index) {
    struct sort_cache *c = m->service->sorting;
    int64_t now = g_get_monotonic_time();
    pthread_mutex_lock(&c->lock);
    struct kept *k = find(c, mbox_guid(m->mbox), fid);
    if (k) {
        sort_index_unref(k->index);
        k->index = index_ref(index);
        k->used = now;
    } else {
        struct kept one = {*mbox_guid(m->mbox), fid, index_ref(index), now};
        g_array_append_val(c->kept, one);
    }
    trim(c, now);
    pthread_mutex_unlock(&c->lock);
}

// --- Reading a message ---

struct making {
    struct mailbox *m;
    const struct mailbox_view *view;
    struct sort_index *index;
    struct mailbox_reader *reader;
    struct arena *arena; // of one message
    unsigned n_read;
    uint32_t next; // of the walk over references: the row
};

static uint32_t intern(struct making *k, const char *text) {
    if (!text)
        return 0;
    const char *cut = arena_strndup(k->arena, text, strnlen(text, SORT_TEXT_MAX));
    return sort_texts_intern(k->index->texts, sort_casemap(k->arena, cut));
}

// [RFC 5957] 3: the name, without one the address.
static uint32_t intern_display(struct making *k, const struct envelope_person *p) {
    const char *name = p->name ? mime_decode_words(k->arena, p->name, NULL) : NULL;
    if (name && *name)
        return intern(k, name);
    if (!p->mailbox || !p->domain || !*p->domain)
        return intern(k, p->mailbox);
    return intern(k, arena_printf(k->arena, "%s@%s", p->mailbox, p->domain));
}

static uint32_t intern_id(struct making *k, const char *raw) {
    char **ids = raw ? mime_parse_ids(k->arena, raw) : NULL;
    return ids && ids[0] ? sort_texts_intern(k->index->ids, ids[0]) : 0;
}

static void fill(struct making *k, struct sort_row *r, const struct envelope_parts *e) {
    int64_t seconds;
    int zone;
    if (e->date && mime_parse_date(e->date, &seconds, &zone))
        r->sent = filetime_from_unix(seconds);
    if (e->subject) {
        const char *text = mime_decode_words(k->arena, e->subject, NULL);
        const char *base = base_subject(k->arena, text, &r->is_reply);
        r->subject = sort_texts_intern(k->index->texts, sort_casemap(k->arena, base));
    }
    r->from = intern(k, e->from.mailbox);
    r->to = intern(k, e->to.mailbox);
    r->cc = intern(k, e->cc.mailbox);
    r->display_from = intern_display(k, &e->from);
    r->display_to = intern_display(k, &e->to);
    r->message_id = intern_id(k, e->message_id);
    r->in_reply_to = intern_id(k, e->in_reply_to);
}

static enum ec need_reader(struct making *k) {
    if (k->reader && k->n_read++ % READER_MESSAGES != 0)
        return EC_OK;
    mailbox_reader_close(g_steal_pointer(&k->reader));
    return mailbox_reader_open(k->m, mailbox_view_fid(k->view), &k->reader);
}

// A message that is gone meanwhile sorts as one without a header.
static enum ec read_row(struct making *k, const struct message_row *row, struct sort_row *r) {
    const char *envelope = NULL;
    struct envelope_parts parts;
    *r = (struct sort_row){.uid = row->uid,
                           .modseq = row->modseq,
                           .received = row->received,
                           .sent = row->received,
                           .size = row->size};
    arena_reset(k->arena);
    EC_TRY(need_reader(k));
    EC_TRY(mailbox_reader_at(k->reader, row));
    enum ec ec = mailbox_read_envelope(k->reader, row->mid, &envelope, NULL);
    if (ec == EC_OK && envelope_read(k->arena, envelope, strlen(envelope), &parts))
        fill(k, r, &parts);
    if (ec == EC_OK && !(row->flags & MSG_HAS_MIME))
        ec = mailbox_read_size(k->reader, row->mid, &r->size);
    return ec == EC_NOT_FOUND || ec == EC_OBJECT_DELETED ? EC_OK : ec;
}

// --- References ---

static void put_references(struct making *k, struct sort_row *r, const char *raw) {
    struct sort_index *index = k->index;
    r->has_references = true;
    r->first_reference = index->pool->len;
    r->n_references = 0;
    char **ids = *raw ? mime_parse_ids(k->arena, raw) : NULL;
    unsigned n = ids ? g_strv_length(ids) : 0;
    for (unsigned i = n > SORT_REFERENCES_MAX ? n - SORT_REFERENCES_MAX : 0; i < n; i++) {
        uint32_t id = sort_texts_intern(index->ids, ids[i]);
        if (id == 0)
            continue;
        g_array_append_val(index->pool, id);
        r->n_references++;
    }
}

static bool on_references(void *ctx, uint32_t uid, const char *references) {
    struct making *k = ctx;
    struct sort_index *index = k->index;
    while (k->next < index->n && index->rows[k->next].uid < uid)
        k->next++;
    if (k->next == index->n)
        return false;
    arena_reset(k->arena);
    if (index->rows[k->next].uid == uid && !index->rows[k->next].has_references)
        put_references(k, &index->rows[k->next], references);
    return true;
}

static enum ec read_references(struct making *k) {
    struct sort_index *index = k->index;
    uint32_t first = 0;
    while (first < index->n && index->rows[first].has_references)
        first++;
    if (first == index->n)
        return EC_OK;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(k->m->mbox, &tx));
    return message_references_walk(tx, mailbox_view_fid(k->view), index->rows[first].uid,
                                   on_references, k);
}

// --- Making ---

static bool has_all_references(const struct sort_index *index) {
    for (uint32_t i = 0; i < index->n; i++)
        if (!index->rows[i].has_references)
            return false;
    return true;
}

// Whether the index is of exactly these rows.
static bool is_current(const struct sort_index *index, const struct mailbox_view *view) {
    if (index->n != mailbox_view_count(view))
        return false;
    for (uint32_t i = 0; i < index->n; i++) {
        const struct message_row *row = mailbox_view_row(view, i);
        if (index->rows[i].uid != row->uid || index->rows[i].modseq != row->modseq)
            return false;
    }
    return true;
}

// Takes a row over from the index before; its references go to the new pool.
static void copy_row(struct sort_index *to, const struct sort_index *from,
                     const struct sort_row *row, struct sort_row *out) {
    *out = *row;
    out->first_reference = to->pool->len;
    if (row->n_references)
        g_array_append_vals(to->pool, &g_array_index(from->pool, uint32_t, row->first_reference),
                            row->n_references);
}

static enum ec fill_rows(struct making *k, const struct sort_index *old) {
    struct sort_index *index = k->index;
    uint32_t at = 0;
    for (uint32_t i = 0; i < index->n; i++) {
        const struct message_row *row = mailbox_view_row(k->view, i);
        while (old && at < old->n && old->rows[at].uid < row->uid)
            at++;
        const struct sort_row *before = old && at < old->n ? &old->rows[at] : NULL;
        if (before && before->uid == row->uid && before->modseq == row->modseq)
            copy_row(index, old, before, &index->rows[i]);
        else
            EC_TRY(read_row(k, row, &index->rows[i]));
    }
    return EC_OK;
}

static enum ec make(struct mailbox *m, const struct mailbox_view *view,
                    const struct sort_index *old, bool with_references, struct sort_index **out) {
    uint32_t n = mailbox_view_count(view);
    // Texts of messages that went are not given back: after many changes all begins anew.
    if (old && sort_texts_count(old->texts) > TEXTS_SPARE * 5 * (n + 1000u))
        old = NULL;
    struct making k = {.m = m, .view = view};
    k.index = index_new(n, old ? sort_texts_ref(old->texts) : sort_texts_new(),
                        old ? sort_texts_ref(old->ids) : sort_texts_new());
    k.index->pool = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    k.arena = arena_new();
    enum ec ec = fill_rows(&k, old);
    mailbox_reader_close(k.reader);
    if (ec == EC_OK && with_references)
        ec = read_references(&k);
    arena_free(k.arena);
    if (ec == EC_OK)
        *out = k.index;
    else
        sort_index_unref(k.index);
    return ec;
}

enum ec sort_index_get(struct mailbox *m, const struct mailbox_view *view, bool with_references,
                       struct sort_index **out) {
    uint64_t fid = mailbox_view_fid(view);
    struct sort_index *old = cache_get(m, fid);
    if (old && is_current(old, view) && (!with_references || has_all_references(old))) {
        *out = old;
        return EC_OK;
    }
    enum ec ec = make(m, view, old, with_references, out);
    sort_index_unref(old);
    if (ec == EC_OK)
        cache_put(m, fid, *out);
    return ec;
}
