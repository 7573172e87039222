// Sending items ([MS-OXOMSG] 3.1.4.1, 3.2.4.1): who may send as whom, the internet form, the queue,
// and what becomes of the draft.
//
// The message is in the queue before the copy is stored: a crash in between loses the copy, never
// the message.
#include <string.h>

#include "base/clock.h"
#include "convert/convert.h"
#include "directory/dn.h"
#include "mailbox/item_internal.h"
#include "mailbox/receipt.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"

#define RECIPIENTS_MAX 10000

struct sending {
    struct mailbox *m;
    struct arena *arena;
    struct message_value *value;
    struct mbox_tx *tx; // of external values; NULL: none
    struct item_person from;
};

// A person's internet address, of a name in the address book too; NULL: none.
static const char *smtp_of(struct sending *s, const struct item_person *person) {
    struct directory_object *object;
    if (!person->address)
        return NULL;
    if (person->type && g_ascii_strcasecmp(person->type, "EX") == 0)
        return directory_find_dn(s->m->service->directory, s->arena, person->address, &object) ==
                       EC_OK
                   ? object->address
                   : NULL;
    return strchr(person->address, '@') && !strpbrk(person->address, "\r\n<> ") ? person->address
                                                                                : NULL;
}

// --- Who sends ---

// The owner of the mailbox, or whoever acts where it has none.
static enum ec default_from(struct sending *s) {
    struct directory_object *owner;
    struct guid guid;
    const struct principal *who = s->m->who;
    s->from = (struct item_person){.name = who->display_name, .address = who->address};
    if (!mailbox_owner(s->m, &guid) || guid_equal(&guid, &who->guid))
        return EC_OK;
    if (directory_find_guid(s->m->service->directory, s->arena, &guid, &owner) != EC_OK)
        return EC_OK; // an archive: its owner acts
    s->from = (struct item_person){.name = owner->display_name, .address = owner->address};
    return EC_OK;
}

static enum ec read_from(struct sending *s) {
    struct directory *d = s->m->service->directory;
    struct directory_object *object;
    struct item_person from;
    const char *address =
        item_person_get(s->value->bag, ITEM_FROM, &from) ? smtp_of(s, &from) : NULL;
    if (!address)
        return default_from(s);
    s->from = (struct item_person){.name = arena_strdup(s->arena, from.name),
                                   .address = arena_strdup(s->arena, address)};
    // A name that only repeats the address gives way to the directory's.
    if (strcmp(s->from.name, s->from.address) == 0 &&
        directory_find_address(d, s->arena, s->from.address, &object) == EC_OK &&
        object->display_name)
        s->from.name = object->display_name;
    return EC_OK;
}

static enum ec set_senders(struct sending *s) {
    const struct principal *who = s->m->who;
    struct item_person self = {.name = who->display_name, .address = who->address};
    EC_TRY(read_from(s));
    enum directory_sender may =
        who->is_admin ? DIRECTORY_SENDER_AS
                      : directory_may_send(s->m->service->directory, &who->guid, s->from.address);
    if (may == DIRECTORY_SENDER_DENIED)
        return EC_SEND_AS_DENIED;
    item_person_set(s->value->bag, ITEM_FROM, &s->from);
    item_person_set(s->value->bag, ITEM_SENDER,
                    may == DIRECTORY_SENDER_ON_BEHALF ? &self : &s->from);
    return EC_OK;
}

// --- To whom ---

// Each address once, in order.
static enum ec read_recipients(struct sending *s, GArray *out) {
    uint32_t notify = mailbox_notify_bits(s->value->bag);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    if (s->value->recipients->len > RECIPIENTS_MAX)
        return EC_TOO_MANY_RECIPIENTS;
    for (guint i = 0; i < s->value->recipients->len; i++) {
        struct item_person person;
        const struct bag *bag = s->value->recipients->pdata[i];
        const char *address =
            item_person_get(bag, ITEM_RECIPIENT, &person) ? smtp_of(s, &person) : NULL;
        if (!address)
            return EC_INVALID_RECIPIENTS;
        char *key = arena_strdup(s->arena, address);
        for (char *c = key; *c; c++)
            *c = g_ascii_tolower(*c);
        if (!g_hash_table_add(seen, key))
            continue;
        struct mailbox_outgoing_recipient one = {arena_strdup(s->arena, address), notify};
        g_array_append_val(out, one);
    }
    return out->len ? EC_OK : EC_INVALID_RECIPIENTS;
}

// --- Handing over ---

