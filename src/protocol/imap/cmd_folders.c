// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE ([RFC 3501] 6.3.3-6.3.7).
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_session.h"

#include <string.h>

// "name/" in CREATE says that folders below it are to come; every folder can have some.
static const char *without_separator(struct imap_cmd *c, const char *path) {
    size_t len = strlen(path);
    return len > 1 && path[len - 1] == '/' ? arena_strndup(c->arena, path, len - 1) : path;
}

void cmd_create(struct imap_cmd *c) {
    const char *path;
    if (!imap_arg_mailbox(c, &path) || !imap_arg_end(c))
        return;
    struct mailbox *m;
    const char *rest;
    enum ec ec = mailbox_set_locate(c->s->mailboxes, without_separator(c, path), &m, &rest);
    imap_reply_ec(c, ec == EC_OK ? mailbox_create_folder(m, rest, NULL) : ec);
}

static void reply_special(struct imap_cmd *c, const struct mailbox *m, enum ec ec) {
    if (ec == EC_ACCESS_DENIED && mailbox_is_owner(m))
        imap_reply(c, "NO", "[CANNOT] This folder belongs to the mailbox");
    else
        imap_reply_ec(c, ec);
}

void cmd_delete(struct imap_cmd *c) {
    const char *path;
    if (!imap_arg_mailbox(c, &path) || !imap_arg_end(c))
        return;
    struct mailbox_folder folder;
    struct mailbox *m;
    const char *rest;
    enum ec ec = mailbox_set_locate(c->s->mailboxes, path, &m, &rest);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return;
    }
    // Clients that delete what they have selected mean it; they hear of no messages then.
    bool is_selected = c->s->view && m == c->s->selected &&
                       mailbox_find_folder(m, c->arena, rest, &folder) == EC_OK &&
                       folder.fid == mailbox_view_fid(c->s->view);
    ec = mailbox_delete_folder(m, rest);
    if (ec == EC_OK && is_selected)
        imap_deselect(c->s);
    reply_special(c, m, ec);
}

void cmd_rename(struct imap_cmd *c) {
    const char *from, *to;
    if (!imap_arg_mailbox(c, &from))
        return;
    imap_space(&c->args);
    if (!imap_arg_mailbox(c, &to) || !imap_arg_end(c))
        return;
    struct mailbox *m = c->s->mailbox, *other;
    const char *rest, *new_rest;
    enum ec ec = mailbox_set_locate(c->s->mailboxes, from, &m, &rest);
    if (ec == EC_OK)
        ec = mailbox_set_locate(c->s->mailboxes, without_separator(c, to), &other, &new_rest);
    if (ec == EC_OK)
        ec = m == other ? mailbox_rename_folder(m, rest, new_rest) : EC_NOT_SUPPORTED;
    reply_special(c, m, ec);
}

static void subscribe(struct imap_cmd *c, bool on) {
    const char *path;
    if (!imap_arg_mailbox(c, &path) || !imap_arg_end(c))
        return;
    imap_reply_ec(c, mailbox_subscribe(c->s->mailbox, without_separator(c, path), on));
}

void cmd_subscribe(struct imap_cmd *c) {
    subscribe(c, true);
}

void cmd_unsubscribe(struct imap_cmd *c) {
    subscribe(c, false);
}
