// One attempt to log in: who it is about, whether it may be made, what comes of it.
#include <arpa/inet.h>
#include <string.h>

#include "auth/auth_internal.h"
#include "auth/limits.h"
#include "base/log.h"
#include "base/text.h"

// --- Login names ---

struct login {
    const char *user, *mailbox; // mailbox NULL: the user's own
};

// The readings of a name with slashes, the first one that is somebody counts. A local part may have
// slashes too: the name as a whole has been tried before.
static unsigned read_slashes(struct arena *arena, const char *name, struct login out[2]) {
    const char *last = strrchr(name, '/');
    if (last == NULL || last == name || last[1] == '\0')
        return 0;
    char *head = arena_strndup(arena, name, (size_t)(last - name));
    char *slash = strchr(head, '/');
    out[0] = (struct login){head, last + 1};
    if (slash != NULL) { // domain/user/mailbox
        *slash = '\\';
        return 1;
    }
    if (strpbrk(head, "@\\") != NULL) // user@domain/mailbox, DOMAIN\user/mailbox
        return 1;
    // domain/user, user/mailbox
    out[1] = out[0];
    out[0] = (struct login){arena_printf(arena, "%s\\%s", head, last + 1), NULL};
    return 2;
}

static enum ec find_login(struct directory *d, struct arena *arena, const char *name,
                          struct directory_object **object_out, const char **mailbox_out) {
    struct login readings[2];
    *mailbox_out = NULL;
    enum ec ec = directory_find_login(d, arena, name, object_out);
    unsigned n = ec == EC_NOT_FOUND ? read_slashes(arena, name, readings) : 0;
    for (unsigned i = 0; i < n && ec == EC_NOT_FOUND; i++) {
        ec = directory_find_login(d, arena, readings[i].user, object_out);
        *mailbox_out = readings[i].mailbox;
    }
    return ec;
}

// --- Beginning ---

// An IPv6 network of 64 bits is one customer, who has all of its addresses.
static const char *network_of(struct arena *arena, const char *address) {
    struct in6_addr v6;
    if (inet_pton(AF_INET6, address, &v6) != 1 || IN6_IS_ADDR_V4MAPPED(&v6))
        return address;
    const uint8_t *b = v6.s6_addr;
    return arena_printf(arena, "%02x%02x:%02x%02x:%02x%02x:%02x%02x::/64", b[0], b[1], b[2], b[3],
                        b[4], b[5], b[6], b[7]);
}

enum ec attempt_begin(struct attempt *a, struct arena *arena, struct auth *auth,
                      const struct auth_peer *peer, const char *login) {
    *a = (struct attempt){.auth = auth, .peer = peer};
    // Loopback stands for whoever a proxy or webmail on this machine speaks for.
    if (!peer->is_loopback)
        a->address_key = network_of(arena, peer->address);
    return login != NULL ? attempt_name(a, arena, login) : EC_OK;
}

enum ec attempt_name(struct attempt *a, struct arena *arena, const char *login) {
    // Too long to be anybody's.
    if (strlen(login) > AUTH_LOGIN_MAX)
        login = "";
    enum ec ec = find_login(a->auth->directory, arena, login, &a->object, &a->mailbox);
    if (ec == EC_OK) {
        // All spellings of a name count as one.
        char guid[GUID_STRING_SIZE];
        guid_format(&a->object->guid, guid);
        a->user_key = arena_strdup(arena, guid);
        return EC_OK;
    }
    a->object = NULL;
    a->user_key =
        g_utf8_validate(login, -1, NULL) ? text_fold(arena, login) : arena_strdup(arena, login);
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

bool attempt_may_try(void *attempt) {
    const struct attempt *a = attempt;
    struct throttle *t = a->auth->throttle;
    return (a->user_key == NULL || !throttle_is_blocked(t, THROTTLE_USER, a->user_key)) &&
           (a->address_key == NULL || !throttle_is_blocked(t, THROTTLE_ADDRESS, a->address_key));
}

enum ec attempt_credentials(const struct attempt *a, struct directory_credentials *out) {
    static const struct guid nobody;
    return directory_credentials(a->auth->directory, a->object != NULL ? &a->object->guid : &nobody,
                                 out);
}

// --- The end ---

static void log_attempt(const struct attempt *a, const char *event, const char *reason) {
    // The name of nobody may be a password in the wrong field: not logged.
    log_event(LOG_LEVEL_INFO, event, "from", a->peer->address, "user",
              a->object != NULL ? a->object->address : "(unknown)", "reason", reason, NULL);
}

enum ec attempt_conclude(struct attempt *a, enum ec ec, const char *reason,
                         struct principal **out) {
    struct throttle *throttle = a->auth->throttle;
    if (ec == EC_LOGON_FAILED) {
        if (a->user_key != NULL)
            throttle_fail(throttle, THROTTLE_USER, a->user_key);
        if (a->address_key != NULL)
            throttle_fail(throttle, THROTTLE_ADDRESS, a->address_key);
        log_attempt(a, "auth.failed",
                    a->object != NULL || a->user_key == NULL ? reason : "no such user");
        return ec;
    }
    if (ec == EC_SERVER_BUSY)
        log_attempt(a, "auth.throttled", NULL);
    EC_TRY(ec);
    throttle_forget(throttle, THROTTLE_USER, a->user_key);
    if (a->object->is_disabled || (a->object->protocols & a->peer->protocol) == 0) {
        log_attempt(a, "auth.refused",
                    a->object->is_disabled ? "account disabled" : "protocol disabled");
        return EC_ACCOUNT_DISABLED;
    }
    *out = principal_new(a->object);
    (*out)->mailbox = g_strdup(a->mailbox);
    return EC_OK;
}

bool attempt_is_authorized(struct attempt *a, struct arena *arena, const char *name) {
    struct directory_object *object;
    const char *mailbox;
    if (name[0] == '\0')
        return true;
    if (strlen(name) > AUTH_LOGIN_MAX || a->object == NULL ||
        find_login(a->auth->directory, arena, name, &object, &mailbox) != EC_OK ||
        !guid_equal(&object->guid, &a->object->guid))
        return false;
    if (mailbox != NULL)
        a->mailbox = mailbox;
    return true;
}
