// Deciding on quotas; the limits of each mailbox are remembered until the directory changes.
#include "mailbox/quota.h"

#include <pthread.h>
#include <string.h>

#include "directory/directory.h"
#include "directory/setting.h"
#include "mailbox/mailbox_internal.h"
#include "mailbox/quota_internal.h"
#include "mapi/props.h"

#define CACHE_MAX 100000
#define DEFAULT_KEEP_DELETED (14 * 86400)

// Not in [MS-OXPROPS], but clients read it: the warning level in KB.
#define PidTagStorageQuotaLimit 0x3FF50003u

struct cached {
    struct guid guid;
    struct mailbox_limits limits;
};

struct quota_cache {
    pthread_mutex_t lock;
    struct mailbox_options options;
    uint64_t generation; // of the directory, that `limits` are from
    GHashTable *limits;  // struct cached, by guid
};

static guint cached_hash(gconstpointer p) {
    guint h;
    memcpy(&h, ((const struct cached *)p)->guid.bytes, sizeof h);
    return h;
}

static gboolean cached_equal(gconstpointer a, gconstpointer b) {
    return guid_equal(&((const struct cached *)a)->guid, &((const struct cached *)b)->guid);
}

struct quota_cache *quota_cache_new(void) {
    struct quota_cache *cache = g_new0(struct quota_cache, 1);
    pthread_mutex_init(&cache->lock, NULL);
    cache->options.keep_deleted = DEFAULT_KEEP_DELETED;
    cache->limits = g_hash_table_new_full(cached_hash, cached_equal, g_free, NULL);
    return cache;
}

void quota_cache_free(struct quota_cache *cache) {
    if (!cache)
        return;
    g_hash_table_unref(cache->limits);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

void mailbox_service_configure(struct mailbox_service *s, const struct mailbox_options *options) {
    struct quota_cache *cache = s->quota;
    pthread_mutex_lock(&cache->lock);
    cache->options = *options;
    if (cache->options.keep_deleted == 0)
        cache->options.keep_deleted = DEFAULT_KEEP_DELETED;
    g_hash_table_remove_all(cache->limits);
    pthread_mutex_unlock(&cache->lock);
}

struct mailbox_options mailbox_options_of(struct mailbox_service *s) {
    pthread_mutex_lock(&s->quota->lock);
    struct mailbox_options options = s->quota->options;
    pthread_mutex_unlock(&s->quota->lock);
    return options;
}

// --- Limits ---

static uint64_t own_or_default(uint64_t own, uint64_t by_default) {
    if (own == 0)
        return by_default;
    return own >= MAILBOX_NO_LIMIT ? 0 : own;
}

static uint64_t setting_number(const struct directory_settings *all, const char *name) {
    guint64 n = 0;
    for (unsigned i = 0; i < all->n; i++)
        if (strcmp(all->items[i].name, name) == 0 &&
            !g_ascii_string_to_unsigned(all->items[i].value, 10, 0, G_MAXINT64, &n, NULL))
            n = 0;
    return n;
}

static struct mailbox_limits default_limits(const struct mailbox_options *o) {
    return (struct mailbox_limits){
        .warn = o->quota_warn,
        .send = o->quota_send,
        .receive = o->quota_receive,
        .recoverable = o->quota_recoverable,
        .message = o->message,
        .messages = o->messages,
        .folder_items = o->folder_items,
        .folders = o->folders,
        .subfolders = o->subfolders,
        .folder_depth = o->folder_depth,
    };
}

// An archive's quota is the owner's; nothing is sent from it.
static void archive_limits(struct mailbox_limits *l, const struct mailbox_options *o,
                           const struct directory_settings *own) {
    l->is_archive = true;
    l->send = 0;
    l->warn =
        own_or_default(setting_number(own, SETTING_QUOTA_ARCHIVE_WARN), o->quota_archive_warn);
    l->receive = own_or_default(setting_number(own, SETTING_QUOTA_ARCHIVE), o->quota_archive);
}

static enum ec read_limits(struct directory *d, const struct mailbox_options *o,
                           const struct guid *mailbox, struct mailbox_limits *l) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *owner;
    struct directory_settings own;
    *l = default_limits(o);
    // The public store is no user's: its folders have limits of their own (public.c).
    if (guid_equal(mailbox, mailbox_public_guid())) {
        l->warn = l->send = l->receive = l->messages = 0;
        return EC_OK;
    }
    enum ec ec = directory_find_guid(d, arena, mailbox, &owner);
    if (ec == EC_NOT_FOUND) {
        struct guid guid;
        char text[GUID_STRING_SIZE];
        guid_format(mailbox, text);
        ec = directory_find_setting(d, SETTING_ARCHIVE, text, &guid);
        if (ec == EC_NOT_FOUND) { // nobody's, as the public folders are
            l->warn = l->send = l->receive = l->messages = 0;
            return EC_OK;
        }
        EC_TRY(ec);
        EC_TRY(directory_settings(d, arena, &guid, &own));
        archive_limits(l, o, &own);
        return EC_OK;
    }
    EC_TRY(ec);
    EC_TRY(directory_settings(d, arena, mailbox, &own));
    l->warn = own_or_default(setting_number(&own, SETTING_QUOTA_WARN), o->quota_warn);
    l->send = own_or_default(setting_number(&own, SETTING_QUOTA_SEND), o->quota_send);
    l->receive = own_or_default(owner->quota, o->quota_receive);
    l->recoverable =
        own_or_default(setting_number(&own, SETTING_QUOTA_RECOVERABLE), o->quota_recoverable);
    return EC_OK;
}

