// Bytes of the control protocol. Both ends are the same program, but the server does not rely on
// it.
#include "admin/control_codec.h"

#include <string.h>

static bool known_type(uint8_t type) {
    return type && strchr("ROXPDFMBEKZ", type);
}

enum ec frame_parse(const uint8_t *data, size_t len, struct frame *out, size_t *used_out) {
    if (len < FRAME_HEADER_SIZE)
        return EC_BUSY;
    struct wire_reader r = wire_reader(data, len);
    uint32_t size = wire_be32(&r);
    uint8_t type = wire_u8(&r);
    if (size > FRAME_MAX || !known_type(type))
        return EC_FORMAT_ERROR;
    if (wire_left(&r) < size)
        return EC_BUSY;
    out->type = (enum frame_type)type;
    out->data = wire_bytes(&r, size);
    out->len = size;
    *used_out = FRAME_HEADER_SIZE + size;
    return EC_OK;
}

// A string that may be missing: a flag, then its text.
static void put_optional(struct wire_writer *w, const char *s) {
    wire_put_u8(w, s != NULL);
    if (s)
        wire_put_cstring(w, s);
}

static const char *get_text(struct wire_reader *r, struct arena *arena) {
    return arena_strdup(arena, wire_cstring(r));
}

static const char *get_optional(struct wire_reader *r, struct arena *arena) {
    return wire_u8(r) ? get_text(r, arena) : NULL;
}

enum ec control_encode_request(const struct control_request *q, struct wire_writer *w) {
    wire_put_u8(w, CONTROL_VERSION);
    wire_put_cstring(w, q->command);
    wire_put_u8(w, (uint8_t)(q->is_terminal | q->arguments.is_json << 1));
    put_optional(w, q->password);
    wire_put_be32(w, q->arguments.n);
    for (unsigned i = 0; i < q->arguments.n; i++)
        wire_put_cstring(w, q->arguments.items[i]);
    wire_put_be32(w, q->arguments.n_options);
    for (unsigned i = 0; i < q->arguments.n_options; i++) {
        wire_put_cstring(w, q->arguments.options[i].name);
        put_optional(w, q->arguments.options[i].value);
    }
    return wire_writer_ok(w) ? EC_OK : EC_NOT_ENOUGH_RESOURCES;
}

// A count of things that take `min` bytes each at least.
static unsigned get_count(struct wire_reader *r, size_t min) {
    uint32_t n = wire_be32(r);
    if (n > ARGUMENTS_MAX || n > wire_left(r) / min) {
        wire_fail(r);
        return 0;
    }
    return n;
}

enum ec control_decode_request(const uint8_t *data, size_t len, struct arena *arena,
                               struct control_request *out) {
    struct wire_reader r = wire_reader(data, len);
    memset(out, 0, sizeof *out);
    if (wire_u8(&r) != CONTROL_VERSION)
        return EC_VERSION;
    out->command = get_text(&r, arena);
    uint8_t bits = wire_u8(&r);
    out->is_terminal = bits & 1;
    out->arguments.is_json = bits >> 1 & 1;
    out->password = get_optional(&r, arena);
    struct arguments *a = &out->arguments;
    a->n = get_count(&r, 1);
    a->items = arena_alloc0(arena, (a->n + 1) * sizeof *a->items);
    for (unsigned i = 0; i < a->n; i++)
        a->items[i] = get_text(&r, arena);
    a->n_options = get_count(&r, 2);
    a->options = arena_alloc0(arena, (a->n_options + 1) * sizeof *a->options);
    for (unsigned i = 0; i < a->n_options; i++) {
        a->options[i].name = get_text(&r, arena);
        a->options[i].value = get_optional(&r, arena);
    }
    return wire_ok(&r) && wire_left(&r) == 0 ? EC_OK : EC_FORMAT_ERROR;
}

void control_encode_message(const struct control_message *m, struct wire_writer *w) {
    wire_put_be32(w, m->uid);
    wire_put_be32(w, m->flags);
    wire_put_be64(w, m->received);
    wire_put_be64(w, m->size);
    wire_put_cstring(w, m->keywords ? m->keywords : "");
}

enum ec control_decode_message(const uint8_t *data, size_t len, struct arena *arena,
                               struct control_message *out) {
    struct wire_reader r = wire_reader(data, len);
    out->uid = wire_be32(&r);
    out->flags = wire_be32(&r);
    out->received = wire_be64(&r);
    out->size = wire_be64(&r);
    out->keywords = get_text(&r, arena);
    return wire_ok(&r) && wire_left(&r) == 0 ? EC_OK : EC_FORMAT_ERROR;
}

void control_encode_result(const struct control_result *result, struct wire_writer *w) {
    wire_put_u8(w, (uint8_t)result->outcome);
    wire_put_be32(w, (uint32_t)result->ec);
}

enum ec control_decode_result(const uint8_t *data, size_t len, struct control_result *out) {
    struct wire_reader r = wire_reader(data, len);
    uint8_t outcome = wire_u8(&r);
    out->ec = (enum ec)wire_be32(&r);
    if (!wire_ok(&r) || outcome > OUTCOME_FAILED)
        return EC_FORMAT_ERROR;
    out->outcome = (enum control_outcome)outcome;
    return EC_OK;
}
