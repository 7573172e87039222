// SEARCH and UID SEARCH ([RFC 3501] 6.4.4, [RFC 9051] 6.4.4, [RFC 4731] ESEARCH, [RFC 5182]
// SEARCHRES, [RFC 7162] 3.1.5, [RFC 6203] FUZZY, [RFC 9394] PARTIAL).
#include <string.h>

#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_context.h"
#include "protocol/imap/imap_progress.h"
#include "protocol/imap/imap_write.h"
#include "protocol/imap/search_command.h"

// False: the parser failed, or the charset is not one we know.
static bool parse_charset(struct imap_cmd *c, bool is_bare, bool *known_out) {
    *known_out = true;
    if (!is_bare && !imap_accept_word(&c->args, "CHARSET"))
        return true;
    if (!is_bare && !imap_space(&c->args))
        return false;
    const char *name = imap_astring(&c->args, NULL);
    if (!name)
        return false;
    *known_out =
        g_ascii_strcasecmp(name, "UTF-8") == 0 || g_ascii_strcasecmp(name, "US-ASCII") == 0;
    return imap_space(&c->args);
}

bool search_command_parse(struct imap_cmd *c, bool charset_is_bare, struct search_command *out) {
    bool known_charset;
    if (!parse_charset(c, charset_is_bare, &known_charset)) {
        imap_reply_bad_args(c);
        return false;
    }
    if (!known_charset) {
        imap_reply(c, "NO", "[BADCHARSET (US-ASCII UTF-8)] Unknown charset");
        return false;
    }
    if (!search_parse(c, &out->program)) {
        imap_reply_bad_args(c);
        return false;
    }
    if (out->program.is_out_of_range) {
        imap_reply(c, "BAD", "Invalid message sequence number");
        return false;
    }
    return true;
}

enum ec search_command_run(struct imap_cmd *c, const struct search_command *command,
                           GArray **found_out) {
    struct imap_session *s = c->s;
    s->has_condstore = s->has_condstore || command->program.has_modseq;
    struct imap_progress progress = imap_progress_begin(c);
    return mailbox_search(s->selected, s->view, command->program.root, imap_progress_tick,
                          &progress, found_out);
}

static void put_plain(struct imap_cmd *c, const GArray *found, bool with_modseq) {
    struct imap_session *s = c->s;
    imap_puts(s, "* SEARCH");
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

void cmd_search(struct imap_cmd *c) {
    struct search_command command;
    if (!search_return_parse(&c->args, &command.ret)) {
        imap_reply_bad_args(c);
        return;
    }
    bool saves = command.ret.what & RETURN_SAVE;
    struct imap_context_start start = {.pos = c->args.pos};
    if (!search_command_parse(c, false, &command)) {
        if (saves && c->reply && strcmp(c->reply, "NO") == 0)
            search_save(c, NULL, &command.ret);
        return;
    }
    // [RFC 9051] 6.4.4: a client of IMAP4rev2 never gets SEARCH responses.
    if (!command.ret.is_given && c->s->is_rev2)
        command.ret = (struct search_return){.is_given = true, .what = RETURN_ALL};
    g_autoptr(GArray) found = NULL;
    enum ec ec = search_command_run(c, &command, &found);
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
