// Pictures of users in associated messages of the root folder.
#include "mailbox/photo.h"

#include <string.h>

#include "mailbox/mailbox_internal.h"
#include "mapi/props.h"
#include "store/associated.h"

#define CLASS "IPM.UserPhoto"

static const char *type_of(const void *data, size_t len) {
    static const struct {
        const char *begin;
        size_t len;
        const char *type;
    } types[] = {{"\xFF\xD8\xFF", 3, "image/jpeg"},
                 {"\x89PNG\r\n\x1A\n", 8, "image/png"},
                 {"GIF8", 4, "image/gif"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        if (len > types[i].len && memcmp(data, types[i].begin, types[i].len) == 0)
            return types[i].type;
    return NULL;
}

static enum ec read_photo(struct mbox_tx *tx, struct arena *arena, struct photo *out) {
    uint64_t mid;
    struct message *message;
    struct prop_value v;
    EC_TRY(associated_find(tx, FID_ROOT, CLASS, &mid));
    EC_TRY(message_open(tx, mid, &message));
    enum ec ec = message_get_prop(tx, message, arena, PidTagRoamingBinary, PHOTO_MAX, &v);
    if (ec == EC_OK) {
        out->type = type_of(v.bin.data, v.bin.len);
        out->bytes = g_bytes_new(v.bin.data, v.bin.len);
        out->revision = mid;
        if (message_get_prop(tx, message, arena, PidTagLastModificationTime, 0, &v) == EC_OK)
            out->revision ^= v.time;
    }
    message_free(message);
    return ec;
}

enum ec mailbox_get_photo(struct mailbox_service *s, const struct guid *owner, struct photo *out) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    *out = (struct photo){0};
    EC_TRY(store_open_mailbox(s->store, owner, &mbox));
    EC_TRY(mbox_read(mbox, &tx));
    EC_TRY(read_photo(tx, arena, out));
    if (out->type)
        return EC_OK;
    g_bytes_unref(out->bytes);
    *out = (struct photo){0};
    return EC_NOT_FOUND;
}

static enum ec change(struct mbox_tx *tx, void *ctx) {
    GBytes *bytes = ctx;
    uint64_t old;
    enum ec ec = associated_find(tx, FID_ROOT, CLASS, &old);
    if (ec != EC_NOT_FOUND) {
        EC_TRY(ec);
        EC_TRY(message_delete(tx, FID_ROOT, &old, 1, DELETE_HARD, NULL));
    }
    if (!bytes)
        return EC_OK;
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, CLASS);
    bag_set_bytes(value->bag, PidTagRoamingBinary, data, len);
    struct message_new spec = {
        .value = value, .flags = MSG_READ | MSG_ASSOCIATED, .received = clock_now()};
    ec = message_create(tx, FID_ROOT, &spec, &(uint64_t){0}, NULL);
    message_value_free(value);
    return ec;
}

enum ec mailbox_set_photo(struct mailbox *m, GBytes *bytes) {
    if (m->is_public || !rights_are_full(m))
        return EC_ACCESS_DENIED;
    if (bytes && g_bytes_get_size(bytes) > PHOTO_MAX)
        return EC_MESSAGE_TOO_BIG;
    if (bytes && !type_of(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)))
        return EC_FORMAT_ERROR;
    return mbox_write(m->mbox, change, bytes);
}
