// Recipient rows on the wire.
#include "mapi/recipient_row.h"

#include <string.h>

#include "mapi/props.h"

// The flags word of a row.
enum recipient_flag {
    FLAG_TYPE = 0x0007,          // enum recipient_address
    FLAG_EMAIL = 0x0008,         // E
    FLAG_DISPLAY = 0x0010,       // D
    FLAG_TRANSMITTABLE = 0x0020, // T
    FLAG_SAME = 0x0040,          // S: transmittable is the display name
    FLAG_RESPONSIBLE = 0x0080,   // R
    FLAG_NOT_RICH = 0x0100,      // N
    FLAG_UNICODE = 0x0200,       // U
    FLAG_SIMPLE = 0x0400,        // I
    FLAG_OTHER = 0x8000,         // O: the address type stands in the row
};
enum recipient_address {
    ADDRESS_NONE = 0,
    ADDRESS_X500 = 1,
    ADDRESS_SMTP = 3,
    ADDRESS_PDL1 = 6,
    ADDRESS_PDL2 = 7,
};

static const char *const address_types[] = {NULL,  "EX",    "MS",      "SMTP",
                                            "FAX", "PROFS", "MAPIPDL", "MAPIPDL"};

// --- Reading ---
struct reading {
    struct wire_reader *r;
    const struct prop_wire *form;
    struct arena *arena;
    struct bag *bag;
    enum ec error;
};

static void set(struct reading *d, struct prop_value v) {
    if (wire_ok(d->r) && d->error == EC_OK)
        d->error = bag_set(d->bag, &v);
}

static void read_string(struct reading *d, bool is_unicode, proptag_t tag) {
    set(d, prop_str(tag, prop_wire_string(d->r, d->form, d->arena, is_unicode)));
}

static void read_counted(struct reading *d, proptag_t tag) {
    uint16_t len = wire_u16(d->r);
    set(d, prop_bytes(tag, wire_bytes(d->r, len), len));
}

static void read_x500(struct reading *d, const char *dn_prefix) {
    size_t used = wire_u8(d->r);
    int32_t type = wire_u8(d->r);
    const char *dn = prop_wire_string(d->r, d->form, d->arena, false);
    used = MIN(used, strlen(dn_prefix));
    char *full = arena_printf(d->arena, "%.*s%s", (int)used, dn_prefix, dn);
    set(d, prop_str(PidTagEmailAddress, full));
    set(d, prop_long(PidTagDisplayType, type));
}

static void read_standard(struct reading *d, uint16_t flags, const char *dn_prefix) {
    unsigned address = flags & FLAG_TYPE;
    bool is_unicode = flags & FLAG_UNICODE;
    if (address == ADDRESS_X500)
        read_x500(d, dn_prefix);
    if (address == ADDRESS_PDL1 || address == ADDRESS_PDL2) {
        read_counted(d, PidTagEntryId);
        read_counted(d, PidTagSearchKey);
    }
    if (address_types[address])
        set(d, prop_str(PidTagAddressType, address_types[address]));
    else if (flags & FLAG_OTHER)
        read_string(d, false, PidTagAddressType);
    if (flags & FLAG_EMAIL)
        read_string(d, is_unicode, PidTagEmailAddress);
    if (flags & FLAG_DISPLAY)
        read_string(d, is_unicode, PidTagDisplayName);
    if (flags & FLAG_SIMPLE)
        read_string(d, is_unicode, PidTagAddressBookDisplayNamePrintable);
    if (flags & FLAG_TRANSMITTABLE)
        read_string(d, is_unicode, PidTagTransmittableDisplayName);
    else if (flags & FLAG_SAME && bag_str(d->bag, PidTagDisplayName))
        set(d, prop_str(PidTagTransmittableDisplayName, bag_str(d->bag, PidTagDisplayName)));
    set(d, prop_bool(PidTagResponsibility, flags & FLAG_RESPONSIBLE));
    set(d, prop_bool(PidTagSendRichInfo, !(flags & FLAG_NOT_RICH)));
}

static void read_columns(struct reading *d, const struct columns *columns) {
    struct columns used = {wire_u16(d->r), columns->tags};
    if (used.n > columns->n)
        wire_fail(d->r);
    if (!wire_ok(d->r))
        return;
    struct prop_value *values = row_read(d->r, d->form, d->arena, &used);
    for (unsigned i = 0; values && i < used.n; i++)
        if (prop_type_is_valid(PROP_TYPE(values[i].tag)))
            set(d, values[i]);
}

