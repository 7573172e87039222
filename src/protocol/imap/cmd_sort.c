// SORT and UID SORT ([RFC 5256], [RFC 5957] SORT=DISPLAY, [RFC 5267] ESORT).
#include <string.h>

#include "mailbox/sort.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_context.h"
#include "protocol/imap/imap_write.h"
#include "protocol/imap/search_command.h"
#include "protocol/imap/sort_parse.h"

bool sort_parse(struct imap_parser *p, struct mailbox_sort_column *out, unsigned *n_out) {
    static const struct {
        const char *name;
        enum mailbox_sort_key key;
    } keys[] = {
        {"ARRIVAL", MAILBOX_SORT_ARRIVAL},
        {"CC", MAILBOX_SORT_CC},
        {"DATE", MAILBOX_SORT_DATE},
        {"DISPLAYFROM", MAILBOX_SORT_DISPLAY_FROM},
        {"DISPLAYTO", MAILBOX_SORT_DISPLAY_TO},
        {"FROM", MAILBOX_SORT_FROM},
        {"RELEVANCY", MAILBOX_SORT_RELEVANCY}, // [RFC 6203] 4
        {"SIZE", MAILBOX_SORT_SIZE},
        {"SUBJECT", MAILBOX_SORT_SUBJECT},
        {"TO", MAILBOX_SORT_TO},
    };
    unsigned n = 0;
    if (!imap_expect(p, '('))
        return false;
    do {
        bool is_reverse = imap_accept_word(p, "REVERSE");
        if (is_reverse && !imap_space(p))
            return false;
        unsigned i = 0;
        while (i < G_N_ELEMENTS(keys) && !imap_accept_word(p, keys[i].name))
            i++;
        if (i == G_N_ELEMENTS(keys))
            return imap_fail(p, "Unknown sort key");
        if (n == MAILBOX_SORT_MAX)
            return imap_fail(p, "Too many sort keys");
        out[n++] = (struct mailbox_sort_column){keys[i].key, is_reverse};
    } while (imap_accept(p, ' '));
    *n_out = n;
    return imap_expect(p, ')');
}

static void put_plain(struct imap_cmd *c, const GArray *found, bool with_modseq) {
    struct imap_session *s = c->s;
    imap_puts(s, "* SORT");
    for (guint i = 0; i < found->len; i++) {
        char *out = imap_room(s, IMAP_NUMBER_SIZE + 1);
        *out++ = ' ';
        imap_advance(s, imap_put_u64(out, search_number_of(c, g_array_index(found, uint32_t, i))));
    }
    if (with_modseq && found->len)
        imap_printf(s, " (MODSEQ %" G_GUINT64_FORMAT ")",
                    search_highest_modseq(c, found, 0, found->len));
    imap_puts(s, "\r\n");
}

void cmd_sort(struct imap_cmd *c) {
    struct search_command command;
    struct mailbox_sort_column columns[MAILBOX_SORT_MAX];
    unsigned n;
    if (!search_return_parse(&c->args, &command.ret) || !sort_parse(&c->args, columns, &n) ||
        !imap_space(&c->args)) {
        imap_reply_bad_args(c);
        return;
    }
    bool saves = command.ret.what & RETURN_SAVE;
    struct imap_context_start start = {c->args.pos, columns, n};
    if (!search_command_parse(c, true, &command)) {
        if (saves && c->reply && strcmp(c->reply, "NO") == 0)
            search_save(c, NULL, &command.ret);
        return;
    }
    g_autoptr(GArray) found = NULL;
    enum ec ec = search_command_run(c, &command, &found);
    if (ec == EC_OK)
        ec = mailbox_sort(c->s->selected, c->s->view, columns, n, (uint32_t *)(void *)found->data,
                          found->len);
    // Before the result is saved: "$" among the keys is the one from before.
    if (ec == EC_OK && (command.ret.what & RETURN_UPDATE))
        imap_context_begin(c, &start, found);
    if (saves)
        search_save(c, ec == EC_OK ? found : NULL, &command.ret);
    if (ec == EC_OK) {
        if (command.ret.is_given)
            search_put_extended(c, found, &command.ret, command.program.has_modseq);
        else
            put_plain(c, found, command.program.has_modseq);
    }
    imap_reply_ec(c, ec);
}
