// REPLACE and UID REPLACE ([RFC 8508]): a new message in the place of one of the selected folder,
// in one transaction where both are in one mailbox. Elsewhere the new one is stored first: nothing
// is lost when it comes to the worst.
#include "protocol/imap/append_args.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_write.h"

static enum ec replace_elsewhere(struct imap_cmd *c, struct mailbox *m, uint64_t fid,
                                 const struct append_args *args, const struct mailbox_replaced *old,
                                 uint32_t *uid_out) {
    struct imap_session *s = c->s;
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_array_append_val(mids, old->mid);
    mailbox_keep_deletable(s->selected, old->fid, mids);
    if (mids->len == 0)
        return EC_ACCESS_DENIED;
    EC_TRY(mailbox_append_all(m, fid, args->specs, 1, NULL, NULL, uid_out));
    return mailbox_expunge(s->selected, old->fid, &old->mid, 1);
}

static void replace(struct imap_cmd *c, const char *path, struct append_args *args,
                    const struct mailbox_replaced *old) {
    struct imap_session *s = c->s;
    struct mailbox_folder folder;
    struct mailbox *m;
    uint32_t uid = 0;
    enum ec ec = mailbox_set_find(s->mailboxes, c->arena, path, &m, &folder);
    if (ec == EC_OK && !append_args_resolve(c, args))
        return;
    if (ec == EC_OK && m == s->selected)
        ec = mailbox_append_all(m, folder.fid, args->specs, 1, old, NULL, &uid);
    else if (ec == EC_OK)
        ec = replace_elsewhere(c, m, folder.fid, args, old, &uid);
    if (ec == EC_OBJECT_DELETED) {
        imap_reply(c, "NO", "[NONEXISTENT] the message is gone");
    } else if (ec != EC_OK) {
        imap_reply_ec_target(c, ec);
    } else { // before the EXPUNGE ([RFC 8508] 3.3)
        imap_printf(s, "* OK [APPENDUID %u %u] Replaced\r\n", folder.uid_validity, uid);
        imap_reply_ok(c);
    }
}

void cmd_replace(struct imap_cmd *c) {
    struct append_args args = {0};
    struct imap_rows rows;
    const char *path;
    if (!imap_arg_rows(c, &rows))
        return;
    imap_space(&c->args);
    if (!imap_arg_mailbox(c, &path))
        return;
    if (!append_args_parse(c, false, &args)) {
        append_args_clear(&args);
        return;
    }
    unsigned n;
    uint64_t *mids = imap_row_mids(c, &rows, &n);
    struct mailbox_replaced old = {.fid = mailbox_view_fid(c->s->view), .mid = n ? *mids : 0};
    if (n > 1)
        imap_reply(c, "BAD", "REPLACE takes one message");
    else if (n == 0)
        imap_reply(c, "NO", "[NONEXISTENT] No such message");
    else if (c->s->is_read_only)
        imap_reply(c, "NO", "[NOPERM] The mailbox is read-only");
    else
        replace(c, path, &args, &old);
    append_args_clear(&args);
}
