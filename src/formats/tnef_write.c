// Writes TNEF: attributes with their checksums, property lists padded to four bytes ([MS-OXTNEF]
// 2.1.3).
#include "formats/tnef.h"

#include "base/filetime.h"

#define VERSION 0x00010000u
#define LEVEL_MESSAGE 1
#define LEVEL_ATTACHMENT 2

void tnef_write_attribute(struct wire_writer *w, bool is_of_attachment, uint32_t id,
                          const void *data, size_t len) {
    const uint8_t *p = data;
    uint16_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint16_t)(sum + p[i]);
    wire_put_u8(w, is_of_attachment ? LEVEL_ATTACHMENT : LEVEL_MESSAGE);
    wire_put_u32(w, id);
    wire_put_u32(w, (uint32_t)len);
    if (len > 0)
        wire_put_bytes(w, data, len);
    wire_put_u16(w, sum);
}

void tnef_write_attribute_take(struct wire_writer *w, bool is_of_attachment, uint32_t id,
                               struct wire_writer *data) {
    GByteArray *bytes = wire_writer_take(data);
    if (bytes) {
        tnef_write_attribute(w, is_of_attachment, id, bytes->data, bytes->len);
        g_byte_array_unref(bytes);
    } else {
        w->failed = true;
    }
}

void tnef_write_start(struct wire_writer *w, uint16_t key, uint32_t code_page) {
    struct wire_writer version = wire_writer(4), pages = wire_writer(8);
    wire_put_u32(w, TNEF_SIGNATURE);
    wire_put_u16(w, key);
    wire_put_u32(&version, VERSION);
    tnef_write_attribute_take(w, false, TNEF_VERSION, &version);
    wire_put_u32(&pages, code_page);
    wire_put_u32(&pages, 0); // there is no second one
    tnef_write_attribute_take(w, false, TNEF_OEM_CODE_PAGE, &pages);
}

static void put_padding(struct wire_writer *w, size_t len) {
    for (size_t n = (4 - len % 4) % 4; n > 0; n--)
        wire_put_u8(w, 0);
}

void tnef_write_tag(struct wire_writer *w, uint16_t id, uint16_t type) {
    wire_put_u16(w, type);
    wire_put_u16(w, id);
}

void tnef_write_name(struct wire_writer *w, const struct guid *set, uint32_t lid,
                     const uint8_t *string, size_t len) {
    wire_put_guid(w, set);
    wire_put_u32(w, string != NULL);
    if (string)
        tnef_write_sized(w, string, len);
    else
        wire_put_u32(w, lid);
}

void tnef_write_fixed(struct wire_writer *w, const void *data, size_t len) {
    wire_put_bytes(w, data, len);
    put_padding(w, len);
}

void tnef_write_sized(struct wire_writer *w, const void *data, size_t len) {
    wire_put_u32(w, (uint32_t)len);
    if (len > 0)
        wire_put_bytes(w, data, len);
    put_padding(w, len);
}

bool tnef_write_date(struct wire_writer *w, bool is_of_attachment, uint32_t id, uint64_t time) {
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(filetime_to_unix(time));
    if (!date || g_date_time_get_year(date) < 1601)
        return false;
    struct wire_writer data = wire_writer(14);
    wire_put_u16(&data, (uint16_t)g_date_time_get_year(date));
    wire_put_u16(&data, (uint16_t)g_date_time_get_month(date));
    wire_put_u16(&data, (uint16_t)g_date_time_get_day_of_month(date));
    wire_put_u16(&data, (uint16_t)g_date_time_get_hour(date));
    wire_put_u16(&data, (uint16_t)g_date_time_get_minute(date));
    wire_put_u16(&data, (uint16_t)g_date_time_get_second(date));
    wire_put_u16(&data, (uint16_t)(g_date_time_get_day_of_week(date) % 7)); // Sunday is 0
    tnef_write_attribute_take(w, is_of_attachment, id, &data);
    return true;
}
