// `bourse recover`, `bourse hold`: what was deleted, and what must not be.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/mailbox_access.h"
#include "admin/recipient.h"
#include "mailbox/hold.h"
#include "mailbox/recover.h"

#define DAY (UINT64_C(86400) * FILETIME_SECOND)

// Option `name` as a day or a time (ISO 8601, local unless it says otherwise).
static bool take_time(struct command_call *call, const char *name, filetime_t *out) {
    const char *text = call_option(call, name);
    if (!text)
        return true;
    g_autofree char *full =
        strchr(text, 'T') ? g_strdup(text) : g_strconcat(text, "T00:00:00", NULL);
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(full, zone);
    if (!time) {
        call_fail(call, EC_INVALID_PARAMETER,
                  "--%s takes a date such as 2026-01-31, or a time such as 2026-01-31T14:00:00",
                  name);
        return false;
    }
    *out = filetime_from_unix(g_date_time_to_unix(time));
    return true;
}

static bool take_filter(struct command_call *call, struct mailbox_recover_filter *filter) {
    *filter = (struct mailbox_recover_filter){
        .folder = call_option(call, "folder"),
        .subject = call_option(call, "subject"),
        .sender = call_option(call, "from"),
        .with_held = call_switch(call, "held"),
    };
    return take_time(call, "since", &filter->since) && take_time(call, "before", &filter->before) &&
           call_option_number(call, "id", INT64_MAX, &filter->mid);
}

static bool print_item(void *ctx, const struct mailbox_recoverable *item) {
    static const char *const places[] = {
        [RECOVERABLE_DELETED] = "deleted",
        [RECOVERABLE_PURGED] = "purged",
        [RECOVERABLE_VERSION] = "version",
    };
    struct command_call *call = ctx;
    ARENA_AUTO arena = arena_new();
    output_object_begin(call->out, NULL);
    output_number(call->out, "id", item->mid);
    output_time(call->out, "deleted", item->deleted);
    output_string(call->out, "place", places[item->place]);
    output_string(call->out, "folder", folder_path_text(arena, item->folder));
    output_string(call->out, "from", item->sender);
    output_string(call->out, "subject", item->subject);
    output_number(call->out, "size", item->size);
    output_time(call->out, "received", item->received);
    output_bool(call->out, "folder_gone", item->is_folder_gone);
    output_object_end(call->out);
    return !output_is_broken(call->out);
}

int recover_list_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    struct mailbox_recover_filter filter;
    if (!take_filter(call, &filter) || !call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    output_list_begin(call->out, "id:8 deleted:20 place:8 folder:20 from:20 subject");
    enum ec ec = mailbox_list_recoverable(mailbox, &filter, print_item, call);
    output_list_end(call->out);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot list what was deleted: %s", ec_text(ec));
    return EXIT_DONE;
}

int recover_restore_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    struct mailbox_recover_filter filter;
    unsigned n = 0;
    if (!take_filter(call, &filter) || !call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    if (!filter.folder && !filter.subject && !filter.sender && !filter.since && !filter.before &&
        !filter.mid && !call_switch(call, "all"))
        return call_fail(call, EC_INVALID_PARAMETER,
                         "say what to restore: --folder, --subject, --from, --since, --before, "
                         "--id, or --all");
    enum ec ec = mailbox_restore(mailbox, &filter, call_option(call, "to"), &n);
    if (ec != EC_OK)
        return call_fail(call, ec, "restored %u message%s, then: %s", n, n == 1 ? "" : "s",
                         ec_text(ec));
    output_say(call->out, "Restored %u message%s.", n, n == 1 ? "" : "s");
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_number(call->out, "restored", n);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}

// --- Folders ---

int recover_folders_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    struct mailbox_gone_folder *list;
    unsigned n;
    if (!call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    enum ec ec = mailbox_list_gone_folders(mailbox, call->arena, &list, &n);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot list deleted folders: %s", ec_text(ec));
    output_list_begin(call->out, "folder:30 deleted:20 messages");
    for (unsigned i = 0; i < n; i++) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "folder", folder_path_text(call->arena, list[i].path));
        output_time(call->out, "deleted", list[i].deleted);
        output_number(call->out, "messages", list[i].n_messages);
        output_object_end(call->out);
    }
    output_list_end(call->out);
    return EXIT_DONE;
}

int recover_folder_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    unsigned n_folders = 0, n = 0;
    if (!call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    enum ec ec = mailbox_restore_folder(mailbox, call_argument(call, 2), &n_folders, &n);
    if (ec == EC_NOT_FOUND)
        return call_fail(call, ec, "no such folder was deleted; `recover folders` lists them");
    if (ec != EC_OK)
        return call_fail(call, ec, "restored %u folders, %u messages, then: %s", n_folders, n,
                         ec_text(ec));
    output_say(call->out, "Restored %u folder%s with %u message%s.", n_folders,
               n_folders == 1 ? "" : "s", n, n == 1 ? "" : "s");
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_number(call->out, "folders", n_folders);
        output_number(call->out, "restored", n);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}

// --- Holds ---

static int print_holds(struct command_call *call, const struct directory_object *user) {
    struct mbox_holds h;
    enum ec ec = mailbox_get_holds(call->services->mailboxes, &user->guid, &h);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the holds of %s: %s", user->address, ec_text(ec));
    output_object_begin(call->out, NULL);
    output_string(call->out, "address", user->address);
    output_bool(call->out, "litigation", h.has_litigation);
    output_time(call->out, "litigation_since", h.litigation_since);
    output_number(call->out, "litigation_days", h.litigation_duration / DAY);
    output_bool(call->out, "single_item", h.has_single_item);
    output_time(call->out, "single_item_since", h.single_item_since);
    output_object_end(call->out);
    return EXIT_DONE;
}

int hold_show_command(struct command_call *call) {
    struct directory_object *user;
    if (!recipient_find(call, call_argument(call, 1), KINDS_USER | KINDS_ROOM, &user))
        return EXIT_FAILED;
    return print_holds(call, user);
}

int hold_set_command(struct command_call *call) {
    struct directory_object *user;
    const char *kind = call_argument(call, 2), *state = call_argument(call, 3);
    bool is_litigation = strcmp(kind, "litigation") == 0, is_on = strcmp(state, "on") == 0;
    uint64_t days = 0;
    if (!is_litigation && strcmp(kind, "single-item") != 0) {
        call_fail(call, EC_INVALID_PARAMETER, "the hold is litigation or single-item");
        return EXIT_USAGE;
    }
    if (!is_on && strcmp(state, "off") != 0) {
        call_fail(call, EC_INVALID_PARAMETER, "a hold is switched on or off");
        return EXIT_USAGE;
    }
    if (!call_option_number(call, "days", 100000, &days) ||
        !recipient_find(call, call_argument(call, 1), KINDS_USER | KINDS_ROOM, &user))
        return EXIT_FAILED;
    enum ec ec =
        mailbox_set_hold(call->services->mailboxes, &user->guid,
                         is_litigation ? HOLD_LITIGATION : HOLD_SINGLE_ITEM, is_on, days * DAY);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot change the hold on %s: %s", user->address, ec_text(ec));
    return print_holds(call, user);
}
