// Sessions: connecting, and running the buffers of a call ([MS-OXCRPC] 3.1.4.1, 3.1.4.2).
#include "directory/dn.h"
#include "protocol/rop/rop_internal.h"

enum ec rop_service_new(const struct rop_options *options, struct rop_service **out) {
    struct rop_service *s = g_new0(struct rop_service, 1);
    s->mailboxes = options->mailboxes;
    s->hostname = g_strdup(options->hostname ? options->hostname : "localhost");
    s->organization = g_strdup(options->organization);
    s->max_handles = options->max_handles ? options->max_handles : ROP_MAX_HANDLES;
    s->max_memory = options->max_memory ? options->max_memory : ROP_MAX_MEMORY;
    *out = s;
    return EC_OK;
}

void rop_service_free(struct rop_service *s) {
    if (!s)
        return;
    g_free(s->hostname);
    g_free(s->organization);
    g_free(s);
}

// --- Names of users ---

const char *rop_dn_of(const struct rop_session *s, struct arena *arena,
                      const struct directory_object *object) {
    return dn_of_guid(arena, s->service->organization, &object->guid);
}

static enum ec find_dn(struct rop_service *service, struct arena *arena, const char *dn,
                       struct directory_object **out) {
    struct directory *d = mailbox_service_directory(service->mailboxes);
    if (!d)
        return EC_NOT_FOUND;
    if (strchr(dn, '@') && *dn != '/')
        return directory_find_address(d, arena, dn, out);
    return directory_find_dn(d, arena, dn, out);
}

enum ec rop_find_dn(struct rop_session *s, struct arena *arena, const char *dn,
                    struct directory_object **out) {
    return find_dn(s->service, arena, dn, out);
}

// --- Connecting ---

static enum ec check_user(struct rop_service *service, const struct principal *who,
                          const char *dn) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    if (!dn || !*dn)
        return EC_OK;
    enum ec ec = find_dn(service, arena, dn, &object);
    if (ec == EC_NOT_FOUND)
        return EC_UNKNOWN_USER;
    EC_TRY(ec);
    return guid_equal(&object->guid, &who->guid) ? EC_OK : EC_ACCESS_DENIED;
}

enum ec rop_session_new(struct rop_service *service, struct principal *who,
                        const struct rop_connect *connect, struct rop_session **out) {
    ARENA_AUTO arena = arena_new();
    EC_TRY(check_user(service, who, connect->user_dn));
    struct rop_session *s = g_new0(struct rop_session, 1);
    s->service = service;
    s->who = principal_ref(who);
    s->display_name = g_strdup(who->display_name ? who->display_name : who->address);
    s->dn = g_strdup(connect->user_dn ? connect->user_dn : "");
    s->dn_prefix = g_strdup(dn_prefix(arena, service->organization));
    s->code_page = connect->code_page;
    s->lcid_string = connect->lcid_string;
    s->lcid_sort = connect->lcid_sort;
    memcpy(s->client_version, connect->client_version, sizeof s->client_version);
    s->objects = g_hash_table_new(NULL, NULL);
    s->next_handle = 1;
    *out = s;
    return EC_OK;
}

void rop_session_free(struct rop_session *s) {
    if (!s)
        return;
    for (unsigned i = 0; i < ROP_MAX_LOGONS; i++)
        if (s->logons[i])
            rop_object_free(&s->logons[i]->object);
    rop_notify_forget(s, NULL);
    g_hash_table_unref(s->objects);
    principal_unref(s->who);
    g_free(s->display_name);
    g_free(s->dn);
    g_free(s->dn_prefix);
    g_free(s);
}

const char *rop_session_display_name(const struct rop_session *s) {
    return s->display_name;
}

const char *rop_session_dn_prefix(const struct rop_session *s) {
    return s->dn_prefix;
}

// --- Calls ---

struct execute {
    struct rop_session *session;
    struct arena *arena;
    unsigned flags;
    size_t max;
    struct wire_writer w;
    size_t flags_pos;
    unsigned n;                 // buffers put
    struct rop_payload pending; // an answer that is not put yet
};

#define HEADER_SIZE 8

static void flush(struct execute *x) {
    if (!x->pending.data)
        return;
    rop_buffer_put(&x->w, x->flags, x->pending.data, x->pending.len, &x->flags_pos);
    x->pending = (struct rop_payload){0};
    x->n++;
}

static size_t room(const struct execute *x) {
    size_t used = wire_writer_len(&x->w) + HEADER_SIZE;
    return x->max > used ? x->max - used : 0;
}

static enum ec run(struct execute *x, const struct rop_payload *in, bool with_events,
                   struct rop_payload *next) {
    flush(x);
    return rop_run(x->session, x->arena, in, room(x), with_events, &x->pending, next);
}

