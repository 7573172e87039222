// Notifications of a session ([MS-OXCNOTIF]): what a client registered for and its open tables,
// events that wait, and telling them behind the responses of a call.
//
// The store tells events on whichever thread committed: those that somebody registered for are
// noted in a queue and the session's owner is woken. What they say is worked out by the session's
// own next call, which may ask the store. Tables need no notes: their events are the difference
// between what the client was told and what is there, so that a table is only marked as touched.
#include <pthread.h>

#include "mapi/rights.h"
#include "protocol/rop/notify_internal.h"
#include "protocol/rop/transfer_internal.h"
#include "store/event.h"

#define EVENTS_MAX 65536u // that wait; what comes then is lost (MS-OXCNOTIF 3.1.4.3 allows it)
#define SUBJECTS_MAX 16384u

enum notification_type { TYPE_KNOWN = 0x05FE, TYPE_EXTENDED = 0x0400 };

// RopRegisterNotification's object.
struct registration {
    struct rop_object object;
    unsigned types;
    bool is_whole_store;
    uint64_t fid, mid; // mid 0: the folder and what is in it
};

// What the committing threads compare events with; a copy, so that they touch no object.
struct subject {
    uint32_t handle;
    uint8_t logon;
    bool is_table, is_hierarchy, is_whole_store;
    unsigned types;
    uint64_t fid, mid;
};

struct waiting {
    struct event event;
    uint32_t handle;
    uint8_t logon;
};

struct logon_watch {
    struct rop_notifier *notifier;
    struct mbox_watch *watch;
    uint8_t logon;
};

struct rop_notifier {
    pthread_mutex_t lock;            // of what follows; nothing of the store is called with it held
    GArray *subjects;                // of struct subject
    GArray *waiting;                 // of struct waiting
    bool is_touched[ROP_MAX_LOGONS]; // tables of the logon
    bool has_touched;
    unsigned n_out; // of `out`
    void (*wake)(void *ctx);
    void *wake_ctx;
    // The session's thread alone:
    struct logon_watch *watches[ROP_MAX_LOGONS];
    GQueue out; // of GBytes: RopNotify responses that did not fit yet
    uint32_t scanned_handle;
    unsigned scanned_objects;
};

// --- On the committing thread ---

static bool is_about(const struct subject *s, const struct event *e) {
    if (s->is_table && s->is_hierarchy)
        return true; // counts of folders are columns
    if (s->is_table)
        return e->fid == s->fid || e->old_fid == s->fid;
    // A folder hears of its counts when something happens to its messages.
    bool is_type = s->types & (unsigned)e->kind << 1 ||
                   (!e->is_folder && s->mid == 0 && s->types & NOTIFY_OBJECT_MODIFIED);
    if (!is_type)
        return false;
    if (s->is_whole_store)
        return true;
    if (s->mid)
        return !e->is_folder && (e->mid == s->mid || e->old_mid == s->mid);
    return e->fid == s->fid || e->old_fid == s->fid ||
           (e->is_folder && (e->parent == s->fid || e->old_parent == s->fid));
}

static void on_events(void *ctx, const struct event *events, unsigned n) {
    struct logon_watch *w = ctx;
    struct rop_notifier *notifier = w->notifier;
    bool wakes = false;
    pthread_mutex_lock(&notifier->lock);
    for (unsigned i = 0; i < n; i++)
        for (guint k = 0; k < notifier->subjects->len; k++) {
            const struct subject *s = &g_array_index(notifier->subjects, struct subject, k);
            if (s->logon != w->logon || !is_about(s, &events[i]))
                continue;
            wakes = true;
            if (s->is_table) {
                notifier->is_touched[w->logon] = notifier->has_touched = true;
            } else if (notifier->waiting->len < EVENTS_MAX) {
                struct waiting waiting = {events[i], s->handle, s->logon};
                g_array_append_val(notifier->waiting, waiting);
            }
        }
    if (wakes && notifier->wake)
        notifier->wake(notifier->wake_ctx);
    pthread_mutex_unlock(&notifier->lock);
}

