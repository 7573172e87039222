// SEARCH and UID SEARCH ([RFC 3501] 6.4.4, [RFC 4731] ESEARCH, [RFC 7162] 3.1.5,
// [RFC 6203] FUZZY).
#include <string.h>

#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_progress.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_write.h"
#include "protocol/imap/search_parse.h"

enum {
    RETURN_MIN = 1,
    RETURN_MAX = 2,
    RETURN_ALL = 4,
    RETURN_COUNT = 8,
    RETURN_RELEVANCY = 16,
};

// "RETURN (MIN COUNT)"; 0 when there is none, ALL for the empty list.
static bool parse_return(struct imap_parser *p, unsigned *out) {
    static const char *const names[] = {"MIN", "MAX", "ALL", "COUNT", "RELEVANCY"};
    *out = 0;
    if (!imap_accept_word(p, "RETURN"))
        return true;
    if (!imap_space(p) || !imap_expect(p, '('))
        return false;
    while (!imap_accept(p, ')')) {
        unsigned i = 0;
        while (i < G_N_ELEMENTS(names) && !imap_accept_word(p, names[i]))
            i++;
        if (i == G_N_ELEMENTS(names))
            return imap_fail(p, "Unknown search result option");
        *out |= 1u << i;
        imap_accept(p, ' ');
    }
    if (*out == 0)
        *out = RETURN_ALL;
    return imap_space(p);
}

// False: the charset is not one we know, or the parser failed.
static bool parse_charset(struct imap_cmd *c, bool *known_out) {
    *known_out = true;
    if (!imap_accept_word(&c->args, "CHARSET"))
        return true;
    if (!imap_space(&c->args))
        return false;
    const char *name = imap_astring(&c->args, NULL);
    if (!name)
        return false;
    *known_out =
        g_ascii_strcasecmp(name, "UTF-8") == 0 || g_ascii_strcasecmp(name, "US-ASCII") == 0;
    return imap_space(&c->args);
}

static uint32_t number_of(const struct imap_cmd *c, uint32_t index) {
    return c->is_uid ? mailbox_view_row(c->s->view, index)->uid : index + 1;
}

static uint64_t highest_modseq(const struct imap_cmd *c, const GArray *found) {
    uint64_t highest = 0;
    for (guint i = 0; i < found->len; i++) {
        uint32_t index = g_array_index(found, uint32_t, i);
        highest = MAX(highest, mailbox_view_row(c->s->view, index)->modseq);
    }
    return highest;
}

static void put_plain(struct imap_cmd *c, const GArray *found, bool with_modseq) {
    struct imap_session *s = c->s;
    imap_puts(s, "* SEARCH");
    for (guint i = 0; i < found->len; i++) {
        char *out = imap_room(s, IMAP_NUMBER_SIZE + 1);
        *out++ = ' ';
        imap_advance(s, imap_put_u64(out, number_of(c, g_array_index(found, uint32_t, i))));
    }
    if (with_modseq && found->len)
        imap_printf(s, " (MODSEQ %" G_GUINT64_FORMAT ")", highest_modseq(c, found));
    imap_puts(s, "\r\n");
}

static void put_extended(struct imap_cmd *c, const GArray *found, unsigned what, bool with_modseq) {
    struct imap_session *s = c->s;
    imap_puts(s, "* ESEARCH (TAG ");
    imap_put_string(s, c->tag);
    imap_puts(s, c->is_uid ? ") UID" : ")");
    guint n = found->len;
    if (n && (what & RETURN_MIN))
        imap_printf(s, " MIN %u", number_of(c, g_array_index(found, uint32_t, 0)));
    if (n && (what & RETURN_MAX))
        imap_printf(s, " MAX %u", number_of(c, g_array_index(found, uint32_t, n - 1)));
    if (n && (what & RETURN_ALL)) {
        uint32_t *numbers = g_new(uint32_t, n);
        for (guint i = 0; i < n; i++)
            numbers[i] = number_of(c, g_array_index(found, uint32_t, i));
        imap_puts(s, " ALL ");
        imap_append_set(s->out, numbers, n);
        g_free(numbers);
    }
    if (what & RETURN_COUNT)
        imap_printf(s, " COUNT %u", n);
    if (n && (what & RETURN_RELEVANCY)) {
        // A message has the words or not: no match is better than another.
        imap_puts(s, " RELEVANCY (");
        for (guint i = 0; i < n; i++)
            imap_puts(s, i ? " 100" : "100");
        imap_puts(s, ")");
    }
    if (with_modseq && n)
        imap_printf(s, " MODSEQ %" G_GUINT64_FORMAT, highest_modseq(c, found));
    imap_puts(s, "\r\n");
}

void cmd_search(struct imap_cmd *c) {
    unsigned returns;
    bool known_charset;
    struct search_program program;
    if (!parse_return(&c->args, &returns) || !parse_charset(c, &known_charset)) {
        imap_reply_bad_args(c);
        return;
    }
    if (!known_charset) {
        imap_reply(c, "NO", "[BADCHARSET (US-ASCII UTF-8)] Unknown charset");
        return;
    }
    if (!search_parse(c, &program)) {
        imap_reply_bad_args(c);
        return;
    }
    if (program.is_out_of_range) {
        imap_reply(c, "BAD", "Invalid message sequence number");
        return;
    }
    c->s->has_condstore = c->s->has_condstore || program.has_modseq;
    g_autoptr(GArray) found = NULL;
    struct imap_progress progress = imap_progress_begin(c);
    enum ec ec = mailbox_search(c->s->selected, c->s->view, program.root, imap_progress_tick,
                                &progress, &found);
    if (ec == EC_OK) {
        if (returns)
            put_extended(c, found, returns, program.has_modseq);
        else
            put_plain(c, found, program.has_modseq);
    }
    imap_reply_ec(c, ec);
}
