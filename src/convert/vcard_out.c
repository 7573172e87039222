// A contact or a personal distribution list becomes a vCard ([MS-OXVCARD] 2.1.3, "Exporting").
#include "convert/body.h"
#include "convert/loaded.h"
#include "convert/vcard_table.h"

struct export {
    struct arena *arena;
    const struct message_value *m; // nothing in it is external
    const struct bag *bag;
    struct vcard_writer w;
};

static const char *text(const struct export *e, proptag_t tag) {
    const char *s = bag_str(e->bag, tag);
    return s ? s : "";
}

static void put(struct export *e, const char *name, const char *types, const char *value) {
    if (*value)
        vcard_put_text(&e->w, name, types, value);
}

static void put_names(struct export *e) {
    const char *display = text(e, PidTagDisplayName);
    if (!*display)
        display = text(e, PidTagSubject);
    if (!*display)
        display = text(e, PidTagNormalizedSubject);
    vcard_put_text(&e->w, "FN", NULL, display);
    const char *parts[G_N_ELEMENTS(vcard_name_parts)];
    for (unsigned k = 0; k < G_N_ELEMENTS(parts); k++)
        parts[k] = text(e, vcard_name_parts[k]);
    vcard_put(&e->w, "N", NULL, ';', parts, G_N_ELEMENTS(parts));
    const char *organization[] = {text(e, PidTagCompanyName), text(e, PidTagDepartmentName)};
    if (*organization[0] || *organization[1])
        vcard_put(&e->w, "ORG", NULL, ';', organization, 2);
}

static void put_texts(struct export *e) {
    for (unsigned k = 0; k < vcard_n_texts; k++) {
        const struct vcard_row *row = &vcard_texts[k];
        bool is_again = false;
        for (unsigned before = 0; before < k; before++)
            is_again = is_again || vcard_texts[before].tag == row->tag;
        const char *value = text(e, row->tag);
        if (is_again || !*value)
            continue;
        // The names of people are formatted names ([MS-OXVCARD] 2.1.3.9.8).
        bool is_person = row->tag == PidTagSpouseName || row->tag == PidTagManagerName ||
                         row->tag == PidTagAssistant;
        put(e, row->name, is_person ? "N" : row->type, value);
    }
    for (unsigned k = 0; k < vcard_n_phones; k++)
        put(e, vcard_phones[k].name, vcard_phones[k].types, text(e, vcard_phones[k].tag));
    put(e, "X-MS-INTERESTS", NULL, text(e, PidTagHobbies));
    for (unsigned k = 0; k < G_N_ELEMENTS(vcard_user_fields); k++)
        put(e, "X-MS-TEXT", NULL, text(e, vcard_user_fields[k]));
}

static void put_emails(struct export *e) {
    for (unsigned k = 0; k < G_N_ELEMENTS(vcard_emails); k++) {
        const struct vcard_email *email = &vcard_emails[k];
        const char *address = text(e, email->address), *type = text(e, email->type);
        bool is_x400 = g_ascii_strcasecmp(type, "X400") == 0;
        // An address of the directory: its name says the internet address, if anything does.
        if (g_ascii_strcasecmp(type, "EX") == 0)
            address = text(e, email->original_name);
        const char *types =
            is_x400 ? (k ? "X400" : "X400,pref") : (k ? "internet" : "internet,pref");
        put(e, "EMAIL", types, address);
    }
}

static void put_addresses(struct export *e) {
    int chosen = bag_long(e->bag, PidLidPostalAddressId, 0);
    for (unsigned n = 0; n < G_N_ELEMENTS(vcard_addresses); n++) {
        const struct vcard_address *a = &vcard_addresses[n];
        const char *parts[7] = {"", "", "", "", "", "", ""};
        bool is_any = false;
        for (unsigned k = 0; k < ADDRESS_PARTS; k++) {
            const char *part = text(e, a->parts[k]);
            // A contact of old has its work address as the mailing address alone.
            if (!*part && a->postal_id == 2 && chosen == 0)
                part = text(e, vcard_mailing_address[k]);
            parts[k == 0 ? 0 : k + 1] = part;
            is_any = is_any || *part;
        }
        const char *types =
            chosen == a->postal_id ? arena_printf(e->arena, "%s,pref", a->type) : a->type;
        if (is_any)
            vcard_put(&e->w, "ADR", types, ';', parts, G_N_ELEMENTS(parts));
        put(e, "LABEL", a->type, text(e, a->whole));
    }
    if (bag_get(e->bag, PidLidPostalAddressId))
        put(e, "X-MS-OL-DEFAULT-POSTAL-ADDRESS", NULL, arena_printf(e->arena, "%d", chosen));
}

