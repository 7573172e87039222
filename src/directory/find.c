// Finding one entry: by address, by guid, by login; and where mail for an address goes.
#include <string.h>

#include "base/text.h"
#include "directory/directory_internal.h"
#include "directory/limits.h"

// The owner of an address key; EC_NOT_FOUND. Through the cache.
static enum ec find_key(struct directory *d, struct arena *arena, const char *key,
                        struct directory_object **out) {
    struct directory_object *object = NULL;
    if (!cache_find(d, arena, key, &object)) {
        uint64_t generation = directory_generation(d);
        struct db_conn *conn;
        EC_TRY(db_read(d->db, &conn));
        struct db_stmt *q = db_query(conn, sql_object_by_key);
        db_bind_text(q, 1, key);
        if (db_step(q))
            object = object_from_row(arena, q);
        enum ec ec = db_finish(q);
        db_read_end(conn);
        EC_TRY(ec);
        cache_add(d, key, object, generation);
    }
    if (object == NULL)
        return EC_NOT_FOUND;
    *out = object;
    return EC_OK;
}

enum ec directory_find_address(struct directory *d, struct arena *arena, const char *address,
                               struct directory_object **out) {
    struct address parsed;
    if (address_parse(arena, address, &parsed) != EC_OK)
        return EC_NOT_FOUND;
    return find_key(d, arena, parsed.key, out);
}

enum ec directory_find_guid(struct directory *d, struct arena *arena, const struct guid *guid,
                            struct directory_object **out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    enum ec ec = object_by_guid(conn, arena, guid, out);
    db_read_end(conn);
    return ec;
}

// --- Logins ---

// Whether `name` is the short (NetBIOS) name of the domain: its first label, at most 15 octets.
static bool is_short_name(const char *domain, const char *name) {
    size_t label = strcspn(domain, ".");
    size_t len = strlen(name);
    return (len == label || (len == 15 && label > 15)) &&
           g_ascii_strncasecmp(domain, name, len) == 0;
}

static enum ec find_user(struct directory *d, struct arena *arena, const char *user,
                         const char *domain, struct directory_object **out) {
    struct directory_object *object;
    EC_TRY(directory_find_address(d, arena, arena_printf(arena, "%s@%s", user, domain), &object));
    if (object->kind != DIRECTORY_USER)
        return EC_NOT_FOUND;
    *out = object;
    return EC_OK;
}

// DOMAIN\user, where DOMAIN is a short name or a whole one. Two domains can have the same first
// label; the user is then looked for in each, in the order they were added.
static enum ec find_in_domain(struct directory *d, struct arena *arena, const char *domain,
                              const char *user, struct directory_object **out) {
    const char *name;
    if (address_domain(arena, domain, &name) != EC_OK)
        return EC_NOT_FOUND;
    if (domain_find(d, arena, name, NULL))
        return find_user(d, arena, user, name, out);
    g_auto(GStrv) domains = directory_domains(d);
    for (char **p = domains; *p != NULL; p++) {
        if (!is_short_name(*p, name))
            continue;
        enum ec ec = find_user(d, arena, user, *p, out);
        if (ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_NOT_FOUND;
}

enum ec directory_find_login(struct directory *d, struct arena *arena, const char *login,
                             struct directory_object **out) {
    if (strlen(login) > ADDRESS_LOCAL_MAX + ADDRESS_DOMAIN_MAX * 4)
        return EC_NOT_FOUND;
    const char *slash = strchr(login, '\\');
    if (slash != NULL && login[0] != '"')
        return find_in_domain(d, arena, arena_strndup(arena, login, (size_t)(slash - login)),
                              slash + 1, out);
    const char *at = strrchr(login, '@');
    if (at != NULL)
        return find_user(d, arena, arena_strndup(arena, login, (size_t)(at - login)), at + 1, out);
    g_autofree char *domain = directory_default_domain(d);
    return domain != NULL ? find_user(d, arena, login, domain, out) : EC_NOT_FOUND;
}

// --- Routes ---

static enum directory_route route_of(const struct directory_object *object) {
    if (directory_kind_is_group(object->kind))
        return DIRECTORY_ROUTE_GROUP;
    if (object->kind == DIRECTORY_PUBLIC_FOLDER)
        return DIRECTORY_ROUTE_FOLDER;
    return object->has_mailbox ? DIRECTORY_ROUTE_MAILBOX : DIRECTORY_ROUTE_FORWARD;
}

// Mail to postmaster and abuse must find somebody ([RFC 5321] 4.5.1, [RFC 2142] 4): without such an
// address, the oldest user.
static enum ec find_postmaster(struct directory *d, struct arena *arena,
                               const struct address *address, struct directory_object **out) {
    if (g_ascii_strcasecmp(address->local, "postmaster") != 0 &&
        g_ascii_strcasecmp(address->local, "abuse") != 0)
        return EC_NOT_FOUND;
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_object_oldest_user);
    db_bind_i64(q, 1, DIRECTORY_USER);
    bool is_found = db_step(q);
    if (is_found)
        *out = object_from_row(arena, q);
    enum ec ec = db_finish(q);
    db_read_end(conn);
    return ec == EC_OK && !is_found ? EC_NOT_FOUND : ec;
}

// The recipient itself, then without its "+detail", then whoever gets everything else.
static enum ec find_recipient(struct directory *d, struct arena *arena,
                              const struct address *address, const char *catchall,
                              struct directory_object **out, const char **detail_out) {
    enum ec ec = find_key(d, arena, address->key, out);
    if (ec != EC_NOT_FOUND)
        return ec;
    const char *plus = strchr(address->local, '+');
    if (plus != NULL && plus != address->local) {
        size_t len = (size_t)(plus - address->local);
        ec = find_key(d, arena, address_key(arena, address->local, len, address->domain), out);
        if (ec == EC_OK)
            *detail_out = plus + 1;
        if (ec != EC_NOT_FOUND)
            return ec;
    }
    if (catchall != NULL)
        return find_key(d, arena, catchall, out);
    return find_postmaster(d, arena, address, out);
}

enum ec directory_route(struct directory *d, struct arena *arena, const char *address,
                        enum directory_route *route_out, struct directory_object **object_out,
                        const char **detail_out) {
    const char *detail = NULL, *catchall = NULL;
    struct directory_object *object = NULL;
    struct address parsed;
    // RFC 5321 4.5.1: "postmaster" alone is an address everywhere.
    if (g_ascii_strcasecmp(address, "postmaster") == 0) {
        g_autofree char *domain = directory_default_domain(d);
        if (domain != NULL)
            address = arena_printf(arena, "postmaster@%s", domain);
    }
    EC_TRY(address_parse(arena, address, &parsed));
    enum directory_route route = DIRECTORY_ROUTE_REMOTE;
    if (domain_find(d, arena, parsed.domain, &catchall)) {
        enum ec ec = find_recipient(d, arena, &parsed, catchall, &object, &detail);
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            return ec;
        route = ec == EC_OK ? route_of(object) : DIRECTORY_ROUTE_UNKNOWN;
    }
    *route_out = route;
    *object_out = object;
    if (detail_out != NULL)
        *detail_out = detail;
    return EC_OK;
}
