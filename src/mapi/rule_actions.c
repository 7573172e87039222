// Rule actions on the wire.
#include "mapi/rule_actions.h"

#include "mapi/entry_id.h"

#define SERVER_EID_SIZE 21
#define BLOCK_HEAD_SIZE 9 // type, flavor, flags

static bool is_extended(const struct prop_wire *form) {
    return form->count_size == 4;
}

static uint32_t read_count(struct wire_reader *r, const struct prop_wire *form) {
    return is_extended(form) ? wire_u32(r) : wire_u16(r);
}

static void put_count(struct wire_writer *w, const struct prop_wire *form, size_t n) {
    if (is_extended(form))
        wire_put_u32(w, (uint32_t)n);
    else if (n <= UINT16_MAX)
        wire_put_u16(w, (uint16_t)n);
    else
        w->failed = true;
}

static struct prop_bin read_bytes(struct wire_reader *r, const struct prop_wire *form) {
    uint32_t len = read_count(r, form);
    const uint8_t *data = wire_bytes(r, len);
    return (struct prop_bin){data ? len : 0, data};
}

static void put_bytes(struct wire_writer *w, const struct prop_wire *form, struct prop_bin bin) {
    put_count(w, form, bin.len);
    wire_put_bytes(w, bin.data, bin.len);
}

// --- Reading ---

static void read_move(struct wire_reader *r, const struct prop_wire *form, struct rule_action *a) {
    if (!is_extended(form)) {
        uint8_t here = wire_u8(r);
        if (here > 1)
            wire_fail(r);
        a->move.is_in_this_store = here;
    }
    a->move.store_id = read_bytes(r, form);
    a->move.folder_id = read_bytes(r, form);
}

static void read_reply(struct wire_reader *r, const struct prop_wire *form, struct rule_action *a) {
    if (is_extended(form)) {
        a->reply.message_id = read_bytes(r, form);
    } else {
        a->reply.folder = short_id_read(r);
        a->reply.message = short_id_read(r);
    }
    a->reply.template_id = wire_guid(r);
}

static void read_recipients(struct wire_reader *r, const struct prop_wire *form,
                            struct arena *arena, struct rule_action *a) {
    uint32_t n = read_count(r, form);
    if (n == 0 || n > wire_left(r) / (1 + form->count_size)) { // one takes at least that
        wire_fail(r);
        return;
    }
    struct rule_recipient *items = arena_alloc(arena, n * sizeof *items);
    for (uint32_t i = 0; i < n && wire_ok(r); i++) {
        items[i].reserved = wire_u8(r);
        items[i].n = read_count(r, form);
        if (items[i].n == 0)
            wire_fail(r);
        items[i].values = prop_wire_tagged_array(r, form, arena, items[i].n);
    }
    a->to.n = n;
    a->to.items = items;
}

static void read_data(struct wire_reader *r, const struct prop_wire *form, struct arena *arena,
                      struct rule_action *a) {
    switch (a->type) {
    case RULE_MOVE:
    case RULE_COPY:
        read_move(r, form, a);
        break;
    case RULE_REPLY:
    case RULE_OOF_REPLY:
        read_reply(r, form, a);
        break;
    case RULE_DEFER:
        a->deferred.len = (uint32_t)wire_left(r);
        a->deferred.data = wire_bytes(r, a->deferred.len);
        break;
    case RULE_BOUNCE:
        a->bounce = wire_u32(r);
        break;
    case RULE_FORWARD:
    case RULE_DELEGATE:
        read_recipients(r, form, arena, a);
        break;
    case RULE_TAG:
        a->tag = prop_wire_tagged(r, form, arena);
        break;
    case RULE_DELETE:
    case RULE_MARK_AS_READ:
        break;
    default:
        wire_fail(r);
    }
}

// What the specification says of values. Unused bits of flavors are the client's to leave alone.
static enum ec check_action(const struct rule_action *a, const struct prop_wire *form) {
    switch (a->type) {
    case RULE_MOVE:
    case RULE_COPY:
        if (a->move.is_in_this_store &&
            (a->move.folder_id.len != SERVER_EID_SIZE || a->move.folder_id.data[0] != 1))
            return EC_INVALID_PARAMETER;
        break;
    case RULE_FORWARD:
        if ((a->flavor & RULE_FORWARD_AS_ATTACHMENT && a->flavor & 0xB) ||
            (a->flavor & RULE_FORWARD_AS_SMS && a->flavor & 0x7))
            return EC_INVALID_PARAMETER;
        return EC_OK;
    case RULE_REPLY:
    case RULE_OOF_REPLY:
        return is_extended(form) && a->reply.message_id.len == 0 ? EC_INVALID_PARAMETER : EC_OK;
    case RULE_BOUNCE:
        if (a->bounce != RULE_BOUNCE_TOO_LARGE && a->bounce != RULE_BOUNCE_NOT_DISPLAYABLE &&
            a->bounce != RULE_BOUNCE_DENIED)
            return EC_INVALID_PARAMETER;
        break;
    default:
        break;
    }
    return a->flavor != 0 ? EC_INVALID_PARAMETER : EC_OK;
}

