// Configuration messages: found by their class, written whole.
#include "mailbox/configuration.h"

#include <string.h>

#include "mailbox/mailbox_internal.h"
#include "mapi/props.h"
#include "store/associated.h"

#define CLASS "IPM.Configuration."

static bool is_name(const char *name) {
    size_t len = strlen(name);
    if (len == 0 || len > CONFIGURATION_NAME_MAX || name[0] == '.' || name[len - 1] == '.')
        return false;
    for (const char *c = name; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("._-", *c))
            return false;
    return true;
}

static const char *class_of(struct arena *arena, const char *name) {
    return arena_printf(arena, CLASS "%s", name);
}

// --- Reading ---

static enum ec read_part(struct mbox_tx *tx, struct message *message, struct arena *arena,
                         proptag_t tag, enum configuration_kind kind, struct configuration *c,
                         struct prop_bin *out) {
    struct prop_value v;
    if (!(c->kinds & kind))
        return EC_OK;
    enum ec ec = message_get_prop(tx, message, arena, tag, CONFIGURATION_MAX, &v);
    if (ec == EC_NOT_FOUND) {
        *out = (struct prop_bin){0, (const uint8_t *)""};
        return EC_OK;
    }
    EC_TRY(ec);
    *out = prop_copy(arena, &v).bin;
    return EC_OK;
}

static enum ec read_configuration(struct mbox_tx *tx, struct message *message, struct arena *arena,
                                  struct configuration *c) {
    struct prop_value v;
    if (message_get_prop(tx, message, arena, PidTagRoamingDatatypes, 0, &v) == EC_OK)
        c->kinds = (uint32_t)v.l & 7;
    if (message_get_prop(tx, message, arena, PidTagChangeKey, 0, &v) == EC_OK && v.bin.len == 22)
        for (unsigned i = 0; i < 6; i++)
            c->cn = c->cn << 8 | v.bin.data[16 + i];
    EC_TRY(read_part(tx, message, arena, PidTagRoamingDictionary, CONFIGURATION_DICTIONARY, c,
                     &c->dictionary));
    EC_TRY(read_part(tx, message, arena, PidTagRoamingXmlStream, CONFIGURATION_XML, c, &c->xml));
    return read_part(tx, message, arena, PidTagRoamingBinary, CONFIGURATION_BINARY, c, &c->binary);
}

enum ec mailbox_get_configuration(struct mailbox *m, struct arena *arena, uint64_t fid,
                                  const char *name, struct configuration *out) {
    MBOX_TX_AUTO tx = NULL;
    uint64_t mid;
    struct message *message;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(rights_require(m, tx, fid, RIGHTS_READ_ANY));
    EC_TRY(associated_find(tx, fid, class_of(arena, name), &mid));
    EC_TRY(message_open(tx, mid, &message));
    *out = (struct configuration){.mid = mid, .name = name};
    enum ec ec = read_configuration(tx, message, arena, out);
    message_free(message);
    return ec;
}

// --- Writing ---

struct change {
    struct mailbox *m;
    uint64_t fid;
    const char *class;
    const struct configuration *c;
    enum configuration_change how;
    uint64_t mid;
};

static enum ec set_parts(struct bag *bag, const struct configuration *c, uint32_t kinds) {
    const struct {
        enum configuration_kind kind;
        proptag_t tag;
        struct prop_bin bytes;
    } parts[] = {{CONFIGURATION_DICTIONARY, PidTagRoamingDictionary, c->dictionary},
                 {CONFIGURATION_XML, PidTagRoamingXmlStream, c->xml},
                 {CONFIGURATION_BINARY, PidTagRoamingBinary, c->binary}};
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        if (c->kinds & parts[i].kind)
            bag_set_bytes(bag, parts[i].tag, parts[i].bytes.data, parts[i].bytes.len);
    bag_set_long(bag, PidTagRoamingDatatypes, (int32_t)kinds);
    return EC_OK;
}

static enum ec create(struct mbox_tx *tx, struct change *change) {
    EC_TRY(rights_require(change->m, tx, change->fid, RIGHTS_CREATE));
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, change->class);
    bag_set_str(value->bag, PidTagSubject, change->class);
    set_parts(value->bag, change->c, change->c->kinds);
    struct message_new spec = {
        .value = value, .flags = MSG_READ | MSG_ASSOCIATED, .received = clock_now()};
    enum ec ec = message_create(tx, change->fid, &spec, &change->mid, NULL);
    message_value_free(value);
    EC_TRY(ec);
    return rights_note_creator(change->m, tx, change->mid);
}

static enum ec update(struct mbox_tx *tx, struct change *change) {
    struct message *message;
    BAG_AUTO set = bag_new();
    EC_TRY(rights_require(change->m, tx, change->fid, RIGHTS_EDIT_ANY));
    EC_TRY(message_open(tx, change->mid, &message));
    uint32_t kinds = (uint32_t)bag_long(message_value(message)->bag, PidTagRoamingDatatypes, 0) & 7;
    set_parts(set, change->c, kinds | change->c->kinds);
    enum ec ec = EC_OK;
    for (unsigned i = 0; ec == EC_OK && i < bag_count(set); i++)
        ec = message_set_prop(message, bag_at(set, i));
    if (ec == EC_OK)
        ec = message_save(tx, message, MESSAGE_SAVE_FORCE);
    message_free(message);
    return ec;
}

static enum ec put(struct mbox_tx *tx, void *ctx) {
    struct change *change = ctx;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    EC_TRY(folder_get(tx, arena, change->fid, &info));
    enum ec ec = associated_find(tx, change->fid, change->class, &change->mid);
    if (ec == EC_NOT_FOUND)
        return change->how == CONFIGURATION_UPDATE ? EC_NOT_FOUND : create(tx, change);
    EC_TRY(ec);
    return change->how == CONFIGURATION_CREATE ? EC_COLLISION : update(tx, change);
}

enum ec mailbox_put_configuration(struct mailbox *m, uint64_t fid, const struct configuration *c,
                                  enum configuration_change how, uint64_t *mid_out) {
    ARENA_AUTO arena = arena_new();
    if (!is_name(c->name))
        return EC_INVALID_PARAMETER;
    if (c->dictionary.len > CONFIGURATION_MAX || c->xml.len > CONFIGURATION_MAX ||
        c->binary.len > CONFIGURATION_MAX)
        return EC_MESSAGE_TOO_BIG;
    struct change change = {
        .m = m, .fid = fid, .class = class_of(arena, c->name), .c = c, .how = how};
    EC_TRY(mbox_write(m->mbox, put, &change));
    if (mid_out)
        *mid_out = change.mid;
    return EC_OK;
}

static enum ec delete (struct mbox_tx *tx, void *ctx) {
    struct change *change = ctx;
    EC_TRY(rights_require(change->m, tx, change->fid, RIGHTS_DELETE_ANY));
    EC_TRY(associated_find(tx, change->fid, change->class, &change->mid));
    return message_delete(tx, change->fid, &change->mid, 1, DELETE_SOFT, NULL);
}

enum ec mailbox_delete_configuration(struct mailbox *m, uint64_t fid, const char *name) {
    ARENA_AUTO arena = arena_new();
    struct change change = {.m = m, .fid = fid, .class = class_of(arena, name)};
    return mbox_write(m->mbox, delete, &change);
}
