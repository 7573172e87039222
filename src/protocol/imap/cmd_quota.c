// GETQUOTA, GETQUOTAROOT, SETQUOTA ([RFC 9208]): one quota root a mailbox. One's own is "", that of
// somebody else's mailbox is its address; public folders have none.
#include <string.h>

#include "directory/directory.h"
#include "mailbox/quota.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"

static uint64_t units(uint64_t bytes) {
    return bytes / 1024 + (bytes % 1024 != 0);
}

// Only what has a limit is listed.
static enum ec put_quota(struct imap_cmd *c, struct mailbox *m, const char *root) {
    struct mailbox_quota q;
    EC_TRY(mailbox_get_quota(m, &q));
    const char *separator = "";
    imap_puts(c->s, "* QUOTA ");
    imap_put_string(c->s, root);
    imap_puts(c->s, " (");
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

// How full somebody's mailbox is, those may see who may administer its Inbox.
static enum ec check_other(struct imap_cmd *c, struct mailbox *m) {
    struct mailbox_folder inbox;
    EC_TRY(mailbox_find_folder(m, c->arena, "INBOX", &inbox));
    return inbox.rights & RIGHTS_OWNER ? EC_OK : EC_ACCESS_DENIED;
}

static enum ec find_root(struct imap_cmd *c, const char *root, struct mailbox **out) {
    const char *rest;
    *out = c->s->mailbox;
    if (!*root)
        return EC_OK;
    if (strchr(root, '/'))
        return EC_NOT_FOUND;
    const char *path = arena_printf(c->arena, MAILBOX_OTHER_USERS "/%s", root);
    EC_TRY(mailbox_set_locate(c->s->mailboxes, path, out, &rest));
    return check_other(c, *out);
}

static void reply_root(struct imap_cmd *c, enum ec ec) {
    if (ec == EC_NOT_FOUND)
        imap_reply(c, "NO", "[NONEXISTENT] no such quota root");
    else
        imap_reply_ec(c, ec);
}

void cmd_getquota(struct imap_cmd *c) {
    const char *root = imap_astring(&c->args, NULL);
    if (!imap_arg_end(c))
        return;
    struct mailbox *m;
    enum ec ec = find_root(c, root, &m);
    reply_root(c, ec == EC_OK ? put_quota(c, m, root) : ec);
}

void cmd_getquotaroot(struct imap_cmd *c) {
    const char *path, *root = "";
    if (!imap_arg_mailbox(c, &path) || !imap_arg_end(c))
        return;
    struct mailbox_folder folder;
    struct mailbox *m;
    enum ec ec = mailbox_set_find(c->s->mailboxes, c->arena, path, &m, &folder);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return;
    }
    imap_puts(c->s, "* QUOTAROOT ");
    imap_put_mailbox(c->s, folder.path);
    if (m != c->s->mailbox) {
        // The path begins with the name of the mailbox.
        const char *name = folder.path + strlen(MAILBOX_OTHER_USERS "/");
        root = mailbox_is_public(m) || check_other(c, m) != EC_OK
                   ? NULL
                   : arena_strndup(c->arena, name, strcspn(name, "/"));
    }
    if (root) {
        imap_puts(c->s, " ");
        imap_put_string(c->s, root);
    }
    imap_puts(c->s, "\r\n");
    imap_reply_ec(c, root ? put_quota(c, m, root) : EC_OK);
}

// --- SETQUOTA ---

// "(STORAGE 512)"; no resource: no limit of its own. False: the reply is set.
static bool parse_limits(struct imap_cmd *c, uint64_t *bytes_out) {
    struct imap_parser *p = &c->args;
    uint64_t kilobytes = 0;
    bool is_known = true;
    imap_space(p);
    imap_expect(p, '(');
    while (imap_ok(p) && !imap_accept(p, ')')) {
        const char *name = imap_atom(p);
        uint64_t limit = 0;
        imap_space(p);
        imap_number64(p, &limit);
        imap_accept(p, ' ');
        if (name && g_ascii_strcasecmp(name, "STORAGE") == 0)
            kilobytes = limit;
        else
            is_known = false;
    }
    if (!imap_arg_end(c))
        return false;
    if (!is_known || kilobytes > INT64_MAX / 1024)
        imap_reply(c, "NO", "[CANNOT] Only STORAGE can be limited");
    *bytes_out = kilobytes * 1024;
    return !c->reply;
}

static enum ec set_quota(struct imap_cmd *c, const struct mailbox *m, uint64_t bytes) {
    struct directory *d = mailbox_service_directory(c->s->service->mailboxes);
    struct directory_object *object;
    struct guid owner;
    if (!d || !mailbox_owner(m, &owner))
        return EC_NOT_SUPPORTED;
    EC_TRY(directory_find_guid(d, c->arena, &owner, &object));
    object->quota = bytes;
    return directory_update(d, object);
}

void cmd_setquota(struct imap_cmd *c) {
    uint64_t bytes;
    const char *root = imap_astring(&c->args, NULL);
    if (!parse_limits(c, &bytes))
        return;
    if (!mailbox_principal(c->s->mailbox)->is_admin) {
        imap_reply(c, "NO", "[NOPERM] Only the administrator sets quotas");
        return;
    }
    struct mailbox *m;
    enum ec ec = find_root(c, root, &m);
    if (ec == EC_OK)
        ec = set_quota(c, m, bytes);
    reply_root(c, ec == EC_OK ? put_quota(c, m, root) : ec);
}
