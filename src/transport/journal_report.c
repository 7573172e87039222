// The journal report itself ([MS-XJRNL] 2): a part with a line for each fact of the envelope, then
// the message as it came.
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "formats/mime.h"
#include "mailbox/owner_settings.h"
#include "transport/journal.h"

#define LINES_MAX 10000 // recipients that are listed

struct listing {
    struct job *job;
    struct directory *directory;
    GString *out;
    GHashTable *to, *cc; // folded addresses of the header
    unsigned n;
};

static char *one_line(struct arena *arena, const char *s) {
    char *out = text_clean(arena, s, strnlen(s, TRANSPORT_REPORT_FIELD_MAX), NULL);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    return out;
}

// --- Recipients ---

static GHashTable *header_addresses(struct job *job, const struct mime_message *m,
                                    const char *name) {
    GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);
    const char *raw = mime_header_raw(job->arena, m, m->root, name);
    for (const struct mime_address *a = raw ? mime_parse_addresses(job->arena, raw) : NULL; a;
         a = a->next)
        if (a->domain)
            g_hash_table_add(set, text_fold(job->arena, mime_address_format(job->arena, a)));
    return set;
}

// How the sender named the recipient; only of somebody who logged in can that be believed.
static const char *kind_of(struct listing *l, const char *address) {
    char *folded = text_fold(l->job->arena, address);
    if (!queue_item_envelope(l->job->item)->auth)
        return "Recipient";
    return g_hash_table_contains(l->to, folded)   ? "To"
           : g_hash_table_contains(l->cc, folded) ? "Cc"
                                                  : "Bcc";
}

static void put_line(struct listing *l, const char *kind, const char *address, const char *how,
                     const char *from) {
    if (!address || l->n++ >= LINES_MAX)
        return;
    g_string_append_printf(l->out, "%s: %s", kind, one_line(l->job->arena, address));
    if (how)
        g_string_append_printf(l->out, ", %s: %s", how, one_line(l->job->arena, from));
    g_string_append(l->out, "\r\n");
}

static void list_members(struct listing *l, const char *kind, const struct directory_object *group,
                         const char *address) {
    struct directory_list members;
    if (directory_expand(l->directory, l->job->arena, &group->guid, &members) != EC_OK)
        members.n = 0;
    for (unsigned i = 0; i < members.n; i++) {
        const struct directory_object *m = members.items[i];
        put_line(l, kind, m->kind == DIRECTORY_CONTACT ? m->target : m->address, "Expanded",
                 address);
    }
    if (members.n == 0)
        put_line(l, kind, address, NULL, NULL);
}

static void list_mailbox(struct listing *l, const char *kind, const struct directory_object *object,
                         const char *address) {
    struct owner_settings owner;
    if (mailbox_owner_settings(l->job->t->mailboxes, l->job->arena, &object->guid, &owner) != EC_OK)
        owner = (struct owner_settings){0};
    if (!owner.forward || owner.keeps_forwarded)
        put_line(l, kind, address, NULL, NULL);
    if (owner.forward)
        put_line(l, kind, owner.forward, "Forwarded", address);
}

static void list_recipient(struct listing *l, const char *address) {
    enum directory_route route;
    struct directory_object *object = NULL;
    const char *kind = kind_of(l, address);
    if (directory_route(l->directory, l->job->arena, address, &route, &object, NULL) != EC_OK)
        route = DIRECTORY_ROUTE_UNKNOWN;
    if (route == DIRECTORY_ROUTE_GROUP)
        list_members(l, kind, object, address);
    else if (route == DIRECTORY_ROUTE_FORWARD && object->target)
        put_line(l, kind, object->target, "Forwarded", address);
    else if (route == DIRECTORY_ROUTE_MAILBOX)
        list_mailbox(l, kind, object, address);
    else
        put_line(l, kind, address, NULL, NULL);
}

// --- The parts ---

static const char *first_address(struct job *job, const struct mime_message *m, const char *name) {
    const char *raw = mime_header_raw(job->arena, m, m->root, name);
    const struct mime_address *a = raw ? mime_parse_addresses(job->arena, raw) : NULL;
    while (a && !a->domain)
        a = a->next;
    return a ? mime_address_format(job->arena, a) : NULL;
}

static void put_facts(struct job *job, const struct mime_message *m, const char *subject,
                      GString *out) {
    const struct queue_envelope *e = queue_item_envelope(job->item);
    const char *id = mime_header_raw(job->arena, m, m->root, "Message-ID");
    const char *from = first_address(job, m, "From"), *sender = first_address(job, m, "Sender");
    g_string_append_printf(out, "Sender: %s\r\n",
                           one_line(job->arena, sender && e->auth ? sender : e->sender));
    if (sender && from && e->auth && text_compare_folded(sender, from) != 0)
        g_string_append_printf(out, "On-Behalf-Of: %s\r\n", one_line(job->arena, from));
    g_string_append_printf(out, "Subject: %s\r\nMessage-Id: %s\r\n", subject,
                           id ? one_line(job->arena, id) : "");
    g_autoptr(GHashTable) to = header_addresses(job, m, "To");
    g_autoptr(GHashTable) cc = header_addresses(job, m, "Cc");
    struct listing l = {.job = job,
                        .directory = mailbox_service_directory(job->t->mailboxes),
                        .out = out,
                        .to = to,
                        .cc = cc};
    for (unsigned i = 0; i < e->n_recipients; i++)
        list_recipient(&l, e->recipients[i].address);
}

static void put_header(struct job *job, const char *to, const char *subject, const char *boundary,
                       GString *out) {
    g_autofree char *own = directory_default_domain(mailbox_service_directory(job->t->mailboxes));
    const char *hostname = job->t->options.hostname, *domain = own ? own : hostname;
    mime_put_date(out, "Date", filetime_to_unix(clock_now()), 0);
    g_string_append_printf(out, "From: Journal <postmaster@%s>\r\nTo: <%s>\r\n", domain, to);
    mime_put_header(out, "Subject", arena_printf(job->arena, "%.400s", subject));
    // The same for every report about this entry of the queue, so that two can be told to be one.
    g_string_append_printf(out,
                           "Message-ID: <journal-%s@%s>\r\nX-MS-Journal-Report: \r\n"
                           "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                           "Content-Type: multipart/mixed;\r\n\tboundary=\"%s\"\r\n\r\n",
                           queue_item_id(job->item), hostname, boundary);
}

GString *journal_make(struct job *job, const char *to) {
    gsize len;
    const char *data = g_bytes_get_data(job->original, &len);
    const struct mime_message *m = mime_scan(job->arena, data ? data : "", len);
    const char *boundary = mime_new_boundary(job->arena);
    const char *subject = mime_header_text(job->arena, m, m->root, "Subject", NULL);
    subject = one_line(job->arena, subject ? subject : "");
    GString *out = g_string_sized_new(len + 4096);
    g_autoptr(GString) facts = g_string_new(NULL);
    put_header(job, to, subject, boundary, out);
    put_facts(job, m, subject, facts);
    g_string_append_printf(out,
                           "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                           boundary);
    mime_put_quoted_printable(out, facts->str, facts->len);
    g_string_append_printf(
        out, "\r\n--%s\r\nContent-Type: message/rfc822\r\n%s\r\n", boundary,
        text_is_ascii(data ? data : "", len) ? "" : "Content-Transfer-Encoding: 8bit\r\n");
    g_string_append_len(out, data ? data : "", (gssize)len);
    g_string_append_printf(out, "\r\n--%s--\r\n", boundary);
    return out;
}