// --- Keeping the subjects ---

static struct rop_notifier *notifier_of(struct rop_session *s) {
    if (s->notifier)
        return s->notifier;
    struct rop_notifier *n = g_new0(struct rop_notifier, 1);
    pthread_mutex_init(&n->lock, NULL);
    n->subjects = g_array_new(FALSE, FALSE, sizeof(struct subject));
    n->waiting = g_array_new(FALSE, FALSE, sizeof(struct waiting));
    g_queue_init(&n->out);
    s->notifier = n;
    return n;
}

static void watch_logon(struct rop_notifier *n, struct rop_logon *logon) {
    if (n->watches[logon->id])
        return;
    struct logon_watch *w = g_new0(struct logon_watch, 1);
    w->notifier = n;
    w->logon = logon->id;
    w->watch = mbox_watch_new(logon->mbox, 0, ~0u, on_events, w);
    n->watches[logon->id] = w;
}

static void unwatch(struct rop_notifier *n, uint8_t logon) {
    struct logon_watch *w = g_steal_pointer(&n->watches[logon]);
    if (!w)
        return;
    mbox_watch_free(w->watch);
    g_free(w);
    n->is_touched[logon] = false;
}

static bool table_tells(const struct rop_object *o) {
    const struct rop_table *t = (const struct rop_table *)o;
    enum table_kind kind = table_kind(t->table);
    return !(t->flags & NO_NOTIFICATIONS) && kind <= TABLE_HIERARCHY && t->fid != 0;
}

static void add_subject(struct rop_notifier *n, GArray *to, struct rop_object *o) {
    struct subject s = {.handle = o->handle, .logon = o->logon->id};
    if (to->len >= SUBJECTS_MAX)
        return;
    if (o->kind == ROP_TABLE && table_tells(o)) {
        const struct rop_table *t = (const struct rop_table *)o;
        s.is_table = true;
        s.is_hierarchy = table_kind(t->table) == TABLE_HIERARCHY;
        s.fid = t->fid;
    } else if (o->kind == ROP_NOTIFICATION) {
        const struct registration *r = (const struct registration *)o;
        s.types = r->types;
        s.is_whole_store = r->is_whole_store;
        s.fid = r->fid;
        s.mid = r->mid;
    } else {
        return;
    }
    watch_logon(n, o->logon);
    g_array_append_val(to, s);
}

// What the session has open, after a call that opened or released something.
static void scan(struct rop_session *s) {
    struct rop_notifier *n = s->notifier;
    if (n && n->scanned_handle == s->next_handle && n->scanned_objects == s->n_objects)
        return;
    n = notifier_of(s);
    GArray *subjects = g_array_new(FALSE, FALSE, sizeof(struct subject));
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, s->objects);
    while (g_hash_table_iter_next(&it, NULL, &value))
        add_subject(n, subjects, value);
    n->scanned_handle = s->next_handle;
    n->scanned_objects = s->n_objects;
    pthread_mutex_lock(&n->lock);
    GArray *old = n->subjects;
    n->subjects = subjects;
    pthread_mutex_unlock(&n->lock);
    g_array_unref(old);
}

void rop_notify_forget(struct rop_session *s, struct rop_object *o) {
    struct rop_notifier *n = s->notifier;
    if (!n)
        return;
    if (o) {
        if (o->kind == ROP_LOGON)
            unwatch(n, ((struct rop_logon *)o)->id);
        return;
    }
    for (unsigned i = 0; i < ROP_MAX_LOGONS; i++)
        unwatch(n, (uint8_t)i);
    g_queue_clear_full(&n->out, (GDestroyNotify)g_bytes_unref);
    g_array_unref(n->subjects);
    g_array_unref(n->waiting);
    pthread_mutex_destroy(&n->lock);
    g_free(n);
    s->notifier = NULL;
}

