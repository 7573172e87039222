// CAPABILITY, ID, ENABLE, NAMESPACE, NOOP, CHECK, LOGOUT: commands about the connection itself
// ([RFC 3501] 6.1, [RFC 2971], [RFC 5161], [RFC 2342]).
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"

#define MAX_ID_PAIRS 30

// What is about adding, decoding, compressing, rights and progress.
static void put_more(struct imap_session *s) {
    imap_puts(s, " MULTIAPPEND CATENATE REPLACE BINARY UIDONLY UTF8=ACCEPT INPROGRESS ACL"
                 " RIGHTS=kxte");
    if (s->conn && !net_conn_is_deflate(s->conn))
        imap_puts(s, " COMPRESS=DEFLATE");
    if (mailbox_principal(s->mailbox)->is_admin)
        imap_puts(s, " QUOTASET");
}

void imap_put_capabilities(struct imap_session *s) {
    imap_puts(s, "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE");
    if (s->state != IMAP_NOT_AUTHENTICATED) {
        // What is about searching, lists, ids, metadata and news.
        imap_puts(s, " MULTISEARCH SEARCHRES PARTIAL SORT SORT=DISPLAY ESORT THREAD=REFERENCES"
                     " THREAD=ORDEREDSUBJECT OBJECTID SAVEDATE PREVIEW"
                     " METADATA CREATE-SPECIAL-USE CONTEXT=SEARCH CONTEXT=SORT NOTIFY"
                     " LIST-MYRIGHTS LIST-METADATA");
        imap_puts(
            s, " UIDPLUS MOVE UNSELECT CHILDREN SPECIAL-USE LIST-EXTENDED LIST-STATUS"
               " STATUS=SIZE CONDSTORE QRESYNC ESEARCH SEARCH=FUZZY WITHIN QUOTA QUOTA=RES-STORAGE "
               "QUOTA=RES-MESSAGE");
        put_more(s);
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

static void enable_condstore(struct imap_session *s) {
    s->has_condstore = true;
}

static void enable_qresync(struct imap_session *s) {
    s->has_qresync = s->has_condstore = true;
}

static void enable_uid_only(struct imap_session *s) {
    s->is_uid_only = true;
}

static void enable_utf8(struct imap_session *s) {
    s->is_utf8 = true;
}

static void enable_rev2(struct imap_session *s) {
    s->is_rev2 = s->is_utf8 = true;
}

static const struct {
    const char *name;
    void (*enable)(struct imap_session *s);
} extensions[] = {
    {"CONDSTORE", enable_condstore}, {"QRESYNC", enable_qresync}, {"UIDONLY", enable_uid_only},
    {"UTF8=ACCEPT", enable_utf8},    {"IMAP4rev2", enable_rev2},
};

void cmd_enable(struct imap_cmd *c) {
    unsigned enabled = 0;
    do {
        const char *name = imap_atom(&c->args);
        for (unsigned i = 0; name && i < G_N_ELEMENTS(extensions); i++)
            if (g_ascii_strcasecmp(name, extensions[i].name) == 0)
                enabled |= 1u << i;
    } while (imap_accept(&c->args, ' '));
    if (!imap_arg_end(c))
        return;
    imap_puts(c->s, "* ENABLED");
    for (unsigned i = 0; i < G_N_ELEMENTS(extensions); i++)
        if (enabled & 1u << i) {
            extensions[i].enable(c->s);
            imap_printf(c->s, " %s", extensions[i].name);
        }
    imap_puts(c->s, "\r\n");
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