enum ec rule_actions_read(struct wire_reader *r, const struct prop_wire *form, struct arena *arena,
                          struct rule_actions *out) {
    uint32_t n = read_count(r, form);
    if (!wire_ok(r) || n == 0 || n > wire_left(r) / (form->count_size + BLOCK_HEAD_SIZE))
        return EC_FORMAT_ERROR;
    struct rule_action *items = arena_alloc0(arena, n * sizeof *items);
    for (uint32_t i = 0; i < n; i++) {
        struct wire_reader block = wire_sub(r, read_count(r, form));
        struct rule_action *a = &items[i];
        a->type = wire_u8(&block);
        a->flavor = wire_u32(&block);
        a->flags = wire_u32(&block);
        if (wire_ok(&block))
            read_data(&block, form, arena, a);
        if (!wire_ok(&block) || wire_left(&block) > 0)
            return EC_FORMAT_ERROR;
        EC_TRY(check_action(a, form));
    }
    *out = (struct rule_actions){n, items};
    return EC_OK;
}

// --- Writing ---

static void put_recipients(struct wire_writer *w, const struct prop_wire *form,
                           const struct rule_action *a) {
    put_count(w, form, a->to.n);
    for (uint32_t i = 0; i < a->to.n; i++) {
        const struct rule_recipient *to = &a->to.items[i];
        wire_put_u8(w, to->reserved);
        put_count(w, form, to->n);
        for (uint32_t k = 0; k < to->n; k++)
            prop_wire_put_tagged(w, form, &to->values[k]);
    }
}

static void put_data(struct wire_writer *w, const struct prop_wire *form,
                     const struct rule_action *a) {
    switch (a->type) {
    case RULE_MOVE:
    case RULE_COPY:
        if (!is_extended(form))
            wire_put_u8(w, a->move.is_in_this_store);
        put_bytes(w, form, a->move.store_id);
        put_bytes(w, form, a->move.folder_id);
        break;
    case RULE_REPLY:
    case RULE_OOF_REPLY:
        if (is_extended(form)) {
            put_bytes(w, form, a->reply.message_id);
        } else {
            short_id_put(w, a->reply.folder);
            short_id_put(w, a->reply.message);
        }
        wire_put_guid(w, &a->reply.template_id);
        break;
    case RULE_DEFER:
        wire_put_bytes(w, a->deferred.data, a->deferred.len);
        break;
    case RULE_BOUNCE:
        wire_put_u32(w, a->bounce);
        break;
    case RULE_FORWARD:
    case RULE_DELEGATE:
        put_recipients(w, form, a);
        break;
    case RULE_TAG:
        prop_wire_put_tagged(w, form, &a->tag);
        break;
    case RULE_DELETE:
    case RULE_MARK_AS_READ:
        break;
    }
}

void rule_actions_put(struct wire_writer *w, const struct prop_wire *form,
                      const struct rule_actions *actions) {
    put_count(w, form, actions->n);
    for (uint32_t i = 0; i < actions->n; i++) {
        const struct rule_action *a = &actions->items[i];
        size_t pos = wire_writer_len(w);
        put_count(w, form, 0);
        wire_put_u8(w, (uint8_t)a->type);
        wire_put_u32(w, a->flavor);
        wire_put_u32(w, a->flags);
        put_data(w, form, a);
        if (!wire_writer_ok(w))
            return;
        size_t len = wire_writer_len(w) - pos - form->count_size;
        if (is_extended(form))
            wire_patch_u32(w, pos, (uint32_t)len);
        else if (len <= UINT16_MAX)
            wire_patch_u16(w, pos, (uint16_t)len);
        else
            w->failed = true;
    }
}

bool rule_action_folder(const struct rule_action *action, struct short_id *folder_out) {
    struct server_id id;
    if ((action->type != RULE_MOVE && action->type != RULE_COPY) ||
        !action->move.is_in_this_store || !server_id_parse(action->move.folder_id, &id) ||
        !id.is_ours)
        return false;
    *folder_out = id.folder;
    return true;
}
