// Parts of messages by IMAP URL: "/INBOX;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2"
// ([RFC 4469] 3, [RFC 5092]). Relative to this server and user, or to the selected mailbox
// (";UID=20"); an absolute URL has to name both.
#include <string.h>

#include "protocol/imap/append_args.h"
#include "protocol/imap/fetch.h"

struct message_url {
    const char *mailbox; // NULL: the selected one
    uint32_t uid_validity, uid;
    const char *section; // "" the message
    bool has_partial;
    uint64_t offset, length; // 0: to the end
};

// --- Parsing ---

static char *unescape(struct arena *arena, const char *text, size_t len) {
    char *out = arena_alloc(arena, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= len || !g_ascii_isxdigit(text[i + 1]) || !g_ascii_isxdigit(text[i + 2]))
                return NULL;
            c = (char)(g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2]));
            i += 2;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return NULL;
        out[n++] = c;
    }
    out[n] = 0;
    return g_utf8_validate(out, -1, NULL) ? out : NULL;
}

// "imap://user;AUTH=*@host:143": who and where have to be this session's.
static bool is_own_server(struct imap_cmd *c, const char *authority, size_t len) {
    char *text = unescape(c->arena, authority, len);
    if (!text)
        return false;
    char *host = strrchr(text, '@');
    if (host) {
        *host++ = 0;
        text[strcspn(text, ";")] = 0;
        if (*text && g_ascii_strcasecmp(text, mailbox_principal(c->s->mailbox)->address) != 0)
            return false;
    } else {
        host = text;
    }
    host[strcspn(host, ":")] = 0;
    return g_ascii_strcasecmp(host, c->s->service->hostname) == 0;
}

static bool parse_number(const char **at, uint64_t max, uint64_t *out) {
    uint64_t n = 0;
    const char *p = *at;
    if (!g_ascii_isdigit(*p))
        return false;
    for (; g_ascii_isdigit(*p); p++) {
        n = n * 10 + (uint64_t)(*p - '0');
        if (n > max)
            return false;
    }
    *at = p;
    *out = n;
    return true;
}

static bool accept_text(const char **at, const char *text) {
    size_t len = strlen(text);
    if (g_ascii_strncasecmp(*at, text, len) != 0)
        return false;
    *at += len;
    return true;
}

// "/;SECTION=1.2/;PARTIAL=0.1024", either may be missing.
static bool parse_details(struct imap_cmd *c, const char *at, struct message_url *out) {
    out->section = "";
    if (accept_text(&at, "/;SECTION=")) {
        const char *end = at;
        while (*end && g_ascii_strncasecmp(end, "/;", 2) != 0)
            end++;
        out->section = unescape(c->arena, at, (size_t)(end - at));
        if (!out->section || !*out->section)
            return false;
        at = end;
    }
    if (accept_text(&at, "/;PARTIAL=")) {
        out->has_partial = true;
        if (!parse_number(&at, INT64_MAX / 16, &out->offset))
            return false;
        if (accept_text(&at, ".") &&
            (!parse_number(&at, INT64_MAX / 16, &out->length) || out->length == 0))
            return false;
    }
    return *at == 0;
}

static bool parse_url(struct imap_cmd *c, const char *url, struct message_url *out) {
    *out = (struct message_url){0};
    const char *at = url;
    uint64_t n;
    if (accept_text(&at, "imap://")) {
        size_t len = strcspn(at, "/");
        if (!is_own_server(c, at, len))
            return false;
        at += len;
    }
    if (*at == ';') {
        if (at != url || !c->s->view)
            return false;
    } else {
        if (!accept_text(&at, "/"))
            return false;
        const char *end = at; // of the mailbox's name
        while (*end && *end != ';')
            end++;
        bool has_validity = *end == ';' && g_ascii_strncasecmp(end, ";UIDVALIDITY=", 13) == 0;
        if (!has_validity && (end == at || end[-1] != '/'))
            return false;
        out->mailbox = unescape(c->arena, at, (size_t)(end - at) - !has_validity);
        if (!out->mailbox || !*out->mailbox)
            return false;
        at = end;
        if (has_validity) {
            accept_text(&at, ";UIDVALIDITY=");
            if (!parse_number(&at, UINT32_MAX, &n) || n == 0 || !accept_text(&at, "/"))
                return false;
            out->uid_validity = (uint32_t)n;
        }
    }
    if (!accept_text(&at, ";UID=") || !parse_number(&at, UINT32_MAX, &n) || n == 0)
        return false;
    out->uid = (uint32_t)n;
    return parse_details(c, at, out);
}

// --- Reading ---

static enum ec parse_section(struct imap_cmd *c, const char *section, struct fetch_section *out) {
    const char *text = arena_printf(c->arena, "BODY.PEEK[%s]", section);
    struct imap_parser p = {.arena = c->arena, .data = text, .len = strlen(text)};
    struct fetch_items items;
    if (!fetch_parse(&p, &items) || !imap_end(&p) || items.n != 1 ||
        items.items[0].kind != FETCH_SECTION)
        return EC_INVALID_PARAMETER;
    *out = items.items[0].section;
    return EC_OK;
}

static enum ec read_section(struct imap_cmd *c, struct mailbox *m, uint64_t fid,
                            const struct message_row *row, const struct message_url *url,
                            GBytes **out) {
    struct fetch_section section;
    EC_TRY(parse_section(c, url->section, &section));
    ARENA_AUTO arena = arena_new();
    struct fetch_message message = {.s = c->s, .row = row, .arena = arena};
    EC_TRY(mailbox_reader_open(m, fid, &message.reader));
    g_autoptr(GBytes) bytes = NULL;
    size_t pos = 0, len = 0;
    enum ec ec = fetch_read_section(&message, &section, &bytes, &pos, &len);
    fetch_message_clear(&message);
    mailbox_reader_close(message.reader);
    EC_TRY(ec);
    if (!bytes)
        return EC_NOT_FOUND; // no such part
    if (url->has_partial) {
        uint64_t skip = MIN(url->offset, len);
        pos += skip;
        len -= skip;
        len = url->length ? MIN(len, url->length) : len;
    }
    *out = g_bytes_new_from_bytes(bytes, pos, len);
    return EC_OK;
}

static enum ec find_row(struct imap_cmd *c, const struct message_url *url, struct mailbox **m_out,
                        struct mailbox_view **view_out) {
    struct imap_session *s = c->s;
    if (!url->mailbox) {
        *m_out = s->selected;
        return mailbox_view_refresh(s->selected, s->view, view_out);
    }
    struct mailbox_folder folder;
    EC_TRY(mailbox_set_find(s->mailboxes, c->arena, imap_canonical_name(c->arena, url->mailbox),
                            m_out, &folder));
    return mailbox_view_open(*m_out, folder.fid, view_out);
}

enum ec catenate_read_url(struct imap_cmd *c, const char *url, GBytes **out) {
    struct message_url parsed;
    struct mailbox *m;
    struct mailbox_view *view;
    if (!parse_url(c, url, &parsed))
        return EC_INVALID_PARAMETER;
    EC_TRY(find_row(c, &parsed, &m, &view));
    enum ec ec = EC_NOT_FOUND;
    uint32_t i = mailbox_view_find_uid(view, parsed.uid);
    const struct message_row *row = i < mailbox_view_count(view) ? mailbox_view_row(view, i) : NULL;
    if (row && row->uid == parsed.uid &&
        (!parsed.uid_validity || parsed.uid_validity == mailbox_view_uid_validity(view)))
        ec = read_section(c, m, mailbox_view_fid(view), row, &parsed, out);
    mailbox_view_free(view);
    return ec;
}
