// From an address to mailboxes, and to addresses of other domains.
#include <string.h>

#include "base/text.h"
#include "transport/transport_internal.h"

struct walk {
    struct directory *directory;
    struct arena *arena;
    struct route *out;
    GHashTable *mailboxes; // guids that are targets already
    GHashTable *seen;      // folded addresses
    GQueue todo;           // addresses
};

static guint guid_hash(gconstpointer key) {
    guint h;
    memcpy(&h, ((const struct guid *)key)->bytes, sizeof h);
    return h;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

static void problem(struct walk *w, struct outcome o) {
    if (o.kind > w->out->problem.kind)
        w->out->problem = o;
}

static void add_target(struct walk *w, const struct directory_object *object, const char *detail) {
    if (w->out->targets->len >= TRANSPORT_TARGETS_MAX ||
        !g_hash_table_add(w->mailboxes, (gpointer)&object->guid))
        return;
    struct route_target target = {.mailbox = object->guid, .detail = detail};
    g_array_append_val(w->out->targets, target);
}

// Loops end here: an address is followed once.
static void follow(struct walk *w, const char *address) {
    if (!address || g_hash_table_size(w->seen) >= TRANSPORT_FORWARDS_MAX) {
        problem(w, outcome_from_ec(EC_LOOP_DETECTED));
        return;
    }
    if (g_hash_table_add(w->seen, text_fold(w->arena, address)))
        g_queue_push_tail(&w->todo, (gpointer)address);
}

// A mail-enabled public folder.
static void add_folder(struct walk *w, const struct directory_object *object) {
    struct route_target target = {.mailbox = *mailbox_public_guid()};
    enum ec ec = directory_folder_target(w->directory, &object->guid, &target.folder);
    if (ec != EC_OK)
        problem(w, outcome_from_ec(ec == EC_NOT_FOUND ? EC_UNKNOWN_USER : ec));
    else if (w->out->targets->len < TRANSPORT_TARGETS_MAX &&
             g_hash_table_add(w->mailboxes, (gpointer)&object->guid))
        g_array_append_val(w->out->targets, target);
}

static void add_group(struct walk *w, const struct directory_object *group) {
    struct directory_list members;
    enum ec ec = directory_expand(w->directory, w->arena, &group->guid, &members);
    if (ec != EC_OK) {
        problem(w, outcome_from_ec(ec));
        return;
    }
    for (unsigned i = 0; i < members.n; i++) {
        struct directory_object *member = members.items[i];
        if (member->kind == DIRECTORY_CONTACT)
            follow(w, member->target);
        else if (member->kind == DIRECTORY_PUBLIC_FOLDER)
            add_folder(w, member);
        else if (member->has_mailbox)
            add_target(w, member, NULL);
    }
}

static void step(struct walk *w, const char *address) {
    enum directory_route route;
    struct directory_object *object = NULL;
    const char *detail = NULL;
    enum ec ec = directory_route(w->directory, w->arena, address, &route, &object, &detail);
    if (ec != EC_OK) {
        problem(w, outcome_from_ec(ec));
        return;
    }
    switch (route) {
    case DIRECTORY_ROUTE_MAILBOX:
        add_target(w, object, detail);
        break;
    case DIRECTORY_ROUTE_GROUP:
        w->out->is_group = true;
        add_group(w, object);
        break;
    case DIRECTORY_ROUTE_FORWARD:
        follow(w, object->target);
        break;
    case DIRECTORY_ROUTE_REMOTE:
        if (w->out->remotes->len < TRANSPORT_TARGETS_MAX)
            g_ptr_array_add(w->out->remotes, (gpointer)address);
        break;
    case DIRECTORY_ROUTE_FOLDER:
        add_folder(w, object);
        break;
    case DIRECTORY_ROUTE_UNKNOWN:
        problem(w, outcome_from_ec(EC_UNKNOWN_USER));
        break;
    }
}

void route_address(struct directory *directory, struct arena *arena, const char *address,
                   struct route *out) {
    struct walk w = {.directory = directory, .arena = arena, .out = out, .todo = G_QUEUE_INIT};
    out->problem = (struct outcome){OUTCOME_DELIVERED, "2.0.0", "delivered"};
    w.mailboxes = g_hash_table_new(guid_hash, guid_same);
    w.seen = g_hash_table_new(g_str_hash, g_str_equal);
    follow(&w, address);
    for (const char *next; (next = g_queue_pop_head(&w.todo));)
        step(&w, next);
    g_hash_table_unref(w.mailboxes);
    g_hash_table_unref(w.seen);
}
