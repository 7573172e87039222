// `bourse folder`: the folders of a mailbox and who may use them ([MS-OXCPERM] for the rights).
#include <string.h>

#include "admin/command_functions.h"
#include "admin/mailbox_access.h"
#include "admin/recipient.h"

static const struct {
    const char *name;
    uint32_t rights;
} right_names[] = {
    // Roles, as mail clients show them.
    {"owner", ROLE_OWNER},
    {"publishing-editor", ROLE_PUBLISHING_EDITOR},
    {"editor", ROLE_EDITOR},
    {"publishing-author", ROLE_PUBLISHING_AUTHOR},
    {"author", ROLE_AUTHOR},
    {"nonediting-author", ROLE_NONEDITING_AUTHOR},
    {"reviewer", ROLE_REVIEWER},
    {"contributor", ROLE_CONTRIBUTOR},
    {"none", ROLE_NONE},
    // Single rights.
    {"read", RIGHTS_READ_ANY},
    {"create", RIGHTS_CREATE},
    {"edit-own", RIGHTS_EDIT_OWNED},
    {"delete-own", RIGHTS_DELETE_OWNED},
    {"edit-all", RIGHTS_EDIT_ANY},
    {"delete-all", RIGHTS_DELETE_ANY},
    {"subfolders", RIGHTS_CREATE_SUBFOLDER},
    {"contact", RIGHTS_CONTACT},
    {"visible", RIGHTS_VISIBLE},
    {"free-busy", RIGHTS_FREE_BUSY_SIMPLE},
    {"free-busy-details", RIGHTS_FREE_BUSY},
};

#define N_ROLES 9

static bool parse_rights(const char *text, uint32_t *out) {
    g_auto(GStrv) words = g_strsplit(text, ",", 32);
    *out = 0;
    for (char **w = words; *w; w++) {
        bool known = false;
        for (unsigned i = 0; i < G_N_ELEMENTS(right_names) && !known; i++)
            if (g_ascii_strcasecmp(right_names[i].name, *w) == 0) {
                *out |= right_names[i].rights;
                known = true;
            }
        if (!known)
            return false;
    }
    return words[0] != NULL;
}

// The role, or the single rights.
static const char *rights_text(struct arena *arena, uint32_t rights) {
    uint32_t folder = rights & ~(uint32_t)RIGHTS_FREE_BUSY, left = folder;
    const char *text = "";
    for (unsigned i = 0; i < G_N_ELEMENTS(right_names); i++) {
        uint32_t r = right_names[i].rights;
        if (i < N_ROLES ? r == folder && (r || !(rights & RIGHTS_FREE_BUSY)) && left == folder
                        : (r & left) && !(r & RIGHTS_FREE_BUSY)) {
            text = arena_printf(arena, "%s%s%s", text, *text ? "," : "", right_names[i].name);
            left &= ~r;
            if (i < N_ROLES)
                break;
        }
    }
    const char *busy = rights & RIGHTS_FREE_BUSY_DETAILED ? "free-busy-details"
                       : rights & RIGHTS_FREE_BUSY_SIMPLE ? "free-busy"
                                                          : NULL;
    return busy ? arena_printf(arena, "%s%s%s", text, *text ? "," : "", busy) : text;
}

int folder_rights_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    struct mailbox_folder folder;
    struct mailbox_member_list members;
    if (!call_open_mailbox(call, 1, &mailbox) ||
        !call_find_folder(call, mailbox, call_argument(call, 2), &folder))
        return EXIT_FAILED;
    enum ec ec = mailbox_permissions(mailbox, call->arena, folder.fid, true, &members);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the rights: %s", ec_text(ec));
    output_list_begin(call->out, "member:36 rights");
    for (unsigned i = 0; i < members.n; i++) {
        const struct mailbox_member *m = &members.items[i];
        output_object_begin(call->out, NULL);
        output_string(call->out, "member",
                      m->id == MEMBER_DEFAULT     ? "default"
                      : m->id == MEMBER_ANONYMOUS ? "anonymous"
                      : m->address                ? m->address
                                                  : m->name);
        output_string(call->out, "name", m->name);
        output_string(call->out, "rights", rights_text(call->arena, m->rights));
        output_number(call->out, "mask", m->rights);
        output_object_end(call->out);
    }
    output_list_end(call->out);
    return EXIT_DONE;
}

