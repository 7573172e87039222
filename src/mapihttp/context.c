// Session contexts ([MS-OXCMAPIHTTP] 3.2.1): a table by cookie. Each belongs to one user; requests
// take turns on it, watched by a second cookie that changes with each.
//
// A context is used without the table's lock by the one request that has made it busy, so what a
// client does to its own context never holds up another's.
#include <sodium.h>
#include <string.h>

#include "mapihttp/mapihttp_internal.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void random_text(char *out, size_t len) {
    randombytes_buf(out, len);
    for (size_t i = 0; i < len; i++)
        out[i] = digits[(uint8_t)out[i] & 63];
    out[len] = '\0';
}

// --- One context ---

struct context *context_new(enum endpoint endpoint, const struct guid *user) {
    struct context *context = g_new0(struct context, 1);
    context->refs = 1;
    context->endpoint = endpoint;
    context->user = *user;
    context->is_busy = true;
    context->n_requests = 1;
    random_text(context->id, CONTEXT_ID_LEN);
    random_text(context->sequence, SEQUENCE_LEN);
    pthread_mutex_init(&context->wake_lock, NULL);
    return context;
}

struct context *context_ref(struct context *context) {
    atomic_fetch_add(&context->refs, 1);
    return context;
}

void context_unref(struct context *context) {
    if (!context || atomic_fetch_sub(&context->refs, 1) != 1)
        return;
    if (context->rop)
        rop_session_watch(context->rop, NULL, NULL);
    rop_session_free(context->rop);
    nspi_unbind(context->nspi);
    http_waker_unref(context->waker);
    pthread_mutex_destroy(&context->wake_lock);
    g_free(context);
}

static void wake(struct context *context) {
    pthread_mutex_lock(&context->wake_lock);
    if (context->waker)
        http_wake(context->waker);
    pthread_mutex_unlock(&context->wake_lock);
}

// --- The table ---

