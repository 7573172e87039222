// `bourse retention`: tags of the organization, where they apply, and a pass right now.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/mailbox_access.h"
#include "admin/recipient.h"
#include "directory/retention.h"
#include "mailbox/archive.h"
#include "mailbox/retention.h"
#include "mapi/special_folder.h"

static const char *const actions[] = {
    [RETENTION_DELETE] = "delete", [RETENTION_PURGE] = "purge", [RETENTION_ARCHIVE] = "archive"};

static bool parse_action(const char *text, enum retention_action *out) {
    for (unsigned i = 0; text && i < G_N_ELEMENTS(actions); i++)
        if (strcmp(actions[i], text) == 0) {
            *out = (enum retention_action)i;
            return true;
        }
    return false;
}

// "all", or the English name of a folder that every mailbox has. 0: neither.
static uint64_t parse_folder(const char *text) {
    unsigned n;
    const struct special_folder_info *all = special_folders(&n);
    if (strcmp(text, "all") == 0)
        return FID_IPM_SUBTREE;
    for (unsigned i = 0; i < n; i++)
        if (g_ascii_strcasecmp(all[i].name, text) == 0 && all[i].parent == FID_IPM_SUBTREE)
            return all[i].fid;
    return 0;
}

static const char *folder_text(uint64_t folder) {
    if (folder == 0)
        return "personal";
    const struct special_folder_info *info = special_folder(folder);
    return folder == FID_IPM_SUBTREE ? "all" : info ? info->name : "unknown";
}

static void print_tag(struct command_call *call, const struct retention_tag *tag) {
    char guid[GUID_STRING_SIZE];
    guid_format(&tag->guid, guid);
    output_object_begin(call->out, NULL);
    output_string(call->out, "name", tag->name);
    output_string(call->out, "action", actions[MIN(tag->action, RETENTION_ARCHIVE)]);
    output_number(call->out, "days", tag->days);
    output_string(call->out, "folder", folder_text(tag->folder));
    output_string(call->out, "guid", guid);
    output_object_end(call->out);
}

int retention_add_command(struct command_call *call) {
    struct retention_tag tag = {.name = call_argument(call, 1)};
    const char *folder = call_option(call, "folder");
    uint64_t days = 0;
    if (!parse_action(call_option(call, "action"), &tag.action)) {
        call_fail(call, EC_INVALID_PARAMETER, "--action is one of delete, purge, archive");
        return EXIT_USAGE;
    }
    if (!call_option(call, "days")) {
        call_fail(call, EC_INVALID_PARAMETER, "--days is missing: how old messages become");
        return EXIT_USAGE;
    }
    if (!call_option_number(call, "days", 100000, &days))
        return EXIT_FAILED;
    tag.days = (uint32_t)days;
    if (folder && !(tag.folder = parse_folder(folder)))
        return call_fail(call, EC_NOT_FOUND,
                         "--folder is all, or a folder every mailbox has by its English name, such "
                         "as Inbox or \"Deleted Items\"");
    enum ec ec = directory_retention_add(call->services->directory, &tag);
    if (ec == EC_COLLISION)
        return call_fail(call, ec,
                         "there is a tag of this name, or one for the same folder; `bourse "
                         "retention list %s` lists them",
                         call_argument(call, 0));
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot add '%s': %s", tag.name, ec_text(ec));
    output_say(call->out, "Added '%s'.", tag.name);
    if (output_is_json(call->out))
        print_tag(call, &tag);
    return EXIT_DONE;
}

int retention_list_command(struct command_call *call) {
    struct retention_tags tags;
    enum ec ec = directory_retention_tags(call->services->directory, call->arena, &tags);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the directory: %s", ec_text(ec));
    output_list_begin(call->out, "name:28 action:8 days:6 folder");
    for (unsigned i = 0; i < tags.n; i++)
        print_tag(call, &tags.items[i]);
    output_list_end(call->out);
    return EXIT_DONE;
}

static bool find_tag(struct command_call *call, const char *name, struct retention_tag *out) {
    enum ec ec = directory_retention_find(call->services->directory, call->arena, name, out);
    if (ec == EC_OK)
        return true;
    call_fail(call, ec, "there is no retention tag '%s'; `bourse retention list %s` lists them",
              name, call_argument(call, 0));
    return false;
}

