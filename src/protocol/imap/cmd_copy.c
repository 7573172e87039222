// COPY and MOVE with COPYUID ([RFC 3501] 6.4.7, [RFC 4315], [RFC 6851]).
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_write.h"

// "[COPYUID validity old new] ": both sets in the same order.
static const char *copyuid(struct imap_cmd *c, uint32_t validity, const GArray *copied) {
    g_autofree uint32_t *numbers = g_new(uint32_t, copied->len + 1);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text, "[COPYUID %u ", validity);
    for (guint i = 0; i < copied->len; i++)
        numbers[i] = g_array_index(copied, struct mailbox_copied, i).old_uid;
    imap_append_set(text, numbers, copied->len);
    g_string_append_c(text, ' ');
    for (guint i = 0; i < copied->len; i++)
        numbers[i] = g_array_index(copied, struct mailbox_copied, i).new_uid;
    imap_append_set(text, numbers, copied->len);
    g_string_append(text, "] ");
    return arena_strndup(c->arena, text->str, text->len);
}

static void copy_or_move(struct imap_cmd *c, bool is_move) {
    struct imap_session *s = c->s;
    struct imap_rows rows;
    const char *path;
    if (!imap_arg_rows(c, &rows))
        return;
    imap_space(&c->args);
    if (!imap_arg_mailbox(c, &path) || !imap_arg_end(c))
        return;
    if (is_move && s->is_read_only) {
        imap_reply(c, "NO", "[NOPERM] The mailbox is read-only");
        return;
    }
    struct mailbox_folder target;
    struct mailbox *m;
    enum ec ec = mailbox_set_find(s->mailboxes, c->arena, path, &m, &target);
    if (ec != EC_OK) {
        imap_reply_ec_target(c, ec);
        return;
    }
    unsigned n;
    uint64_t *mids = imap_row_mids(c, &rows, &n);
    uint64_t from = mailbox_view_fid(s->view);
    g_autoptr(GArray) copied = NULL;
    if (n > 0)
        ec = is_move ? mailbox_move_to(s->selected, from, mids, n, m, target.fid, &copied)
                     : mailbox_copy_to(s->selected, from, mids, n, m, target.fid, &copied);
    if (ec != EC_OK) {
        imap_reply_ec_target(c, ec);
        return;
    }
    const char *code = copied && copied->len ? copyuid(c, target.uid_validity, copied) : "";
    if (is_move && *code) { // before the EXPUNGE lines ([RFC 6851] 4.3)
        imap_printf(s, "* OK %sMoved\r\n", code);
        code = "";
    }
    imap_reply(c, "OK", arena_printf(c->arena, "%sCompleted", code));
}

void cmd_copy(struct imap_cmd *c) {
    copy_or_move(c, false);
}

void cmd_move(struct imap_cmd *c) {
    copy_or_move(c, true);
}
