// APPEND ([RFC 3501] 6.3.11, [RFC 4315] APPENDUID).
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_date.h"
#include "protocol/imap/imap_flags.h"
#include "protocol/imap/imap_session.h"

void cmd_append(struct imap_cmd *c) {
    struct imap_parser *p = &c->args;
    struct imap_flags flags = {0};
    struct mailbox_append message = {0};
    const char *path;
    if (!imap_arg_mailbox(c, &path))
        return;
    imap_space(p);
    if (imap_peek(p) == '(') {
        imap_parse_flags(p, false, &flags);
        imap_space(p);
    }
    if (imap_peek(p) == '"') {
        imap_parse_date_time(p, &message.received);
        imap_space(p);
    }
    g_autoptr(GBytes) mime = imap_literal_bytes(p);
    if (!imap_arg_end(c))
        return;
    if (g_bytes_get_size(mime) == 0) { // what clients send to give up an APPEND they began
        imap_reply(c, "NO", "[CANNOT] Empty message");
        return;
    }
    message.mime = mime;
    message.flags = flags.flags;
    message.keywords = imap_join_keywords(c->arena, &flags);

    struct mailbox_folder folder;
    struct mailbox *m;
    uint32_t uid;
    enum ec ec = mailbox_set_find(c->s->mailboxes, c->arena, path, &m, &folder);
    if (ec == EC_OK)
        ec = mailbox_append(m, folder.fid, &message, NULL, &uid);
    if (ec == EC_OK)
        imap_reply(c, "OK",
                   arena_printf(c->arena, "[APPENDUID %u %u] Appended", folder.uid_validity, uid));
    else
        imap_reply_ec_target(c, ec);
}
