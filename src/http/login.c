// Logins: Basic ([RFC 7617]), Bearer ([RFC 6750]), and Negotiate ([RFC 4559]) and NTLM
// ([MS-NTHT]), which go over several requests of one connection and hold for the connection then.
#include <sodium.h>
#include <string.h>

#include "auth/auth.h"
#include "http/http_internal.h"

#define RETRY_SECONDS "60"

static void fill_peer(const struct http_request *r, struct auth_peer *peer) {
    *peer = (struct auth_peer){
        .address = r->conn->peer,
        .is_tls = r->conn->is_tls,
        .is_loopback = r->conn->is_loopback,
        .protocol = r->route->route->protocol,
    };
}

// --- Answers ---

static void offer(struct http_request *r, const char *scheme) {
    const char *realm = r->server->server_name;
    if (strcmp(scheme, "Basic") == 0) {
        g_autofree char *value = g_strdup_printf("Basic realm=\"%s\", charset=\"UTF-8\"", realm);
        http_add_header(r, "WWW-Authenticate", value);
    } else if (strcmp(scheme, "Bearer") == 0) {
        g_autofree char *value = g_strdup_printf("Bearer realm=\"%s\"", realm);
        http_add_header(r, "WWW-Authenticate", value);
    } else {
        http_add_header(r, "WWW-Authenticate", scheme);
    }
}

void http_ask_for_login(struct http_request *r) {
    struct auth_peer peer;
    fill_peer(r, &peer);
    const char *schemes = auth_schemes(r->server->auth, &peer);
    if (schemes[0] == '\0') {
        http_fail(r, 403, "Logins are for encrypted connections only: use https.");
        return;
    }
    http_fail(r, 401, "A login is needed.");
    g_auto(GStrv) words = g_strsplit(schemes, " ", -1);
    for (char **word = words; *word != NULL; word++)
        offer(r, *word);
}

static void answer_refusal(struct http_request *r) {
    switch (r->login) {
    case EC_SERVER_BUSY:
        http_fail(r, 503, "Too many logins failed. Try again later.");
        http_set_header(r, "Retry-After", RETRY_SECONDS);
        break;
    case EC_ACCOUNT_DISABLED:
        http_fail(r, 403, "This is switched off for the user.");
        break;
    case EC_LOGON_FAILED:
    case EC_NOT_AUTHORIZED:
    case EC_NOT_SUPPORTED:
    case EC_FORMAT_ERROR:
        http_ask_for_login(r);
        break;
    default:
        http_fail(r, 500, "The login could not be checked.");
    }
}

// False, with the answer made. A public route is not refused to anybody.
static bool refuse(struct http_request *r, enum ec ec) {
    r->login = ec;
    if (ec != EC_NOT_AUTHORIZED && ec != EC_NOT_SUPPORTED)
        r->server->figures.logins_failed++;
    if (r->route->route->access == HTTP_PUBLIC)
        return true;
    answer_refusal(r);
    return false;
}

enum http_next http_challenge(struct http_request *r) {
    if (r->login == EC_OK)
        http_ask_for_login(r);
    else
        answer_refusal(r);
    return HTTP_DONE;
}

// --- Schemes ---

static void clear(char *secret) {
    sodium_memzero(secret, strlen(secret));
    g_free(secret);
}

static enum ec login_basic(struct http_request *r, const struct auth_peer *peer,
                           const char *credentials) {
    uint8_t *bytes;
    size_t len;
    if (!sasl_decode(credentials, &bytes, &len))
        return EC_FORMAT_ERROR;
    char *text = g_strndup((const char *)bytes, len);
    char *colon = strchr(text, ':');
    enum ec ec = EC_FORMAT_ERROR;
    if (strlen(text) == len && colon != NULL && g_utf8_validate(text, -1, NULL)) {
        *colon = '\0';
        ec = auth_password(r->server->auth, peer, text, colon + 1, &r->who);
        *colon = ':';
    }
    if (len > 0)
        sodium_memzero(bytes, len);
    g_free(bytes);
    clear(text);
    return ec;
}

