// STORE and UID STORE ([RFC 3501] 6.4.6, [RFC 7162] 3.1.3 UNCHANGEDSINCE).
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_flags.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_write.h"

struct store_command {
    struct imap_rows rows;
    struct imap_flags flags;
    enum mailbox_flags_mode mode;
    bool is_silent, is_conditional;
    uint64_t unchanged_since;
    // The answer, in steps.
    struct mailbox_view *now;
    GArray *modified; // mids, sorted; NULL: none were asked for
    unsigned run;     // where the next step begins
    uint32_t next;
};

static bool parse_item(struct imap_parser *p, struct store_command *s) {
    static const struct {
        const char *name;
        enum mailbox_flags_mode mode;
        bool is_silent;
    } items[] = {
        {"FLAGS", MAILBOX_FLAGS_SET, false},     {"FLAGS.SILENT", MAILBOX_FLAGS_SET, true},
        {"+FLAGS", MAILBOX_FLAGS_ADD, false},    {"+FLAGS.SILENT", MAILBOX_FLAGS_ADD, true},
        {"-FLAGS", MAILBOX_FLAGS_REMOVE, false}, {"-FLAGS.SILENT", MAILBOX_FLAGS_REMOVE, true},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(items); i++)
        if (imap_accept_word(p, items[i].name)) {
            s->mode = items[i].mode;
            s->is_silent = items[i].is_silent;
            return true;
        }
    return imap_fail(p, "Unknown STORE item");
}

static bool parse(struct imap_cmd *c, struct store_command *s) {
    struct imap_parser *p = &c->args;
    s->unchanged_since = UINT64_MAX;
    imap_space(p);
    if (imap_accept(p, '(')) {
        s->is_conditional = true;
        if (!imap_accept_word(p, "UNCHANGEDSINCE"))
            imap_fail(p, "Unknown STORE modifier");
        imap_space(p);
        imap_number64(p, &s->unchanged_since);
        imap_expect(p, ')');
        imap_space(p);
    }
    if (parse_item(p, s) && imap_space(p))
        imap_parse_flags(p, true, &s->flags);
    return imap_arg_end(c);
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_among(const GArray *mids, uint64_t mid) {
    return mids && mids->len && bsearch(&mid, mids->data, mids->len, sizeof mid, by_value) != NULL;
}

// "[MODIFIED 2,5] Conditional STORE failed": the messages that others changed meanwhile.
static void reply_modified(struct imap_cmd *c, const struct store_command *s,
                           const GArray *modified) {
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (unsigned r = 0; r < s->rows.n; r++)
        for (uint32_t i = s->rows.runs[r].first; i <= s->rows.runs[r].last; i++) {
            const struct message_row *row = mailbox_view_row(c->s->view, i);
            uint32_t number = c->is_uid ? row->uid : i + 1;
            if (is_among(modified, row->mid))
                g_array_append_val(numbers, number);
        }
    g_autoptr(GString) set = g_string_new(NULL);
    imap_append_set(set, (const uint32_t *)numbers->data, numbers->len);
    imap_reply(c, "OK", arena_printf(c->arena, "[MODIFIED %s] Conditional STORE failed", set->str));
}

// A message's flags as they are now; only the MODSEQ when the client wanted silence.
static void put_result(struct imap_cmd *c, uint32_t index) {
    const struct store_command *s = c->data;
    bool with_modseq = c->s->has_condstore;
    const struct message_row *before = mailbox_view_row(c->s->view, index);
    uint32_t at = mailbox_view_find_uid(s->now, before->uid);
    const struct message_row *row =
        at < mailbox_view_count(s->now) ? mailbox_view_row(s->now, at) : NULL;
    if (!row || row->uid != before->uid)
        return; // expunged by somebody else
    // What was modified by others is told with its flags, so that the client can decide.
    bool with_flags = !s->is_silent || is_among(s->modified, row->mid);
    if (with_flags || row->modseq != before->modseq)
        imap_put_flags_update(c->s, index + 1, row, c->is_uid || with_modseq, with_flags,
                              with_modseq);
}

static bool step(struct imap_cmd *c) {
    struct store_command *s = c->data;
    bool is_silent = s->is_silent && !c->s->has_condstore;
    for (; !is_silent && s->run < s->rows.n; s->run++) {
        const struct imap_run *run = &s->rows.runs[s->run];
        for (uint32_t i = MAX(s->next, run->first); i <= run->last; i++) {
            put_result(c, i);
            if (imap_output_is_full(c->s)) {
                s->next = i + 1;
                return false;
            }
        }
    }
    if (s->modified && s->modified->len)
        reply_modified(c, s, s->modified);
    else
        imap_reply_ok(c);
    return true;
}

static void free_store(struct imap_cmd *c) {
    struct store_command *s = c->data;
    mailbox_view_free(s->now);
    if (s->modified)
        g_array_unref(s->modified);
}

static uint32_t expected_flags(const struct store_command *s, uint32_t before) {
    before &= MSG_CLIENT_FLAGS;
    switch (s->mode) {
    case MAILBOX_FLAGS_ADD:
        return before | s->flags.flags;
    case MAILBOX_FLAGS_REMOVE:
        return before & ~s->flags.flags;
    default:
        return s->flags.flags;
    }
}

// Own changes are not told again: the client asked for silence or was told above.
static bool is_known(struct imap_cmd *c, uint32_t old_index, const struct message_row *before,
                     const struct message_row *now) {
    const struct store_command *s = c->data;
    return imap_rows_contain(&s->rows, old_index) &&
           (now->flags & MSG_CLIENT_FLAGS) == expected_flags(s, before->flags) &&
           (now->keywords == before->keywords || s->flags.n_keywords > 0 ||
            s->mode == MAILBOX_FLAGS_SET);
}

void cmd_store(struct imap_cmd *c) {
    struct imap_session *session = c->s;
    struct store_command *s = arena_alloc0(c->arena, sizeof *s);
    if (!imap_arg_rows(c, &s->rows) || !parse(c, s))
        return;
    if (session->is_read_only) {
        imap_reply(c, "NO", "[NOPERM] The mailbox is read-only");
        return;
    }
    session->has_condstore = session->has_condstore || s->is_conditional;
    unsigned n;
    uint64_t *mids = imap_row_mids(c, &s->rows, &n);
    if (n == 0) {
        imap_reply_ok(c);
        return;
    }
    struct mailbox_flags change = {
        .mode = s->mode,
        .flags = s->flags.flags,
        .keywords = (const char *const *)s->flags.keywords,
        .n_keywords = s->flags.n_keywords,
        .unchanged_since = s->unchanged_since,
    };
    c->data = s;
    c->free_data = free_store;
    uint64_t fid = mailbox_view_fid(session->view);
    enum ec ec = mailbox_change_flags(session->selected, fid, mids, n, &change,
                                      s->is_conditional ? &s->modified : NULL);
    if (ec == EC_OK)
        ec = mailbox_view_refresh(session->selected, session->view, &s->now);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return;
    }
    if (s->modified && s->modified->len)
        g_array_sort(s->modified, by_value);
    c->is_known = is_known;
    c->step = step;
}
