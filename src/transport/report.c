// Delivery status notifications: multipart/report of a text for people, a part for programs and
// the message they are about ([RFC 3462], [RFC 3464], [RFC 3834], [RFC 6533]).
#include "transport/report.h"

#include <string.h>

#include "base/clock.h"
#include "base/guid.h"
#include "base/text.h"
#include "formats/mime.h"
#include "transport/limits.h"

// What each kind says.
static const struct {
    const char *action, *subject, *intro, *outro;
} kinds[] = {
    [REPORT_FAILED] = {"failed", "Undeliverable", "Your message could not be delivered to:",
                       "It will not be tried again. What you sent is attached."},
    [REPORT_DELAYED] = {"delayed", "Delivery delayed",
                        "Your message could not be delivered yet to:",
                        "You do not need to do anything: it is tried again by itself."},
    [REPORT_DELIVERED] = {"delivered", "Delivered", "Your message was delivered to:", ""},
    [REPORT_RELAYED] = {"relayed", "Relayed", "Your message was handed on towards:",
                        "The server there sends no reports, so that nothing more will be told of "
                        "it."},
    [REPORT_EXPANDED] = {"expanded", "Expanded", "Your message was passed on to the members of:",
                         "Of the members themselves nothing will be told."},
};

// What somebody can do about a failure, by the start of its status.
static const struct {
    const char *status, *advice;
} advices[] = {
    {"5.1.1", "Check how the address is spelled, or ask the recipient for the right one."},
    {"5.1.2", "Check what stands after the @: no such domain takes mail."},
    {"5.1.10", "Check what stands after the @: this domain takes no mail."},
    {"5.1", "Check how the address is spelled, or ask the recipient for the right one."},
    {"5.2.2", "The recipient has to make room first; send it again later."},
    {"5.2.3", "Send a smaller message, or put the files where the recipient can fetch them."},
    {"5.2", "Tell the recipient by other means that the mailbox takes no mail."},
    {"5.3.4", "Send a smaller message, or put the files where the recipient can fetch them."},
    {"5.4.6", "The recipient's mail is forwarded in a circle; tell them or your administrator."},
    {"5.4.7", "Send it again later; if that fails too, tell your administrator."},
    {"5.4", "Check what stands after the @; if it is right, tell your administrator."},
    {"5.7.1", "The recipient does not take this mail from you; ask them by other means."},
    {"5.7", "The other side refused the message for its security; tell your administrator."},
    {"5.6", "Send it in another form, for instance as plain text."},
    {"", "Send this report to your administrator, who can read the details."},
};

static const char *advice_for(const char *status) {
    unsigned i = 0;
    while (!g_str_has_prefix(status, advices[i].status) ||
           (*advices[i].status && g_ascii_isdigit(status[strlen(advices[i].status)])))
        i++;
    return advices[i].advice;
}

// --- What somebody else wrote, made harmless ---

// One line, not too long.
static char *one_line(struct arena *arena, const char *s) {
    char *out = arena_strndup(arena, s, strnlen(s, TRANSPORT_REPORT_FIELD_MAX));
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    return text_clean(arena, out, strlen(out), NULL);
}

static char *field(struct arena *arena, const struct mime_message *m, const char *name) {
    char *raw = mime_header_raw(arena, m, m->root, name);
    return raw && strlen(raw) <= TRANSPORT_REPORT_FIELD_MAX && text_is_ascii(raw, strlen(raw))
               ? one_line(arena, raw)
               : NULL;
}

static bool is_ascii(const char *s) {
    return text_is_ascii(s, strlen(s));
}

// --- The header and the text for people ---

struct making {
    struct arena *arena;
    enum report_action action;
    const struct report_about *about;
    const struct report_recipient *recipients;
    unsigned n;
    const struct mime_message *m; // the original
    const char *boundary;
    bool is_utf8;
    GString *out;
};

static void put_header(struct making *w) {
    const struct report_about *about = w->about;
    const char *domain = about->domain ? about->domain : about->hostname;
    struct guid guid = guid_new();
    char id[GUID_STRING_SIZE];
    guid_format(&guid, id);
    mime_put_date(w->out, "Date", filetime_to_unix(clock_now()), 0);
    g_string_append_printf(w->out, "From: Mail Delivery System <postmaster@%s>\r\nTo: <%s>\r\n",
                           domain, about->envelope->sender);
    const char *subject = mime_header_text(w->arena, w->m, w->m->root, "Subject", NULL);
    subject = one_line(w->arena, subject ? subject : "");
    mime_put_header(w->out, "Subject",
                    arena_printf(w->arena, "%s: %.400s", kinds[w->action].subject, subject));
    g_string_append_printf(w->out, "Message-ID: <%s@%s>\r\n", id, domain);
    const char *original = field(w->arena, w->m, "Message-ID");
    if (original)
        g_string_append_printf(w->out, "In-Reply-To: %s\r\nReferences: %s\r\n", original, original);
    // So that Outlook shows it in the conversation that it is about.
    static const char *const copied[] = {"Thread-Topic", "Thread-Index"};
    for (unsigned i = 0; i < G_N_ELEMENTS(copied); i++) {
        const char *value = field(w->arena, w->m, copied[i]);
        if (value)
            g_string_append_printf(w->out, "%s: %s\r\n", copied[i], value);
    }
    g_string_append_printf(w->out,
                           "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                           "Content-Type: multipart/report; report-type=%s;\r\n"
                           "\tboundary=\"%s\"\r\n\r\n",
                           w->is_utf8 ? "global-delivery-status" : "delivery-status", w->boundary);
}

