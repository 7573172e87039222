// A context has its keys, read once more into memory of its own, and the uids of its result. When
// the folder changes only the messages that changed are asked about.
#include "protocol/imap/imap_context.h"

#include <string.h>

#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_write.h"

struct context {
    struct arena *arena;
    struct imap_cmd cmd; // what the keys were read with: tag, is_uid, session
    struct search_command command;
    struct mailbox_sort_column columns[MAILBOX_SORT_MAX];
    unsigned n_columns; // 0: not sorted
    GArray *uids;       // of the result, in its order
};

struct imap_contexts {
    GPtrArray *items; // of struct context
};

static void context_free(gpointer p) {
    struct context *x = p;
    if (x->uids)
        g_array_unref(x->uids);
    arena_free(x->arena); // x is in it
}

void imap_contexts_free(struct imap_contexts *contexts) {
    if (!contexts)
        return;
    g_ptr_array_unref(contexts->items);
    g_free(contexts);
}

static guint results_kept(const struct imap_contexts *contexts) {
    guint n = 0;
    for (guint i = 0; contexts && i < contexts->items->len; i++)
        n += ((struct context *)contexts->items->pdata[i])->uids->len;
    return n;
}

static void refuse(struct imap_cmd *c) {
    imap_puts(c->s, "* NO [NOUPDATE ");
    imap_put_string(c->s, c->tag);
    imap_puts(c->s, "] Too many results to be kept up to date\r\n");
}

static struct context *context_new(struct imap_cmd *c, const struct imap_context_start *start) {
    struct arena *arena = arena_new();
    struct context *x = arena_alloc0(arena, sizeof *x);
    x->arena = arena;
    // The keys' texts and literals are read from a copy of the command.
    const char *data = arena_memdup(arena, c->args.data, c->args.len);
    x->cmd = (struct imap_cmd){.s = c->s,
                               .arena = arena,
                               .is_uid = c->is_uid,
                               .tag = arena_strdup(arena, c->tag),
                               .command = c->command};
    x->cmd.args = (struct imap_parser){.arena = arena,
                                       .data = data,
                                       .len = c->args.len,
                                       .pos = start->pos,
                                       .saved = c->args.saved};
    x->n_columns = start->n_columns;
    for (unsigned i = 0; i < start->n_columns; i++)
        x->columns[i] = start->columns[i];
    if (!search_command_parse(&x->cmd, start->n_columns > 0, &x->command)) {
        context_free(x);
        return NULL;
    }
    x->cmd.args.data = NULL;
    return x;
}

static GArray *uids_of(const struct mailbox_view *view, const GArray *found) {
    GArray *uids = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), found->len);
    for (guint i = 0; i < found->len; i++) {
        uint32_t uid = mailbox_view_row(view, g_array_index(found, uint32_t, i))->uid;
        g_array_append_val(uids, uid);
    }
    return uids;
}

void imap_context_begin(struct imap_cmd *c, const struct imap_context_start *start,
                        const GArray *found) {
    struct imap_session *s = c->s;
    guint n_contexts = s->contexts ? s->contexts->items->len : 0;
    bool has_room = n_contexts < IMAP_MAX_CONTEXTS &&
                    results_kept(s->contexts) + found->len <= IMAP_MAX_CONTEXT_RESULTS &&
                    c->args.len <= IMAP_LINE_MAX;
    struct context *x = has_room ? context_new(c, start) : NULL;
    if (!x) {
        refuse(c);
        return;
    }
    x->uids = uids_of(s->view, found);
    if (!s->contexts) {
        s->contexts = g_new0(struct imap_contexts, 1);
        s->contexts->items = g_ptr_array_new_with_free_func(context_free);
    }
    g_ptr_array_add(s->contexts->items, x);
}

// --- What changed ---

struct changed {
    GArray *ranges;      // of struct search_range: uids of changed and new messages, ascending
    GHashTable *removed; // uids
    const struct mailbox_view *from;
};

