// SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS ([RFC 4314]) on the members of a folder
// ([MS-OXCPERM]). Identifiers are addresses of users and groups, "anyone" (Exchange's default
// entry) and "anonymous". What the owner of a mailbox may do is shown and cannot be changed.
#include <string.h>

#include "directory/directory.h"
#include "protocol/imap/acl.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"

struct acl_target {
    struct mailbox *m;
    struct mailbox_folder folder;
    const char *owner; // address; NULL: nobody (public folders)
    struct mailbox_member_list members;
};

// The mailbox named by the next argument, with the list when the user may administer it. False: the
// reply is set.
static bool open_target(struct imap_cmd *c, const char *path, bool needs_admin,
                        struct acl_target *out) {
    *out = (struct acl_target){0};
    enum ec ec = mailbox_set_find(c->s->mailboxes, c->arena, path, &out->m, &out->folder);
    if (ec == EC_OK && needs_admin && !(out->folder.rights & RIGHTS_OWNER))
        ec = EC_ACCESS_DENIED;
    if (ec == EC_OK && needs_admin)
        ec = mailbox_permissions(out->m, c->arena, out->folder.fid, false, &out->members);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return false;
    }
    struct directory *d = mailbox_service_directory(c->s->service->mailboxes);
    struct directory_object *object;
    struct guid owner;
    if (out->m == c->s->mailbox)
        out->owner = mailbox_principal(out->m)->address;
    else if (d && mailbox_owner(out->m, &owner) &&
             directory_find_guid(d, c->arena, &owner, &object) == EC_OK)
        out->owner = object->address;
    return true;
}

static const char *identifier_of(const struct mailbox_member *member) {
    if (member->id == MEMBER_DEFAULT)
        return "anyone";
    if (member->id == MEMBER_ANONYMOUS)
        return "anonymous";
    return member->address ? member->address : member->name;
}

// Who an identifier means.
struct identity {
    bool is_owner;
    int64_t member_id; // a reserved one when there is no guid
    struct guid guid;
    bool has_guid;
    const struct mailbox_member *member; // its entry; NULL: none yet
};

static enum ec find_identity(struct imap_cmd *c, const struct acl_target *t, const char *identifier,
                             struct identity *out) {
    struct directory *d = mailbox_service_directory(c->s->service->mailboxes);
    struct directory_object *object;
    *out = (struct identity){0};
    out->is_owner = t->owner && g_ascii_strcasecmp(identifier, t->owner) == 0;
    bool is_anyone = strcmp(identifier, "anyone") == 0;
    for (unsigned i = 0; i < t->members.n; i++)
        if (g_ascii_strcasecmp(identifier_of(&t->members.items[i]), identifier) == 0) {
            out->member = &t->members.items[i];
            out->member_id = out->member->id;
            out->guid = out->member->guid;
            out->has_guid = !guid_is_zero(&out->guid);
            return EC_OK;
        }
    if (out->is_owner || is_anyone)
        return EC_OK;
    if (!d)
        return EC_NOT_FOUND;
    EC_TRY(directory_find_address(d, c->arena, identifier, &object));
    out->guid = object->guid;
    out->has_guid = true;
    // An alias of somebody who is in the list.
    for (unsigned i = 0; i < t->members.n; i++)
        if (guid_equal(&t->members.items[i].guid, &object->guid)) {
            out->member = &t->members.items[i];
            out->member_id = out->member->id;
        }
    out->is_owner = t->owner && g_ascii_strcasecmp(object->address, t->owner) == 0;
    return EC_OK;
}

// --- Setting ---

// "-fred" is a negative right: no way to take away from somebody what a group has.
static bool arg_identifier(struct imap_cmd *c, const char **out) {
    *out = imap_astring(&c->args, NULL);
    return *out != NULL;
}

static bool is_settable(struct imap_cmd *c, const struct acl_target *t, const char *identifier,
                        struct identity *who) {
    if (*identifier == '-') {
        imap_reply(c, "NO", "[CANNOT] Negative rights are not supported");
        return false;
    }
    enum ec ec = find_identity(c, t, identifier, who);
    if (ec != EC_OK) {
        imap_reply(c, "NO",
                   ec == EC_NOT_FOUND ? "[NONEXISTENT] Nobody has this name" : ec_text(ec));
        return false;
    }
    if (who->is_owner)
        imap_reply(c, "NO", "[CANNOT] The owner has every right");
    return !who->is_owner;
}