static guint guid_hash(gconstpointer data) {
    guint hash;
    memcpy(&hash, data, sizeof hash);
    return hash;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

void contexts_init(struct contexts *c, unsigned max, unsigned max_user, unsigned idle_seconds) {
    pthread_mutex_init(&c->lock, NULL);
    c->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    c->users = g_hash_table_new_full(guid_hash, guid_same, g_free, NULL);
    c->max = max;
    c->max_user = max_user;
    c->idle_us = (int64_t)idle_seconds * G_USEC_PER_SEC;
}

void contexts_clear(struct contexts *c) {
    GHashTableIter i;
    gpointer context;
    g_hash_table_iter_init(&i, c->by_id);
    while (g_hash_table_iter_next(&i, NULL, &context))
        context_unref(context);
    g_hash_table_destroy(c->by_id);
    g_hash_table_destroy(c->users);
    pthread_mutex_destroy(&c->lock);
}

static unsigned count_user(struct contexts *c, const struct guid *user) {
    return GPOINTER_TO_UINT(g_hash_table_lookup(c->users, user));
}

static void set_user(struct contexts *c, const struct guid *user, unsigned n) {
    if (n == 0)
        g_hash_table_remove(c->users, user);
    else
        g_hash_table_replace(c->users, g_memdup2(user, sizeof *user), GUINT_TO_POINTER(n));
}

// With the lock held; the table's reference is the caller's then.
static void take_out(struct contexts *c, struct context *context) {
    g_hash_table_remove(c->by_id, context->id);
    set_user(c, &context->user, count_user(c, &context->user) - 1);
    context->is_gone = true;
}

static struct context *oldest_idle(struct contexts *c, const struct guid *user) {
    GHashTableIter i;
    gpointer item;
    struct context *oldest = NULL;
    g_hash_table_iter_init(&i, c->by_id);
    while (g_hash_table_iter_next(&i, NULL, &item)) {
        struct context *context = item;
        if (guid_equal(&context->user, user) && context->n_requests == 0 &&
            (!oldest || context->used_us < oldest->used_us))
            oldest = context;
    }
    return oldest;
}

enum ec contexts_add(struct contexts *c, struct context *context) {
    struct context *ended = NULL;
    enum ec ec = EC_OK;
    pthread_mutex_lock(&c->lock);
    if (count_user(c, &context->user) >= c->max_user) {
        ended = oldest_idle(c, &context->user);
        if (ended)
            take_out(c, ended);
        else
            ec = EC_SERVER_BUSY;
    }
    if (ec == EC_OK && g_hash_table_size(c->by_id) >= c->max)
        ec = EC_SERVER_BUSY;
    if (ec == EC_OK) {
        g_hash_table_insert(c->by_id, context->id, context_ref(context));
        set_user(c, &context->user, count_user(c, &context->user) + 1);
    }
    pthread_mutex_unlock(&c->lock);
    context_unref(ended);
    return ec;
}

static bool is_cookie(const char *id) {
    return strspn(id, digits) == CONTEXT_ID_LEN && id[CONTEXT_ID_LEN] == '\0';
}

enum response_code contexts_acquire(struct contexts *c, enum endpoint endpoint,
                                    const struct guid *user, const char *id, const char *sequence,
                                    bool is_wait, struct context **out) {
    if (!id || (!sequence && !is_wait))
        return RESPONSE_MISSING_COOKIE;
    if (!is_cookie(id))
        return RESPONSE_INVALID_CONTEXT_COOKIE;
    enum response_code code = RESPONSE_SUCCESS;
    pthread_mutex_lock(&c->lock);
    struct context *context = g_hash_table_lookup(c->by_id, id);
    if (!context || context->endpoint != endpoint || !guid_equal(&context->user, user)) {
        code = RESPONSE_CONTEXT_NOT_FOUND; // whose it is, nobody else is told
    } else if (!is_wait && (context->is_busy || strcmp(context->sequence, sequence) != 0)) {
        code = RESPONSE_INVALID_SEQUENCE;
    } else {
        context->n_requests++;
        if (!is_wait) {
            context->is_busy = true;
            random_text(context->sequence, SEQUENCE_LEN);
        }
        *out = context_ref(context);
    }
    pthread_mutex_unlock(&c->lock);
    return code;
}

void contexts_release(struct contexts *c, struct context *context, bool is_wait) {
    pthread_mutex_lock(&c->lock);
    if (!is_wait)
        context->is_busy = false;
    context->n_requests--;
    context->used_us = g_get_monotonic_time();
    pthread_mutex_unlock(&c->lock);
    context_unref(context);
}

void contexts_remove(struct contexts *c, struct context *context) {
    pthread_mutex_lock(&c->lock);
    bool was_there = !context->is_gone;
    if (was_there)
        take_out(c, context);
    pthread_mutex_unlock(&c->lock);
    wake(context);
    if (was_there)
        context_unref(context);
}

bool context_is_gone(struct contexts *c, struct context *context) {
    pthread_mutex_lock(&c->lock);
    bool is_gone = context->is_gone;
    pthread_mutex_unlock(&c->lock);
    return is_gone;
}

void contexts_expire(struct contexts *c) {
    g_autoptr(GPtrArray) ended = g_ptr_array_new();
    int64_t before = g_get_monotonic_time() - c->idle_us;
    GHashTableIter i;
    gpointer item;
    pthread_mutex_lock(&c->lock);
    g_hash_table_iter_init(&i, c->by_id);
    while (g_hash_table_iter_next(&i, NULL, &item)) {
        struct context *context = item;
        if (context->n_requests == 0 && context->used_us < before)
            g_ptr_array_add(ended, context);
    }
    for (guint k = 0; k < ended->len; k++)
        take_out(c, ended->pdata[k]);
    pthread_mutex_unlock(&c->lock);
    for (guint k = 0; k < ended->len; k++)
        context_unref(ended->pdata[k]);
}

unsigned contexts_count(struct contexts *c) {
    pthread_mutex_lock(&c->lock);
    unsigned n = g_hash_table_size(c->by_id);
    pthread_mutex_unlock(&c->lock);
    return n;
}
