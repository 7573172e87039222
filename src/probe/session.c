// One session with an endpoint of MAPI over HTTP ([MS-OXCMAPIHTTP] 3.1.5).
#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "probe/probe_internal.h"

void session_init(struct session *s, struct probe *p, const char *url) {
    struct guid guid = guid_new();
    *s = (struct session){.p = p, .url = url};
    s->cookies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    guid_format(&guid, s->guid);
}

void session_clear(struct session *s) {
    g_hash_table_destroy(s->cookies);
}

static const char *cookie_field(struct session *s) {
    GString *field = g_string_new("Cookie: ");
    GHashTableIter i;
    gpointer name, value;
    g_hash_table_iter_init(&i, s->cookies);
    for (unsigned n = 0; g_hash_table_iter_next(&i, &name, &value); n++)
        g_string_append_printf(field, "%s%s=%s", n > 0 ? "; " : "", (char *)name, (char *)value);
    const char *out = arena_strdup(s->p->arena, field->str);
    g_string_free(field, TRUE);
    return out;
}

static void keep_cookies(struct session *s, struct reply *r) {
    GHashTableIter i;
    gpointer name, value;
    g_hash_table_iter_init(&i, r->cookies);
    while (g_hash_table_iter_next(&i, &name, &value))
        g_hash_table_replace(s->cookies, g_strdup(name), g_strdup(value));
}

// The line at the reader, without its end. NULL: there is none.
static const char *read_line(struct wire_reader *r, struct arena *arena) {
    const uint8_t *start = r->data + r->pos;
    const uint8_t *end = memmem(start, wire_left(r), "\r\n", 2);
    if (!end)
        return NULL;
    size_t len = (size_t)(end - start);
    wire_skip(r, len + 2);
    return arena_strndup(arena, (const char *)start, len);
}

// Past the meta-tags and the additional fields ([MS-OXCMAPIHTTP] 2.2.7).
static bool read_tags(struct session *s, struct wire_reader *r, int *code, const char **why_out) {
    const char *line;
    do {
        line = read_line(r, s->p->arena);
        if (!line || (strcmp(line, "PROCESSING") != 0 && strcmp(line, "PENDING") != 0 &&
                      strcmp(line, "DONE") != 0)) {
            *why_out = "the answer has no meta-tags";
            return false;
        }
    } while (strcmp(line, "DONE") != 0);
    while ((line = read_line(r, s->p->arena)) && *line)
        if (g_ascii_strncasecmp(line, "X-ResponseCode:", 15) == 0)
            *code = atoi(line + 15);
    if (!line)
        *why_out = "the answer ends within its header";
    return line != NULL;
}

static bool check(struct session *s, struct reply *r, struct wire_reader *body,
                  const char **why_out) {
    struct arena *arena = s->p->arena;
    const char *field = g_hash_table_lookup(r->fields, "x-responsecode");
    if (r->status != 200 || !field) {
        *why_out = r->error ? r->error
                            : arena_printf(arena, "HTTP %ld%s", r->status,
                                           field ? "" : " without X-ResponseCode");
        return false;
    }
    int code = atoi(field);
    *body = wire_reader(r->body, r->len);
    if (code == 0 && !read_tags(s, body, &code, why_out))
        return false;
    if (code != 0)
        *why_out = arena_printf(arena, "X-ResponseCode %d", code);
    return code == 0;
}

bool session_call(struct session *s, const char *type, const void *body, size_t len,
                  struct wire_reader *body_out, uint32_t *error_out, const char **why_out) {
    struct arena *arena = s->p->arena;
    const char *fields[] = {
        "Content-Type: application/mapi-http",
        "X-ClientApplication: Outlook/16.0.4266.1003",
        arena_printf(arena, "X-RequestType: %s", type),
        arena_printf(arena, "X-RequestId: {%s}:%u", s->guid, ++s->counter),
        arena_printf(arena, "X-ClientInfo: {%s}:1", s->guid),
        g_hash_table_size(s->cookies) > 0 ? cookie_field(s) : NULL,
        NULL,
    };
    struct reply r;
    http_post(s->p, s->url, fields, body, len, false, &r);
    keep_cookies(s, &r);
    bool is_ok = check(s, &r, body_out, why_out);
    reply_clear(&r);
    if (!is_ok)
        return false;
    uint32_t status = wire_u32(body_out);
    *error_out = wire_u32(body_out);
    if (!wire_ok(body_out) || status != 0)
        *why_out = arena_printf(arena, "StatusCode 0x%08X", status);
    return wire_ok(body_out) && status == 0;
}

bool session_rops(struct session *s, struct wire_writer *rops, uint32_t *handles, unsigned n,
                  struct wire_reader *out, const char **why_out) {
    GByteArray *requests = wire_writer_take(rops);
    size_t size = 2 + requests->len + n * 4;
    struct wire_writer w = wire_writer(1 << 20);
    wire_put_u32(&w, 3); // neither compressed nor obfuscated
    wire_put_u32(&w, (uint32_t)size + 8);
    wire_put_u16(&w, 0);
    wire_put_u16(&w, 4);
    wire_put_u16(&w, (uint16_t)size);
    wire_put_u16(&w, (uint16_t)size);
    wire_put_u16(&w, (uint16_t)(2 + requests->len));
    wire_put_bytes(&w, requests->data, requests->len);
    for (unsigned i = 0; i < n; i++)
        wire_put_u32(&w, handles[i]);
    wire_put_u32(&w, 0x10008);
    wire_put_u32(&w, 0);
    g_byte_array_unref(requests);
    GByteArray *body = wire_writer_take(&w);
    struct wire_reader r;
    uint32_t error;
    bool is_ok = session_call(s, "Execute", body->data, body->len, &r, &error, why_out);
    g_byte_array_unref(body);
    if (is_ok && error != 0) {
        *why_out = arena_printf(s->p->arena, "Execute: ErrorCode 0x%08X", error);
        return false;
    }
    if (!is_ok)
        return false;
    wire_skip(&r, 4 + 4); // Flags, RopBufferSize
    wire_skip(&r, 4);     // version and flags of RPC_HEADER_EXT
    uint16_t len = wire_u16(&r);
    wire_skip(&r, 2);
    struct wire_reader buffer = wire_sub(&r, len);
    uint16_t rop_size = wire_u16(&buffer);
    *out = wire_sub(&buffer, rop_size >= 2 ? rop_size - 2u : 0);
    for (unsigned i = 0; i < n && wire_left(&buffer) >= 4; i++)
        handles[i] = wire_u32(&buffer);
    if (!wire_ok(&buffer) || !wire_ok(out))
        *why_out = "the ROP buffer is malformed";
    return wire_ok(&buffer) && wire_ok(out);
}
