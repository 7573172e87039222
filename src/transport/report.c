// Non-delivery reports: multipart/report of a text for people, a part for programs and the message
// they are about ([RFC 3462], [RFC 3464], [RFC 3834]).
#include <string.h>

#include "base/clock.h"
#include "base/guid.h"
#include "base/text.h"
#include "formats/mime.h"
#include "transport/transport_internal.h"

// Header values of a message that somebody else wrote: one line, not too long.
static char *field(struct arena *arena, const struct mime_message *m, const char *name) {
    char *raw = mime_header_raw(arena, m, m->root, name);
    if (!raw || strlen(raw) > 900)
        return NULL;
    for (char *c = raw; *c; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' ';
    return raw;
}

static void put_header(GString *out, const char *domain, const char *to, const char *boundary,
                       struct arena *arena, const struct mime_message *m, bool is_utf8) {
    struct guid guid = guid_new();
    char id[GUID_STRING_SIZE];
    guid_format(&guid, id);
    mime_put_date(out, "Date", filetime_to_unix(clock_now()), 0);
    g_string_append_printf(out, "From: Mail Delivery System <postmaster@%s>\r\nTo: <%s>\r\n",
                           domain, to);
    const char *subject = mime_header_text(arena, m, m->root, "Subject", NULL);
    mime_put_header(out, "Subject",
                    arena_printf(arena, "Undeliverable: %.400s", subject ? subject : ""));
    g_string_append_printf(out, "Message-ID: <%s@%s>\r\n", id, domain);
    const char *original = field(arena, m, "Message-ID");
    if (original)
        g_string_append_printf(out, "In-Reply-To: %s\r\nReferences: %s\r\n", original, original);
    g_string_append_printf(out,
                           "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                           "Content-Type: multipart/report; report-type=%s;\r\n"
                           "\tboundary=\"%s\"\r\n\r\n",
                           is_utf8 ? "global-delivery-status" : "delivery-status", boundary);
}

static void put_text(GString *out, const char *boundary, const char *hostname,
                     const struct report_failure *failures, unsigned n) {
    g_string_append_printf(out,
                           "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                           boundary);
    g_autoptr(GString) text = g_string_new("Your message could not be delivered to:\r\n\r\n");
    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(text, "  <%s>: %s (%s)\r\n", failures[i].recipient,
                               failures[i].outcome.text, failures[i].outcome.status);
    g_string_append_printf(text,
                           "\r\nIt will not be tried again. Please check the addresses; what was"
                           " sent is attached.\r\n\r\nThis report was made by %s.\r\n",
                           hostname);
    mime_put_quoted_printable(out, text->str, text->len);
}

static const char *address_type(const char *address) {
    return text_is_ascii(address, strlen(address)) ? "rfc822" : "utf-8";
}

static void put_status(GString *out, const char *boundary, const char *hostname,
                       const struct queue_envelope *envelope, const char *queue_id,
                       filetime_t arrived, const struct report_failure *failures, unsigned n,
                       bool is_utf8) {
    g_string_append_printf(out, "\r\n--%s\r\nContent-Type: message/%s\r\n%s\r\n", boundary,
                           is_utf8 ? "global-delivery-status" : "delivery-status",
                           is_utf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "");
    g_string_append_printf(out, "Reporting-MTA: dns; %s\r\n", hostname);
    if (envelope->envid)
        g_string_append_printf(out, "Original-Envelope-Id: %s\r\n", envelope->envid);
    if (envelope->helo)
        g_string_append_printf(out, "Received-From-MTA: dns; %s\r\n", envelope->helo);
    mime_put_date(out, "Arrival-Date", filetime_to_unix(arrived), 0);
    g_string_append_printf(out, "X-Queue-Id: %s\r\n", queue_id);
    for (unsigned i = 0; i < n; i++) {
        const struct report_failure *f = &failures[i];
        g_string_append(out, "\r\n");
        if (f->orcpt)
            g_string_append_printf(out, "Original-Recipient: %s\r\n", f->orcpt);
        g_string_append_printf(out,
                               "Final-Recipient: %s; %s\r\nAction: failed\r\nStatus: %s\r\n"
                               "Diagnostic-Code: X-Bourse; %s\r\n",
                               address_type(f->recipient), f->recipient, f->outcome.status,
                               f->outcome.text);
    }
}

static void put_original(GString *out, const char *boundary, const struct mime_message *m) {
    bool is_full = m->len <= TRANSPORT_REPORT_FULL_MAX;
    size_t len = is_full ? m->len : MIN(m->root->header.len, TRANSPORT_REPORT_FULL_MAX);
    const char *data = (const char *)m->data;
    g_string_append_printf(out, "\r\n--%s\r\nContent-Type: %s\r\n", boundary,
                           is_full ? "message/rfc822" : "text/rfc822-headers");
    if (!text_is_ascii(data, len))
        g_string_append(out, "Content-Transfer-Encoding: 8bit\r\n");
    g_string_append(out, "\r\n");
    g_string_append_len(out, data, (gssize)len);
    g_string_append_printf(out, "\r\n--%s--\r\n", boundary);
}

GString *report_make(const char *hostname, const char *domain,
                     const struct queue_envelope *envelope, const char *queue_id,
                     filetime_t arrived, GBytes *original, const struct report_failure *failures,
                     unsigned n) {
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(original, &len);
    struct mime_message *m = mime_scan(arena, data ? data : "", len);
    const char *boundary = mime_new_boundary(arena);
    bool is_utf8 = false;
    for (unsigned i = 0; i < n; i++)
        is_utf8 |= strcmp(address_type(failures[i].recipient), "utf-8") == 0;
    GString *out = g_string_new(NULL);
    put_header(out, domain ? domain : hostname, envelope->sender, boundary, arena, m, is_utf8);
    put_text(out, boundary, hostname, failures, n);
    put_status(out, boundary, hostname, envelope, queue_id, arrived, failures, n, is_utf8);
    put_original(out, boundary, m);
    return out;
}