enum ec mailbox_limits(struct mailbox_service *s, const struct guid *mailbox,
                       struct mailbox_limits *out) {
    struct quota_cache *cache = s->quota;
    uint64_t generation = s->directory ? directory_generation(s->directory) : 0;
    struct cached key = {.guid = *mailbox};
    pthread_mutex_lock(&cache->lock);
    struct mailbox_options options = cache->options;
    if (generation != cache->generation || g_hash_table_size(cache->limits) > CACHE_MAX) {
        g_hash_table_remove_all(cache->limits);
        cache->generation = generation;
    }
    const struct cached *found = g_hash_table_lookup(cache->limits, &key);
    if (found)
        *out = found->limits;
    pthread_mutex_unlock(&cache->lock);
    if (found)
        return EC_OK;
    if (!s->directory) {
        *out = default_limits(&options);
        return EC_OK;
    }
    EC_TRY(read_limits(s->directory, &options, mailbox, &key.limits));
    *out = key.limits;
    pthread_mutex_lock(&cache->lock);
    // What was read before a change must not stay.
    if (cache->generation == generation && memcmp(&cache->options, &options, sizeof options) == 0)
        g_hash_table_add(cache->limits, g_memdup2(&key, sizeof key));
    pthread_mutex_unlock(&cache->lock);
    return EC_OK;
}

// --- Deciding ---

enum ec quota_admit(const struct mailbox_limits *l, struct mbox_tx *tx, uint64_t fid, uint64_t size,
                    unsigned n) {
    struct mbox_usage usage;
    if (l->message && n == 1 && size > l->message)
        return EC_MESSAGE_TOO_BIG;
    mbox_get_usage(tx, &usage);
    if (l->receive && (size > l->receive || usage.size > l->receive - size))
        return EC_QUOTA_EXCEEDED;
    if (l->messages && usage.n_messages + n > l->messages)
        return EC_QUOTA_EXCEEDED;
    if (l->folder_items) {
        uint64_t items;
        EC_TRY(folder_get_items(tx, fid, &items));
        if (items + n > l->folder_items)
            return EC_TOO_MANY_OBJECTS;
    }
    return EC_OK;
}

enum ec quota_settled(const struct mailbox_limits *l, struct mbox_tx *tx,
                      const struct mbox_usage *before) {
    struct mbox_usage usage;
    mbox_get_usage(tx, &usage);
    return l->receive && usage.size > l->receive && usage.size > before->size ? EC_QUOTA_EXCEEDED
                                                                              : EC_OK;
}

