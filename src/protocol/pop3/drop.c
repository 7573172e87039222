// The maildrop: a snapshot of the Inbox, locked for one session ([RFC 1939] 4), updated by QUIT.
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/pop3/session.h"

struct pop3_drops {
    pthread_mutex_t lock;
    GHashTable *used;   // of struct guid
    GHashTable *logins; // struct guid of a user -> filetime_t of the last login; with a login delay
};

static guint guid_hash(gconstpointer key) {
    guint h;
    memcpy(&h, ((const struct guid *)key)->bytes, sizeof h);
    return h;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

struct pop3_drops *pop3_drops_new(void) {
    struct pop3_drops *drops = g_new0(struct pop3_drops, 1);
    pthread_mutex_init(&drops->lock, NULL);
    drops->used = g_hash_table_new_full(guid_hash, guid_same, g_free, NULL);
    drops->logins = g_hash_table_new_full(guid_hash, guid_same, g_free, g_free);
    return drops;
}

void pop3_drops_free(struct pop3_drops *drops) {
    if (!drops)
        return;
    g_hash_table_unref(drops->used);
    g_hash_table_unref(drops->logins);
    pthread_mutex_destroy(&drops->lock);
    g_free(drops);
}

static bool lock_drop(struct pop3_drops *drops, const struct guid *guid) {
    pthread_mutex_lock(&drops->lock);
    bool is_new = !g_hash_table_contains(drops->used, guid);
    if (is_new)
        g_hash_table_add(drops->used, g_memdup2(guid, sizeof *guid));
    pthread_mutex_unlock(&drops->lock);
    return is_new;
}

static void unlock_drop(struct pop3_drops *drops, const struct guid *guid) {
    pthread_mutex_lock(&drops->lock);
    g_hash_table_remove(drops->used, guid);
    pthread_mutex_unlock(&drops->lock);
}

// --- The login delay ([RFC 2449] 6.4) ---

static gboolean is_old(gpointer key, gpointer value, gpointer since) {
    (void)key;
    return *(filetime_t *)value <= *(filetime_t *)since;
}

bool pop3_drop_is_too_early(struct pop3_session *s) {
    struct pop3_drops *drops = s->service->drops;
    filetime_t now = clock_now(), delay = s->service->settings.login_delay * FILETIME_SECOND;
    if (delay == 0)
        return false;
    pthread_mutex_lock(&drops->lock);
    const filetime_t *last = g_hash_table_lookup(drops->logins, &s->who->guid);
    // A clock that was set back must not make it last longer.
    bool is_early = last && now - *last < delay && now >= *last;
    if (!is_early) {
        filetime_t since = now - delay;
        if (g_hash_table_size(drops->logins) >= POP3_LOGINS_NOTED)
            g_hash_table_foreach_remove(drops->logins, is_old, &since);
        g_hash_table_replace(drops->logins, g_memdup2(&s->who->guid, sizeof s->who->guid),
                             g_memdup2(&now, sizeof now));
    }
    pthread_mutex_unlock(&drops->lock);
    return is_early;
}

// --- Opening ---

// A message born without an internet form gets one now, so that its size is what RETR will send.
static enum ec read_sizes(struct pop3_session *s) {
    struct mailbox_reader *reader = NULL;
    enum ec ec = EC_OK;
    for (unsigned i = 0; i < s->n && ec == EC_OK; i++) {
        if (s->items[i].size > 0)
            continue;
        if (!reader)
            EC_TRY(mailbox_reader_open(s->mailbox, s->fid, &reader));
        ec = mailbox_read_size(reader, s->items[i].mid, &s->items[i].size);
        if (ec == EC_NOT_FOUND) // expunged meanwhile; RETR says so
            ec = EC_OK;
    }
    mailbox_reader_close(reader);
    return ec;
}

static enum ec read_items(struct pop3_session *s) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder inbox;
    struct mailbox_view *view;
    EC_TRY(mailbox_find_folder(s->mailbox, arena, "INBOX", &inbox));
    EC_TRY(mailbox_view_open(s->mailbox, inbox.fid, &view));
    s->fid = inbox.fid;
    s->uid_validity = mailbox_view_uid_validity(view);
    s->n = mailbox_view_count(view);
    s->items = g_new0(struct pop3_item, s->n);
    for (unsigned i = 0; i < s->n; i++) {
        const struct message_row *row = mailbox_view_row(view, i);
        s->items[i] = (struct pop3_item){
            .mid = row->mid, .size = row->size, .uid = row->uid, .is_read = row->flags & MSG_READ};
    }
    mailbox_view_free(view);
    return read_sizes(s);
}

enum ec pop3_drop_open(struct pop3_session *s) {
    struct mailbox *m;
    EC_TRY(mailbox_open_login(s->service->mailboxes, s->who, &m));
    if (!lock_drop(s->service->drops, mailbox_guid(m))) {
        mailbox_close(m);
        return EC_BUSY;
    }
    s->mailbox = m;
    enum ec ec = read_items(s);
    if (ec != EC_OK)
        pop3_drop_close(s);
    return ec;
}

void pop3_drop_close(struct pop3_session *s) {
    pop3_sending_end(s);
    pop3_ahead_end(s);
    if (!s->mailbox)
        return;
    unlock_drop(s->service->drops, mailbox_guid(s->mailbox));
    mailbox_close(g_steal_pointer(&s->mailbox));
    g_clear_pointer(&s->items, g_free);
    s->n = 0;
}

enum ec pop3_drop_update(struct pop3_session *s) {
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) read = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    bool marks_read = s->service->settings.marks_read;
    for (unsigned i = 0; i < s->n; i++) {
        const struct pop3_item *item = &s->items[i];
        if (item->is_deleted)
            g_array_append_val(gone, item->mid);
        else if (item->is_fetched && !item->is_read && marks_read)
            g_array_append_val(read, item->mid);
    }
    if (gone->len > 0)
        EC_TRY(
            mailbox_expunge(s->mailbox, s->fid, (const uint64_t *)(void *)gone->data, gone->len));
    if (read->len == 0)
        return EC_OK;
    struct mailbox_flags change = {
        .mode = MAILBOX_FLAGS_ADD, .flags = MSG_READ, .unchanged_since = UINT64_MAX};
    enum ec ec = mailbox_change_flags(s->mailbox, s->fid, (const uint64_t *)(void *)read->data,
                                      read->len, &change, NULL);
    return ec == EC_ACCESS_DENIED ? EC_OK : ec; // a delegate who may only read
}
