// Canonical forms of fields and bodies. A bare LF in a body counts as a line end, as CRLF does: no
// such line can have come by SMTP, and files of tests have them.
#include "policy/canon.h"

#include <openssl/evp.h>
#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// --- Fields ---

void canon_field(enum canon how, const char *bytes, size_t len, GString *out) {
    while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
        len--;
    if (how == CANON_SIMPLE) {
        for (size_t i = 0; i < len; i++) { // lines within end with CRLF
            if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
                g_string_append_c(out, '\r');
            g_string_append_c(out, bytes[i]);
        }
        g_string_append(out, "\r\n");
        return;
    }
    const char *colon = memchr(bytes, ':', len);
    size_t name = colon ? (size_t)(colon - bytes) : len, at = colon ? name + 1 : len;
    while (name > 0 && is_blank(bytes[name - 1]))
        name--;
    for (size_t i = 0; i < name; i++)
        g_string_append_c(out, g_ascii_tolower(bytes[i]));
    g_string_append_c(out, ':');
    bool has_space = false, is_first = true;
    for (; at < len; at++) {
        char c = bytes[at];
        if (is_blank(c) || c == '\r' || c == '\n') {
            has_space = true;
            continue;
        }
        if (has_space && !is_first)
            g_string_append_c(out, ' ');
        has_space = is_first = false;
        g_string_append_c(out, c);
    }
    g_string_append(out, "\r\n");
}

// --- Bodies ---

struct body_hash {
    EVP_MD_CTX *md;
    uint64_t limit, len; // bytes to hash, bytes seen
    uint64_t empty;      // lines without anything, held back: at the end they do not count
    char buffer[4096];
    size_t buffered;
};

static void put(struct body_hash *h, const char *bytes, size_t len) {
    uint64_t left = h->limit > h->len ? h->limit - h->len : 0;
    h->len += len;
    if (len > left)
        len = (size_t)left;
    if (len == 0)
        return;
    if (h->buffered + len > sizeof h->buffer) {
        EVP_DigestUpdate(h->md, h->buffer, h->buffered);
        h->buffered = 0;
    }
    if (len > sizeof h->buffer) {
        EVP_DigestUpdate(h->md, bytes, len);
        return;
    }
    memcpy(h->buffer + h->buffered, bytes, len);
    h->buffered += len;
}

static void put_relaxed(struct body_hash *h, const char *line, size_t len) {
    for (size_t i = 0; i < len;) {
        size_t start = i;
        if (is_blank(line[i])) {
            while (i < len && is_blank(line[i]))
                i++;
            put(h, " ", 1);
            continue;
        }
        while (i < len && !is_blank(line[i]))
            i++;
        put(h, line + start, i - start);
    }
}

static void put_line(struct body_hash *h, enum canon how, const char *line, size_t len) {
    if (how == CANON_RELAXED)
        while (len > 0 && is_blank(line[len - 1]))
            len--;
    if (len == 0) {
        h->empty++;
        return;
    }
    for (; h->empty > 0; h->empty--)
        put(h, "\r\n", 2);
    if (how == CANON_RELAXED)
        put_relaxed(h, line, len);
    else
        put(h, line, len);
    put(h, "\r\n", 2);
}

void canon_body_hash(enum canon how, const char *body, size_t len, uint64_t limit,
                     uint8_t hash[CANON_HASH_SIZE], uint64_t *len_out) {
    struct body_hash h = {.md = EVP_MD_CTX_new(), .limit = limit};
    EVP_DigestInit_ex(h.md, EVP_sha256(), NULL);
    for (const char *p = body, *end = body + len; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *line_end = newline ? newline : end;
        if (newline && line_end > p && line_end[-1] == '\r')
            line_end--;
        put_line(&h, how, p, (size_t)(line_end - p));
        p = newline ? newline + 1 : end;
    }
    if (h.len == 0 && how == CANON_SIMPLE) // an empty body is one line end ([RFC 6376] 3.4.3)
        put(&h, "\r\n", 2);
    EVP_DigestUpdate(h.md, h.buffer, h.buffered);
    EVP_DigestFinal_ex(h.md, hash, NULL);
    EVP_MD_CTX_free(h.md);
    *len_out = h.len;
}