enum ec rop_register_notification(struct rop_call *c) {
    unsigned types = wire_u16(c->r);
    if (types & TYPE_EXTENDED)
        wire_u8(c->r);
    bool is_whole_store = wire_u8(c->r) != 0;
    uint64_t fid = 0, mid = 0;
    if (!is_whole_store) {
        fid = rop_read_id(c);
        mid = rop_read_id(c);
    }
    struct rop_logon *logon;
    EC_TRY(rop_logon_in(c, &logon));
    if (!(types & TYPE_KNOWN & ~(unsigned)TYPE_EXTENDED))
        return EC_INVALID_PARAMETER;
    if (!is_whole_store) {
        MBOX_TX_AUTO tx = NULL;
        struct folder_info info;
        EC_TRY(mbox_read(logon->mbox, &tx));
        EC_TRY(folder_get(tx, c->arena, fid, &info));
        EC_TRY(mailbox_require(logon->mailbox, tx, fid, RIGHTS_VISIBLE));
    }
    struct registration *r = g_new0(struct registration, 1);
    EC_TRY(rop_object_init(&r->object, ROP_NOTIFICATION, &logon->object, NULL));
    r->types = types;
    r->is_whole_store = is_whole_store;
    r->fid = fid;
    r->mid = mid;
    EC_TRY(rop_give(c, &r->object));
    scan(c->session); // what happens from now on is told
    return EC_OK;
}

// --- Telling ---

static void push(struct rop_notifier *n, struct rop_object *o, struct wire_writer *data) {
    struct wire_writer w = wire_writer(ROP_BUFFER_MAX);
    g_autoptr(GByteArray) bytes = wire_writer_take(data);
    if (!bytes)
        return; // larger than any buffer
    wire_put_u8(&w, 0x2A);
    wire_put_u32(&w, o->handle);
    wire_put_u8(&w, o->logon->id);
    wire_put_bytes(&w, bytes->data, bytes->len);
    GByteArray *whole = wire_writer_take(&w);
    if (whole)
        g_queue_push_tail(&n->out, g_byte_array_free_to_bytes(whole));
    else
        wire_writer_clear(&w);
}

static struct rop_object *find(struct rop_session *s, uint32_t handle, enum rop_kind kind) {
    struct rop_object *o = g_hash_table_lookup(s->objects, GUINT_TO_POINTER(handle));
    return o && o->kind == kind ? o : NULL;
}

// Tells the events of one logon that waited. Counts of each folder are told once.
static void tell_events(struct rop_session *s, uint8_t logon, const GArray *waiting) {
    MBOX_TX_AUTO tx = NULL;
    g_autoptr(GHashTable) counted =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < waiting->len; i++) {
        const struct waiting *w = &g_array_index(waiting, struct waiting, i);
        struct registration *r =
            w->logon == logon ? (struct registration *)find(s, w->handle, ROP_NOTIFICATION) : NULL;
        if (!r)
            continue;
        if (!tx && mbox_read(r->object.logon->mbox, &tx) != EC_OK)
            return;
        struct mailbox *mailbox = r->object.logon->mailbox;
        // What is gone may be told to the owner alone: whether others saw it is not known any more.
        if (!mailbox_is_owner(mailbox) &&
            mailbox_require(mailbox, tx, w->event.fid, RIGHTS_VISIBLE) != EC_OK)
            continue;
        struct wire_writer data = wire_writer(ROP_BUFFER_MAX);
        if (r->types & (unsigned)w->event.kind << 1 && notify_put_event(&data, tx, &w->event))
            push(s->notifier, &r->object, &data);
        wire_writer_clear(&data);
        uint64_t key = w->event.fid ^ (uint64_t)w->handle << 40;
        bool is_counted = w->event.is_folder || !(r->types & NOTIFY_OBJECT_MODIFIED) || r->mid ||
                          g_hash_table_contains(counted, &key);
        if (is_counted)
            continue;
        g_hash_table_add(counted, g_memdup2(&key, sizeof key));
        data = wire_writer(64);
        if (notify_put_counts(&data, tx, w->event.fid))
            push(s->notifier, &r->object, &data);
        wire_writer_clear(&data);
    }
}

