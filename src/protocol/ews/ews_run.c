// One request from its bytes to the bytes of its answer: SOAP envelope, headers, the operation,
// faults ([MS-OXWSCORE] 2.1, 2.2.3, [MS-OXWSCDATA] 2.2.3).
#include <string.h>

#include "base/log.h"
#include "protocol/ews/ews_service.h"

// One build that clients' tables know as Exchange 2016, and its schema's name.
#define BUILD_MAJOR 15
#define BUILD_MINOR 1
#define BUILD_NUMBER 2507
#define BUILD_REVISION 6
#define SCHEMA_NAME "V2017_07_11"
#define BACK_OFF_MS "1000"

#define NS_SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define NS_TYPES "http://schemas.microsoft.com/exchange/services/2006/types"
#define NS_MESSAGES "http://schemas.microsoft.com/exchange/services/2006/messages"
#define NS_ERRORS "http://schemas.microsoft.com/exchange/services/2006/errors"

static const char declaration[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";

// --- Versions ---

static const struct {
    const char *name;
    enum ews_version version;
} versions[] = {
    {"Exchange2007", EWS_2007},         {"Exchange2007_SP1", EWS_2007_SP1},
    {"Exchange2009", EWS_2007_SP1},     {"Exchange2010", EWS_2010},
    {"Exchange2010_SP1", EWS_2010_SP1}, {"Exchange2010_SP2", EWS_2010_SP2},
    {"Exchange2012", EWS_2010_SP2},     {"Exchange2013", EWS_2013},
    {"Exchange2013_SP1", EWS_2013_SP1}, {"Exchange2015", EWS_2013_SP1},
    {"Exchange2016", EWS_2016},         {"V2015_10_05", EWS_2016},
    {"V2016_01_06", EWS_2016},          {"V2016_04_13", EWS_2016},
    {"V2016_07_13", EWS_2016},          {"V2016_10_10", EWS_2016},
    {"V2017_01_07", EWS_2016},          {"V2017_04_14", EWS_2016},
    {"V2017_07_11", EWS_2016},
};

bool ews_version_parse(const char *text, enum ews_version *out) {
    for (unsigned i = 0; i < G_N_ELEMENTS(versions); i++) {
        if (strcmp(text, versions[i].name) != 0)
            continue;
        *out = versions[i].version;
        return true;
    }
    return false;
}

const char *ews_version_name(enum ews_version v) {
    for (unsigned i = 0; i < G_N_ELEMENTS(versions); i++)
        if (versions[i].version == v)
            return versions[i].name;
    return "";
}

// --- Envelopes ---

void ews_envelope_begin(struct ews_call *call) {
    struct ews_writer *w = call->w;
    ews_put_raw(w, declaration, strlen(declaration));
    ews_open(w, "s:Envelope");
    ews_attr(w, "xmlns:s", NS_SOAP);
    ews_open(w, "s:Header");
    ews_open(w, "t:ServerVersionInfo");
    ews_attr(w, "xmlns:t", NS_TYPES);
    ews_attr_int(w, "MajorVersion", BUILD_MAJOR);
    ews_attr_int(w, "MinorVersion", BUILD_MINOR);
    ews_attr_int(w, "MajorBuildNumber", BUILD_NUMBER);
    ews_attr_int(w, "MinorBuildNumber", BUILD_REVISION);
    ews_attr(w, "Version", SCHEMA_NAME);
    ews_close(w);
    ews_close(w);
    ews_open(w, "s:Body");
    // Inside, so that a body's element stands on its own.
    ews_attr(w, "xmlns:m", NS_MESSAGES);
    ews_attr(w, "xmlns:t", NS_TYPES);
    call->n_messages = 0;
}

void ews_envelope_end(struct ews_call *call) {
    while (ews_writer_depth(call->w) > 0)
        ews_close(call->w);
}

static void put_fault_detail(struct ews_writer *w, const struct ews_failure *f) {
    ews_open(w, "detail");
    ews_open(w, "e:ResponseCode");
    ews_attr(w, "xmlns:e", NS_ERRORS);
    ews_put_text(w, f->code);
    ews_close(w);
    ews_open(w, "e:Message");
    ews_attr(w, "xmlns:e", NS_ERRORS);
    ews_put_text(w, f->text);
    ews_close(w);
    if (f->values) {
        ews_open(w, "t:MessageXml");
        ews_attr(w, "xmlns:t", NS_TYPES);
        for (const char *const *v = f->values; v[0]; v += 2) {
            ews_open(w, "t:Value");
            ews_attr(w, "Name", v[0]);
            ews_put_text(w, v[1]);
            ews_close(w);
        }
        ews_close(w);
    }
    ews_close(w);
}

// The whole answer anew as a fault.
static unsigned put_fault(struct ews_call *call) {
    static const char *const back_off[] = {"BackOffMilliseconds", BACK_OFF_MS, NULL};
    struct ews_failure f = call->failure;
    struct ews_writer *w = call->w;
    if (!f.code)
        f.code = "ErrorInternalServerError";
    if (!f.text)
        f.text = ews_code_text(f.code);
    if (!f.values && strcmp(f.code, "ErrorServerBusy") == 0)
        f.values = back_off;
    ews_rewind(w, (struct ews_mark){0});
    ews_put_raw(w, declaration, strlen(declaration));
    ews_open(w, "s:Envelope");
    ews_attr(w, "xmlns:s", NS_SOAP);
    ews_open(w, "s:Body");
    ews_open(w, "s:Fault");
    ews_open(w, "faultcode");
    ews_attr(w, "xmlns:a", NS_TYPES);
    ews_put_text(w, arena_printf(call->arena, "a:%s", f.code));
    ews_close(w);
    ews_open(w, "faultstring");
    ews_attr(w, "xml:lang", "en-US");
    ews_put_text(w, f.text);
    ews_close(w);
    put_fault_detail(w, &f);
    ews_envelope_end(call);
    return 500;
}

// --- Headers ---

static enum ec impersonate(struct ews_call *call, const struct ews_node *header) {
    const struct ews_node *sid = ews_child(header, "ConnectingSID");
    const struct ews_node *who = sid ? sid->child : NULL;
    if (!who || who->next)
        return ews_fault(call, "ErrorInvalidExchangeImpersonationHeaderData",
                         "ExchangeImpersonation must name one account.");
    const char *name = ews_text(call->arena, who);
    if (ews_is(who, "SID"))
        return ews_fault(call, "ErrorInvalidUserSid", "Accounts have no SID here.");
    struct directory_object *object;
    struct directory *d = ews_directory(call);
    enum ec ec = ews_is(who, "PrincipalName")
                     ? directory_find_login(d, call->arena, name, &object)
                     : directory_find_address(d, call->arena, name, &object);
    if (ec != EC_OK)
        return ews_fault(call,
                         ews_is(who, "PrincipalName") ? "ErrorInvalidUserPrincipalName"
                                                      : "ErrorNonExistentMailbox",
                         NULL);
    bool is_self = guid_equal(&object->guid, &call->login->guid);
    uint32_t rights = directory_rights(d, &object->guid, &call->login->guid);
    if (!is_self && !call->login->is_admin && !(rights & DIRECTORY_FULL_ACCESS))
        return ews_fault(call, "ErrorImpersonateUserDenied", NULL);
    struct principal *p = g_new0(struct principal, 1);
    p->refs = 1;
    p->guid = object->guid;
    p->address = g_strdup(object->address);
    p->display_name = g_strdup(object->display_name);
    principal_unref(call->principal);
    call->principal = p;
    call->is_impersonated = !is_self;
    return EC_OK;
}

static enum ec read_version(struct ews_call *call, const struct ews_node *node) {
    const char *text = ews_attribute(node, "Version");
    call->version = EWS_2007_SP1; // without the header
    if (!node)
        return EC_OK;
    if (!text || !ews_version_parse(text, &call->version))
        return ews_fault(call, "ErrorInvalidServerVersion", NULL);
    call->version_text = text;
    return EC_OK;
}

static enum ec check_headers(struct ews_call *call, const struct ews_node *header) {
    static const char *const known[] = {"RequestServerVersion",
                                        "MailboxCulture",
                                        "TimeZoneContext",
                                        "DateTimePrecision",
                                        "ExchangeImpersonation",
                                        "ManagementRole",
                                        "OpenAsAdminOrSystemService",
                                        "SerializedSecurityContext",
                                        "ProxyRequestTypeHeader",
                                        "ServerVersionInfo"};
    for (const struct ews_node *n = header ? header->child : NULL; n; n = n->next) {
        bool is_known = false;
        for (unsigned i = 0; i < G_N_ELEMENTS(known); i++)
            is_known |= ews_is(n, known[i]);
        if (is_known && ews_next(n))
            return ews_fault(call, "ErrorDuplicateSOAPHeader",
                             "A SOAP header stands in the request twice.");
        const char *must = ews_attribute(n, "mustUnderstand");
        if (!is_known && must && strcmp(must, "1") == 0)
            return ews_fault(call, "ErrorInvalidRequest", "A SOAP header is not understood.");
    }
    return EC_OK;
}

static enum ec read_headers(struct ews_call *call) {
    const struct ews_node *header = call->header;
    EC_TRY(check_headers(call, header));
    EC_TRY(read_version(call, ews_child(header, "RequestServerVersion")));
    call->culture = ews_child_text(call->arena, header, "MailboxCulture");
    const struct ews_node *zone = ews_child(header, "TimeZoneContext/TimeZoneDefinition");
    call->time_zone_definition = zone;
    call->time_zone = ews_attribute(zone, "Id");
    const char *precision = ews_child_text(call->arena, header, "DateTimePrecision");
    call->with_milliseconds = precision && strcmp(precision, "Milliseconds") == 0;
    call->management_role = ews_child(header, "ManagementRole");
    const struct ews_node *who = ews_child(header, "ExchangeImpersonation");
    return who ? impersonate(call, who) : EC_OK;
}

// --- The body ---

static enum ec read_envelope(struct ews_call *call, const void *data, size_t len) {
    struct ews_node *root;
    const char *error = NULL;
    if (ews_node_parse(call->arena, data, len, &root, &error) != EC_OK)
        return ews_fault(
            call, "ErrorSchemaValidation",
            arena_printf(call->arena, "The request failed schema validation: %s", error));
    if (!ews_is(root, "Envelope") || root->ns != EWS_NS_SOAP)
        return ews_fault(call, "ErrorSchemaValidation", "The request is no SOAP 1.1 envelope.");
    call->header = ews_child(root, "Header");
    const struct ews_node *body = ews_child(root, "Body");
    if (!body || !body->child)
        return ews_fault(call, "ErrorSchemaValidation", "The request has no body.");
    call->request = body->child;
    return EC_OK;
}

static enum ec find_operation(struct ews_call *call) {
    const struct ews_node *request = call->request;
    call->operation = request->ns == EWS_NS_MESSAGES ? ews_operation_find(request->name) : NULL;
    // Some requests are called NAMERequest (GetUserAvailabilityRequest).
    if (!call->operation && request->ns == EWS_NS_MESSAGES &&
        g_str_has_suffix(request->name, "Request")) {
        g_autofree char *name = g_strndup(request->name, strlen(request->name) - 7);
        call->operation = ews_operation_find(name);
    }
    if (!call->operation)
        return ews_fault(call, "ErrorSchemaValidation",
                         arena_printf(call->arena,
                                      "The request failed schema validation: Could not find schema "
                                      "information for the element '%s'.",
                                      request->name));
    if (call->version < call->operation->since)
        return ews_fault(call, "ErrorIncorrectSchemaVersion", NULL);
    return EC_OK;
}

// The operation's one answer when it went wrong as a whole.
static enum ec put_failure(struct ews_call *call, enum ec ec) {
    if (call->operation->answer == EWS_ANSWER_OWN || call->is_fault) {
        if (!call->failure.code)
            ews_fail(call, ews_code_of(ec), NULL);
        call->is_fault = true;
        return ec;
    }
    ews_rewind(call->w, call->body);
    call->n_messages = 0;
    ews_error(call, ec);
    return EC_OK;
}

static enum ec run_operation(struct ews_call *call) {
    const struct ews_operation *op = call->operation;
    enum ec ec;
    ews_envelope_begin(call);
    call->body = ews_mark(call->w);
    ec = op->run ? op->run(call) : ews_fail(call, "ErrorInvalidOperation", NULL);
    if (ec == EC_OK && call->n_messages == 0 && op->answer != EWS_ANSWER_OWN)
        ec = ews_fail(call, "ErrorSchemaValidation", "The request asks for nothing.");
    if (ec != EC_OK)
        EC_TRY(put_failure(call, ec));
    if (!ews_writer_ok(call->w))
        EC_TRY(put_failure(call, EC_TABLE_TOO_BIG));
    ews_envelope_end(call);
    return EC_OK;
}

static enum ec run(struct ews_call *call, const void *body, size_t len) {
    EC_TRY(read_envelope(call, body, len));
    EC_TRY(read_headers(call));
    EC_TRY(find_operation(call));
    return run_operation(call);
}

unsigned ews_call_run(struct ews_call *call, const void *body, size_t len) {
    const char *user = call->login->address ? call->login->address : "";
    enum ec ec;
    if (!ews_service_enter(call->service, user)) {
        ews_fault(call, "ErrorServerBusy", NULL);
        return put_fault(call);
    }
    ec = run(call, body, len);
    ews_service_leave(call->service, user);
    if (ec == EC_OK)
        return 200;
    if (!call->failure.code)
        ews_fail(call, ews_code_of(ec), NULL);
    return put_fault(call);
}

// --- Calls ---

struct ews_call *ews_call_new(struct ews_service *s, struct principal *who,
                              struct http_request *http) {
    struct ews_call *call = g_new0(struct ews_call, 1);
    call->service = s;
    call->arena = arena_new();
    call->login = principal_ref(who);
    call->principal = principal_ref(who);
    call->http = http;
    call->w = ews_writer_new(s->options.max_answer);
    call->mailboxes = g_ptr_array_new();
    return call;
}

void ews_call_free(struct ews_call *call) {
    if (!call)
        return;
    if (call->stream && call->stream->close)
        call->stream->close(call, call->stream->state);
    for (guint i = 0; i < call->mailboxes->len; i++)
        mailbox_close(((struct ews_mailbox *)call->mailboxes->pdata[i])->m);
    g_ptr_array_unref(call->mailboxes);
    ews_writer_free(call->w);
    principal_unref(call->login);
    principal_unref(call->principal);
    arena_free(call->arena);
    g_free(call);
}

enum ec ews_take_over(struct ews_call *call, const struct ews_stream *stream) {
    if (!call->http)
        return EC_NOT_SUPPORTED;
    call->stream = arena_memdup(call->arena, stream, sizeof *stream);
    return EC_OK;
}

void ews_run(struct ews_service *s, struct principal *who, const void *body, size_t len,
             GBytes **answer_out, unsigned *status_out) {
    struct ews_call *call = ews_call_new(s, who, NULL);
    unsigned status = ews_call_run(call, body, len);
    *answer_out = ews_writer_take(call->w);
    if (status_out)
        *status_out = status;
    ews_call_free(call);
}

struct mailbox_service *ews_mailboxes(struct ews_call *call) {
    return call->service->options.mailboxes;
}

struct directory *ews_directory(struct ews_call *call) {
    return mailbox_service_directory(call->service->options.mailboxes);
}

const char *ews_hostname(struct ews_call *call) {
    return call->service->options.hostname;
}
