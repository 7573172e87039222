// Whom a submitted message names as its sender: From and Sender must be addresses the user may send
// with ([RFC 6409] 6.1, 8.1). Sending on behalf of somebody names the one who sends in Sender.
#include <string.h>

#include "base/log.h"
#include "formats/mime.h"
#include "protocol/smtp/session.h"

struct fields {
    // Values, unfolded by the address parser.
    GPtrArray *from, *sender, *resent_from, *resent_sender;
};

// The length of the field at `data` with the lines that continue it.
static size_t field_length(const uint8_t *data, size_t len) {
    size_t pos = 0;
    do {
        const uint8_t *end = memchr(data + pos, '\n', len - pos);
        pos = end ? (size_t)(end - data) + 1 : len;
    } while (pos < len && (data[pos] == ' ' || data[pos] == '\t'));
    return pos;
}

static bool is_named(const uint8_t *data, size_t name_len, const char *name) {
    while (name_len > 0 && (data[name_len - 1] == ' ' || data[name_len - 1] == '\t'))
        name_len--;
    return name_len == strlen(name) && g_ascii_strncasecmp((const char *)data, name, name_len) == 0;
}

static void collect(struct arena *arena, const uint8_t *data, size_t len, struct fields *out) {
    for (size_t pos = 0; pos < len && data[pos] != '\r' && data[pos] != '\n';) {
        size_t n = field_length(data + pos, len - pos);
        const uint8_t *colon = memchr(data + pos, ':', n);
        size_t name_len = colon ? (size_t)(colon - (data + pos)) : 0;
        GPtrArray *list = !colon                                            ? NULL
                          : is_named(data + pos, name_len, "From")          ? out->from
                          : is_named(data + pos, name_len, "Sender")        ? out->sender
                          : is_named(data + pos, name_len, "Resent-From")   ? out->resent_from
                          : is_named(data + pos, name_len, "Resent-Sender") ? out->resent_sender
                                                                            : NULL;
        if (list)
            g_ptr_array_add(list, arena_strndup(arena, (const char *)colon + 1, n - name_len - 1));
        pos += n;
    }
}

// The weakest right over the addresses of the fields; *n_out counts them.
static enum directory_sender weakest(struct smtp_session *s, struct arena *arena,
                                     const GPtrArray *values, unsigned *n_out) {
    enum directory_sender result = DIRECTORY_SENDER_OWN;
    *n_out = 0;
    for (guint i = 0; i < values->len; i++)
        for (struct mime_address *a = mime_parse_addresses(arena, values->pdata[i]); a;
             a = a->next) {
            if (!a->domain)
                continue; // a group's start or end
            const char *address = mime_address_format(arena, a);
            enum directory_sender one =
                directory_may_send(s->service->directory, &s->who->guid, address);
            if (one == DIRECTORY_SENDER_DENIED) {
                log_event(LOG_LEVEL_INFO, "smtp.send_as_denied", "user", s->who->address, "sender",
                          address, NULL);
                return one;
            }
            result = MAX(result, one);
            ++*n_out;
        }
    return result;
}

static enum ec check(struct smtp_session *s, struct arena *arena, const struct fields *fields,
                     bool is_complete, GString *missing) {
    unsigned n_from, n_sender;
    // Who sends a message on again answers for the Resent fields alone.
    bool is_resent = fields->resent_from->len > 0;
    enum directory_sender from =
        weakest(s, arena, is_resent ? fields->resent_from : fields->from, &n_from);
    if (from == DIRECTORY_SENDER_DENIED)
        return EC_SEND_AS_DENIED;
    if (!is_complete && n_from == 0)
        return EC_SEND_AS_DENIED; // it may stand where it was not looked for
    enum directory_sender sender =
        weakest(s, arena, is_resent ? fields->resent_sender : fields->sender, &n_sender);
    if (sender != DIRECTORY_SENDER_OWN && sender != DIRECTORY_SENDER_AS)
        return EC_SEND_AS_DENIED;
    // [RFC 5322] 3.6.2: several authors, or one who did not send it, need the one who did.
    if ((from == DIRECTORY_SENDER_ON_BEHALF || n_from > 1) && n_sender == 0)
        g_string_append_printf(missing, "%sSender: <%s>\r\n", is_resent ? "Resent-" : "",
                               s->who->address);
    return EC_OK;
}

enum ec smtp_check_header(struct smtp_session *s, const uint8_t *header, size_t len,
                          bool is_complete, GString *missing) {
    ARENA_AUTO arena = arena_new();
    struct fields fields = {g_ptr_array_new(), g_ptr_array_new(), g_ptr_array_new(),
                            g_ptr_array_new()};
    collect(arena, header, len, &fields);
    enum ec ec = check(s, arena, &fields, is_complete, missing);
    g_ptr_array_free(fields.from, TRUE);
    g_ptr_array_free(fields.sender, TRUE);
    g_ptr_array_free(fields.resent_from, TRUE);
    g_ptr_array_free(fields.resent_sender, TRUE);
    return ec;
}
