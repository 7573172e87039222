// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE ([RFC 3501] 6.3.3-6.3.7, [RFC 6154]).
#include "mailbox/identity.h"
#include "mailbox/metadata.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_session.h"

#include <string.h>

// "name/" in CREATE says that folders below it are to come; every folder can have some.
static const char *without_separator(struct imap_cmd *c, const char *path) {
    size_t len = strlen(path);
    return len > 1 && path[len - 1] == '/' ? arena_strndup(c->arena, path, len - 1) : path;
}

// " (USE (\\Archive))" ([RFC 6154] 3). A folder is for one thing at most. False: the reply is set.
static bool parse_use(struct imap_cmd *c, const char **use_out) {
    struct imap_parser *p = &c->args;
    bool is_possible = true;
    unsigned n = 0;
    *use_out = NULL;
    if (!imap_accept(p, ' ') || imap_at_end(p))
        return imap_arg_end(c);
    imap_expect(p, '(');
    if (!imap_accept_word(p, "USE"))
        imap_fail(p, "Unknown CREATE parameter");
    imap_space(p);
    imap_expect(p, '(');
    while (imap_ok(p) && imap_accept(p, '\\')) {
        const char *name = imap_atom(p);
        *use_out = name ? arena_printf(c->arena, "\\%s", name) : NULL;
        is_possible = is_possible && *use_out && mailbox_is_special_use(*use_out) && ++n == 1;
        imap_accept(p, ' ');
    }
    imap_expect(p, ')');
    imap_expect(p, ')');
    if (!imap_arg_end(c))
        return false;
    if (!is_possible)
        imap_reply(c, "NO", "[USEATTR] No folder can be made for that");
    return is_possible;
}

void cmd_create(struct imap_cmd *c) {
    const char *path, *use;
    if (!imap_arg_mailbox(c, &path) || !parse_use(c, &use))
        return;
    struct mailbox *m;
    const char *rest;
    uint64_t fid;
    enum ec ec = mailbox_set_locate(c->s->mailboxes, without_separator(c, path), &m, &rest);
    if (ec == EC_OK)
        ec = mailbox_create_folder_for(m, rest, use, &fid);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return;
    }
    char id[MAILBOX_ID_SIZE]; // [RFC 8474] 4.2
    mailbox_folder_id(m, fid, id);
    imap_reply(c, "OK", arena_printf(c->arena, "[MAILBOXID (%s)] Completed", id));
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
