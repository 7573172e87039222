// CAPABILITY, ID, ENABLE, NAMESPACE, NOOP, CHECK, LOGOUT: commands about the connection itself
// ([RFC 3501] 6.1, [RFC 2971], [RFC 5161], [RFC 2342]).
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"

#define MAX_ID_PAIRS 30

void imap_put_capabilities(struct imap_session *s) {
    imap_puts(s, "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE");
    if (s->state != IMAP_NOT_AUTHENTICATED) {
        // What is about searching, lists, ids, metadata and news.
        imap_puts(s, " SEARCHRES PARTIAL SORT SORT=DISPLAY ESORT THREAD=REFERENCES"
                     " THREAD=ORDEREDSUBJECT I18NLEVEL=1 OBJECTID SAVEDATE PREVIEW"
                     " METADATA CREATE-SPECIAL-USE CONTEXT=SEARCH CONTEXT=SORT NOTIFY");
        imap_puts(
            s, " UIDPLUS MOVE UNSELECT CHILDREN SPECIAL-USE LIST-EXTENDED LIST-STATUS"
               " STATUS=SIZE CONDSTORE QRESYNC ESEARCH SEARCH=FUZZY WITHIN QUOTA QUOTA=RES-STORAGE "
               "QUOTA=RES-MESSAGE");
        imap_printf(s, " APPENDLIMIT=%" G_GUINT64_FORMAT,
                    s->service->max_message ? s->service->max_message : (uint64_t)IMAP_MAX_MESSAGE);
        return;
    }
    if (s->service->has_starttls && !imap_is_tls(s))
        imap_puts(s, " STARTTLS");
    if (!imap_may_login(s)) {
        imap_puts(s, " LOGINDISABLED");
        return;
    }
    struct auth_peer peer = imap_peer(s);
    g_auto(GStrv) mechanisms = g_strsplit(sasl_mechanisms(s->service->auth, &peer), " ", -1);
    for (char **m = mechanisms; *m; m++)
        if (**m)
            imap_printf(s, " AUTH=%s", *m);
}

void cmd_capability(struct imap_cmd *c) {
    imap_puts(c->s, "* CAPABILITY ");
    imap_put_capabilities(c->s);
    imap_puts(c->s, "\r\n");
    imap_reply_ok(c);
}

// The client's fields are read for their syntax alone.
void cmd_id(struct imap_cmd *c) {
    struct imap_parser *p = &c->args;
    if (!imap_accept_word(p, "NIL") && imap_expect(p, '(')) {
        unsigned n = 0;
        while (imap_ok(p) && !imap_accept(p, ')')) {
            if (n > 0)
                imap_space(p);
            if (n++ >= 2 * MAX_ID_PAIRS)
                imap_fail(p, "Too many fields");
            imap_nstring(p);
        }
    }
    if (!imap_arg_end(c))
        return;
    imap_puts(c->s, "* ID (\"name\" \"Bourse\" \"version\" \"" BOURSE_VERSION "\")\r\n");
    imap_reply_ok(c);
}

void cmd_enable(struct imap_cmd *c) {
    bool condstore = false, qresync = false, rev2 = false;
    do {
        const char *name = imap_atom(&c->args);
        condstore = condstore || (name && g_ascii_strcasecmp(name, "CONDSTORE") == 0);
        qresync = qresync || (name && g_ascii_strcasecmp(name, "QRESYNC") == 0);
        rev2 = rev2 || (name && g_ascii_strcasecmp(name, "IMAP4rev2") == 0);
    } while (imap_accept(&c->args, ' '));
    if (!imap_arg_end(c))
        return;
    imap_printf(c->s, "* ENABLED%s%s%s\r\n", condstore ? " CONDSTORE" : "",
                qresync ? " QRESYNC" : "", rev2 ? " IMAP4rev2" : "");
    c->s->is_rev2 = c->s->is_rev2 || rev2;
    c->s->is_utf8 = c->s->is_utf8 || rev2;
    c->s->has_qresync = c->s->has_qresync || qresync;
    c->s->has_condstore = c->s->has_condstore || condstore || qresync;
    imap_reply_ok(c);
}

void cmd_namespace(struct imap_cmd *c) {
    imap_puts(c->s, "* NAMESPACE ((\"\" \"/\")) ((\"" MAILBOX_OTHER_USERS
                    "/\" \"/\")) ((\"" MAILBOX_PUBLIC_FOLDERS "/\" \"/\"))\r\n");
    imap_reply_ok(c);
}

void cmd_noop(struct imap_cmd *c) {
    imap_reply_ok(c);
}

void cmd_check(struct imap_cmd *c) {
    imap_reply_ok(c);
}

void cmd_logout(struct imap_cmd *c) {
    imap_puts(c->s, "* BYE Logging out\r\n");
    imap_deselect(c->s);
    c->s->state = IMAP_LOGOUT;
    c->next = NET_CLOSE;
    imap_reply_ok(c);
}
