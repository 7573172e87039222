// Names in message values: those of conversions become the mailbox's, those of the mailbox are
// noted for conversions ([MS-OXCMAIL] 2.2.3.2.12, 2.1.2.4).
#include "mapi/message_value.h"
#include "store/message_object_internal.h"

// A local id's place in the mailbox; 0: it gets none. `*n_new` names were added for this message.
static enum ec resolve(struct mbox_tx *tx, const struct value_name *name, unsigned *n_new,
                       uint16_t *out) {
    enum ec ec = mbox_foreign_name_to_id(tx, &name->name, false, out);
    if (ec == EC_NOT_FOUND && tx->is_writer && *n_new < FOREIGN_NAMES_PER_MESSAGE) {
        ec = mbox_foreign_name_to_id(tx, &name->name, true, out);
        *n_new += ec == EC_OK;
    }
    if (ec == EC_NOT_FOUND || ec == EC_NAMED_PROP_QUOTA || ec == EC_INVALID_PARAMETER ||
        ec == EC_STRING_TOO_LONG) {
        *out = 0;
        return EC_OK;
    }
    return ec;
}

enum ec value_resolve_names(struct mbox_tx *tx, const struct message_value *value,
                            struct bag **out) {
    *out = NULL;
    if (!value->names_are_local || !value->names)
        return EC_OK;
    BAG_AUTO bag = bag_new();
    unsigned n_new = 0;
    for (unsigned i = 0; i < bag_count(value->bag); i++) {
        struct prop_value v = *bag_at(value->bag, i);
        unsigned at = PROP_ID(v.tag) - NAMED_ID_FIRST_OWN;
        if (PROP_ID(v.tag) >= NAMED_ID_FIRST_OWN) {
            uint16_t id = 0;
            if (at < value->names->len)
                EC_TRY(resolve(tx, value->names->pdata[at], &n_new, &id));
            if (id == 0)
                continue;
            v.tag = PROP_TAG(id, PROP_TYPE(v.tag));
        }
        EC_TRY(bag_set(bag, &v));
    }
    *out = g_steal_pointer(&bag);
    return EC_OK;
}

enum ec value_settle_names(struct mbox_tx *tx, struct message_value *value) {
    struct bag *resolved;
    EC_TRY(value_resolve_names(tx, value, &resolved));
    if (!resolved)
        return EC_OK;
    bag_free(value->bag);
    value->bag = resolved;
    message_value_clear_names(value);
    return EC_OK;
}

enum ec message_load_names(struct mbox_tx *tx, struct message *m) {
    struct message_value *value = m->value;
    ARENA_AUTO arena = arena_new();
    if (value->names_are_local)
        return EC_OK;
    message_value_clear_names(value);
    for (unsigned i = 0; i < bag_count(value->bag); i++) {
        uint16_t id = PROP_ID(bag_at(value->bag, i)->tag);
        struct prop_name name;
        if (id < NAMED_ID_FIRST_OWN)
            continue;
        enum ec ec = mbox_id_to_name(tx, arena, id, &name);
        if (ec == EC_OK)
            message_value_note_name(value, id, &name);
        else if (ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_OK;
}
