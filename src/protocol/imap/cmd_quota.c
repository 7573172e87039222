// GETQUOTA, GETQUOTAROOT ([RFC 9208]): one quota root, "", for the whole mailbox.
#include <string.h>

#include "mailbox/quota.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"

#define ROOT "\"\""

static uint64_t units(uint64_t bytes) {
    return bytes / 1024 + (bytes % 1024 != 0);
}

// Only what has a limit is listed.
static enum ec put_quota(struct imap_cmd *c) {
    struct mailbox_quota q;
    EC_TRY(mailbox_get_quota(c->s->mailbox, &q));
    const char *separator = "";
    imap_puts(c->s, "* QUOTA " ROOT " (");
    if (q.limits.receive) {
        imap_printf(c->s, "STORAGE %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                    (guint64)units(q.usage.size), (guint64)(q.limits.receive / 1024));
        separator = " ";
    }
    if (q.limits.messages)
        imap_printf(c->s, "%sMESSAGE %" G_GUINT64_FORMAT " %u", separator,
                    (guint64)q.usage.n_messages, q.limits.messages);
    imap_puts(c->s, ")\r\n");
    return EC_OK;
}

void cmd_getquota(struct imap_cmd *c) {
    const char *root = imap_astring(&c->args, NULL);
    if (!imap_arg_end(c))
        return;
    if (!root || *root) {
        imap_reply(c, "NO", "[NONEXISTENT] no such quota root");
        return;
    }
    imap_reply_ec(c, put_quota(c));
}

void cmd_getquotaroot(struct imap_cmd *c) {
    const char *path;
    if (!imap_arg_mailbox(c, &path) || !imap_arg_end(c))
        return;
    struct mailbox_folder folder;
    enum ec ec = mailbox_find_folder(c->s->mailbox, c->arena, path, &folder);
    if (ec == EC_OK) {
        imap_puts(c->s, "* QUOTAROOT ");
        imap_put_mailbox(c->s, folder.path);
        imap_puts(c->s, " " ROOT "\r\n");
        ec = put_quota(c);
    }
    imap_reply_ec(c, ec);
}
