// `bourse move`: mailboxes from one database to another, while they are used.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/recipient.h"
#include "store/store.h"

struct move_run {
    struct command_call *call;
    const char *address;
};

static void show_progress(void *ctx, int percent) {
    struct move_run *run = ctx;
    output_progress(run->call->out, "moving %s: %d%%", run->address, percent);
}

static const char *advice(enum ec ec) {
    switch (ec) {
    case EC_DISK_FULL:
        return "; make room there, it stays where it is until then";
    case EC_BUSY:
        return "; it is being moved by another command, or could not be copied in one go: try "
               "again";
    case EC_ACCESS_DENIED:
        return "; let the user the server runs as write there";
    case EC_NOT_FOUND:
        return "; `bourse check --repair` makes an empty one";
    case EC_CORRUPT_DATA:
        return "; run `bourse check --repair` first";
    default:
        return "; the log says more";
    }
}

static bool move_one(struct command_call *call, const char *user, const char *to) {
    struct store *store = call->services->store;
    struct directory_object *o;
    if (!recipient_find(call, user, KINDS_ALL, &o))
        return false;
    struct move_run run = {call, o->address};
    const char *from = store_database_of(store, &o->guid);
    gint64 start = g_get_monotonic_time();
    enum ec ec = store_move_mailbox(store, &o->guid, to, show_progress, &run);
    if (ec != EC_OK) {
        call_fail(call, ec, "%s was not moved: %s%s", o->address, ec_text(ec), advice(ec));
        return false;
    }
    output_object_begin(call->out, NULL);
    output_string(call->out, "mailbox", o->address);
    output_string(call->out, "from", from);
    output_string(call->out, "to", to);
    output_number(call->out, "milliseconds", (uint64_t)((g_get_monotonic_time() - start) / 1000));
    output_object_end(call->out);
    return true;
}

int move_command(struct command_call *call) {
    const char *to = call_option(call, "to");
    bool all_moved = true;
    if (!to || !store_has_database(call->services->store, to))
        return call_fail(call, EC_INVALID_PARAMETER,
                         to ? "there is no database '%s'; name it in %s/bourse.conf, [store] "
                              "databases = name=path, and restart the server"
                            : "say where to: --to DATABASE%s%s",
                         to ? to : "", to ? call_argument(call, 0) : "");
    output_list_begin(call->out, "mailbox:30 from:12 to:12 milliseconds");
    for (unsigned i = 1; i < call->arguments->n; i++)
        all_moved = move_one(call, call_argument(call, i), to) && all_moved;
    output_list_end(call->out);
    return all_moved ? EXIT_DONE : EXIT_FAILED;
}
