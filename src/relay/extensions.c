// What a message needs of a server and what the server has: SIZE, 8BITMIME, BINARYMIME, SMTPUTF8,
// REQUIRETLS, and what is done where something is missing.
#include <string.h>

#include "base/text.h"
#include "relay/relay_internal.h"

#include <idn2.h> // after GLib, whose macro it would define

static bool refuse(struct sending *s, enum relay_verdict verdict, const char *status,
                   const char *text) {
    const struct relay_result result = {.verdict = verdict, .status = status, .text = text};
    job_fill(s->job, &result);
    return false;
}

// --- Addresses ---

// What would end the command or the address early is no address.
static bool is_sendable(const char *address) {
    for (const unsigned char *c = (const unsigned char *)address; *c; c++)
        if (*c < 0x20 || *c == 0x7f || *c == '<' || *c == '>')
            return false;
    return strlen(address) <= 1000 && g_utf8_validate(address, -1, NULL);
}

// The address without SMTPUTF8: its domain as A-labels. NULL: its local part needs more.
static const char *to_ascii(struct arena *arena, const char *address) {
    size_t len = strlen(address);
    if (text_is_ascii(address, len))
        return address;
    const char *at = strrchr(address, '@');
    if (!at || !text_is_ascii(address, (size_t)(at - address)))
        return NULL;
    uint8_t *domain = NULL;
    if (idn2_lookup_u8((const uint8_t *)at + 1, &domain, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
        IDN2_OK)
        return NULL;
    const char *ascii =
        arena_printf(arena, "%.*s@%s", (int)(at - address), address, (const char *)domain);
    idn2_free(domain);
    return ascii;
}

static void take_recipient(struct sending *s, unsigned i, bool has_smtputf8) {
    struct relay_recipient *r = &s->job->recipients[i];
    if (!is_sendable(r->address)) {
        r->result = (struct relay_result){
            .verdict = RELAY_FAILED, .status = "5.1.3", .text = "the address is not well-formed"};
        return;
    }
    s->addresses[i] = has_smtputf8 ? r->address : to_ascii(s->job->arena, r->address);
    if (s->addresses[i])
        s->n_left++;
    else
        r->result = (struct relay_result){
            .verdict = RELAY_FAILED,
            .status = "5.6.7",
            .text = "the receiving server takes no addresses with other than ASCII letters"};
}

static bool take_addresses(struct sending *s, bool has_smtputf8) {
    struct relay_job *job = s->job;
    s->addresses = arena_alloc0(job->arena, job->n_recipients * sizeof *s->addresses);
    if (!is_sendable(job->sender))
        return refuse(s, RELAY_FAILED, "5.1.7", "the sender's address is not well-formed");
    s->sender = has_smtputf8 ? job->sender : to_ascii(job->arena, job->sender);
    if (!s->sender)
        return refuse(s, RELAY_FAILED, "5.6.7",
                      "the receiving server takes no senders with other than ASCII letters");
    for (unsigned i = 0; i < job->n_recipients; i++)
        take_recipient(s, i, has_smtputf8);
    return s->n_left > 0;
}

// --- The message ---

static size_t header_length(const char *data, size_t len) {
    for (size_t pos = 0; pos < len;) {
        const char *end = memchr(data + pos, '\n', len - pos);
        size_t next = end ? (size_t)(end - data) + 1 : len;
        if (data[pos] == '\n' || (data[pos] == '\r' && next - pos == 2))
            return pos;
        pos = next;
    }
    return len;
}

static bool needs_utf8(const struct sending *s) {
    const struct relay_job *job = s->job;
    gsize len;
    if (!job->is_smtputf8)
        return false;
    bool is_plain = text_is_ascii(job->sender, strlen(job->sender));
    for (unsigned i = 0; i < job->n_recipients && is_plain; i++)
        is_plain = text_is_ascii(job->recipients[i].address, strlen(job->recipients[i].address));
    const char *data = g_bytes_get_data(s->message, &len);
    return !is_plain || content_is_8bit((const uint8_t *)data, data ? header_length(data, len) : 0);
}

static bool bytes_are_8bit(GBytes *bytes) {
    gsize len = 0;
    const void *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;
    return len && content_is_8bit(data, len);
}

static bool convert(struct sending *s) {
    gsize len;
    const void *data = g_bytes_get_data(s->message, &len);
    GBytes *converted = content_to_7bit(data, len);
    if (!converted)
        return refuse(s, RELAY_FAILED, "5.6.3",
                      "the receiving server takes no 8-bit messages, and this one cannot be "
                      "converted");
    g_bytes_unref(s->message);
    s->message = converted;
    return true;
}

static bool take_body(struct sending *s, const struct extensions *e) {
    bool is_8bit = bytes_are_8bit(s->message) || bytes_are_8bit(s->top);
    if (s->job->is_binary && e->is_binarymime && e->is_chunking) {
        s->uses_bdat = true;
        return true;
    }
    if ((is_8bit && !e->is_8bitmime && !s->uses_smtputf8) || s->job->is_binary)
        return convert(s);
    s->uses_8bit = is_8bit && e->is_8bitmime;
    return true;
}

static bool take_size(struct sending *s, const struct extensions *e) {
    s->size = g_bytes_get_size(s->message) + (s->top ? g_bytes_get_size(s->top) : 0);
    if (e->max_size && s->size > e->max_size)
        return refuse(s, RELAY_FAILED, "5.3.4",
                      arena_printf(s->job->arena,
                                   "the message has %" G_GUINT64_FORMAT
                                   " bytes, the receiving server takes %" G_GUINT64_FORMAT,
                                   (guint64)s->size, (guint64)e->max_size));
    return true;
}

static bool take_security(struct sending *s, const struct connection *c) {
    if (!s->job->requires_tls)
        return true;
    if (!c->is_verified)
        return refuse(s, RELAY_DEFERRED, "4.7.10",
                      arena_printf(s->job->arena,
                                   "%s cannot be verified, and the message must not travel "
                                   "without that (REQUIRETLS)",
                                   c->remote));
    if (!c->extensions.has_requiretls)
        return refuse(s, RELAY_DEFERRED, "4.7.30",
                      arena_printf(s->job->arena,
                                   "%s does not promise to pass the message on safely (REQUIRETLS)",
                                   c->remote));
    s->uses_requiretls = true;
    return true;
}

bool sending_prepare(struct sending *s, const struct connection *c, struct relay_job *job) {
    const struct extensions *e = &c->extensions;
    *s = (struct sending){.job = job};
    if (!take_security(s, c))
        return false;
    enum ec ec = job->read(job, &s->top, &s->message);
    if (ec != EC_OK)
        return refuse(s, RELAY_DEFERRED, "4.3.0", ec_text(ec));
    s->uses_smtputf8 = e->is_smtputf8 && needs_utf8(s);
    if (!s->uses_smtputf8 && needs_utf8(s)) {
        gsize len;
        const char *data = g_bytes_get_data(s->message, &len);
        if (content_is_8bit((const uint8_t *)data, header_length(data, len)))
            return refuse(s, RELAY_FAILED, "5.6.9",
                          "the receiving server takes no messages with UTF-8 in their header");
    }
    return take_addresses(s, s->uses_smtputf8) && take_body(s, e) && take_size(s, e);
}

void sending_clear(struct sending *s) {
    g_clear_pointer(&s->top, g_bytes_unref);
    g_clear_pointer(&s->message, g_bytes_unref);
}