static void add_token(struct http_request *r, const char *scheme, const uint8_t *token,
                      size_t len) {
    g_autofree char *base64 = g_base64_encode(token, len);
    g_autofree char *value = g_strdup_printf("%s %s", scheme, base64);
    http_add_header(r, "WWW-Authenticate", value);
}

// One step. EC_BUSY: the answer, with the next token, is made.
static enum ec login_step(struct http_request *r, const struct auth_peer *peer, const char *scheme,
                          const char *credentials) {
    struct http_conn *c = r->conn;
    uint8_t *in, *reply = NULL;
    size_t in_len, reply_len = 0;
    g_clear_pointer(&c->owner, principal_unref);
    if (!sasl_decode(credentials, &in, &in_len))
        return EC_FORMAT_ERROR;
    enum ec ec = EC_OK;
    if (c->exchange != NULL && auth_exchange_is_first(c->exchange, scheme, in, in_len))
        g_clear_pointer(&c->exchange, auth_exchange_free);
    if (c->exchange == NULL)
        ec = auth_exchange_begin(r->server->auth, peer, scheme, &c->exchange);
    if (ec == EC_OK)
        ec = auth_exchange_step(c->exchange, in, in_len, &reply, &reply_len, &r->who);
    g_free(in);
    if (ec == EC_BUSY) {
        http_fail(r, 401, "The login goes on.");
        add_token(r, scheme, reply, reply_len);
    } else {
        g_clear_pointer(&c->exchange, auth_exchange_free);
        if (ec == EC_OK) {
            c->owner = principal_ref(r->who);
            if (reply_len > 0)
                add_token(r, scheme, reply, reply_len);
        }
    }
    g_free(reply);
    return ec;
}

// --- Which ---

static enum ec login_owner(struct http_request *r, const struct auth_peer *peer) {
    enum ec ec = auth_recheck(r->server->auth, peer, r->conn->owner);
    if (ec == EC_OK)
        r->who = principal_ref(r->conn->owner);
    else
        g_clear_pointer(&r->conn->owner, principal_unref);
    return ec;
}

static bool is_scheme(const char *field, const char *scheme, const char **credentials_out) {
    size_t len = strlen(scheme);
    if (g_ascii_strncasecmp(field, scheme, len) != 0 || (field[len] != ' ' && field[len] != '\0'))
        return false;
    *credentials_out = field + len + strspn(field + len, " ");
    return true;
}

bool http_login_is_missing(const struct http_request *r) {
    return r->route->route->access == HTTP_USER && http_header(r, "Authorization") == NULL &&
           r->conn->owner == NULL;
}

bool http_login(struct http_request *r) {
    struct auth_peer peer;
    const char *field = http_header(r, "Authorization"), *credentials;
    enum ec ec = EC_NOT_SUPPORTED;
    fill_peer(r, &peer);
    if (field == NULL && r->conn->owner != NULL) {
        ec = login_owner(r, &peer);
    } else if (field == NULL) {
        if (r->route->route->access == HTTP_PUBLIC)
            return true;
        http_ask_for_login(r);
        return false;
    } else if (is_scheme(field, "Basic", &credentials)) {
        ec = login_basic(r, &peer, credentials);
    } else if (is_scheme(field, "Bearer", &credentials)) {
        ec = auth_token(r->server->auth, &peer, credentials, &r->who);
    } else if (is_scheme(field, "Negotiate", &credentials)) {
        ec = login_step(r, &peer, "Negotiate", credentials);
    } else if (is_scheme(field, "NTLM", &credentials)) {
        ec = login_step(r, &peer, "NTLM", credentials);
    }
    if (ec == EC_BUSY)
        return false;
    return ec == EC_OK || refuse(r, ec);
}
