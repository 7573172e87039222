// The address book endpoint ([MS-OXCMAPIHTTP] 2.2.5): sessions are bound and unbound here; every
// other request's body goes through nspi_bodies.c.
#include <string.h>

#include "mapihttp/mapihttp_internal.h"

static enum ec bind_session(struct exchange *x, uint32_t flags, const struct nspi_stat *stat) {
    struct nspi_session *session;
    EC_TRY(nspi_bind(x->m->options.nspi, x->who, flags, stat, &session));
    struct context *context = context_new(ENDPOINT_NSPI, &x->who->guid);
    context->nspi = session;
    enum ec ec = contexts_add(&x->m->contexts, context);
    if (ec == EC_OK)
        x->context = context;
    else
        context_unref(context);
    return ec;
}

static enum response_code run_bind(struct exchange *x) {
    struct nspi_stat stat;
    struct aux_in aux;
    uint32_t flags = wire_u32(&x->body);
    bool has_stat = nspi_wire_stat(&x->body, &stat);
    if (!aux_read(&x->body, x->arena, &aux) || !wire_ok(&x->body))
        return RESPONSE_INVALID_BODY;
    enum ec ec = bind_session(x, flags, has_stat ? &stat : NULL);
    exchange_begin(x, false);
    wire_put_u32(&x->out, 0);
    wire_put_u32(&x->out, (uint32_t)ec);
    static const struct guid none;
    wire_put_guid(&x->out, ec == EC_OK ? nspi_service_guid(x->m->options.nspi) : &none);
    aux_put_none(&x->out);
    return RESPONSE_SUCCESS;
}

static enum response_code run_unbind(struct exchange *x) {
    struct aux_in aux;
    wire_skip(&x->body, 4);
    if (!aux_read(&x->body, x->arena, &aux) || !wire_ok(&x->body))
        return RESPONSE_INVALID_BODY;
    contexts_remove(&x->m->contexts, x->context);
    exchange_begin(x, false);
    wire_put_u32(&x->out, 0);
    wire_put_u32(&x->out, NSPI_UNBIND_SUCCESS);
    aux_put_none(&x->out);
    return RESPONSE_SUCCESS;
}

// "https://HOST/mapi/PATH?MailboxId=GUID@DOMAIN", as Autodiscover gives it too.
static const char *url_of(struct exchange *x, const char *path) {
    char guid[GUID_STRING_SIZE];
    guid_format(&x->who->guid, guid);
    const char *at = strrchr(x->who->address, '@');
    const char *host = http_header(x->r, "Host");
    if (!host || !*host || strpbrk(host, "/\\@?# "))
        host = x->m->hostname;
    return arena_printf(x->arena, "%s://%s/mapi/%s/?MailboxId=%s%s",
                        http_is_tls(x->r) ? "https" : "http", host, path, guid, at ? at : "");
}

static enum response_code run_body(struct exchange *x) {
    struct nspi_call call = {
        .session = x->context->nspi,
        .arena = x->arena,
        .in = &x->body,
        .out = &x->out,
        .mailbox_url = url_of(x, "emsmdb"),
        .address_book_url = url_of(x, "nspi"),
    };
    enum response_code code = nspi_body_run(&call, x->operation->name);
    if (code == RESPONSE_SUCCESS)
        exchange_begin(x, false);
    return code;
}

const struct operation nspi_operations[] = {
    {"Bind", CONTEXT_MAKES, run_bind},
    {"Unbind", CONTEXT_NEEDS, run_unbind},
    {"CompareMIds", CONTEXT_NEEDS, run_body},
    {"DNToMId", CONTEXT_NEEDS, run_body},
    {"GetMatches", CONTEXT_NEEDS, run_body},
    {"GetPropList", CONTEXT_NEEDS, run_body},
    {"GetProps", CONTEXT_NEEDS, run_body},
    {"GetSpecialTable", CONTEXT_NEEDS, run_body},
    {"GetTemplateInfo", CONTEXT_NEEDS, run_body},
    {"ModLinkAtt", CONTEXT_NEEDS, run_body},
    {"ModProps", CONTEXT_NEEDS, run_body},
    {"QueryColumns", CONTEXT_NEEDS, run_body},
    {"QueryRows", CONTEXT_NEEDS, run_body},
    {"ResolveNames", CONTEXT_NEEDS, run_body},
    {"ResortRestriction", CONTEXT_NEEDS, run_body},
    {"SeekEntries", CONTEXT_NEEDS, run_body},
    {"UpdateStat", CONTEXT_NEEDS, run_body},
    {"GetMailboxUrl", CONTEXT_NEEDS, run_body},
    {"GetAddressBookUrl", CONTEXT_NEEDS, run_body},
    {0},
};
