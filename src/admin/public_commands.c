// `bourse public`: the public folders, their limits and addresses.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/mailbox_access.h"
#include "admin/recipient.h"

static bool find(struct command_call *call, struct mailbox *m, struct mailbox_folder *out) {
    const char *path = call_argument(call, 1);
    enum ec ec = mailbox_find_folder(m, call->arena, path, out);
    if (ec == EC_NOT_FOUND)
        call_fail(call, ec, "there is no public folder '%s'; `bourse public list %s` lists them",
                  path, call_argument(call, 0));
    else if (ec != EC_OK)
        call_fail(call, ec, "cannot open '%s': %s", path, ec_text(ec));
    return ec == EC_OK;
}

static void print(struct command_call *call, struct mailbox *m, const struct mailbox_folder *f) {
    struct mailbox_folder_limits limits = {0};
    struct directory_object *object = NULL;
    mailbox_get_folder_limits(m, f->fid, &limits);
    if (directory_find_folder(call->services->directory, call->arena, f->fid, &object) != EC_OK)
        object = NULL;
    output_object_begin(call->out, NULL);
    output_string(call->out, "path", f->path);
    output_number(call->out, "messages", f->n_messages);
    output_number(call->out, "size", f->size);
    output_string(call->out, "address", object ? object->address : NULL);
    output_number(call->out, "item_size", limits.item_size);
    output_number(call->out, "quota", limits.quota);
    output_number(call->out, "age_days", limits.age_days);
    output_number(call->out, "id", f->fid);
    output_object_end(call->out);
}

static int done(struct command_call *call, struct mailbox *m, const char *sentence) {
    struct mailbox_folder f;
    const char *path = call_argument(call, 1);
    output_say(call->out, "%s '%s'.", sentence, path);
    if (output_is_json(call->out) && mailbox_find_folder(m, call->arena, path, &f) == EC_OK)
        print(call, m, &f);
    return EXIT_DONE;
}

int public_add(struct command_call *call) {
    MAILBOX_AUTO m = NULL;
    const char *path = call_argument(call, 1);
    enum ec ec = mailbox_create_public(call->services->mailboxes);
    if (ec != EC_OK && ec != EC_COLLISION)
        return call_fail(call, ec, "cannot make the public store: %s", ec_text(ec));
    if (!call_open_public(call, &m))
        return EXIT_FAILED;
    ec = mailbox_create_folder(m, path, NULL);
    if (ec == EC_COLLISION)
        return call_fail(call, ec, "there is a public folder '%s' already", path);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot add '%s': %s", path, ec_text(ec));
    return done(call, m, "Added");
}

int public_list(struct command_call *call) {
    MAILBOX_AUTO m = NULL;
    struct mailbox_folder_list folders;
    if (!call_open_public(call, &m))
        return EXIT_FAILED;
    enum ec ec = mailbox_list_folders(m, call->arena, &folders);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot list the public folders: %s", ec_text(ec));
    output_list_begin(call->out, "messages:8 size:12 address:28 path");
    for (unsigned i = 0; i < folders.n; i++)
        print(call, m, &folders.items[i]);
    output_list_end(call->out);
    return EXIT_DONE;
}

int public_show(struct command_call *call) {
    MAILBOX_AUTO m = NULL;
    struct mailbox_folder f;
    if (!call_open_public(call, &m) || !find(call, m, &f))
        return EXIT_FAILED;
    print(call, m, &f);
    return EXIT_DONE;
}

int public_set(struct command_call *call) {
    MAILBOX_AUTO m = NULL;
    struct mailbox_folder f;
    struct mailbox_folder_limits limits;
    if (!call_open_public(call, &m) || !find(call, m, &f))
        return EXIT_FAILED;
    enum ec ec = mailbox_get_folder_limits(m, f.fid, &limits);
    uint64_t days = limits.age_days;
    if (ec == EC_OK && (!call_option_size(call, "item-size", &limits.item_size) ||
                        !call_option_size(call, "quota", &limits.quota) ||
                        !call_option_number(call, "age-days", 36500, &days)))
        return EXIT_FAILED;
    limits.age_days = (uint32_t)days;
    if (ec == EC_OK)
        ec = mailbox_set_folder_limits(m, f.fid, &limits);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot change '%s': %s", f.path, ec_text(ec));
    mailbox_age_public(call->services->mailboxes);
    return done(call, m, "Changed");
}

int public_delete(struct command_call *call) {
    MAILBOX_AUTO m = NULL;
    struct mailbox_folder f;
    if (!call_open_public(call, &m) || !find(call, m, &f))
        return EXIT_FAILED;
    enum ec ec = mailbox_delete_folder(m, f.path);
    if (ec == EC_HAS_FOLDERS)
        return call_fail(call, ec, "'%s' has subfolders; delete those first", f.path);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot delete '%s': %s", f.path, ec_text(ec));
    return done(call, m, "Deleted");
}

int public_mail_enable(struct command_call *call) {
    MAILBOX_AUTO m = NULL;
    struct mailbox_folder f;
    const char *address = call_argument(call, 2);
    if (!call_open_public(call, &m) || !find(call, m, &f))
        return EXIT_FAILED;
    enum ec ec = mailbox_mail_enable(m, f.path, address, call_option(call, "name"));
    if (ec == EC_COLLISION)
        return call_fail(call, ec, "'%s' has an address already, or %s is taken", f.path, address);
    if (ec == EC_NOT_FOUND)
        return call_fail(call, ec, "the domain of %s is not ours; `bourse domain add` adds it",
                         address);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot give '%s' the address %s: %s", f.path, address,
                         ec_text(ec));
    return done(call, m, "Mail now goes to");
}

int public_mail_disable(struct command_call *call) {
    MAILBOX_AUTO m = NULL;
    struct mailbox_folder f;
    if (!call_open_public(call, &m) || !find(call, m, &f))
        return EXIT_FAILED;
    enum ec ec = mailbox_mail_disable(m, f.path);
    if (ec == EC_NOT_FOUND)
        return call_fail(call, ec, "'%s' has no address", f.path);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot take the address of '%s' away: %s", f.path, ec_text(ec));
    return done(call, m, "Mail no longer goes to");
}
