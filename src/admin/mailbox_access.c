// Opening mailboxes and folders for the commands.
#include "admin/mailbox_access.h"

#include <string.h>

#include "admin/recipient.h"
#include "mailbox/archive.h"

bool call_open_public(struct command_call *call, struct mailbox **out) {
    struct principal *admin = principal_admin();
    enum ec ec = mailbox_open_public(call->services->mailboxes, admin, out);
    principal_unref(admin);
    if (ec == EC_NOT_FOUND)
        call_fail(call, ec, "there are no public folders yet; `bourse public add` makes the first");
    else if (ec != EC_OK)
        call_fail(call, ec, "cannot open the public folders: %s", ec_text(ec));
    return ec == EC_OK;
}

bool call_open_mailbox(struct command_call *call, unsigned i, struct mailbox **out) {
    struct directory_object *user;
    if (strcmp(call_argument(call, i), "public") == 0)
        return call_open_public(call, out);
    if (!recipient_find(call, call_argument(call, i), KINDS_ALL, &user))
        return false;
    if (!user->has_mailbox) {
        call_fail(call, EC_NOT_FOUND, "%s is a %s and has no mailbox", user->address,
                  kind_name(user->kind));
        return false;
    }
    struct principal *admin = principal_admin();
    bool is_archive = call_switch(call, "archive");
    enum ec ec = is_archive
                     ? mailbox_open_archive(call->services->mailboxes, admin, &user->guid, out)
                     : mailbox_open(call->services->mailboxes, admin, &user->guid, out);
    principal_unref(admin);
    if (ec == EC_NOT_FOUND && is_archive)
        call_fail(call, ec, "%s has no archive; `bourse user set %s %s --archive on` makes one",
                  user->address, call_argument(call, 0), user->address);
    else if (ec == EC_NOT_FOUND)
        call_fail(
            call, ec,
            "the mailbox of %s is missing in the store; `bourse check %s --repair` makes an empty "
            "one",
            user->address, call_argument(call, 0));
    else if (ec != EC_OK)
        call_fail(call, ec, "cannot open the mailbox of %s: %s", user->address, ec_text(ec));
    return ec == EC_OK;
}

bool call_find_folder(struct command_call *call, struct mailbox *mailbox, const char *path,
                      struct mailbox_folder *out) {
    enum ec ec = mailbox_find_folder(mailbox, call->arena, path, out);
    if (ec == EC_NOT_FOUND)
        call_fail(call, ec, "there is no folder '%s'; `bourse folder list %s %s` lists them", path,
                  call_argument(call, 0), call_argument(call, 1));
    else if (ec != EC_OK)
        call_fail(call, ec, "cannot open the folder '%s': %s", path, ec_text(ec));
    return ec == EC_OK;
}

const char *folder_path_text(struct arena *arena, const char *path) {
    if (strncmp(path, "INBOX", 5) != 0 || (path[5] && path[5] != '/'))
        return path;
    return arena_printf(arena, "Inbox%s", path + 5);
}
