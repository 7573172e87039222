// GSSAPI ([RFC 4752]): Kerberos by MIT's library, with the keys of [auth] gssapi_keytab; the one
// security layer is none. Tokens of SPNEGO (what Windows calls Negotiate) around Kerberos are taken
// too.
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <string.h>
#include <unistd.h>

#include "auth/limits.h"
#include "auth/sasl_internal.h"
#include "base/log.h"

#define LAYER_NONE 1

enum gssapi_state { GSSAPI_CONTEXT, GSSAPI_OFFER, GSSAPI_CHOICE };

struct gssapi {
    enum gssapi_state state;
    gss_ctx_id_t context;
    gss_cred_id_t credentials;
    gss_name_t client;
};

static gss_OID_desc krb5 = {9, (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_desc spnego = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};

static bool is_usable(const struct auth *auth) {
    const char *keytab = auth->options.gssapi_keytab;
    if (keytab == NULL)
        return false;
    if (access(keytab, R_OK) == 0)
        return true;
    log_event(LOG_LEVEL_WARNING, "auth.gssapi_keytab", "file", keytab, "reason", g_strerror(errno),
              NULL);
    return false;
}

// --- The context ---

static void log_gss(const struct sasl *s, OM_uint32 major, OM_uint32 minor) {
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    gss_display_status(&ignored, minor != 0 ? minor : major,
                       minor != 0 ? GSS_C_MECH_CODE : GSS_C_GSS_CODE, GSS_C_NO_OID, &more, &text);
    g_autofree char *reason = g_strndup(text.value, text.length);
    log_event(LOG_LEVEL_INFO, "auth.gssapi", "from", s->peer.address, "reason", reason, NULL);
    gss_release_buffer(&ignored, &text);
}

static enum ec acquire(struct sasl *s, struct gssapi *x) {
    gss_OID_desc oids[2] = {krb5, spnego};
    gss_OID_set_desc mechanisms = {2, oids};
    g_autofree char *keytab = g_strconcat("FILE:", s->auth->options.gssapi_keytab, NULL);
    gss_key_value_element_desc element = {"keytab", keytab};
    gss_key_value_set_desc store = {1, &element};
    OM_uint32 minor,
        major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms,
                                      GSS_C_ACCEPT, &store, &x->credentials, NULL, NULL);
    if (!GSS_ERROR(major))
        return EC_OK;
    log_gss(s, major, minor);
    return EC_CALL_FAILED;
}

// The failure is the address's: there is no name yet.
static enum ec refuse(struct sasl *s, struct sasl_turn *t, const char *reason) {
    struct attempt a;
    EC_TRY(attempt_begin(&a, s->arena, s->auth, &s->peer, NULL));
    return attempt_conclude(&a, EC_LOGON_FAILED, reason, &t->who);
}

static enum ec let_in(struct sasl *s, struct gssapi *x, const char *authorization,
                      struct sasl_turn *t);

// The security layers to choose from: none.
static enum ec offer(struct sasl *s, struct gssapi *x, struct sasl_turn *t) {
    static const uint8_t layers[4] = {LAYER_NONE, 0, 0, 0};
    gss_buffer_desc in = {sizeof layers, (void *)(uintptr_t)layers}, out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    if (GSS_ERROR(gss_wrap(&minor, x->context, 0, GSS_C_QOP_DEFAULT, &in, NULL, &out)))
        return refuse(s, t, "Kerberos cannot sign");
    x->state = GSSAPI_CHOICE;
    enum ec ec = sasl_challenge(t, out.value, out.length);
    gss_release_buffer(&minor, &out);
    return ec;
}

static enum ec context_step(struct sasl *s, struct gssapi *x, struct sasl_turn *t) {
    struct attempt a;
    if (t->in_len == 0) // SPNEGO would begin by itself
        return EC_FORMAT_ERROR;
    EC_TRY(attempt_begin(&a, s->arena, s->auth, &s->peer, NULL));
    if (!attempt_may_try(&a))
        return attempt_conclude(&a, EC_SERVER_BUSY, NULL, &t->who);
    if (x->credentials == GSS_C_NO_CREDENTIAL)
        EC_TRY(acquire(s, x));
    gss_buffer_desc in = {t->in_len, (void *)(uintptr_t)t->in}, out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor, ignored;
    gss_release_name(&ignored, &x->client);
    OM_uint32 major =
        gss_accept_sec_context(&minor, &x->context, x->credentials, &in, GSS_C_NO_CHANNEL_BINDINGS,
                               &x->client, NULL, &out, NULL, NULL, NULL);
    if (GSS_ERROR(major)) {
        log_gss(s, major, minor);
        gss_release_buffer(&ignored, &out);
        return refuse(s, t, "Kerberos refused");
    }
    bool is_complete = !(major & GSS_S_CONTINUE_NEEDED);
    if (is_complete && s->is_bare) {
        enum ec last = let_in(s, x, "", t);
        sasl_challenge(t, out.length > 0 ? out.value : "", out.length);
        gss_release_buffer(&ignored, &out);
        return last;
    }
    if (is_complete)
        x->state = GSSAPI_OFFER;
    // Without a last token of ours the offer is the next thing to say.
    enum ec ec = is_complete && out.length == 0
                     ? offer(s, x, t)
                     : sasl_challenge(t, out.length > 0 ? out.value : "", out.length);
    gss_release_buffer(&ignored, &out);
    return ec;
}