static void complete(struct sending *s) {
    struct bag *bag = s->value->bag;
    item_value_finish(s->m, s->value);
    bag_set_time(bag, PidTagClientSubmitTime, clock_now());
    if (!bag_str(bag, PidTagInternetMessageId)) {
        char text[GUID_STRING_SIZE];
        struct guid guid = guid_new();
        guid_format(&guid, text);
        const char *domain = strrchr(s->from.address, '@');
        bag_set_str(bag, PidTagInternetMessageId,
                    arena_printf(s->arena, "<%s@%s>", text, domain ? domain + 1 : "localhost"));
    }
}

static enum ec submit(struct sending *s, const struct item_send *how) {
    g_autoptr(GArray) to = g_array_new(FALSE, FALSE, sizeof(struct mailbox_outgoing_recipient));
    g_autoptr(GBytes) mime = NULL;
    const struct principal *who = s->m->who;
    struct convert_source source = {reader_read_external, s->tx};
    struct mailbox_limits limits;
    EC_TRY(set_senders(s));
    EC_TRY(read_recipients(s, to));
    const struct guid *sender = s->m->is_public ? &who->guid : mbox_guid(s->m->mbox);
    EC_TRY(mailbox_may_send(s->m->service, sender));
    complete(s);
    EC_TRY(convert_message_to_mime(s->value, s->tx ? &source : NULL, false, &mime));
    EC_TRY(mailbox_limits(s->m->service, sender, &limits));
    if (limits.message && g_bytes_get_size(mime) > limits.message)
        return EC_MESSAGE_TOO_BIG;
    struct mailbox_outgoing outgoing = {
        .kind = OUTGOING_SUBMIT,
        .mailbox = mbox_guid(s->m->mbox),
        .owner = s->from.address,
        .sender = s->from.address,
        .recipients = (const struct mailbox_outgoing_recipient *)(void *)to->data,
        .n_recipients = to->len,
        .user = who->address,
        .hold_until = how->hold_until,
        .mime = mime,
    };
    return outbox_send(s->m->service, &outgoing);
}

// --- A new message ---

enum ec item_send_value(struct mailbox *m, struct message_value *value, const struct item_send *how,
                        uint64_t *copy_mid_out) {
    ARENA_AUTO arena = arena_new();
    struct sending s = {.m = m, .arena = arena, .value = value};
    *copy_mid_out = 0;
    struct mailbox *to = how->copy_mailbox ? how->copy_mailbox : m;
    uint64_t fid = how->copy_fid ? how->copy_fid : FID_SENT_ITEMS;
    // What would fail afterwards fails before anything is sent.
    if (how->saves_copy)
        EC_TRY(rights_check(to, fid, RIGHTS_CREATE));
    EC_TRY(submit(&s, how));
    if (!how->saves_copy)
        return EC_OK;
    struct item_new copy = {.value = value, .flags = MSG_READ};
    return item_create(to, fid, &copy, copy_mid_out);
}

// --- A draft ---

// The draft as it was sent, no longer one.
static enum ec settle_draft(struct item *item) {
    struct prop_value flags = prop_long(PidTagMessageFlags, 1); // read, not unsent
    struct prop_value now = prop_time(PidTagMessageDeliveryTime, clock_now());
    EC_TRY(item_set(item, &flags));
    EC_TRY(item_set(item, &now));
    return item_save(item, ITEM_SAVE_FORCE);
}

static enum ec finish_draft(struct item *item, const struct item_send *how,
                            uint64_t *copy_mid_out) {
    struct mailbox *m = item_mailbox(item);
    uint64_t mid = item_mid(item);
    struct mailbox *to = how->copy_mailbox ? how->copy_mailbox : m;
    uint64_t fid = how->copy_fid ? how->copy_fid : FID_SENT_ITEMS;
    if (!how->saves_copy)
        return item_delete(m, mid, ITEM_DELETE_HARD, NULL);
    EC_TRY(settle_draft(item));
    if (to == m && fid == item_fid(item)) {
        *copy_mid_out = mid;
        return EC_OK;
    }
    return item_move(m, mid, to, fid, copy_mid_out);
}

enum ec item_send_stored(struct mailbox *m, uint64_t mid, const struct item_send *how,
                         uint64_t *copy_mid_out) {
    ARENA_AUTO arena = arena_new();
    struct item *item;
    *copy_mid_out = 0;
    EC_TRY(item_open(m, mid, &item));
    struct sending s = {.m = m, .arena = arena, .value = item->value, .tx = item_tx(item)};
    item->is_changed = true;
    // Whoever sends it takes it out of its folder.
    enum ec ec =
        item->rights & RIGHTS_DELETE_ANY || (item->is_own && item->rights & RIGHTS_DELETE_OWNED)
            ? EC_OK
            : EC_ACCESS_DENIED;
    if (ec == EC_OK)
        ec = submit(&s, how);
    if (ec == EC_OK)
        ec = finish_draft(item, how, copy_mid_out);
    item_close(item);
    return ec;
}
