// The ROPs of one buffer, one after the other, and the buffer of their responses
// ([MS-OXCROPS] 2.2.1, 3.2.5.1, 3.2.5.2).
#include "protocol/rop/rop_internal.h"

#define ROP_BUFFER_TOO_SMALL 0xFF
#define RESPONSE_HEADER 6 // RopId, index, ReturnValue

struct run {
    struct rop_session *session;
    struct arena *arena;
    struct wire_reader rops; // requests; pos: the next one
    uint32_t *handles;
    unsigned n_handles;
    size_t room; // bytes for all responses
    struct wire_writer w;
    struct rop_call last; // the last one, for packing
    size_t last_pos;      // where its response stands
    bool is_full;         // RopBufferTooSmall, or an error that ends it, was the last
};

// --- Taking a payload apart ---

static enum ec read_payload(struct run *run, const struct rop_payload *in) {
    struct wire_reader r = wire_reader(in->data, in->len);
    size_t size = wire_u16(&r);
    if (size < 2 || size > in->len || (in->len - size) % 4 != 0)
        return EC_RPC_FORMAT;
    run->rops = wire_sub(&r, size - 2);
    run->n_handles = (unsigned)((in->len - size) / 4);
    run->handles = arena_alloc(run->arena, run->n_handles * sizeof *run->handles);
    for (unsigned i = 0; i < run->n_handles; i++)
        run->handles[i] = wire_u32(&r);
    return wire_ok(&r) ? EC_OK : EC_RPC_FORMAT;
}

static bool has_two_indexes(const struct rop_operation *op) {
    return op->indexes == ROP_IN_OUT || op->indexes == ROP_RESPONSE_IN ||
           op->indexes == ROP_SOURCE_DEST;
}

// The next request. `fields`: what follows its indexes.
static enum ec read_request(struct run *run, struct rop_call *c, struct wire_reader *fields) {
    struct wire_reader *r = &run->rops;
    size_t start = r->pos, len;
    const struct rop_operation *op = rop_operation(wire_u8(r));
    if (!op)
        return EC_RPC_FORMAT;
    *c = (struct rop_call){.session = run->session,
                           .arena = run->arena,
                           .op = op,
                           .handles = run->handles,
                           .n_handles = run->n_handles};
    c->logon_id = wire_u8(r);
    c->index1 = wire_u8(r);
    if (has_two_indexes(op))
        c->index2 = wire_u8(r);
    const struct rop_logon *logon = run->session->logons[c->logon_id];
    if (!wire_ok(r) || !rop_frame(op->form, r, logon && logon->is_public, &len))
        return EC_RPC_FORMAT;
    *fields = wire_sub(r, len);
    c->request = r->data + start;
    c->request_len = r->pos - start;
    return wire_ok(r) ? EC_OK : EC_RPC_FORMAT;
}

// --- Responses ---

static uint8_t response_index(const struct rop_call *c) {
    return c->op->indexes == ROP_IN_OUT ? c->index2 : c->index1;
}

static void put_failure(struct run *run, const struct rop_call *c, enum ec ec) {
    static const uint8_t zeros[UINT8_MAX];
    wire_put_u8(&run->w, c->op->id);
    wire_put_u8(&run->w, response_index(c));
    wire_put_u32(&run->w, rop_error(ec));
    if (c->is_failed_destination)
        wire_put_u32(&run->w, c->index2);
    wire_put_bytes(&run->w, zeros, c->op->n_failure);
}

static void put_response(struct run *run, const struct rop_call *c, enum ec ec,
                         const struct wire_writer *body) {
    if (ec != EC_OK && !c->keeps_body) {
        put_failure(run, c, ec);
        return;
    }
    wire_put_u8(&run->w, c->op->id);
    wire_put_u8(&run->w, response_index(c));
    wire_put_u32(&run->w, rop_error(ec));
    if (body->bytes)
        wire_put_bytes(&run->w, body->bytes->data, body->bytes->len);
}

// The rest of the requests goes back unprocessed (MS-OXCROPS_R4447, R4517).
static void put_too_small(struct run *run, size_t from) {
    size_t used = wire_writer_len(&run->w) - 2;
    size_t left = run->room > used + 3 ? run->room - used - 3 : 0;
    wire_put_u8(&run->w, ROP_BUFFER_TOO_SMALL);
    wire_put_u16(&run->w, ROP_BUFFER_MAX);
    wire_put_bytes(&run->w, run->rops.data + from, MIN(left, run->rops.len - from));
    run->is_full = true;
}

static size_t room_left(const struct run *run) {
    size_t used = wire_writer_len(&run->w) - 2;
    return run->room > used ? run->room - used : 0;
}