static void put_person_line(struct making *w, GString *text, const struct report_recipient *r) {
    g_string_append_printf(text, "  <%s>\r\n", r->address);
    if (w->action != REPORT_FAILED && w->action != REPORT_DELAYED)
        return;
    g_string_append_printf(text, "    %s (%s)\r\n", one_line(w->arena, r->text), r->status);
    if (r->remote)
        g_string_append_printf(text, "    %s said: %s\r\n", one_line(w->arena, r->remote),
                               r->diagnostic ? one_line(w->arena, r->diagnostic) : "nothing more");
    if (w->action == REPORT_FAILED)
        g_string_append_printf(text, "    %s\r\n", advice_for(r->status));
    if (w->action == REPORT_DELAYED && r->retry_until) {
        g_autoptr(GDateTime) until =
            g_date_time_new_from_unix_utc(filetime_to_unix(r->retry_until));
        g_autofree char *when = until ? g_date_time_format(until, "%Y-%m-%d %H:%M") : NULL;
        if (when)
            g_string_append_printf(text, "    It is tried until %s (UTC).\r\n", when);
    }
    g_string_append(text, "\r\n");
}

static void put_text(struct making *w) {
    g_string_append_printf(w->out,
                           "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                           w->boundary);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s\r\n\r\n", kinds[w->action].intro);
    for (unsigned i = 0; i < w->n; i++)
        put_person_line(w, text, &w->recipients[i]);
    const char *outro = kinds[w->action].outro;
    g_string_append_printf(text, "%s%s\r\nThis report was made by %s.\r\n", outro,
                           *outro ? "\r\n" : "", w->about->hostname);
    mime_put_quoted_printable(w->out, text->str, text->len);
}

// --- The part for programs ---

// "rfc822; a@b", or for an address beyond ASCII one of the forms of [RFC 6533] 3.
static void put_address(struct making *w, const char *name, const char *address) {
    g_string_append_printf(w->out, "%s: ", name);
    if (is_ascii(address)) {
        g_string_append_printf(w->out, "rfc822; %s\r\n", one_line(w->arena, address));
        return;
    }
    address = one_line(w->arena, address);
    g_string_append(w->out, "utf-8; ");
    for (const char *p = address; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (!w->is_utf8 && (c >= 0x80 || c == '\\' || c == '+' || c == '='))
            g_string_append_printf(w->out, "\\x{%02X}", c);
        else
            g_string_append_unichar(w->out, c);
    }
    g_string_append(w->out, "\r\n");
}

// What came as xtext ([RFC 3461] 4): "+2B" is a plus sign. What is no xtext stays as it is.
static char *from_xtext(struct arena *arena, const char *s) {
    char *out = arena_alloc(arena, strlen(s) + 1), *to = out;
    for (; *s; s++) {
        bool is_hex = *s == '+' && g_ascii_isxdigit(s[1]) && g_ascii_isxdigit(s[2]);
        *to++ = is_hex ? (char)(g_ascii_xdigit_value(s[1]) * 16 + g_ascii_xdigit_value(s[2])) : *s;
        s += is_hex ? 2 : 0;
    }
    *to = '\0';
    return one_line(arena, out);
}

static void put_original_recipient(struct making *w, const char *orcpt) {
    const char *semicolon = strchr(orcpt, ';');
    if (!semicolon)
        return; // it has no type, and the field needs one
    const char *address = from_xtext(w->arena, semicolon + 1);
    if (!is_ascii(address))
        put_address(w, "Original-Recipient", address);
    else
        g_string_append_printf(w->out, "Original-Recipient: %.*s;%s\r\n", (int)(semicolon - orcpt),
                               one_line(w->arena, orcpt), address);
}

static void put_recipient(struct making *w, const struct report_recipient *r) {
    g_string_append(w->out, "\r\n");
    if (r->orcpt)
        put_original_recipient(w, r->orcpt);
    put_address(w, "Final-Recipient", r->address);
    g_string_append_printf(w->out, "Action: %s\r\nStatus: %s\r\n", kinds[w->action].action,
                           r->status);
    if (r->remote)
        g_string_append_printf(w->out, "Remote-MTA: dns; %s\r\n", one_line(w->arena, r->remote));
    if (r->diagnostic)
        g_string_append_printf(w->out, "Diagnostic-Code: smtp; %s\r\n",
                               one_line(w->arena, r->diagnostic));
    else if (w->action == REPORT_FAILED || w->action == REPORT_DELAYED)
        g_string_append_printf(w->out, "Diagnostic-Code: X-Bourse; %s\r\n",
                               one_line(w->arena, r->text));
    if (r->last_attempt)
        mime_put_date(w->out, "Last-Attempt-Date", filetime_to_unix(r->last_attempt), 0);
    if (r->retry_until && w->action == REPORT_DELAYED)
        mime_put_date(w->out, "Will-Retry-Until", filetime_to_unix(r->retry_until), 0);
}