static void put_date(struct export *e, const char *name, filetime_t t) {
    g_autoptr(GDateTime) date = t ? g_date_time_new_from_unix_utc(filetime_to_unix(t)) : NULL;
    if (!date)
        return;
    g_autofree char *value =
        g_date_time_format(date, e->w.version == VCARD_4_0 ? "%Y%m%d" : "%Y-%m-%d");
    if (value)
        put(e, name, NULL, value);
}

static void put_dates(struct export *e) {
    for (unsigned k = 0; k < 2; k++) {
        const struct vcard_date *row = &vcard_dates[k];
        filetime_t t = bag_time(e->bag, row->local);
        put_date(e, row->name, t ? t : bag_time(e->bag, row->tag));
    }
    filetime_t changed = bag_time(e->bag, PidTagLastModificationTime);
    g_autoptr(GDateTime) date =
        changed ? g_date_time_new_from_unix_utc(filetime_to_unix(changed)) : NULL;
    g_autofree char *value = date ? g_date_time_format(date, "%Y%m%dT%H%M%SZ") : NULL;
    if (value)
        put(e, "REV", NULL, value);
}

static void put_marks(struct export *e) {
    static const char *const classes[] = {"PUBLIC", "PERSONAL", "PRIVATE", "CONFIDENTIAL"};
    const struct prop_value *sensitivity = bag_get(e->bag, PidTagSensitivity);
    if (sensitivity && sensitivity->l >= 0 && sensitivity->l <= 3)
        put(e, "CLASS", NULL, classes[sensitivity->l]);
    const struct prop_value *gender = bag_get(e->bag, PidTagGender);
    if (gender && (gender->i2 == 1 || gender->i2 == 2)) {
        if (e->w.version == VCARD_4_0)
            put(e, "GENDER", NULL, gender->i2 == 1 ? "F" : "M");
        else
            put(e, "X-WAB-GENDER", NULL, gender->i2 == 1 ? "1" : "2");
    }
    struct prop_bin design = bag_bytes(e->bag, PidLidBusinessCardDisplayDefinition);
    if (design.len > 0 && g_utf8_validate_len((const char *)design.data, design.len, NULL))
        vcard_put_raw(&e->w, arena_printf(e->arena, "X-MS-OL-DESIGN:%.*s", (int)design.len,
                                          (const char *)design.data));
}

static void put_lists(struct export *e) {
    const struct prop_value *keywords = bag_get(e->bag, PidNameKeywords);
    const struct prop_value *children = bag_get(e->bag, PidTagChildrensNames);
    if (keywords && keywords->mv.n > 0)
        vcard_put(&e->w, "CATEGORIES", NULL, ',', keywords->mv.str, keywords->mv.n);
    for (uint32_t k = 0; children && k < children->mv.n; k++)
        put(e, "X-MS-CHILD", NULL, children->mv.str[k]);
}

static void put_image(struct export *e, const char *name, const void *data, size_t len) {
    const uint8_t *p = data;
    bool is_png = len > 0 && p[0] == 0x89, is_gif = len > 0 && p[0] == 'G';
    bool is_bmp = len > 0 && p[0] == 'B';
    vcard_put_binary(&e->w, name,
                     is_png   ? "PNG"
                     : is_gif ? "GIF"
                     : is_bmp ? "BMP"
                              : "JPEG",
                     is_png   ? "image/png"
                     : is_gif ? "image/gif"
                     : is_bmp ? "image/bmp"
                              : "image/jpeg",
                     data, len);
}

static void put_binaries(struct export *e) {
    for (guint k = 0; k < e->m->attachments->len; k++) {
        const struct attachment_value *a = e->m->attachments->pdata[k];
        if (!a->data || !bag_bool(a->bag, PidTagAttachmentContactPhoto, false))
            continue;
        gsize len;
        const void *data = g_bytes_get_data(a->data, &len);
        put_image(e, "PHOTO", data, len);
        break;
    }
    struct prop_bin picture = bag_bytes(e->bag, PidLidBusinessCardCardPicture);
    if (picture.len > 0)
        put_image(e, "X-MS-CARDPICTURE", picture.data, picture.len);
    const struct prop_value *keys = bag_get(e->bag, PidTagUserX509Certificate);
    for (uint32_t k = 0; keys && k < keys->mv.n; k++)
        vcard_put_binary(&e->w, "KEY", "X509", "application/pkix-cert", keys->mv.bin[k].data,
                         keys->mv.bin[k].len);
}