enum ec quota_admit_folder(const struct mailbox_limits *l, struct mbox_tx *tx, uint64_t parent,
                           bool is_new) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    EC_TRY(folder_get(tx, arena, parent, &f));
    if (l->subfolders && f.n_subfolders >= l->subfolders)
        return EC_TOO_MANY_OBJECTS;
    if (l->folders && is_new) {
        uint64_t n;
        EC_TRY(mbox_count_folders(tx, &n));
        if (n >= l->folders)
            return EC_TOO_MANY_OBJECTS;
    }
    unsigned depth = 0;
    for (uint64_t at = parent; l->folder_depth && at != FID_ROOT; at = f.parent) {
        if (++depth >= l->folder_depth)
            return EC_TOO_COMPLEX;
        EC_TRY(folder_get(tx, arena, at, &f));
    }
    return EC_OK;
}

// --- Asking ---

enum ec mailbox_get_quota(struct mailbox *m, struct mailbox_quota *out) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &out->limits));
    EC_TRY(mbox_read(m->mbox, &tx));
    mbox_get_usage(tx, &out->usage);
    return EC_OK;
}

// What a mailbox holds; nothing when there is none.
static enum ec usage_of(struct mailbox_service *s, const struct guid *mailbox, uint64_t *size_out) {
    struct mbox_usage usage;
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    *size_out = 0;
    enum ec ec = store_open_mailbox(s->store, mailbox, &mbox);
    if (ec == EC_NOT_FOUND)
        return EC_OK; // without a mailbox nothing is full
    EC_TRY(ec);
    EC_TRY(mbox_read(mbox, &tx));
    mbox_get_usage(tx, &usage);
    mbox_read_end(tx);
    tx = NULL;
    *size_out = usage.size;
    return EC_OK;
}

enum ec mailbox_may_send(struct mailbox_service *s, const struct guid *mailbox) {
    struct mailbox_limits limits;
    uint64_t used;
    EC_TRY(mailbox_limits(s, mailbox, &limits));
    if (limits.send == 0)
        return EC_OK;
    EC_TRY(usage_of(s, mailbox, &used));
    return used >= limits.send ? EC_QUOTA_EXCEEDED : EC_OK;
}

enum ec mailbox_may_receive(struct mailbox_service *s, const struct guid *mailbox, uint64_t size) {
    struct mailbox_limits limits;
    uint64_t used;
    EC_TRY(mailbox_limits(s, mailbox, &limits));
    if (limits.message && size > limits.message)
        return EC_MESSAGE_TOO_BIG;
    if (limits.receive == 0)
        return EC_OK;
    EC_TRY(usage_of(s, mailbox, &used));
    return used >= limits.receive || size > limits.receive - used ? EC_QUOTA_EXCEEDED : EC_OK;
}

static int32_t long_of(uint64_t n) {
    return (int32_t)MIN(n, (uint64_t)INT32_MAX);
}

static void set_kb(struct bag *bag, proptag_t tag, uint64_t bytes) {
    if (bytes)
        bag_set_long(bag, tag, long_of(bytes / 1024));
    else
        bag_remove(bag, tag);
}

enum ec mailbox_store_props(struct mailbox *m, struct bag **out) {
    MBOX_TX_AUTO tx = NULL;
    struct mailbox_limits l;
    struct mbox_usage usage;
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &l));
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(mbox_get_props(tx, out));
    mbox_get_usage(tx, &usage);
    uint64_t size = usage.size + usage.recoverable_size;
    struct prop_value extended = prop_i8(PidTagMessageSizeExtended, (int64_t)size);
    // Both have one property id, so a bag holds one of them; the 64 bits are the truth.
    bag_set(*out, &extended);
    set_kb(*out, PidTagStorageQuotaLimit, l.warn);
    set_kb(*out, PidTagProhibitSendQuota, l.send);
    set_kb(*out, PidTagProhibitReceiveQuota, l.receive);
    set_kb(*out, PidTagMaximumSubmitMessageSize, l.message);
    bag_set_long(*out, PidTagNormalMessageSize, long_of(usage.size));
    return EC_OK;
}