// --- The security layer ---

// The principal's login name; NULL: it is none of our realm, or of a service. With a realm set its
// principals are users of the domain of that name or of the default domain; otherwise a realm is
// the domain of the same name.
static const char *login_of(struct sasl *s, const char *principal) {
    const char *realm = s->auth->options.gssapi_realm, *at = strrchr(principal, '@');
    if (at == NULL || at == principal || strpbrk(principal, "/\\") != NULL ||
        strchr(principal, '@') != at || (realm != NULL && strcmp(at + 1, realm) != 0))
        return NULL;
    const char *user = arena_strndup(s->arena, principal, (size_t)(at - principal));
    g_autofree char *domain = g_ascii_strdown(at + 1, -1);
    if (directory_is_local_domain(s->auth->directory, domain))
        return arena_printf(s->arena, "%s@%s", user, domain);
    return realm != NULL ? user : NULL;
}

static const char *principal_of(struct sasl *s, struct gssapi *x) {
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    if (GSS_ERROR(gss_display_name(&minor, x->client, &text, NULL)))
        return NULL;
    const char *name = memchr(text.value, '\0', text.length) == NULL &&
                               g_utf8_validate(text.value, (gssize)text.length, NULL)
                           ? arena_strndup(s->arena, text.value, text.length)
                           : NULL;
    gss_release_buffer(&minor, &text);
    return name;
}

// The layer the client chose (one byte), a size that means nothing without one (three), and whom it
// wants to be.
static enum ec read_choice(struct sasl *s, const uint8_t *data, size_t len, const char **name_out) {
    struct sasl_turn rest = {.in = data + 4, .in_len = len - 4};
    if (len < 4 || data[0] != LAYER_NONE)
        return EC_FORMAT_ERROR;
    *name_out = sasl_text(s, &rest);
    return *name_out != NULL ? EC_OK : EC_FORMAT_ERROR;
}

static enum ec let_in(struct sasl *s, struct gssapi *x, const char *authorization,
                      struct sasl_turn *t) {
    const char *principal = principal_of(s, x);
    const char *login = principal != NULL ? login_of(s, principal) : NULL;
    if (login == NULL)
        return refuse(s, t, "a principal that is no user");
    struct attempt a;
    EC_TRY(attempt_begin(&a, s->arena, s->auth, &s->peer, login));
    a.mailbox = NULL;
    // Clients also name the principal itself.
    bool is_same = strcmp(authorization, principal) == 0;
    if (a.object == NULL || (!is_same && !attempt_is_authorized(&a, s->arena, authorization)))
        return attempt_conclude(&a, EC_LOGON_FAILED, "not allowed to act for somebody else",
                                &t->who);
    return attempt_conclude(&a, EC_OK, NULL, &t->who);
}

static enum ec choice_step(struct sasl *s, struct gssapi *x, struct sasl_turn *t) {
    gss_buffer_desc in = {t->in_len, (void *)(uintptr_t)t->in}, out = GSS_C_EMPTY_BUFFER;
    const char *authorization = "";
    OM_uint32 minor;
    if (GSS_ERROR(gss_unwrap(&minor, x->context, &in, &out, NULL, NULL)))
        return refuse(s, t, "not signed");
    enum ec ec = read_choice(s, out.value, out.length, &authorization);
    gss_release_buffer(&minor, &out);
    return ec == EC_OK ? let_in(s, x, authorization, t) : ec;
}

// --- The mechanism ---

static enum ec step(struct sasl *s, struct sasl_turn *t) {
    struct gssapi *x = s->data;
    switch (x->state) {
    case GSSAPI_CONTEXT:
        return context_step(s, x, t);
    case GSSAPI_OFFER:
        return t->in_len == 0 ? offer(s, x, t) : EC_FORMAT_ERROR;
    case GSSAPI_CHOICE:
        break;
    }
    return choice_step(s, x, t);
}

static void end(struct sasl *s) {
    struct gssapi *x = s->data;
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &x->context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &x->credentials);
    gss_release_name(&minor, &x->client);
}

const struct sasl_mechanism mech_gssapi = {.name = "GSSAPI",
                                           .is_usable = is_usable,
                                           .question = "",
                                           .size = sizeof(struct gssapi),
                                           .step = step,
                                           .end = end};