static void collect(void *ctx, enum mailbox_view_change what, uint32_t index,
                    const struct message_row *row) {
    struct changed *ch = ctx;
    struct search_range one = {row->uid, row->uid};
    if (what == VIEW_REMOVED)
        g_hash_table_add(ch->removed, GUINT_TO_POINTER(mailbox_view_row(ch->from, index)->uid));
    else
        g_array_append_val(ch->ranges, one);
}

static bool is_among(const GArray *ranges, uint32_t uid) {
    guint low = 0, high = ranges->len;
    while (low < high) {
        guint mid = (low + high) / 2;
        if (g_array_index(ranges, struct search_range, mid).low < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return low < ranges->len && g_array_index(ranges, struct search_range, low).low == uid;
}

// The changed messages that match now.
static enum ec ask(const struct context *x, const struct changed *ch, GArray **found_out) {
    struct imap_session *s = x->cmd.s;
    struct search_node uids = {.kind = SEARCH_UIDS,
                               .ranges =
                                   (const struct search_range *)(const void *)ch->ranges->data,
                               .n_ranges = ch->ranges->len};
    struct search_node keys = *x->command.program.root;
    struct search_node both = {.kind = SEARCH_AND, .children = &uids};
    keys.next = NULL;
    uids.next = &keys;
    return mailbox_search(s->selected, s->view, &both, NULL, NULL, found_out);
}

// --- Telling ---

static void begin_line(const struct context *x, const char *what) {
    imap_puts(x->cmd.s, "* ESEARCH (TAG ");
    imap_put_string(x->cmd.s, x->cmd.tag);
    imap_puts(x->cmd.s, x->cmd.is_uid ? ") UID " : ") ");
    imap_puts(x->cmd.s, what);
}

static uint32_t number_of_uid(const struct context *x, uint32_t uid) {
    return x->cmd.is_uid ? uid : mailbox_view_find_uid(x->cmd.s->view, uid) + 1;
}

// Uids that left the result. One that is expunged has no number any more, and needs none: EXPUNGE
// took it away.
static void put_removed(const struct context *x, const struct changed *ch, const GArray *gone) {
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < gone->len; i++) {
        uint32_t uid = g_array_index(gone, uint32_t, i);
        bool is_expunged = g_hash_table_contains(ch->removed, GUINT_TO_POINTER(uid));
        uint32_t number = number_of_uid(x, uid);
        if (x->cmd.is_uid || !is_expunged)
            g_array_append_val(numbers, number);
    }
    if (numbers->len == 0)
        return;
    begin_line(x, "REMOVEFROM (0 ");
    imap_append_set(x->cmd.s->out, (const uint32_t *)(const void *)numbers->data, numbers->len);
    imap_puts(x->cmd.s, ")\r\n");
}

// `places`: of sorted ones in the new result, from 1 on, ascending.
static void put_added(const struct context *x, const GArray *added, const GArray *places) {
    struct imap_session *s = x->cmd.s;
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < added->len; i++) {
        uint32_t number = number_of_uid(x, g_array_index(added, uint32_t, i));
        g_array_append_val(numbers, number);
    }
    if (numbers->len == 0)
        return;
    const uint32_t *n = (const uint32_t *)(const void *)numbers->data;
    begin_line(x, "ADDTO (");
    if (!places) {
        imap_puts(s, "0 ");
        imap_append_set(s->out, n, numbers->len);
    }
    for (guint i = 0; places && i < numbers->len; i++)
        imap_printf(s, i ? " %u %u" : "%u %u", g_array_index(places, uint32_t, i), n[i]);
    imap_puts(s, ")\r\n");
}

// --- One context ---

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

// Indexes of the uids in the view, ascending.
static GArray *indexes_of(const struct mailbox_view *view, const GArray *uids) {
    GArray *indexes = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), uids->len);
    for (guint i = 0; i < uids->len; i++) {
        uint32_t index = mailbox_view_find_uid(view, g_array_index(uids, uint32_t, i));
        g_array_append_val(indexes, index);
    }
    g_array_sort(indexes, by_number);
    return indexes;
}

