// EXPUNGE and UID EXPUNGE ([RFC 3501] 6.4.3, [RFC 4315] 2.1).
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_session.h"
#include "protocol/imap/imap_set.h"

void cmd_expunge(struct imap_cmd *c) {
    struct imap_session *s = c->s;
    struct imap_rows rows = {0};
    struct imap_set set = {0};
    if (c->is_uid) {
        imap_parse_set(&c->args, &set);
        if (!imap_arg_end(c))
            return;
    }
    if (s->is_read_only) {
        imap_reply(c, "NO", "[NOPERM] The mailbox is read-only");
        return;
    }
    // Messages that others marked since are expunged too: the newest snapshot counts.
    struct mailbox_view *now;
    enum ec ec = mailbox_view_refresh(s->selected, s->view, &now);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return;
    }
    if (c->is_uid)
        imap_resolve_set(c->arena, now, &set, true, &rows);
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    uint32_t n = mailbox_view_count(now);
    for (uint32_t i = 0; i < n; i++) {
        const struct message_row *row = mailbox_view_row(now, i);
        if ((row->flags & MSG_DELETED) && (!c->is_uid || imap_rows_contain(&rows, i)))
            g_array_append_val(mids, row->mid);
    }
    mailbox_view_free(now);
    mailbox_keep_deletable(s->selected, mailbox_view_fid(s->view), mids);
    ec = mailbox_expunge(s->selected, mailbox_view_fid(s->view), (const uint64_t *)mids->data,
                         mids->len);
    // The client learns how far it is in step ([RFC 7162] 3.2.7, 3.2.8).
    if (ec == EC_OK && mids->len > 0 && s->has_condstore &&
        mailbox_view_refresh(s->selected, s->view, &now) == EC_OK) {
        imap_reply(c, "OK",
                   arena_printf(c->arena, "[HIGHESTMODSEQ %" G_GUINT64_FORMAT "] Expunged",
                                mailbox_view_modseq(now)));
        mailbox_view_free(now);
        return;
    }
    imap_reply_ec(c, ec);
}