int retention_delete_command(struct command_call *call) {
    struct retention_tag tag;
    if (!find_tag(call, call_argument(call, 1), &tag))
        return EXIT_FAILED;
    enum ec ec = directory_retention_remove(call->services->directory, &tag.guid);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot delete '%s': %s", tag.name, ec_text(ec));
    output_say(call->out, "Deleted '%s'.", tag.name);
    if (output_is_json(call->out))
        print_tag(call, &tag);
    return EXIT_DONE;
}

int retention_assign_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    const char *name = call_argument(call, 2), *folder = call_option(call, "folder");
    struct retention_tag tag;
    bool is_none = strcmp(name, "none") == 0;
    if ((!is_none && !find_tag(call, name, &tag)) || !call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    const char *path = folder ? folder : "";
    enum ec ec = EC_OK;
    if (is_none) {
        ec = mailbox_assign_retention(mailbox, path, NULL, false);
        if (ec == EC_OK)
            ec = mailbox_assign_retention(mailbox, path, NULL, true);
    } else
        ec = mailbox_assign_retention(mailbox, path, &tag, tag.action == RETENTION_ARCHIVE);
    if (ec == EC_NOT_FOUND)
        return call_fail(call, ec, "there is no folder '%s'", path);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot assign '%s': %s", name, ec_text(ec));
    output_say(call->out, "'%s' now applies to %s.", name, folder ? folder : "the whole mailbox");
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "tag", name);
        output_string(call->out, "folder", path);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}

// --- A pass now ---

static enum ec run_one(struct command_call *call, const struct guid *guid, const char *name) {
    struct retention_result r;
    enum ec ec = mailbox_retention_run(call->services->mailboxes, guid, &r);
    if (ec != EC_OK) {
        call_fail(call, ec, "%s: %s", name, ec_text(ec));
        return ec;
    }
    output_object_begin(call->out, NULL);
    output_number(call->out, "seen", r.n_seen);
    output_number(call->out, "deleted", r.n_deleted);
    output_number(call->out, "purged", r.n_purged);
    output_number(call->out, "archived", r.n_archived);
    output_bool(call->out, "warned", r.was_warned);
    output_string(call->out, "mailbox", name);
    output_object_end(call->out);
    return EC_OK;
}

static const char *name_of(struct command_call *call, const struct guid *guid) {
    struct directory_object *owner;
    struct guid id = *guid;
    bool is_archive = mailbox_archive_owner(call->services->mailboxes, guid, &id) == EC_OK;
    char text[GUID_STRING_SIZE];
    guid_format(guid, text);
    if (directory_find_guid(call->services->directory, call->arena, &id, &owner) != EC_OK)
        return arena_strdup(call->arena, text);
    return is_archive ? arena_printf(call->arena, "%s (archive)", owner->address) : owner->address;
}

int retention_run_command(struct command_call *call) {
    struct directory_object *user = NULL;
    g_autoptr(GArray) mailboxes = NULL;
    if (call_argument(call, 1) && !recipient_find(call, call_argument(call, 1), KINDS_ALL, &user))
        return EXIT_FAILED;
    enum ec ec = store_list_mailboxes(call->services->store, &mailboxes), worst = EC_OK;
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the store: %s", ec_text(ec));
    output_list_begin(call->out, "seen:8 deleted:8 purged:8 archived:8 warned:6 mailbox");
    for (unsigned i = 0; i < mailboxes->len && !output_is_broken(call->out); i++) {
        const struct guid *guid = &g_array_index(mailboxes, struct guid, i);
        struct guid owner = *guid;
        mailbox_archive_owner(call->services->mailboxes, guid, &owner);
        if (user && !guid_equal(&user->guid, &owner))
            continue;
        ec = run_one(call, guid, name_of(call, guid));
        worst = ec != EC_OK ? ec : worst;
    }
    output_list_end(call->out);
    return worst == EC_OK ? EXIT_DONE : EXIT_FAILED;
}
