// Attributes of TNEF that stand for properties which mail has in its header fields: read for whole
// messages alone ([MS-OXTNEF] 2.1.3.3). A property of the same message counts more.
#include "convert/tnef_internal.h"

static void set(struct decoding *d, const struct prop_value *v) {
    if (!bag_get(d->m->bag, PROP_TAG(PROP_ID(v->tag), PT_UNSPECIFIED)))
        bag_set(d->m->bag, v);
}

static const char *text(struct decoding *d, struct wire_reader *r, size_t len) {
    struct wire_reader v = wire_sub(r, len);
    return tnef_string(d, PT_STRING8, &v);
}

// "SMTP:ann@e.example" of a name and an address.
static void set_person(struct decoding *d, const struct person_tags *tags, const char *name,
                       const char *address) {
    const char *colon = strchr(address, ':');
    if (!*name || bag_get(d->m->bag, tags->name))
        return;
    struct person person = {.name = name, .address = colon ? colon + 1 : address};
    if (colon)
        person.type = arena_strndup(d->r->arena, address, (size_t)(colon - address));
    person_set(d->m->bag, tags, &person);
}

// attFrom: a TRP structure ([MS-OXTNEF] 2.1.3.3.1).
static void read_from(struct decoding *d, struct wire_reader *r) {
    wire_u16(r); // what kind
    wire_u16(r); // size of it all
    size_t name_len = wire_u16(r), address_len = wire_u16(r);
    const char *name = text(d, r, name_len), *address = text(d, r, address_len);
    if (wire_ok(r))
        set_person(d, &sender_tags, name, address);
}

// attOwner, attSentFor: two counted strings ([MS-OXTNEF] 2.1.3.3.2, 2.1.3.3.3).
static void read_person(struct decoding *d, struct wire_reader *r, const struct person_tags *tags) {
    size_t name_len = wire_u16(r);
    const char *name = text(d, r, name_len);
    size_t address_len = wire_u16(r);
    const char *address = text(d, r, address_len);
    if (wire_ok(r))
        set_person(d, tags, name, address);
}

static void read_hex(struct decoding *d, proptag_t tag, const struct wire_reader *r) {
    uint8_t key[64];
    size_t n = 0;
    for (; n < sizeof key && n * 2 + 1 < r->len; n++) {
        int high = g_ascii_xdigit_value((char)r->data[n * 2]);
        int low = g_ascii_xdigit_value((char)r->data[n * 2 + 1]);
        if (high < 0 || low < 0)
            break;
        key[n] = (uint8_t)(high << 4 | low);
    }
    struct prop_value v = prop_bytes(tag, key, (uint32_t)n);
    if (n > 0)
        set(d, &v);
}

static void read_date(struct decoding *d, proptag_t tag, struct wire_reader *r) {
    struct prop_value v = prop_time(tag, tnef_date(r));
    if (v.time)
        set(d, &v);
}

// attMessageStatus ([MS-OXTNEF] 2.1.3.3.8): its bits are not those of PidTagMessageFlags.
static void read_status(struct decoding *d, struct wire_reader *r) {
    unsigned status = wire_u8(r);
    int flags = 0;
    flags |= status & 0x20 ? 0x01 : 0; // read
    flags |= status & 0x01 ? 0 : 0x02; // not modified
    flags |= status & 0x04 ? 0x04 : 0; // submitted
    flags |= status & 0x80 ? 0x10 : 0; // has attachments
    flags |= status & 0x02 ? 0x08 : 0; // not sent
    struct prop_value v = prop_long(PidTagMessageFlags, flags);
    if (wire_ok(r))
        set(d, &v);
}

static void read_priority(struct decoding *d, struct wire_reader *r) {
    unsigned priority = wire_u16(r);
    struct prop_value v = prop_long(PidTagImportance, 3 - (int)priority);
    if (wire_ok(r) && priority >= 1 && priority <= 3)
        set(d, &v);
}

void tnef_read_legacy(struct decoding *d, struct tnef_attribute *t) {
    switch (t->id) {
    case TNEF_FROM:
        read_from(d, &t->data);
        break;
    case TNEF_OWNER:
    case TNEF_SENT_FOR:
        read_person(d, &t->data, &sent_representing_tags);
        break;
    case TNEF_DATE_SENT:
        read_date(d, PidTagClientSubmitTime, &t->data);
        break;
    case TNEF_DATE_RECEIVED:
        read_date(d, PidTagMessageDeliveryTime, &t->data);
        break;
    case TNEF_DATE_MODIFIED:
        read_date(d, PidTagLastModificationTime, &t->data);
        break;
    case TNEF_MESSAGE_STATUS:
        read_status(d, &t->data);
        break;
    case TNEF_PRIORITY:
        read_priority(d, &t->data);
        break;
    case TNEF_MESSAGE_ID:
        read_hex(d, PidTagSearchKey, &t->data);
        break;
    case TNEF_PARENT_ID:
        read_hex(d, PidTagParentKey, &t->data);
        break;
    case TNEF_CONVERSATION_ID:
        read_hex(d, PROP_TAG(0x000B, PT_BINARY), &t->data); // PidTagConversationKey
        break;
    }
}