static void put_status(struct making *w) {
    const struct report_about *about = w->about;
    g_string_append_printf(w->out, "\r\n--%s\r\nContent-Type: message/%s\r\n%s\r\n", w->boundary,
                           w->is_utf8 ? "global-delivery-status" : "delivery-status",
                           w->is_utf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "");
    g_string_append_printf(w->out, "Reporting-MTA: dns; %s\r\n", about->hostname);
    if (about->envelope->envid)
        g_string_append_printf(w->out, "Original-Envelope-Id: %s\r\n",
                               from_xtext(w->arena, about->envelope->envid));
    if (about->envelope->helo)
        g_string_append_printf(w->out, "Received-From-MTA: dns; %s\r\n",
                               one_line(w->arena, about->envelope->helo));
    mime_put_date(w->out, "Arrival-Date", filetime_to_unix(about->arrived), 0);
    g_string_append_printf(w->out, "X-Queue-Id: %s\r\n", about->queue_id);
    for (unsigned i = 0; i < w->n; i++)
        put_recipient(w, &w->recipients[i]);
}

// --- What it is about ---

// RET counts for failures only: of what arrived nobody needs a second copy ([RFC 3461] 4.3).
static bool wants_whole(const struct making *w) {
    const char *ret = w->about->envelope->ret;
    if (w->action != REPORT_FAILED || (ret && g_ascii_strcasecmp(ret, "HDRS") == 0))
        return false;
    return w->m->len <= (ret && g_ascii_strcasecmp(ret, "FULL") == 0 ? TRANSPORT_REPORT_RET_FULL_MAX
                                                                     : TRANSPORT_REPORT_FULL_MAX);
}

static void put_original(struct making *w) {
    bool is_whole = wants_whole(w);
    const char *data = (const char *)w->m->data;
    size_t header = MIN(w->m->root->header.len, TRANSPORT_REPORT_FULL_MAX);
    size_t len = is_whole ? w->m->len : header;
    // A header in UTF-8 makes it a message of the international kind.
    bool is_global = w->is_utf8 && !text_is_ascii(data, header);
    const char *type = is_whole ? (is_global ? "message/global" : "message/rfc822")
                                : (is_global ? "message/global-headers" : "text/rfc822-headers");
    g_string_append_printf(w->out, "\r\n--%s\r\nContent-Type: %s\r\n", w->boundary, type);
    if (!text_is_ascii(data, len))
        g_string_append(w->out, "Content-Transfer-Encoding: 8bit\r\n");
    g_string_append(w->out, "\r\n");
    g_string_append_len(w->out, data, (gssize)len);
    g_string_append_printf(w->out, "\r\n--%s--\r\n", w->boundary);
}

// --- Entry points ---

bool report_is_wanted(enum report_action action, const struct queue_recipient *r) {
    uint32_t notify = r->notify ? r->notify : QUEUE_NOTIFY_FAILURE | QUEUE_NOTIFY_DELAY;
    if (notify & QUEUE_NOTIFY_NEVER)
        return false;
    return notify & (action == REPORT_FAILED    ? QUEUE_NOTIFY_FAILURE
                     : action == REPORT_DELAYED ? QUEUE_NOTIFY_DELAY
                                                : QUEUE_NOTIFY_SUCCESS);
}

// Only who sent with SMTPUTF8 is known to take such a report.
bool report_is_utf8(const struct report_about *about, const struct report_recipient *recipients,
                    unsigned n) {
    bool is_utf8 = !is_ascii(about->envelope->sender);
    for (unsigned i = 0; i < n; i++)
        is_utf8 |= !is_ascii(recipients[i].address) ||
                   (recipients[i].orcpt && !is_ascii(recipients[i].orcpt));
    return is_utf8 && about->envelope->is_smtputf8;
}

GString *report_make(enum report_action action, const struct report_about *about,
                     const struct report_recipient *recipients, unsigned n) {
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(about->original, &len);
    struct making w = {.arena = arena,
                       .action = action,
                       .about = about,
                       .recipients = recipients,
                       .n = n,
                       .m = mime_scan(arena, data ? data : "", len),
                       .boundary = mime_new_boundary(arena),
                       .is_utf8 = report_is_utf8(about, recipients, n),
                       .out = g_string_new(NULL)};
    put_header(&w);
    put_text(&w);
    put_status(&w);
    put_original(&w);
    return w.out;
}
