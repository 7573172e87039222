// `bourse index`: the full-text indexes of mailboxes, their state and building them.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/recipient.h"
#include "store/fulltext.h"

struct run {
    struct command_call *call;
    const char *name; // of the mailbox at hand
    unsigned n_failed;
};

static void show_progress(void *ctx, uint64_t done, uint64_t left) {
    struct run *run = ctx;
    output_progress(run->call->out,
                    "indexing %s: %" G_GUINT64_FORMAT " done, %" G_GUINT64_FORMAT " left",
                    run->name, (guint64)done, (guint64)left);
}

static enum ec act(struct run *run, struct mbox *mbox) {
    if (call_switch(run->call, "drop"))
        return fulltext_forget(mbox);
    if (call_switch(run->call, "rebuild"))
        return fulltext_rebuild(mbox, show_progress, run);
    return call_switch(run->call, "status") ? EC_OK : fulltext_catch_up(mbox, show_progress, run);
}

static enum ec print_status(struct run *run, struct mbox *mbox) {
    struct output *out = run->call->out;
    MBOX_TX_AUTO tx = NULL;
    struct fulltext_status s;
    EC_TRY(mbox_read(mbox, &tx));
    EC_TRY(fulltext_get_status(tx, &s));
    output_object_begin(out, NULL);
    output_string(out, "state",
                  !s.exists         ? "none"
                  : s.is_rebuilding ? "rebuilding"
                  : s.is_outdated   ? "outdated"
                  : s.n_waiting     ? "behind"
                                    : "complete");
    output_number(out, "messages", s.n_docs);
    output_number(out, "waiting", s.n_waiting);
    output_number(out, "gone", s.n_gone);
    output_string(out, "mailbox", run->name);
    output_object_end(out);
    return EC_OK;
}

static void run_one(struct run *run, const struct guid *guid, const char *name) {
    MBOX_AUTO mbox = NULL;
    run->name = name;
    enum ec ec = store_open_mailbox(run->call->services->store, guid, &mbox);
    if (ec == EC_OK)
        ec = act(run, mbox);
    if (ec == EC_OK)
        ec = print_status(run, mbox);
    if (ec == EC_OK)
        return;
    run->n_failed++;
    call_fail(run->call, ec, "cannot %s the full-text index of %s: %s%s",
              call_switch(run->call, "status") ? "read" : "build", name, ec_text(ec),
              ec == EC_CORRUPT_DATA ? "; `bourse index --rebuild` makes a new one" : "");
}

static enum ec run_all(struct run *run) {
    g_autoptr(GArray) mailboxes = NULL;
    EC_TRY(store_list_mailboxes(run->call->services->store, &mailboxes));
    for (guint i = 0; i < mailboxes->len && !output_is_broken(run->call->out); i++) {
        const struct guid *guid = &g_array_index(mailboxes, struct guid, i);
        ARENA_AUTO arena = arena_new();
        struct directory_object *owner;
        char text[GUID_STRING_SIZE];
        guid_format(guid, text);
        bool has_owner =
            directory_find_guid(run->call->services->directory, arena, guid, &owner) == EC_OK;
        run_one(run, guid, has_owner ? owner->address : text);
        run->name = NULL; // gone with this turn
    }
    return EC_OK;
}

int index_command(struct command_call *call) {
    struct run run = {.call = call};
    const char *user = call_argument(call, 1);
    struct directory_object *one = NULL;
    enum ec ec = EC_OK;
    if (call_switch(call, "drop") + call_switch(call, "rebuild") + call_switch(call, "status") >
        1) {
        call_fail(call, EC_INVALID_PARAMETER,
                  "only one of --drop, --rebuild and --status can be done");
        return EXIT_USAGE;
    }
    if (user && !recipient_find(call, user, KINDS_ALL, &one))
        return EXIT_FAILED;
    output_list_begin(call->out, "state:10 messages:9 waiting:8 gone:8 mailbox");
    if (one)
        run_one(&run, &one->guid, one->address);
    else
        ec = run_all(&run);
    output_list_end(call->out);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the store: %s", ec_text(ec));
    return run.n_failed ? EXIT_FAILED : EXIT_DONE;
}