int folder_list_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    struct mailbox_folder_list folders;
    if (!call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    enum ec ec = mailbox_list_folders(mailbox, call->arena, &folders);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot list the folders: %s", ec_text(ec));
    output_list_begin(call->out, "messages:8 unread:8 size:12 path");
    for (unsigned i = 0; i < folders.n; i++) {
        const struct mailbox_folder *f = &folders.items[i];
        output_object_begin(call->out, NULL);
        output_string(call->out, "path", folder_path_text(call->arena, f->path));
        output_number(call->out, "messages", f->n_messages);
        output_number(call->out, "unread", f->n_unread);
        output_number(call->out, "size", f->size);
        output_number(call->out, "id", f->fid);
        output_string(call->out, "special_use", *f->special_use ? f->special_use : NULL);
        output_string(call->out, "container_class",
                      *f->container_class ? f->container_class : NULL);
        output_number(call->out, "uid_validity", f->uid_validity);
        output_number(call->out, "uid_next", f->uid_next);
        output_number(call->out, "modseq", f->modseq);
        output_bool(call->out, "subscribed", f->is_subscribed);
        output_object_end(call->out);
    }
    output_list_end(call->out);
    return EXIT_DONE;
}

static int done(struct command_call *call, const char *sentence) {
    const char *path = call_argument(call, 2);
    output_say(call->out, "%s '%s'.", sentence, path);
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "path", path);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}

int folder_create_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    const char *path = call_argument(call, 2);
    uint64_t fid;
    if (!call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    enum ec ec = mailbox_create_folder(mailbox, path, &fid);
    if (ec == EC_COLLISION)
        return call_fail(call, ec, "there is a folder '%s' already", path);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot create '%s': %s", path, ec_text(ec));
    return done(call, "Created");
}

int folder_delete_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    const char *path = call_argument(call, 2);
    struct mailbox_folder folder;
    if (!call_open_mailbox(call, 1, &mailbox) || !call_find_folder(call, mailbox, path, &folder))
        return EXIT_FAILED;
    enum ec ec = mailbox_delete_folder(mailbox, path);
    if (ec == EC_ACCESS_DENIED)
        return call_fail(call, ec, "'%s' is a folder every mailbox has; it cannot be deleted",
                         path);
    if (ec == EC_HAS_FOLDERS)
        return call_fail(call, ec, "'%s' has subfolders; delete those first", path);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot delete '%s': %s", path, ec_text(ec));
    return done(call, "Deleted");
}

int folder_grant_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    const char *path = call_argument(call, 2), *member = call_argument(call, 3);
    struct mailbox_folder folder;
    struct directory_object *object;
    uint32_t rights;
    if (!parse_rights(call_argument(call, 4), &rights)) {
        call_fail(call, EC_INVALID_PARAMETER,
                  "'%s' is not a role or a list of rights; `bourse help folder grant` lists them",
                  call_argument(call, 4));
        return EXIT_USAGE;
    }
    if (!call_open_mailbox(call, 1, &mailbox) || !call_find_folder(call, mailbox, path, &folder))
        return EXIT_FAILED;
    if (strcmp(member, "default") != 0 && strcmp(member, "anonymous") != 0) {
        if (!recipient_find(call, member, KINDS_ALL, &object))
            return EXIT_FAILED;
        member = object->address;
    }
    enum ec ec = mailbox_grant(mailbox, path, member, rights);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot change the rights on '%s': %s", path, ec_text(ec));
    return done(call, "Changed the rights on");
}