// --- Packed uploads: the answer is that of one request ([MS-OXCRPC] 3.1.4.2.1.2.1) ---

#define ROP_WRITE_STREAM_EXTENDED 0xA3
#define ROP_PUT_BUFFER 0x54
#define ROP_PUT_BUFFER_EXTENDED 0x9D
#define RETURN_VALUE_POS 2
#define WRITTEN_SIZE_POS 6

static uint32_t number_at(const struct rop_payload *p, size_t pos) {
    struct wire_reader r = wire_reader(p->data, p->len);
    wire_skip(&r, p->last_pos + pos);
    return wire_u32(&r);
}

// Whether the buffer goes on with the upload that the answer before ended with.
static bool continues(const struct execute *x, const struct rop_payload *in) {
    const struct rop_payload *before = &x->pending;
    if (!before->data || before->last_pos == 0 || in->len < 3 || in->data[2] != before->rop)
        return false;
    return before->rop == ROP_WRITE_STREAM_EXTENDED || before->rop == ROP_PUT_BUFFER ||
           before->rop == ROP_PUT_BUFFER_EXTENDED;
}

// MS-OXCRPC_R1649009 to R1649013
static enum ec run_continued(struct execute *x, const struct rop_payload *in) {
    struct rop_payload *before = &x->pending, next, out;
    if (number_at(before, RETURN_VALUE_POS) != 0)
        return EC_OK; // what follows an error is not done
    EC_TRY(rop_run(x->session, x->arena, in, ROP_BUFFER_MAX, false, &out, &next));
    if (out.rop != before->rop || out.last_pos != 2 || before->last_pos > before->len)
        return EC_RPC_FORMAT; // only a single one is allowed
    size_t size = out.data[0] | (size_t)out.data[1] << 8;
    uint8_t *data = arena_memdup(x->arena, before->data, before->len);
    if (size < 2 || size > out.len || size - 2 > before->len - before->last_pos)
        return EC_RPC_FORMAT;
    uint32_t written = number_at(before, WRITTEN_SIZE_POS) + number_at(&out, WRITTEN_SIZE_POS);
    memcpy(data + before->last_pos, out.data + 2, size - 2);
    for (unsigned i = 0; before->rop == ROP_WRITE_STREAM_EXTENDED && i < 4; i++)
        data[before->last_pos + WRITTEN_SIZE_POS + i] = (uint8_t)(written >> 8 * i);
    before->data = data;
    return EC_OK;
}

// Further responses of the last ROP while there is room (MS-OXCRPC_R968, R969).
static enum ec run_packed(struct execute *x, struct rop_payload *next) {
    while (next->data && x->n + 1 < ROP_MAX_BUFFERS) {
        size_t least = next->rop == 0x15 ? ROP_PACK_MIN_ROWS : ROP_PACK_MIN;
        struct rop_payload in = *next;
        flush(x);
        if (room(x) < least)
            break;
        EC_TRY(run(x, &in, false, next));
    }
    return EC_OK;
}

static enum ec execute(struct execute *x, struct wire_reader *r) {
    bool is_last = false;
    struct rop_payload next = {0};
    for (unsigned n = 0; !is_last; n++) {
        struct wire_reader payload;
        if (n >= ROP_MAX_BUFFERS)
            return EC_RPC_FORMAT;
        EC_TRY(rop_buffer_read(r, x->arena, &payload, &is_last));
        struct rop_payload in = {.data = payload.data, .len = payload.len};
        if (continues(x, &in))
            EC_TRY(run_continued(x, &in));
        else
            EC_TRY(run(x, &in, is_last, &next));
    }
    if (x->flags & ROP_CHAIN)
        EC_TRY(run_packed(x, &next));
    flush(x);
    return EC_OK;
}

enum ec rop_execute(struct rop_session *s, unsigned flags, const uint8_t *in, size_t in_len,
                    size_t max_out, struct arena *arena, const uint8_t **out, size_t *out_len) {
    struct execute x = {.session = s, .arena = arena, .flags = flags, .max = max_out};
    struct wire_reader r = wire_reader(in, in_len);
    x.w = wire_writer(max_out);
    enum ec ec = execute(&x, &r);
    if (ec == EC_OK)
        rop_buffer_end(&x.w, x.flags_pos);
    g_autoptr(GByteArray) bytes = wire_writer_take(&x.w);
    if (ec == EC_OK && !bytes)
        ec = EC_BUFFER_TOO_SMALL;
    if (ec == EC_OK) {
        *out = arena_memdup(arena, bytes->data, bytes->len);
        *out_len = bytes->len;
    }
    wire_writer_clear(&x.w);
    return ec;
}