static void drop_given(struct rop_call *c) {
    rop_object_free(g_steal_pointer(&c->given));
}

// One request with its response. `*ran_out` false: there was no room, nothing was done.
static enum ec run_one(struct run *run) {
    struct rop_call c;
    struct wire_reader fields;
    size_t start = run->rops.pos, left = room_left(run);
    EC_TRY(read_request(run, &c, &fields));
    size_t least = RESPONSE_HEADER + 4 + c.op->n_failure;
    if (c.op->id == 0x01) { // RopRelease has no response
        c.op->run(&c);
        return EC_OK;
    }
    if (left < least) {
        if (left < 3)
            return EC_BUFFER_TOO_SMALL;
        put_too_small(run, start);
        return EC_OK;
    }
    c.room = left - RESPONSE_HEADER;
    run->last_pos = wire_writer_len(&run->w);
    struct wire_writer body = wire_writer(c.room);
    c.r = &fields;
    c.w = &body;
    enum ec ec = c.op->run ? c.op->run(&c) : EC_NOT_SUPPORTED;
    if (ec == EC_OK && !wire_ok(&fields))
        ec = EC_RPC_FORMAT;
    if (ec != EC_OK)
        drop_given(&c);
    if (!wire_writer_ok(&body)) {
        drop_given(&c);
        // What does not fit into the largest buffer never will.
        if (start == 0 && run->room >= ROP_BUFFER_MAX / 2)
            put_failure(run, &c, EC_BUFFER_TOO_SMALL);
        else
            put_too_small(run, start);
    } else {
        put_response(run, &c, ec, &body);
    }
    wire_writer_clear(&body);
    run->last = c;
    if (ec != EC_OK)
        run->last.next_len = 0;
    if (ec != EC_OK && c.ends_batch)
        run->is_full = true;
    return EC_OK;
}

// --- The answer ---

static void put_handles(struct run *run, struct rop_payload *out) {
    size_t last = run->last_pos;
    wire_patch_u16(&run->w, 0, (uint16_t)wire_writer_len(&run->w));
    for (unsigned i = 0; i < run->n_handles; i++)
        wire_put_u32(&run->w, run->handles[i]);
    g_autoptr(GByteArray) bytes = wire_writer_take(&run->w);
    *out = (struct rop_payload){0};
    if (bytes) {
        out->data = arena_memdup(run->arena, bytes->data, bytes->len);
        out->len = bytes->len;
        out->rop = run->last.op ? run->last.op->id : 0;
        out->last_pos = last;
    }
}

// The payload of the request that is to be packed behind: it alone, with the same handles.
static void make_next(struct run *run, struct rop_payload *out) {
    const struct rop_call *c = &run->last;
    *out = (struct rop_payload){0};
    if (!c->op || run->is_full || c->next_len == 0)
        return;
    struct wire_writer w = wire_writer(ROP_INPUT_MAX);
    wire_put_u16(&w, (uint16_t)(2 + c->next_len));
    wire_put_bytes(&w, c->next, c->next_len);
    for (unsigned i = 0; i < run->n_handles; i++)
        wire_put_u32(&w, run->handles[i]);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    if (!bytes)
        return;
    out->data = arena_memdup(run->arena, bytes->data, bytes->len);
    out->len = bytes->len;
    out->rop = c->op->id;
}

void rop_pack(struct rop_call *c, const uint8_t *request, size_t len) {
    c->next = request ? request : c->request;
    c->next_len = request ? len : c->request_len;
}

enum ec rop_run(struct rop_session *s, struct arena *arena, const struct rop_payload *in,
                size_t max, bool with_events, struct rop_payload *out,
                struct rop_payload *next_out) {
    struct run run = {.session = s, .arena = arena};
    EC_TRY(read_payload(&run, in));
    size_t frame = 2 + 4 * (size_t)run.n_handles;
    max = MIN(max, ROP_BUFFER_MAX);
    if (max < frame)
        return EC_BUFFER_TOO_SMALL;
    run.room = max - frame;
    run.w = wire_writer(max);
    wire_put_u16(&run.w, 0);
    enum ec ec = EC_OK;
    while (ec == EC_OK && !run.is_full && wire_left(&run.rops) > 0)
        ec = run_one(&run);
    if (ec == EC_OK && with_events && !run.is_full)
        rop_notify_put(s, &run.w, room_left(&run));
    if (ec == EC_OK) {
        put_handles(&run, out);
        make_next(&run, next_out);
        ec = out->data ? EC_OK : EC_BUFFER_TOO_SMALL;
    }
    wire_writer_clear(&run.w);
    return ec;
}
