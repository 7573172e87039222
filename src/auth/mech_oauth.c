// XOAUTH2 and OAUTHBEARER ([RFC 7628]): a bearer token instead of a password. A token that does not
// count is answered with a JSON object first; the client acknowledges it, then the login fails.
#include <sodium.h>
#include <string.h>

#include "auth/sasl_internal.h"
#include "auth/token.h"
#include "base/clock.h"

struct oauth {
    bool has_failed; // the client was told why
    enum ec ec;      // what the login ends with then
};

static bool is_usable(const struct auth *auth) {
    return auth->token_keys != NULL;
}

// --- The client's message ---

struct message {
    const char *user; // "": not named
    char *token;
};

// "user=NAME ^A auth=Bearer TOKEN ^A ^A", or after a GS2 header "key=value ^A" of which we need
// "auth". `fields` is changed.
static bool read_fields(char *fields, struct message *out) {
    char *at = fields;
    while (*at != '\0' && *at != '\1') {
        char *end = strchr(at, '\1');
        if (end == NULL)
            return false;
        *end = '\0';
        if (g_str_has_prefix(at, "user="))
            out->user = at + 5;
        else if (g_ascii_strncasecmp(at, "auth=Bearer ", 12) == 0)
            out->token = at + 12 + strspn(at + 12, " ");
        at = end + 1;
    }
    return strcmp(at, "\1") == 0 && out->token != NULL;
}

static bool read_xoauth2(char *text, struct message *out) {
    return read_fields(text, out) && out->user[0] != '\0';
}

// The GS2 header: "n,a=NAME," ([RFC 5801] 4); there is no channel binding.
static bool read_oauthbearer(char *text, struct message *out) {
    if (text[0] != 'n' && text[0] != 'y')
        return false;
    if (text[1] != ',')
        return false;
    char *name = text + 2, *end = strchr(name, ',');
    if (end == NULL || end[1] != '\1')
        return false;
    *end = '\0';
    if (g_str_has_prefix(name, "a="))
        out->user = name + 2;
    else if (*name != '\0')
        return false;
    return strchr(out->user, '=') == NULL && read_fields(end + 2, out);
}

// --- The answer ---

static enum ec fail(struct sasl *s, struct sasl_turn *t, enum ec ec) {
    struct oauth *x = s->data;
    const char *issuer = s->auth->options.oauth_issuer;
    x->has_failed = true;
    x->ec = ec;
    g_autofree char *quoted = g_strescape(issuer, NULL);
    g_autofree char *json =
        s->mechanism == &mech_xoauth2
            ? g_strdup("{\"status\":\"400\",\"schemes\":\"Bearer\",\"scope\":\"\"}")
            : g_strdup_printf("{\"status\":\"invalid_token\",\"openid-configuration\":"
                              "\"%s%s.well-known/openid-configuration\"}",
                              quoted, g_str_has_suffix(issuer, "/") ? "" : "/");
    return sasl_challenge(t, json, strlen(json));
}

static enum ec check(struct sasl *s, const struct message *m, struct principal **out) {
    const struct auth_options *o = &s->auth->options;
    const struct token_rules rules = {.issuer = o->oauth_issuer,
                                      .audience = o->oauth_audience,
                                      .claim = o->oauth_claim != NULL ? o->oauth_claim : "email",
                                      .now = clock_now()};
    const char *user, *reason = NULL;
    struct attempt a;
    // The name in the message is only what somebody says; until the token is known to be right the
    // failure is the address's.
    EC_TRY(attempt_begin(&a, s->arena, s->auth, &s->peer, NULL));
    if (!attempt_may_try(&a))
        return attempt_conclude(&a, EC_SERVER_BUSY, NULL, out);
    enum ec ec = token_check(s->auth->token_keys, &rules, s->arena, m->token, &user, &reason);
    if (ec == EC_OK) {
        EC_TRY(attempt_name(&a, s->arena, user));
        a.mailbox = NULL; // a token names a person
        reason = "the token names another user";
        if (a.object == NULL || !attempt_is_authorized(&a, s->arena, m->user))
            ec = EC_LOGON_FAILED;
    }
    return attempt_conclude(&a, ec, reason, out);
}

enum ec auth_token(struct auth *auth, const struct auth_peer *peer, const char *token,
                   struct principal **out) {
    if (auth->token_keys == NULL)
        return EC_NOT_SUPPORTED;
    if (!auth_plaintext_allowed(auth, peer))
        return EC_NOT_AUTHORIZED;
    ARENA_AUTO arena = arena_new();
    struct sasl s = {.auth = auth, .peer = *peer, .arena = arena};
    struct message m = {.user = "", .token = (char *)(uintptr_t)token};
    return check(&s, &m, out);
}

static enum ec step(struct sasl *s, struct sasl_turn *t) {
    struct oauth *x = s->data;
    if (x->has_failed) // whatever it says ("^A" of OAUTHBEARER)
        return x->ec;
    struct message m = {.user = ""};
    char *text = g_malloc0(t->in_len + 1);
    memcpy(text, t->in, t->in_len);
    bool is_text = strlen(text) == t->in_len && g_utf8_validate(text, -1, NULL);
    enum ec ec = EC_FORMAT_ERROR;
    if (is_text &&
        (s->mechanism == &mech_xoauth2 ? read_xoauth2(text, &m) : read_oauthbearer(text, &m)))
        ec = check(s, &m, &t->who);
    sodium_memzero(text, t->in_len);
    g_free(text);
    return ec == EC_LOGON_FAILED ? fail(s, t, ec) : ec;
}

const struct sasl_mechanism mech_xoauth2 = {.name = "XOAUTH2",
                                            .is_usable = is_usable,
                                            .question = "",
                                            .size = sizeof(struct oauth),
                                            .step = step};
const struct sasl_mechanism mech_oauthbearer = {.name = "OAUTHBEARER",
                                                .is_usable = is_usable,
                                                .question = "",
                                                .size = sizeof(struct oauth),
                                                .step = step};