// Members that are addresses by themselves, or of which the list keeps the address.
static void put_members(struct export *e) {
    const struct prop_value *v = bag_get(e->bag, PidLidDistributionListOneOffMembers);
    if (!v)
        v = bag_get(e->bag, PidLidDistributionListMembers);
    for (uint32_t k = 0; v && k < v->mv.n; k++) {
        struct person person;
        if (!one_off_get(e->arena, v->mv.bin[k].data, v->mv.bin[k].len, &person) ||
            !person.address || !*person.address)
            continue;
        g_autofree char *address = g_uri_escape_string(person.address, "@+!*'()", TRUE);
        g_autoptr(GString) line =
            g_string_new(e->w.version == VCARD_4_0 ? "MEMBER" : "X-ADDRESSBOOKSERVER-MEMBER");
        if (person.name && strcmp(person.name, person.address) != 0) {
            g_string_append(line, ";X-CN=\"");
            for (const char *p = person.name; *p; p++) // [RFC 6868]
                if (*p == '"')
                    g_string_append(line, "^'");
                else if (*p == '^')
                    g_string_append(line, "^^");
                else if ((unsigned char)*p >= ' ')
                    g_string_append_c(line, *p);
            g_string_append_c(line, '"');
        }
        g_string_append_printf(line, ":mailto:%s", address);
        vcard_put_raw(&e->w, line->str);
    }
}

static void put_others(struct export *e) {
    for (unsigned k = 0; k < bag_count(e->bag); k++) {
        const struct prop_value *v = bag_at(e->bag, k);
        struct prop_name name;
        if (PROP_TYPE(v->tag) != PT_MV_UNICODE || !PROP_IS_NAMED(v->tag) ||
            !message_value_name(e->m, PROP_ID(v->tag), &name) || name.kind != PROP_NAME_STRING ||
            !guid_equal(&name.set, &vcard_other_lines.set) ||
            strcmp(name.string, vcard_other_lines.string) != 0)
            continue;
        for (uint32_t n = 0; n < v->mv.n; n++)
            vcard_put_raw(&e->w, v->mv.str[n]);
    }
}

static void put_card(struct export *e, bool is_list) {
    vcard_begin(&e->w);
    vcard_put_text(&e->w, "PRODID", NULL, "-//Bourse//EN");
    if (is_list)
        put(e, e->w.version == VCARD_4_0 ? "KIND" : "X-ADDRESSBOOKSERVER-KIND", NULL, "group");
    put_names(e);
    put_emails(e);
    put_texts(e);
    put_addresses(e);
    put_dates(e);
    put_marks(e);
    put_lists(e);
    put_binaries(e);
    if (is_list)
        put_members(e);
    put_others(e);
    vcard_end(&e->w);
}

static bool is_class(const char *class, const char *name) {
    size_t len = strlen(name);
    return class && g_ascii_strncasecmp(class, name, len) == 0 &&
           (class[len] == 0 || class[len] == '.');
}

enum ec convert_message_to_vcard(const struct message_value *message,
                                 const struct convert_source *source, enum vcard_version version,
                                 GString *out) {
    const char *class = bag_str(message->bag, PidTagMessageClass);
    bool is_list = is_class(class, "IPM.DistList");
    if (!is_list && !is_class(class, "IPM.Contact"))
        return EC_NOT_SUPPORTED;
    ARENA_AUTO arena = arena_new();
    struct message_value *loaded;
    EC_TRY(convert_load(message, source, &loaded));
    struct prop_value note;
    if (!bag_get(loaded->bag, PidTagBody) &&
        body_get(loaded->bag, NULL, arena, PidTagBody, &note) == EC_OK)
        bag_set(loaded->bag, &note);
    struct export e = {.arena = arena, .m = loaded, .bag = loaded->bag, .w = {out, version}};
    put_card(&e, is_list);
    message_value_free(loaded);
    return EC_OK;
}