enum ec recipient_row_read(struct wire_reader *r, const struct prop_wire *form,
                           const struct columns *columns, const char *dn_prefix,
                           struct bag *recipient) {
    ARENA_AUTO arena = arena_new();
    struct reading d = {r, form, arena, recipient, EC_OK};
    uint16_t flags = wire_u16(r);
    read_standard(&d, flags, dn_prefix);
    read_columns(&d, columns);
    return wire_ok(r) ? d.error : EC_FORMAT_ERROR;
}

// --- Writing ---
static unsigned address_of(const struct bag *recipient) {
    const char *type = bag_str(recipient, PidTagAddressType);
    if (!type)
        return ADDRESS_NONE;
    if (g_ascii_strcasecmp(type, "SMTP") == 0)
        return ADDRESS_SMTP;
    if (g_ascii_strcasecmp(type, "EX") == 0 && bag_str(recipient, PidTagEmailAddress))
        return ADDRESS_X500;
    if (g_ascii_strcasecmp(type, "MAPIPDL") == 0)
        return ADDRESS_PDL1;
    return ADDRESS_NONE;
}

static uint16_t flags_of(const struct bag *recipient, unsigned address, bool is_unicode) {
    const char *display = bag_str(recipient, PidTagDisplayName);
    const char *transmittable = bag_str(recipient, PidTagTransmittableDisplayName);
    unsigned flags = address;
    if (address == ADDRESS_NONE && bag_str(recipient, PidTagAddressType))
        flags |= FLAG_OTHER;
    if (address != ADDRESS_X500 && bag_str(recipient, PidTagEmailAddress))
        flags |= FLAG_EMAIL;
    if (display)
        flags |= FLAG_DISPLAY;
    if (bag_str(recipient, PidTagAddressBookDisplayNamePrintable))
        flags |= FLAG_SIMPLE;
    if (transmittable)
        flags |= display && strcmp(display, transmittable) == 0 ? FLAG_SAME : FLAG_TRANSMITTABLE;
    if (bag_bool(recipient, PidTagResponsibility, false))
        flags |= FLAG_RESPONSIBLE;
    if (!bag_bool(recipient, PidTagSendRichInfo, false))
        flags |= FLAG_NOT_RICH;
    if (is_unicode)
        flags |= FLAG_UNICODE;
    return (uint16_t)flags;
}

static void put_counted(struct wire_writer *w, struct prop_bin bin) {
    if (bin.len > UINT16_MAX)
        w->failed = true;
    wire_put_u16(w, (uint16_t)bin.len);
    wire_put_bytes(w, bin.data, bin.len);
}

void recipient_row_put(struct wire_writer *w, const struct prop_wire *form,
                       const struct columns *columns, bool is_unicode,
                       const struct bag *recipient) {
    static const struct {
        uint16_t flag;
        proptag_t tag;
    } strings[] = {{FLAG_EMAIL, PidTagEmailAddress},
                   {FLAG_DISPLAY, PidTagDisplayName},
                   {FLAG_SIMPLE, PidTagAddressBookDisplayNamePrintable},
                   {FLAG_TRANSMITTABLE, PidTagTransmittableDisplayName}};
    unsigned address = address_of(recipient);
    uint16_t flags = flags_of(recipient, address, is_unicode);
    wire_put_u16(w, flags);
    if (address == ADDRESS_X500) {
        wire_put_u8(w, 0); // nothing of the prefix is left out
        wire_put_u8(w, (uint8_t)bag_long(recipient, PidTagDisplayType, 0));
        prop_wire_put_string(w, form, false, bag_str(recipient, PidTagEmailAddress));
    } else if (address == ADDRESS_PDL1) {
        put_counted(w, bag_bytes(recipient, PidTagEntryId));
        put_counted(w, bag_bytes(recipient, PidTagSearchKey));
    }
    if (flags & FLAG_OTHER)
        prop_wire_put_string(w, form, false, bag_str(recipient, PidTagAddressType));
    for (unsigned i = 0; i < G_N_ELEMENTS(strings); i++)
        if (flags & strings[i].flag)
            prop_wire_put_string(w, form, is_unicode, bag_str(recipient, strings[i].tag));
    wire_put_u16(w, (uint16_t)columns->n);
    g_autofree const struct prop_value **values = g_new(const struct prop_value *, columns->n + 1);
    for (unsigned i = 0; i < columns->n; i++)
        values[i] = bag_get(recipient, PROP_TAG(PROP_ID(columns->tags[i]), PT_UNSPECIFIED));
    row_put(w, form, columns, values);
}
