// The mailbox endpoint: Connect, Execute, Disconnect ([MS-OXCMAPIHTTP] 2.2.4, 3.2.5).
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "mapi/prop_wire.h"
#include "mapihttp/limits.h"
#include "mapihttp/mapihttp_internal.h"

#define POLLS_MAX_MS 60000
#define RETRY_COUNT 6
#define RETRY_DELAY_MS 10000

// --- Connect ---

// From any thread; only wakes.
static void has_events(void *data) {
    struct context *context = data;
    pthread_mutex_lock(&context->wake_lock);
    if (context->waker)
        http_wake(context->waker);
    pthread_mutex_unlock(&context->wake_lock);
}

static enum ec connect_session(struct exchange *x, const struct rop_connect *connect) {
    struct rop_session *rop;
    EC_TRY(rop_session_new(x->m->options.rop, x->who, connect, &rop));
    struct context *context = context_new(ENDPOINT_EMSMDB, &x->who->guid);
    context->rop = rop;
    enum ec ec = contexts_add(&x->m->contexts, context);
    if (ec != EC_OK) {
        context_unref(context);
        return ec;
    }
    rop_session_watch(rop, has_events, context);
    x->context = context;
    return EC_OK;
}

static enum response_code run_connect(struct exchange *x) {
    struct rop_connect connect = {0};
    const char *dn = wire_cstring(&x->body);
    connect.flags = wire_u32(&x->body);
    connect.code_page = wire_u32(&x->body);
    connect.lcid_sort = wire_u32(&x->body);
    connect.lcid_string = wire_u32(&x->body);
    struct aux_in aux;
    if (!aux_read(&x->body, x->arena, &aux) || !wire_ok(&x->body) || strlen(dn) > MAPIHTTP_MAX_DN)
        return RESPONSE_INVALID_BODY;
    connect.user_dn = text_clean(x->arena, dn, strlen(dn), NULL);
    memcpy(connect.client_version, x->envelope.client_version, sizeof connect.client_version);
    enum ec ec = connect_session(x, &connect);
    exchange_begin(x, false); // the cookies are there now
    struct wire_writer *w = &x->out;
    wire_put_u32(w, 0);
    wire_put_u32(w, (uint32_t)ec);
    wire_put_u32(w, POLLS_MAX_MS);
    wire_put_u32(w, RETRY_COUNT);
    wire_put_u32(w, RETRY_DELAY_MS);
    if (ec != EC_OK) {
        wire_put_u8(w, 0);  // DnPrefix
        wire_put_u16(w, 0); // DisplayName
        aux_put_none(w);
        return RESPONSE_SUCCESS;
    }
    struct prop_wire form = PROP_WIRE_EXTENDED;
    wire_put_cstring(w, rop_session_dn_prefix(x->context->rop));
    prop_wire_put_string(w, &form, true, rop_session_display_name(x->context->rop));
    aux_put_connect(w, x->m->options.has_public_folders,
                    arena_printf(x->arena, "%s/%" PRIu64, x->m->hostname, http_request_id(x->r)));
    if (aux.client_machine || aux.process[0])
        log_event(LOG_LEVEL_DEBUG, "mapi.connect", "user", x->who->address, "machine",
                  aux.client_machine, "process", aux.process, NULL);
    return RESPONSE_SUCCESS;
}

// --- Execute ---

static enum response_code run_execute(struct exchange *x) {
    uint32_t flags = wire_u32(&x->body), len = wire_u32(&x->body);
    const uint8_t *in = wire_bytes(&x->body, len);
    uint32_t max_out = wire_u32(&x->body);
    struct aux_in aux;
    if (!aux_read(&x->body, x->arena, &aux) || !wire_ok(&x->body))
        return RESPONSE_INVALID_BODY;
    if (len > MAPIHTTP_MAX_ROP_IN)
        return RESPONSE_TOO_LARGE;
    exchange_begin(x, true);
    const uint8_t *out = NULL;
    size_t out_len = 0;
    enum ec ec = rop_execute(x->context->rop, flags, in, len, MIN(max_out, MAPIHTTP_MAX_ROP_OUT),
                             x->arena, &out, &out_len);
    struct wire_writer *w = &x->out;
    wire_put_u32(w, 0);
    wire_put_u32(w, (uint32_t)ec);
    wire_put_u32(w, 0); // Flags
    wire_put_u32(w, ec == EC_OK ? (uint32_t)out_len : 0);
    if (ec == EC_OK)
        wire_put_bytes(w, out, out_len);
    aux_put_none(w);
    return RESPONSE_SUCCESS;
}

// --- Disconnect ---

static enum response_code run_disconnect(struct exchange *x) {
    struct aux_in aux;
    if (!aux_read(&x->body, x->arena, &aux) || !wire_ok(&x->body))
        return RESPONSE_INVALID_BODY;
    contexts_remove(&x->m->contexts, x->context);
    exchange_begin(x, false);
    wire_put_u32(&x->out, 0);
    wire_put_u32(&x->out, EC_OK);
    aux_put_none(&x->out);
    return RESPONSE_SUCCESS;
}

const struct operation emsmdb_operations[] = {
    {"Connect", CONTEXT_MAKES, run_connect},
    {"Execute", CONTEXT_NEEDS, run_execute},
    {"Disconnect", CONTEXT_NEEDS, run_disconnect},
    {"NotificationWait", CONTEXT_WAITS, run_notification_wait},
    {0},
};
