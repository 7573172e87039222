// The domains that are ours: few, asked for at every recipient, so kept in memory.
#include <string.h>

#include "directory/directory_internal.h"

static void domain_free(gpointer data) {
    struct directory_domain *domain = data;
    g_free(domain->name);
    g_free(domain->catchall);
    g_free(domain);
}

enum ec domains_load(struct db_conn *conn, GPtrArray **out) {
    GPtrArray *domains = g_ptr_array_new_with_free_func(domain_free);
    struct db_stmt *q = db_query(conn, sql_domains);
    while (db_step(q)) {
        struct directory_domain *domain = g_new0(struct directory_domain, 1);
        domain->name = g_strdup(db_col_text(q, 0));
        domain->catchall = g_strdup(db_col_text(q, 1));
        g_ptr_array_add(domains, domain);
    }
    enum ec ec = db_finish(q);
    if (ec != EC_OK) {
        g_ptr_array_unref(domains);
        return ec;
    }
    *out = domains;
    return EC_OK;
}

bool domain_find(struct directory *d, struct arena *arena, const char *name,
                 const char **catchall_out) {
    bool found = false;
    pthread_rwlock_rdlock(&d->lock);
    for (guint i = 0; i < d->domains->len && !found; i++) {
        const struct directory_domain *domain = d->domains->pdata[i];
        found = strcmp(domain->name, name) == 0;
        if (found && catchall_out != NULL)
            *catchall_out = arena_strdup(arena, domain->catchall);
    }
    pthread_rwlock_unlock(&d->lock);
    return found;
}

bool directory_is_local_domain(struct directory *d, const char *domain) {
    ARENA_AUTO arena = arena_new();
    const char *name;
    return address_domain(arena, domain, &name) == EC_OK && domain_find(d, arena, name, NULL);
}

char *directory_domain_catchall(struct directory *d, const char *domain) {
    ARENA_AUTO arena = arena_new();
    const char *name, *catchall = NULL;
    if (address_domain(arena, domain, &name) != EC_OK || !domain_find(d, arena, name, &catchall))
        return NULL;
    return g_strdup(catchall);
}

char **directory_domains(struct directory *d) {
    GStrvBuilder *names = g_strv_builder_new();
    pthread_rwlock_rdlock(&d->lock);
    for (guint i = 0; i < d->domains->len; i++)
        g_strv_builder_add(names, ((struct directory_domain *)d->domains->pdata[i])->name);
    pthread_rwlock_unlock(&d->lock);
    char **strv = g_strv_builder_end(names);
    g_strv_builder_unref(names);
    return strv;
}

char *directory_default_domain(struct directory *d) {
    pthread_rwlock_rdlock(&d->lock);
    const struct directory_domain *first = d->domains->len > 0 ? d->domains->pdata[0] : NULL;
    char *name = first != NULL ? g_strdup(first->name) : NULL;
    pthread_rwlock_unlock(&d->lock);
    return name;
}

enum ec directory_domain_add(struct directory *d, const char *domain) {
    ARENA_AUTO arena = arena_new();
    const char *name;
    EC_TRY(address_domain(arena, domain, &name));
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_domain_add);
    db_bind_text(q, 1, name);
    enum ec ec = db_run(q, NULL);
    return directory_commit(d, conn, ec == EC_DUPLICATE_OBJECT ? EC_COLLISION : ec);
}

static enum ec remove_domain(struct db_conn *conn, const char *name) {
    struct db_stmt *q = db_query(conn, sql_domain_in_use);
    db_bind_text(q, 1, name);
    bool is_in_use = db_step(q);
    EC_TRY(db_finish(q));
    if (is_in_use)
        return EC_BUSY;
    q = db_query(conn, sql_domain_remove);
    db_bind_text(q, 1, name);
    int64_t changed = 0;
    EC_TRY(db_run(q, &changed));
    return changed > 0 ? EC_OK : EC_NOT_FOUND;
}

enum ec directory_domain_remove(struct directory *d, const char *domain) {
    ARENA_AUTO arena = arena_new();
    const char *name;
    EC_TRY(address_domain(arena, domain, &name));
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, remove_domain(conn, name));
}

static enum ec set_catchall(struct db_conn *conn, const char *name, const char *key) {
    if (key != NULL) {
        struct db_stmt *q = db_query(conn, sql_address_owner);
        db_bind_text(q, 1, key);
        bool exists = db_step(q);
        EC_TRY(db_finish(q));
        if (!exists)
            return EC_NOT_FOUND;
    }
    struct db_stmt *q = db_query(conn, sql_domain_catchall);
    db_bind_text(q, 1, name);
    db_bind_text(q, 2, key);
    int64_t changed = 0;
    EC_TRY(db_run(q, &changed));
    return changed > 0 ? EC_OK : EC_NOT_FOUND;
}

enum ec directory_domain_set_catchall(struct directory *d, const char *domain,
                                      const char *address) {
    ARENA_AUTO arena = arena_new();
    const char *name;
    EC_TRY(address_domain(arena, domain, &name));
    struct address parsed = {0};
    if (address != NULL && address[0] != '\0')
        EC_TRY(address_parse(arena, address, &parsed));
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, set_catchall(conn, name, parsed.key));
}
