// `bourse status` and `bourse check`.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/command_functions.h"
#include "admin/recipient.h"
#include "base/clock.h"
#include "mailbox/archive.h"
#include "mailbox/mailbox.h"
#include "net/net.h"
#include "queue/queue.h"
#include "store/check.h"
#include "store/store.h"

#define PAGE 1000

// --- Status ---

static void print_listeners(struct command_call *call) {
    g_auto(GStrv) lines = g_strsplit(call->services->listeners, "\n", -1);
    output_array_begin(call->out, "listeners");
    for (char **l = lines; *l; l++)
        if (**l)
            output_string(call->out, NULL, *l);
    output_array_end(call->out);
}

// Resident memory of this process in bytes.
static uint64_t resident_memory(void) {
    g_autofree char *text = NULL;
    unsigned long long pages = 0;
    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL) ||
        sscanf(text, "%*u %llu", &pages) != 1)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static enum ec count_objects(struct directory *d, uint64_t counts[DIRECTORY_CONTACT + 1]) {
    for (unsigned offset = 0;; offset += PAGE) {
        ARENA_AUTO page = arena_new();
        struct directory_list list;
        EC_TRY(directory_list(d, page, 0, NULL, offset, PAGE, &list));
        for (unsigned i = 0; i < list.n; i++)
            if (list.items[i]->kind <= DIRECTORY_CONTACT)
                counts[list.items[i]->kind]++;
        if (list.n < PAGE)
            return EC_OK;
    }
}

static void print_server(struct command_call *call) {
    const struct admin_services *s = call->services;
    struct net_stats stats;
    net_stats(s->net, &stats);
    output_number(call->out, "pid", (uint64_t)getpid());
    output_time(call->out, "started", s->started);
    output_number(call->out, "uptime", (clock_now() - s->started) / FILETIME_SECOND);
    output_number(call->out, "memory", resident_memory());
    output_number(call->out, "connections", stats.open_now);
    output_number(call->out, "accepted", stats.accepted);
    output_number(call->out, "refused", stats.refused);
    output_number(call->out, "bytes_in", stats.bytes_in);
    output_number(call->out, "bytes_out", stats.bytes_out);
    output_number(call->out, "tls_failures", stats.tls_failures);
    print_listeners(call);
}

int status_command(struct command_call *call) {
    const struct admin_services *s = call->services;
    uint64_t counts[DIRECTORY_CONTACT + 1] = {0};
    g_autoptr(GArray) mailboxes = NULL;
    enum ec ec = count_objects(s->directory, counts);
    if (ec == EC_OK)
        ec = store_list_mailboxes(s->store, &mailboxes);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the directory or the store: %s", ec_text(ec));
    output_object_begin(call->out, NULL);
    output_string(call->out, "version", BOURSE_VERSION);
    output_string(call->out, "state", s->net ? "running" : "stopped");
    output_string(call->out, "directory", s->dir);
    if (s->net)
        print_server(call);
    for (unsigned kind = 0; kind <= DIRECTORY_CONTACT; kind++) {
        g_autofree char *name = g_strconcat("count_", kind_name((enum directory_kind)kind), NULL);
        output_number(call->out, name, counts[kind]);
    }
    output_number(call->out, "mailboxes", mailboxes->len);
    output_number(call->out, "queue", queue_count(s->queue));
    output_object_end(call->out);
    return EXIT_DONE;
}

// --- Check ---

struct check_run {
    struct command_call *call;
    unsigned done, total, n_faults, n_repaired;
    const char *what; // the mailbox at hand
};

static void check_progress(void *ctx, const char *step, unsigned percent) {
    struct check_run *run = ctx;
    output_progress(run->call->out, "checking %u of %u: %s %s %u%%", run->done + 1, run->total,
                    run->what, step, percent);
}

static void print_fault(struct check_run *run, const char *where, const char *fault) {
    run->n_faults++;
    if (g_str_has_suffix(fault, "[repaired]"))
        run->n_repaired++;
    if (output_is_json(run->call->out)) {
        output_object_begin(run->call->out, NULL);
        output_string(run->call->out, "where", where);
        output_string(run->call->out, "fault", fault);
        output_bool(run->call->out, "repaired", g_str_has_suffix(fault, "[repaired]"));
        output_object_end(run->call->out);
    } else
        output_say(run->call->out, "%s: %s", where, fault);
}

static void check_mailbox(struct check_run *run, const struct guid *guid, const char *name) {
    struct command_call *call = run->call;
    struct check_options options = {.repair = call_switch(call, "repair"),
                                    .with_contents = call_switch(call, "contents"),
                                    .progress = check_progress,
                                    .ctx = run};
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    unsigned n_repaired = 0, before = run->n_repaired;
    run->what = name;
    output_progress(call->out, "checking %u of %u: %s", run->done + 1, run->total, name);
    enum ec ec = store_check_mailbox(call->services->store, guid, &options, faults, &n_repaired);
    for (unsigned i = 0; i < faults->len; i++)
        print_fault(run, name, faults->pdata[i]);
    run->n_repaired = before + n_repaired;
    if (ec != EC_OK)
        print_fault(run, name,
                    ec == EC_CORRUPT_DATA ? "the file cannot be read; restore it from a backup"
                                          : ec_text(ec));
    run->done++;
}