struct telling {
    struct rop_notifier *notifier;
    struct rop_table *table;
};

static void tell_row(void *ctx, const struct table_event *e) {
    struct telling *t = ctx;
    struct wire_writer data = wire_writer(ROP_BUFFER_MAX);
    notify_put_row(&data, t->table, e);
    push(t->notifier, &t->table->object, &data);
    wire_writer_clear(&data);
}

static void tell_tables(struct rop_session *s, const bool *is_touched) {
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, s->objects);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        struct rop_object *o = value;
        if (o->kind == ROP_TABLE && is_touched[o->logon->id] && table_tells(o))
            g_array_append_val(handles, o->handle);
    }
    for (guint i = 0; i < handles->len; i++) {
        struct telling t = {s->notifier, (struct rop_table *)find(
                                             s, g_array_index(handles, uint32_t, i), ROP_TABLE)};
        table_events(t.table->table, tell_row, &t);
    }
}

static void collect(struct rop_session *s) {
    struct rop_notifier *n = s->notifier;
    bool is_touched[ROP_MAX_LOGONS] = {false}, has_touched;
    GArray *waiting = g_array_new(FALSE, FALSE, sizeof(struct waiting));
    pthread_mutex_lock(&n->lock);
    GArray *noted = n->waiting;
    n->waiting = waiting;
    has_touched = n->has_touched;
    if (has_touched)
        memcpy(is_touched, n->is_touched, sizeof is_touched);
    n->has_touched = false;
    memset(n->is_touched, 0, sizeof n->is_touched);
    pthread_mutex_unlock(&n->lock);
    for (unsigned i = 0; noted->len > 0 && i < ROP_MAX_LOGONS; i++)
        if (s->logons[i] && n->watches[i])
            tell_events(s, (uint8_t)i, noted);
    g_array_unref(noted);
    if (has_touched)
        tell_tables(s, is_touched);
}

void rop_notify_put(struct rop_session *s, struct wire_writer *w, size_t room) {
    scan(s);
    struct rop_notifier *n = s->notifier;
    collect(s);
    // MS-OXCNOTIF 3.1.5.6, 3.1.5.7: as many as fit, with room for RopPending.
    while (!g_queue_is_empty(&n->out)) {
        GBytes *next = g_queue_peek_head(&n->out);
        size_t len = g_bytes_get_size(next);
        if (len + (n->out.length > 1 ? PENDING_SIZE : 0) > room)
            break;
        wire_put_bytes(w, g_bytes_get_data(next, NULL), len);
        room -= len;
        g_bytes_unref(g_queue_pop_head(&n->out));
    }
    if (!g_queue_is_empty(&n->out) && room >= PENDING_SIZE) {
        wire_put_u8(w, 0x6E);
        wire_put_u16(w, 0); // SessionIndex: this very session
    }
    pthread_mutex_lock(&n->lock);
    n->n_out = n->out.length;
    pthread_mutex_unlock(&n->lock);
}

bool rop_session_has_events(struct rop_session *s) {
    struct rop_notifier *n = s->notifier;
    if (!n)
        return false;
    pthread_mutex_lock(&n->lock);
    bool has = n->waiting->len > 0 || n->has_touched || n->n_out > 0;
    pthread_mutex_unlock(&n->lock);
    return has;
}

void rop_session_watch(struct rop_session *s, void (*fn)(void *ctx), void *ctx) {
    struct rop_notifier *n = notifier_of(s);
    pthread_mutex_lock(&n->lock);
    n->wake = fn;
    n->wake_ctx = ctx;
    pthread_mutex_unlock(&n->lock);
}