static void change(struct imap_cmd *c, const struct acl_target *t, const struct identity *who,
                   uint32_t rights) {
    struct mailbox_permission_change change = {.member_id = who->member_id, .rights = rights};
    if (rights == 0)
        change.op = PERMISSION_REMOVE;
    else if (who->member || !who->has_guid)
        change.op = PERMISSION_MODIFY;
    else
        change.op = PERMISSION_ADD;
    if (change.op == PERMISSION_ADD)
        change.member = &who->guid;
    if (change.op == PERMISSION_REMOVE && !who->member && who->has_guid) {
        imap_reply_ok(c); // had none
        return;
    }
    imap_reply_ec(c, mailbox_modify_permissions(t->m, t->folder.fid, 0, &change, 1));
}

void cmd_setacl(struct imap_cmd *c) {
    struct acl_target t;
    struct identity who;
    const char *path, *identifier;
    if (!imap_arg_mailbox(c, &path))
        return;
    imap_space(&c->args);
    arg_identifier(c, &identifier);
    imap_space(&c->args);
    const char *letters = imap_astring(&c->args, NULL);
    if (!imap_arg_end(c))
        return;
    enum acl_mode mode = *letters == '+' ? ACL_ADD : *letters == '-' ? ACL_REMOVE : ACL_SET;
    letters += mode != ACL_SET;
    if (!open_target(c, path, true, &t) || !is_settable(c, &t, identifier, &who))
        return;
    uint32_t rights;
    if (!acl_apply(who.member ? who.member->rights : 0, mode, letters, &rights)) {
        imap_reply(c, "BAD", "Unknown right");
        return;
    }
    change(c, &t, &who, rights);
}

void cmd_deleteacl(struct imap_cmd *c) {
    struct acl_target t;
    struct identity who;
    const char *path, *identifier;
    if (!imap_arg_mailbox(c, &path))
        return;
    imap_space(&c->args);
    arg_identifier(c, &identifier);
    if (!imap_arg_end(c))
        return;
    if (open_target(c, path, true, &t) && is_settable(c, &t, identifier, &who))
        change(c, &t, &who, 0);
}

// --- Showing ---

static void put_right(struct imap_cmd *c, const char *identifier, uint32_t rights) {
    imap_puts(c->s, " ");
    imap_put_string(c->s, identifier);
    imap_puts(c->s, " ");
    imap_put_string(c->s, acl_letters(c->arena, rights));
}

void cmd_getacl(struct imap_cmd *c) {
    struct acl_target t;
    const char *path;
    if (!imap_arg_mailbox(c, &path) || !imap_arg_end(c) || !open_target(c, path, true, &t))
        return;
    imap_puts(c->s, "* ACL ");
    imap_put_mailbox(c->s, t.folder.path);
    if (t.owner)
        put_right(c, t.owner, RIGHTS_ALL);
    for (unsigned i = 0; i < t.members.n; i++) {
        const struct mailbox_member *member = &t.members.items[i];
        bool is_owner = t.owner && member->address && strcmp(member->address, t.owner) == 0;
        if (*acl_letters(c->arena, member->rights) && !is_owner)
            put_right(c, identifier_of(member), member->rights);
    }
    imap_puts(c->s, "\r\n");
    imap_reply_ok(c);
}

void cmd_listrights(struct imap_cmd *c) {
    struct acl_target t;
    struct identity who;
    const char *path, *identifier;
    if (!imap_arg_mailbox(c, &path))
        return;
    imap_space(&c->args);
    arg_identifier(c, &identifier);
    if (!imap_arg_end(c) || !open_target(c, path, true, &t))
        return;
    enum ec ec = find_identity(c, &t, identifier, &who);
    if (ec != EC_OK) {
        imap_reply(c, "NO",
                   ec == EC_NOT_FOUND ? "[NONEXISTENT] Nobody has this name" : ec_text(ec));
        return;
    }
    imap_puts(c->s, "* LISTRIGHTS ");
    imap_put_mailbox(c->s, t.folder.path);
    imap_puts(c->s, " ");
    imap_put_string(c->s, identifier);
    // First what is always granted, then what can be, tied letters together.
    if (who.is_owner)
        imap_printf(c->s, " %s\r\n", acl_letters(c->arena, RIGHTS_ALL));
    else
        imap_printf(c->s, " \"\" %s\r\n", acl_groups);
    imap_reply_ok(c);
}

void cmd_myrights(struct imap_cmd *c) {
    struct acl_target t;
    const char *path;
    if (!imap_arg_mailbox(c, &path) || !imap_arg_end(c) || !open_target(c, path, false, &t))
        return;
    imap_puts(c->s, "* MYRIGHTS ");
    imap_put_mailbox(c->s, t.folder.path);
    imap_puts(c->s, " ");
    imap_put_string(c->s, acl_letters(c->arena, t.folder.rights));
    imap_puts(c->s, "\r\n");
    imap_reply_ok(c);
}
