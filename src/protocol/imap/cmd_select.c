// SELECT, EXAMINE, CLOSE, UNSELECT ([RFC 3501] 6.3.1, 6.4.2, [RFC 3691], [RFC 7162] 3.1.2, 3.2.5).
#include "mailbox/identity.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_flags.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_write.h"

// The keywords in use in the folder. Rows share interned strings, so most are recognized by their
// address.
static void put_keywords(struct imap_session *s) {
    g_autoptr(GHashTable) texts = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *last = NULL;
    uint32_t n = mailbox_view_count(s->view);
    for (uint32_t i = mailbox_view_next_keywords(s->view, 0); i < n;
         i = mailbox_view_next_keywords(s->view, i + 1)) {
        const char *keywords = mailbox_view_row(s->view, i)->keywords;
        if (keywords == last || !g_hash_table_add(texts, (gpointer)keywords))
            continue;
        last = keywords;
        g_auto(GStrv) each = g_strsplit(keywords, " ", -1);
        for (char **w = each; *w; w++)
            if (**w && g_hash_table_add(words, g_strdup(*w)))
                imap_printf(s, " %s", *w);
    }
}

static void put_folder(struct imap_session *s) {
    const struct mailbox_view *v = s->view;
    const char *all = imap_flag_names(MSG_CLIENT_FLAGS);
    imap_printf(s, "* FLAGS (%s", all);
    put_keywords(s);
    imap_puts(s, ")\r\n");
    if (s->is_read_only) {
        imap_puts(s, "* OK [PERMANENTFLAGS ()] Read-only mailbox\r\n");
    } else if (!(mailbox_view_rights(v) & (RIGHTS_EDIT_OWNED | RIGHTS_EDIT_ANY))) {
        bool deletes = mailbox_view_rights(v) & (RIGHTS_DELETE_OWNED | RIGHTS_DELETE_ANY);
        imap_printf(s, "* OK [PERMANENTFLAGS (%s%s)] Flags permitted\r\n",
                    mailbox_is_public(s->selected) ? "\\Seen " : "", deletes ? "\\Deleted" : "");
    } else {
        imap_printf(s, "* OK [PERMANENTFLAGS (%s", all);
        put_keywords(s);
        imap_puts(s, " \\*)] Flags permitted\r\n");
    }
    imap_put_exists(s, mailbox_view_count(v));
    uint32_t unseen = mailbox_view_first_unread(v);
    if (!s->is_rev2 && !s->is_uid_only && unseen < mailbox_view_count(v))
        imap_printf(s, "* OK [UNSEEN %u] First unseen\r\n", unseen + 1);
    char id[MAILBOX_ID_SIZE]; // [RFC 8474]
    mailbox_folder_id(s->selected, mailbox_view_fid(v), id);
    imap_printf(s, "* OK [MAILBOXID (%s)] Ok\r\n", id);
    imap_printf(s,
                "* OK [UIDVALIDITY %u] UIDs valid\r\n"
                "* OK [UIDNEXT %u] Predicted next UID\r\n"
                "* OK [HIGHESTMODSEQ %" G_GUINT64_FORMAT "] Highest\r\n",
                mailbox_view_uid_validity(v), mailbox_view_uid_next(v), mailbox_view_modseq(v));
}

// [RFC 9051] 6.3.2: the mailbox under its own name, with the one it was asked for by.
static void put_list(struct imap_session *s, const char *asked, const char *path) {
    imap_puts(s, "* LIST () \"/\" ");
    imap_put_mailbox(s, path);
    if (strcmp(asked, path) != 0) {
        imap_puts(s, " (\"OLDNAME\" (");
        imap_put_mailbox(s, asked);
        imap_puts(s, "))");
    }
    imap_puts(s, "\r\n");
}

struct select_params {
    bool condstore, qresync;
    uint32_t uid_validity; // what the client remembers of the folder
    uint64_t modseq;
    bool has_known;
    struct imap_set known; // uids
};

// "(67890007 20050715194045000 41,43:211 (1:3 41:43))". The pairs of sequence numbers and uids at
// the end only help a server that has forgotten what was expunged.
static bool parse_qresync(struct imap_cmd *c, struct select_params *out) {
    struct imap_parser *p = &c->args;
    struct imap_set numbers, uids;
    if (!c->s->has_qresync)
        return imap_fail(p, "QRESYNC is not enabled");
    out->qresync = true;
    imap_space(p);
    imap_expect(p, '(');
    imap_number(p, &out->uid_validity);
    imap_space(p);
    imap_number64(p, &out->modseq);
    if (imap_accept(p, ' ') && imap_peek(p) != '(') {
        out->has_known = imap_parse_set(p, &out->known);
        if (imap_peek(p) == ' ')
            imap_space(p);
    }
    if (imap_accept(p, '(')) {
        if (c->s->is_uid_only)
            return imap_fail(p, "[UIDREQUIRED] Message numbers are off");
        imap_parse_set(p, &numbers);
        imap_space(p);
        imap_parse_set(p, &uids);
        imap_expect(p, ')');
    }
    return imap_expect(p, ')');
}

