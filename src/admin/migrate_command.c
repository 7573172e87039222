// `bourse migrate`: every mailbox brought to the version of this program, ahead of its use.
#include "admin/command_functions.h"
#include "admin/mailbox_names.h"
#include "store/store.h"

static enum ec bring_up(struct store *store, const struct guid *guid) {
    MBOX_AUTO mbox = NULL;
    return store_open_mailbox(store, guid, &mbox);
}

static bool migrate_one(struct command_call *call, const struct guid *guid) {
    struct store *store = call->services->store;
    const char *name = mailbox_owner_name(call, guid), *state = "current";
    int64_t found = 0, newest = 0;
    bool has_old = false;
    enum ec ec = store_mailbox_version(store, guid, &found, &newest, &has_old);
    if (ec == EC_OK && found > newest)
        ec = EC_BAD_VERSION;
    if (ec == EC_OK && found < newest) {
        state = "older";
        if (!call_switch(call, "status")) {
            output_progress(call->out, "migrating %s", name);
            ec = bring_up(store, guid);
            state = "migrated";
        }
    }
    if (ec == EC_OK)
        ec = store_mailbox_version(store, guid, &found, &newest, &has_old);
    if (ec == EC_OK && call_switch(call, "forget-old")) {
        store_forget_old(store, guid);
        has_old = false;
    }
    output_object_begin(call->out, NULL);
    output_string(call->out, "mailbox", name);
    output_number(call->out, "version", (uint64_t)MAX(found, 0));
    output_number(call->out, "newest", (uint64_t)newest);
    output_string(call->out, "state", ec == EC_OK ? state : ec_name(ec));
    output_bool(call->out, "old_kept", has_old);
    output_object_end(call->out);
    if (ec != EC_OK)
        call_fail(call, ec, "%s: %s; the log says more, the file is as it was", name, ec_text(ec));
    return ec == EC_OK;
}

int migrate_command(struct command_call *call) {
    g_autoptr(GArray) mailboxes = NULL;
    enum ec ec = store_list_mailboxes(call->services->store, &mailboxes);
    bool all_well = true;
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the store: %s", ec_text(ec));
    output_list_begin(call->out, "mailbox:36 version:7 newest:6 state:10 old_kept");
    for (guint i = 0; i < mailboxes->len && !output_is_broken(call->out); i++)
        all_well = migrate_one(call, &g_array_index(mailboxes, struct guid, i)) && all_well;
    output_list_end(call->out);
    return all_well ? EXIT_DONE : EXIT_FAILED;
}
