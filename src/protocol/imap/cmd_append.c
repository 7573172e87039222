// APPEND ([RFC 3501] 6.3.11, [RFC 3502] MULTIAPPEND, [RFC 4315] APPENDUID, [RFC 4469] CATENATE):
// all of its messages or none of them.
#include "protocol/imap/append_args.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_set.h"

static void reply_appended(struct imap_cmd *c, uint32_t validity, const uint32_t *uids,
                           unsigned n) {
    g_autoptr(GString) set = g_string_new(NULL);
    imap_append_set(set, uids, n);
    imap_reply(c, "OK", arena_printf(c->arena, "[APPENDUID %u %s] Appended", validity, set->str));
}

static void store(struct imap_cmd *c, const char *path, struct append_args *args) {
    struct mailbox_folder folder;
    struct mailbox *m;
    // Asked first: nothing is read for a folder that is not there.
    enum ec ec = mailbox_set_find(c->s->mailboxes, c->arena, path, &m, &folder);
    if (ec == EC_OK && !append_args_resolve(c, args))
        return;
    uint32_t *uids = arena_alloc(c->arena, (args->n + 1) * sizeof *uids);
    if (ec == EC_OK)
        ec = mailbox_append_all(m, folder.fid, args->specs, args->n, NULL, NULL, uids);
    if (ec == EC_OK)
        reply_appended(c, folder.uid_validity, uids, args->n);
    else
        imap_reply_ec_target(c, ec);
}

void cmd_append(struct imap_cmd *c) {
    struct append_args args;
    const char *path;
    if (!imap_arg_mailbox(c, &path))
        return;
    if (append_args_parse(c, true, &args))
        store(c, path, &args);
    append_args_clear(&args);
}