// "(CONDSTORE)"; parameters nobody knows are an error ([RFC 4466] 2.1).
static bool parse_params(struct imap_cmd *c, struct select_params *out) {
    *out = (struct select_params){0};
    struct imap_parser *p = &c->args;
    if (imap_accept(p, ' ') && !imap_at_end(p)) {
        imap_expect(p, '(');
        do {
            out->condstore = true;
            if (imap_accept_word(p, "QRESYNC"))
                parse_qresync(c, out);
            else if (!imap_accept_word(p, "CONDSTORE"))
                imap_fail(p, "Unknown parameter");
        } while (imap_ok(p) && imap_accept(p, ' '));
        imap_expect(p, ')');
    }
    return imap_arg_end(c);
}

// What happened since the client last saw the folder.
static enum ec put_resync(struct imap_cmd *c, const struct select_params *params) {
    struct imap_session *s = c->s;
    struct imap_rows uids, rows;
    if (!params->qresync || params->uid_validity != mailbox_view_uid_validity(s->view))
        return EC_OK;
    if (params->has_known) {
        imap_uids_of_set(c->arena, &params->known, &uids);
        imap_resolve_set(c->arena, s->view, &params->known, true, &rows);
    }
    EC_TRY(imap_put_vanished_since(s, params->modseq, params->has_known ? &uids : NULL));
    uint32_t n = mailbox_view_count(s->view);
    for (uint32_t i = 0; i < n; i++) {
        const struct message_row *row = mailbox_view_row(s->view, i);
        if (row->modseq > params->modseq && (!params->has_known || imap_rows_contain(&rows, i)))
            imap_put_flags_update(s, i + 1, row, true, true, true);
    }
    return EC_OK;
}

static void select_folder(struct imap_cmd *c, bool read_only) {
    struct imap_session *s = c->s;
    const char *path;
    struct select_params params;
    if (!imap_arg_mailbox(c, &path) || !parse_params(c, &params))
        return;
    // A SELECT that fails leaves nothing selected.
    if (s->state == IMAP_SELECTED) {
        imap_deselect(s);
        imap_puts(s, "* OK [CLOSED] Previous mailbox closed\r\n");
    }
    struct mailbox_folder folder;
    struct mailbox *m;
    enum ec ec = mailbox_set_find(s->mailboxes, c->arena, path, &m, &folder);
    if (ec == EC_OK)
        ec = mailbox_view_open(m, folder.fid, &s->view);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return;
    }
    s->state = IMAP_SELECTED;
    s->selected = m;
    s->has_condstore = s->has_condstore || params.condstore;
    const uint32_t writing = RIGHTS_CREATE | RIGHTS_EDIT_OWNED | RIGHTS_EDIT_ANY |
                             RIGHTS_DELETE_OWNED | RIGHTS_DELETE_ANY;
    // What one has read in a public folder is one's own.
    s->is_read_only =
        read_only || (!(mailbox_view_rights(s->view) & writing) && !mailbox_is_public(m));
    put_folder(s);
    if (s->is_rev2)
        put_list(s, path, folder.path);
    ec = put_resync(c, &params);
    if (ec != EC_OK) {
        imap_deselect(s);
        imap_reply_ec(c, ec);
        return;
    }
    imap_reply(c, "OK", s->is_read_only ? "[READ-ONLY] Selected" : "[READ-WRITE] Selected");
}

void cmd_select(struct imap_cmd *c) {
    select_folder(c, false);
}

void cmd_examine(struct imap_cmd *c) {
    select_folder(c, true);
}

void cmd_close(struct imap_cmd *c) {
    struct imap_session *s = c->s;
    enum ec ec = EC_OK;
    if (!s->is_read_only &&
        (mailbox_view_rights(s->view) & (RIGHTS_DELETE_OWNED | RIGHTS_DELETE_ANY))) {
        uint32_t n = mailbox_view_count(s->view);
        g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        for (uint32_t i = 0; i < n; i++) {
            const struct message_row *row = mailbox_view_row(s->view, i);
            if (row->flags & MSG_DELETED)
                g_array_append_val(mids, row->mid);
        }
        mailbox_keep_deletable(s->selected, mailbox_view_fid(s->view), mids);
        ec = mailbox_expunge(s->selected, mailbox_view_fid(s->view), (const uint64_t *)mids->data,
                             mids->len);
    }
    imap_deselect(s);
    imap_reply_ec(c, ec);
}

void cmd_unselect(struct imap_cmd *c) {
    imap_deselect(c->s);
    imap_reply_ok(c);
}