static void check_directory(struct check_run *run) {
    struct command_call *call = run->call;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    enum ec ec = directory_check(call->services->directory, call_switch(call, "repair"), faults);
    for (unsigned i = 0; i < faults->len; i++)
        print_fault(run, "directory", faults->pdata[i]);
    if (ec != EC_OK)
        print_fault(run, "directory", ec_text(ec));
}

// Users whose mailbox is missing: with --repair they get an empty one.
static void check_missing(struct check_run *run, const struct directory_object *o,
                          GHashTable *present) {
    if (!o->has_mailbox || g_hash_table_contains(present, &o->guid))
        return;
    struct mbox_new spec = {.guid = o->guid,
                            .address = o->address,
                            .display_name = o->display_name,
                            .locale = o->locale ? o->locale : "en"};
    bool repaired = call_switch(run->call, "repair") &&
                    store_create_mailbox(run->call->services->store, &spec) == EC_OK;
    print_fault(run, o->address,
                repaired ? "the mailbox was missing; made an empty one [repaired]"
                         : "the mailbox is missing in the store");
}

static enum ec check_owners(struct check_run *run, GHashTable *present) {
    for (unsigned offset = 0;; offset += PAGE) {
        ARENA_AUTO page = arena_new();
        struct directory_list list;
        EC_TRY(directory_list(run->call->services->directory, page, 0, NULL, offset, PAGE, &list));
        for (unsigned i = 0; i < list.n; i++)
            check_missing(run, list.items[i], present);
        if (list.n < PAGE)
            return EC_OK;
    }
}

static guint guid_hash(gconstpointer guid) {
    guint h;
    memcpy(&h, guid, sizeof h);
    return h;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

static void check_all(struct check_run *run, const GArray *mailboxes) {
    struct directory *d = run->call->services->directory;
    g_autoptr(GHashTable) present = g_hash_table_new(guid_hash, guid_same);
    for (unsigned i = 0; i < mailboxes->len; i++) {
        ARENA_AUTO arena = arena_new();
        struct guid *guid = &g_array_index(mailboxes, struct guid, i);
        struct directory_object *owner;
        char text[GUID_STRING_SIZE];
        guid_format(guid, text);
        g_hash_table_add(present, guid);
        struct guid owner_guid;
        if (directory_find_guid(d, arena, guid, &owner) == EC_OK)
            check_mailbox(run, guid, owner->address);
        else if (guid_equal(guid, mailbox_public_guid()))
            check_mailbox(run, guid, "public folders");
        else if (mailbox_archive_owner(run->call->services->mailboxes, guid, &owner_guid) ==
                     EC_OK &&
                 directory_find_guid(d, arena, &owner_guid, &owner) == EC_OK)
            check_mailbox(run, guid, arena_printf(arena, "%s (archive)", owner->address));
        else {
            output_progress(run->call->out, "%s", text);
            check_mailbox(run, guid, text);
            if (!output_is_json(run->call->out))
                output_say(run->call->out, "note: mailbox %s belongs to nobody in the directory",
                           text);
        }
        if (output_is_broken(run->call->out))
            return;
    }
    enum ec ec = check_owners(run, present);
    if (ec != EC_OK)
        print_fault(run, "directory", ec_text(ec));
}

int check_command(struct command_call *call) {
    struct check_run run = {.call = call};
    const char *user = call_option(call, "user");
    struct directory_object *one = NULL;
    g_autoptr(GArray) mailboxes = NULL;
    if (user && !recipient_find(call, user, KINDS_ALL, &one))
        return EXIT_FAILED;
    enum ec ec = store_list_mailboxes(call->services->store, &mailboxes);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the store: %s", ec_text(ec));
    run.total = one ? 1 : mailboxes->len;
    if (output_is_json(call->out))
        output_list_begin(call->out, "where");
    if (one)
        check_mailbox(&run, &one->guid, one->address);
    else {
        check_directory(&run);
        check_all(&run, mailboxes);
    }
    if (output_is_json(call->out))
        output_list_end(call->out);
    unsigned left = run.n_faults - MIN(run.n_repaired, run.n_faults);
    output_say(call->out, "%u mailbox%s checked, %u fault%s found, %u repaired.", run.done,
               run.done == 1 ? "" : "es", run.n_faults, run.n_faults == 1 ? "" : "s",
               run.n_repaired);
    if (left && !call_switch(call, "repair"))
        output_say(call->out, "`bourse check %s --repair` repairs what can be repaired.",
                   call_argument(call, 0));
    return left ? EXIT_FAILED : EXIT_DONE;
}
