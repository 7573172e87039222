// Telling the client what changed in its folder: the difference between the snapshot it knows and
// the newest one ([RFC 3501] 7.3, 7.4, [RFC 7162] 3.2).
//
// Sequence numbers are positions in the session's snapshot, so the snapshot is replaced only
// together with what tells the client of it.
#include "protocol/imap/imap_context.h"
#include "protocol/imap/imap_flags.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_write.h"

struct changes {
    GArray *removed; // indexes in the old view
    GArray *changed; // indexes in the new view
    bool has_added;
};

static void collect(void *ctx, enum mailbox_view_change what, uint32_t index,
                    const struct message_row *row) {
    (void)row;
    struct changes *c = ctx;
    switch (what) {
    case VIEW_REMOVED:
        g_array_append_val(c->removed, index);
        break;
    case VIEW_CHANGED:
        g_array_append_val(c->changed, index);
        break;
    case VIEW_ADDED:
        c->has_added = true;
        break;
    }
}

void imap_put_flags_update(struct imap_session *s, uint32_t number, const struct message_row *row,
                           bool with_uid, bool with_flags, bool with_modseq) {
    const char *flags = imap_flag_names(row->flags);
    size_t flags_len = strlen(flags), keywords_len = row->keywords ? strlen(row->keywords) : 0;
    char *out = imap_room(s, 128 + flags_len + keywords_len);
    out = imap_put_literal(out, "* ");
    out = imap_put_u64(out, s->is_uid_only ? row->uid : number);
    out = s->is_uid_only ? imap_put_literal(out, " UIDFETCH (") : imap_put_literal(out, " FETCH (");
    with_uid = with_uid && !s->is_uid_only;
    if (with_uid) {
        out = imap_put_literal(out, "UID ");
        out = imap_put_u64(out, row->uid);
    }
    if (with_flags) {
        if (with_uid)
            *out++ = ' ';
        out = imap_put_literal(out, "FLAGS (");
        out = imap_put_text(out, flags, flags_len);
        if (keywords_len) {
            if (flags_len)
                *out++ = ' ';
            out = imap_put_text(out, row->keywords, keywords_len);
        }
        *out++ = ')';
    }
    if (with_modseq) {
        if (with_uid || with_flags)
            *out++ = ' ';
        out = imap_put_literal(out, "MODSEQ (");
        out = imap_put_u64(out, row->modseq);
        *out++ = ')';
    }
    imap_advance(s, imap_put_literal(out, ")\r\n"));
}

static void put_vanished(struct imap_session *s, const char *what, const GArray *uids) {
    if (uids->len == 0)
        return;
    imap_puts(s, what);
    imap_append_set(s->out, (const uint32_t *)uids->data, uids->len);
    imap_puts(s, "\r\n");
}

enum ec imap_put_vanished_since(struct imap_session *s, uint64_t since,
                                const struct imap_rows *known) {
    g_autoptr(GArray) uids = NULL, told = NULL;
    EC_TRY(mailbox_view_vanished(s->selected, s->view, since, &uids));
    told = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < uids->len; i++) {
        uint32_t uid = g_array_index(uids, uint32_t, i);
        if (!known || imap_rows_contain(known, uid))
            g_array_append_val(told, uid);
    }
    put_vanished(s, "* VANISHED (EARLIER) ", told);
    return EC_OK;
}

static void put_removed(struct imap_session *s, const GArray *removed) {
    if (s->has_qresync || s->is_uid_only) {
        g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        for (guint i = 0; i < removed->len; i++) {
            uint32_t index = g_array_index(removed, uint32_t, i);
            g_array_append_val(uids, mailbox_view_row(s->view, index)->uid);
        }
        put_vanished(s, "* VANISHED ", uids);
        return;
    }
    // From the end, so that each number is what the client counts at that moment.
    for (guint i = removed->len; i > 0; i--)
        imap_printf(s, "* %u EXPUNGE\r\n", g_array_index(removed, uint32_t, i - 1) + 1);
}

void imap_put_exists(struct imap_session *s, uint32_t count) {
    imap_printf(s, "* %u EXISTS\r\n", count);
    if (!s->is_rev2)
        imap_puts(s, "* 0 RECENT\r\n");
}

static void put_changes(struct imap_session *s, struct imap_cmd *c, const struct mailbox_view *to,
                        const struct changes *changes) {
    put_removed(s, changes->removed);
    if (changes->has_added)
        imap_put_exists(s, mailbox_view_count(to));
    bool with_uid = s->has_condstore || (c && c->is_uid);
    for (guint i = 0; i < changes->changed->len; i++) {
        uint32_t index = g_array_index(changes->changed, uint32_t, i);
        const struct message_row *row = mailbox_view_row(to, index);
        if (c && c->is_known) {
            uint32_t before = mailbox_view_find_uid(s->view, row->uid);
            if (c->is_known(c, before, mailbox_view_row(s->view, before), row))
                continue;
        }
        imap_put_flags_update(s, index + 1, row, with_uid, true, s->has_condstore);
    }
}

enum ec imap_sync(struct imap_session *s, struct imap_cmd *c, bool may_expunge) {
    struct mailbox_view *to;
    EC_TRY(mailbox_view_refresh(s->selected, s->view, &to));
    struct changes changes = {
        .removed = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .changed = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
    };
    mailbox_view_diff(s->view, to, collect, &changes);
    if (changes.removed->len == 0 || may_expunge) {
        struct mailbox_view *from = s->view;
        put_changes(s, c, to, &changes);
        s->view = to;
        if (s->contexts)
            imap_contexts_update(s, from);
        mailbox_view_free(from);
    } else {
        mailbox_view_free(to);
    }
    g_array_unref(changes.removed);
    g_array_unref(changes.changed);
    return EC_OK;
}
