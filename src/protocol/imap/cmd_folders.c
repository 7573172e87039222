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
    imap_reply_ec(c, mailbox_create_folder(c->s->mailbox, without_separator(c, path), NULL));
}

static void reply_special(struct imap_cmd *c, enum ec ec) {
    if (ec == EC_ACCESS_DENIED && mailbox_is_owner(c->s->mailbox))
        imap_reply(c, "NO", "[CANNOT] This folder belongs to the mailbox");
    else
        imap_reply_ec(c, ec);
}

void cmd_delete(struct imap_cmd *c) {
    const char *path;
    if (!imap_arg_mailbox(c, &path) || !imap_arg_end(c))
        return;
    struct mailbox_folder folder;
    if (c->s->view && mailbox_find_folder(c->s->mailbox, c->arena, path, &folder) == EC_OK &&
        folder.fid == mailbox_view_fid(c->s->view)) {
        // Clients that delete what they have selected mean it; they hear of no messages then.
        enum ec ec = mailbox_delete_folder(c->s->mailbox, path);
        if (ec == EC_OK)
            imap_deselect(c->s);
        reply_special(c, ec);
        return;
    }
    reply_special(c, mailbox_delete_folder(c->s->mailbox, path));
}

void cmd_rename(struct imap_cmd *c) {
    const char *from, *to;
    if (!imap_arg_mailbox(c, &from))
        return;
    imap_space(&c->args);
    if (!imap_arg_mailbox(c, &to) || !imap_arg_end(c))
        return;
    enum ec ec = mailbox_rename_folder(c->s->mailbox, from, without_separator(c, to));
    reply_special(c, ec);
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