// The result is `kept` and `added`: in order, with the places of those added. Takes `kept`.
static enum ec settle(struct context *x, GArray *kept, GArray *added, GArray **places_out) {
    struct imap_session *s = x->cmd.s;
    g_autoptr(GHashTable) is_new = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < added->len; i++)
        g_hash_table_add(is_new, GUINT_TO_POINTER(g_array_index(added, uint32_t, i)));
    g_array_append_vals(kept, added->data, added->len);
    g_autoptr(GArray) indexes = indexes_of(s->view, kept);
    g_array_unref(kept);
    if (x->n_columns)
        EC_TRY(mailbox_sort(s->selected, s->view, x->columns, x->n_columns,
                            (uint32_t *)(void *)indexes->data, indexes->len));
    g_array_unref(x->uids);
    x->uids = uids_of(s->view, indexes);
    if (x->n_columns == 0)
        return EC_OK;
    *places_out = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_set_size(added, 0);
    for (guint i = 0; i < x->uids->len; i++) {
        uint32_t uid = g_array_index(x->uids, uint32_t, i), place = i + 1;
        if (!g_hash_table_contains(is_new, GUINT_TO_POINTER(uid)))
            continue;
        g_array_append_val(added, uid);
        g_array_append_val(*places_out, place);
    }
    return EC_OK;
}

static enum ec update(struct context *x, const struct changed *ch) {
    struct imap_session *s = x->cmd.s;
    g_autoptr(GArray) found = NULL, places = NULL;
    EC_TRY(ask(x, ch, &found));
    g_autoptr(GArray) matching = uids_of(s->view, found);
    g_autoptr(GHashTable) still = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) added = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    GArray *kept = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < matching->len; i++)
        g_hash_table_add(still, GUINT_TO_POINTER(g_array_index(matching, uint32_t, i)));
    for (guint i = 0; i < x->uids->len; i++) {
        uint32_t uid = g_array_index(x->uids, uint32_t, i);
        bool is_in =
            !g_hash_table_contains(ch->removed, GUINT_TO_POINTER(uid)) &&
            (!is_among(ch->ranges, uid) || g_hash_table_remove(still, GUINT_TO_POINTER(uid)));
        g_array_append_val(is_in ? kept : gone, uid);
    }
    for (guint i = 0; i < matching->len; i++) {
        uint32_t uid = g_array_index(matching, uint32_t, i);
        if (g_hash_table_contains(still, GUINT_TO_POINTER(uid)))
            g_array_append_val(added, uid);
    }
    if (gone->len == 0 && added->len == 0) {
        g_array_unref(kept);
        return EC_OK;
    }
    put_removed(x, ch, gone);
    EC_TRY(settle(x, kept, added, &places));
    put_added(x, added, places);
    return EC_OK;
}

void imap_contexts_update(struct imap_session *s, const struct mailbox_view *from) {
    struct changed ch = {.from = from};
    ch.ranges = g_array_new(FALSE, FALSE, sizeof(struct search_range));
    ch.removed = g_hash_table_new(NULL, NULL);
    mailbox_view_diff(from, s->view, collect, &ch);
    bool is_same = ch.ranges->len == 0 && g_hash_table_size(ch.removed) == 0;
    for (guint i = 0; !is_same && i < s->contexts->items->len; i++) {
        struct context *x = s->contexts->items->pdata[i];
        if (update(x, &ch) == EC_OK && results_kept(s->contexts) <= IMAP_MAX_CONTEXT_RESULTS)
            continue;
        refuse(&x->cmd);
        g_ptr_array_remove_index(s->contexts->items, i--);
    }
    g_array_unref(ch.ranges);
    g_hash_table_unref(ch.removed);
}

// CANCELUPDATE "tag" ...
void cmd_cancelupdate(struct imap_cmd *c) {
    struct imap_parser *p = &c->args;
    struct imap_contexts *contexts = c->s->contexts;
    do {
        const char *tag = imap_string(p, NULL);
        for (guint i = 0; tag && contexts && i < contexts->items->len; i++) {
            struct context *x = contexts->items->pdata[i];
            if (strcmp(x->cmd.tag, tag) == 0)
                g_ptr_array_remove_index(contexts->items, i--);
        }
    } while (imap_accept(p, ' '));
    if (imap_arg_end(c))
        imap_reply_ok(c);
}
