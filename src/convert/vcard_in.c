// A vCard becomes a contact or a personal distribution list ([MS-OXVCARD] 2.1.3, "Importing").
#include <stdio.h>

#include "convert/vcard_table.h"

#define MAX_MEMBERS 5000
#define MAX_EMAIL 1024
#define ICON_CONTACT 512
#define ICON_LIST 514
#define FILE_UNDER_LAST_FIRST 0x8017

struct import {
    struct arena *arena;
    struct message_value *m;
    struct bag *bag;
    unsigned n_emails, n_user_fields;
    bool has_photo, is_list, has_postal_id;
    GPtrArray *others;   // const char *: lines that are kept
    GPtrArray *children; // const char *
    GPtrArray *keywords; // const char *
    GPtrArray *keys;     // GBytes *
    GPtrArray *members;  // GByteArray *: one-off entry ids
};

static bool is_set(const struct import *i, proptag_t tag) {
    return bag_get(i->bag, tag) != NULL;
}

// --- Lines by their kinds; each says whether it took the line ---

static bool take_text(struct import *i, const struct vcard_line *line) {
    for (unsigned k = 0; k < vcard_n_texts; k++) {
        const struct vcard_row *row = &vcard_texts[k];
        if (strcmp(line->name, row->name) != 0 || (row->type && !vcard_has_type(line, row->type)) ||
            is_set(i, row->tag))
            continue;
        bag_set_str(i->bag, row->tag, vcard_text(i->arena, line));
        return true;
    }
    return false;
}

static bool take_phone(struct import *i, const struct vcard_line *line) {
    for (unsigned k = 0; k < vcard_n_phones; k++) {
        const struct vcard_phone *row = &vcard_phones[k];
        if (strcmp(line->name, row->name) != 0 ||
            (row->needs && !vcard_has_type(line, row->needs)) ||
            (row->also && !vcard_has_type(line, row->also)))
            continue;
        if (is_set(i, row->tag)) {
            // A second number of its kind; the last resort takes no others.
            if (k + 1 < vcard_n_phones && vcard_phones[k + 1].needs && row->needs &&
                strcmp(vcard_phones[k + 1].needs, row->needs) == 0)
                continue;
            return false;
        }
        const char *text = vcard_text(i->arena, line);
        if (g_ascii_strncasecmp(text, "tel:", 4) == 0) // 4.0 has addresses
            text += 4;
        bag_set_str(i->bag, row->tag, text);
        return true;
    }
    return false;
}

static const struct vcard_address *address_of(const struct vcard_line *line) {
    for (unsigned k = 0; k < 2; k++)
        if (vcard_has_type(line, vcard_addresses[k].type))
            return &vcard_addresses[k];
    return &vcard_addresses[2];
}

// The parts are box, extended address, street, city, region, code, country; the extended address
// goes before the street.
static bool take_address(struct import *i, const struct vcard_line *line) {
    const struct vcard_address *a = address_of(line);
    for (unsigned k = 0; k < ADDRESS_PARTS; k++)
        if (is_set(i, a->parts[k]))
            return false;
    const char *extended = vcard_component(i->arena, line, 1);
    for (unsigned k = 0; k < ADDRESS_PARTS; k++) {
        const char *part = vcard_component(i->arena, line, k == 0 ? 0 : k + 1);
        if (k == 1 && *extended)
            part = arena_printf(i->arena, "%s%s%s", extended, *part ? "\r\n" : "", part);
        if (*part)
            bag_set_str(i->bag, a->parts[k], part);
    }
    if (vcard_has_type(line, "PREF") && !i->has_postal_id) {
        bag_set_long(i->bag, PidLidPostalAddressId, a->postal_id);
        i->has_postal_id = true;
    }
    return true;
}

static bool take_label(struct import *i, const struct vcard_line *line) {
    proptag_t tag = address_of(line)->whole;
    if (is_set(i, tag))
        return false;
    bag_set_str(i->bag, tag, vcard_text(i->arena, line));
    return true;
}

static bool take_email(struct import *i, const struct vcard_line *line) {
    const char *text = vcard_text(i->arena, line);
    if (i->n_emails == G_N_ELEMENTS(vcard_emails) || !*text || strlen(text) > MAX_EMAIL)
        return false;
    const struct vcard_email *e = &vcard_emails[i->n_emails++];
    struct person person = {
        .name = text, .type = vcard_has_type(line, "X400") ? "X400" : "SMTP", .address = text};
    g_autoptr(GByteArray) id = g_byte_array_new();
    one_off_put(id, &person);
    bag_set_str(i->bag, e->address, text);
    bag_set_str(i->bag, e->type, person.type);
    bag_set_str(i->bag, e->name, text);
    bag_set_str(i->bag, e->original_name, text);
    bag_set_bytes(i->bag, e->entry_id, id->data, id->len);
    return true;
}

// "19850412", "1985-04-12", with a time behind it or not; 0: no whole date.
static filetime_t parse_date(const char *s) {
    unsigned year, month, day;
    int n = 0;
    if (sscanf(s, "%4u-%2u-%2u%n", &year, &month, &day, &n) != 3 || n < 8)
        if (sscanf(s, "%4u%2u%2u%n", &year, &month, &day, &n) != 3 || n != 8)
            return 0;
    g_autoptr(GDateTime) date =
        year >= 1601 ? g_date_time_new_utc((int)year, (int)month, (int)day, 0, 0, 0) : NULL;
    return date ? filetime_from_unix(g_date_time_to_unix(date)) : 0;
}

static bool take_date(struct import *i, const struct vcard_line *line) {
    for (unsigned k = 0; k < vcard_n_dates; k++) {
        const struct vcard_date *row = &vcard_dates[k];
        filetime_t t = strcmp(line->name, row->name) == 0 ? parse_date(line->value) : 0;
        if (t == 0 || is_set(i, row->tag))
            continue;
        bag_set_time(i->bag, row->tag, t);
        bag_set_time(i->bag, row->local, t);
        return true;
    }
    return false;
}

static bool take_revision(struct import *i, const struct vcard_line *line) {
    int64_t t;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(line->value, utc);
    if (!date)
        return false;
    t = g_date_time_to_unix(date);
    bag_set_time(i->bag, PidTagLastModificationTime, filetime_from_unix(t));
    return true;
}

static void set_if_any(struct import *i, proptag_t tag, const char *text) {
    if (*text)
        bag_set_str(i->bag, tag, text);
}

static bool take_name(struct import *i, const struct vcard_line *line) {
    for (unsigned k = 0; k < G_N_ELEMENTS(vcard_name_parts); k++)
        set_if_any(i, vcard_name_parts[k], vcard_component(i->arena, line, k));
    return true;
}

static bool take_organization(struct import *i, const struct vcard_line *line) {
    if (is_set(i, PidTagCompanyName))
        return false;
    set_if_any(i, PidTagCompanyName, vcard_component(i->arena, line, 0));
    set_if_any(i, PidTagDepartmentName, vcard_component(i->arena, line, 1));
    return true;
}

static bool take_class(struct import *i, const struct vcard_line *line) {
    static const struct {
        const char *word;
        int sensitivity;
    } words[] = {{"PUBLIC", 0}, {"PERSONAL", 1}, {"PRIVATE", 2}, {"CONFIDENTIAL", 3}};
    for (size_t k = 0; k < G_N_ELEMENTS(words); k++)
        if (g_ascii_strcasecmp(line->value, words[k].word) == 0) {
            bag_set_long(i->bag, PidTagSensitivity, words[k].sensitivity);
            return true;
        }
    return false;
}

static bool take_gender(struct import *i, const struct vcard_line *line) {
    int gender = g_ascii_toupper(*line->value) == 'F' || *line->value == '1'   ? 1
                 : g_ascii_toupper(*line->value) == 'M' || *line->value == '2' ? 2
                                                                               : 0;
    struct prop_value v = {.tag = PidTagGender, .i2 = (int16_t)gender};
    if (gender == 0)
        return false;
    bag_set(i->bag, &v);
    return true;
}

static bool take_photo(struct import *i, const struct vcard_line *line) {
    g_autoptr(GBytes) bytes = i->has_photo ? NULL : vcard_binary(line);
    if (!bytes || g_bytes_get_size(bytes) == 0)
        return false;
    const uint8_t *data = g_bytes_get_data(bytes, NULL);
    bool is_png = data[0] == 0x89, is_gif = data[0] == 'G', is_bmp = data[0] == 'B';
    const char *ext = is_png ? "png" : is_gif ? "gif" : is_bmp ? "bmp" : "jpg";
    struct attachment_value *a = attachment_value_new();
    set_attachment_defaults(a->bag, g_bytes_get_size(bytes));
    bag_set_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE);
    const char *name = arena_printf(i->arena, "ContactPicture.%s", ext);
    bag_set_str(a->bag, PidTagAttachLongFilename, name);
    bag_set_str(a->bag, PidTagAttachFilename, arena_printf(i->arena, "Contac~1.%s", ext));
    bag_set_str(a->bag, PidTagDisplayName, name);
    bag_set_str(a->bag, PidTagAttachExtension, arena_printf(i->arena, ".%s", ext));
    bag_set_bool(a->bag, PidTagAttachmentContactPhoto, true);
    a->data = g_bytes_ref(bytes);
    g_ptr_array_add(i->m->attachments, a);
    bag_set_bool(i->bag, PidLidHasPicture, true);
    i->has_photo = true;
    return true;
}

static bool take_bytes(struct import *i, const struct vcard_line *line, proptag_t tag) {
    g_autoptr(GBytes) bytes = vcard_binary(line);
    gsize len;
    const void *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;
    if (!data || is_set(i, tag))
        return false;
    bag_set_bytes(i->bag, tag, data, len);
    return true;
}

static bool take_key(struct import *i, const struct vcard_line *line) {
    GBytes *bytes = vcard_binary(line);
    if (!bytes)
        return false;
    g_ptr_array_add(i->keys, bytes);
    return true;
}

static bool take_list(struct import *i, const struct vcard_line *line, GPtrArray *to) {
    unsigned n;
    const char **list = vcard_list(i->arena, line, &n);
    for (unsigned k = 0; k < n && to->len < MAX_MEMBERS; k++)
        g_ptr_array_add(to, (gpointer)list[k]);
    return true;
}

static bool take_user_field(struct import *i, const struct vcard_line *line) {
    if (i->n_user_fields == G_N_ELEMENTS(vcard_user_fields))
        return false;
    bag_set_str(i->bag, vcard_user_fields[i->n_user_fields++], vcard_text(i->arena, line));
    return true;
}

static bool take_postal_id(struct import *i, const struct vcard_line *line) {
    if (!g_ascii_isdigit(*line->value) || *line->value > '3')
        return false;
    bag_set_long(i->bag, PidLidPostalAddressId, *line->value - '0');
    i->has_postal_id = true;
    return true;
}

static bool take_design(struct import *i, const struct vcard_line *line) {
    bag_set_bytes(i->bag, PidLidBusinessCardDisplayDefinition, line->value, strlen(line->value));
    return true;
}

static bool take_kind(struct import *i, const struct vcard_line *line) {
    if (g_ascii_strcasecmp(line->value, "group") != 0)
        return false;
    i->is_list = true;
    return true;
}

// "mailto:" and an address; other members are cards elsewhere.
static bool take_member(struct import *i, const struct vcard_line *line) {
    const char *value = line->value;
    if (g_ascii_strncasecmp(value, "mailto:", 7) != 0 || i->members->len >= MAX_MEMBERS)
        return false;
    g_autofree char *address = g_uri_unescape_string(value + 7, NULL);
    const char *name = vcard_param(line, "X-CN");
    if (!address || !g_utf8_validate(address, -1, NULL))
        return false;
    struct person person = {
        .name = name && *name ? name : address, .type = "SMTP", .address = address};
    GByteArray *id = g_byte_array_new();
    one_off_put(id, &person);
    g_ptr_array_add(i->members, id);
    return true;
}

static bool take_display_name(struct import *i, const struct vcard_line *line) {
    if (is_set(i, PidTagDisplayName))
        return false;
    bag_set_str(i->bag, PidTagDisplayName, vcard_text(i->arena, line));
    return true;
}

static bool take_line(struct import *i, const struct vcard_line *line) {
    static const struct {
        const char *name;
        bool (*take)(struct import *i, const struct vcard_line *line);
    } kinds[] = {
        {"FN", take_display_name},
        {"N", take_name},
        {"ORG", take_organization},
        {"ADR", take_address},
        {"LABEL", take_label},
        {"REV", take_revision},
        {"CLASS", take_class},
        {"GENDER", take_gender},
        {"X-WAB-GENDER", take_gender},
        {"PHOTO", take_photo},
        {"KEY", take_key},
        {"X-MS-TEXT", take_user_field},
        {"X-MS-OL-DEFAULT-POSTAL-ADDRESS", take_postal_id},
        {"X-MS-OL-DESIGN", take_design},
        {"KIND", take_kind},
        {"X-ADDRESSBOOKSERVER-KIND", take_kind},
        {"MEMBER", take_member},
        {"X-ADDRESSBOOKSERVER-MEMBER", take_member},
    };
    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++)
        if (strcmp(line->name, kinds[k].name) == 0)
            return kinds[k].take(i, line);
    if (strcmp(line->name, "CATEGORIES") == 0)
        return take_list(i, line, i->keywords);
    if (strcmp(line->name, "X-MS-CHILD") == 0) {
        g_ptr_array_add(i->children, (gpointer)vcard_text(i->arena, line));
        return true;
    }
    if (strcmp(line->name, "X-MS-INTERESTS") == 0 && !is_set(i, PidTagHobbies)) {
        bag_set_str(i->bag, PidTagHobbies, vcard_text(i->arena, line));
        return true;
    }
    if (strcmp(line->name, "X-MS-CARDPICTURE") == 0)
        return take_bytes(i, line, PidLidBusinessCardCardPicture);
    return take_text(i, line) || take_phone(i, line) || take_date(i, line);
}

// --- What follows from the lines ---

static void set_strings(struct import *i, proptag_t tag, GPtrArray *strings) {
    struct prop_value v = {.tag = tag,
                           .mv = {.n = strings->len, .str = (const char *const *)strings->pdata}};
    if (strings->len > 0)
        bag_set(i->bag, &v);
}

static void set_keys(struct import *i) {
    struct prop_bin *bins = arena_alloc(i->arena, MAX(i->keys->len, 1) * sizeof *bins);
    for (guint k = 0; k < i->keys->len; k++) {
        gsize len;
        bins[k].data = g_bytes_get_data(i->keys->pdata[k], &len);
        bins[k].len = (uint32_t)len;
    }
    struct prop_value v = {.tag = PidTagUserX509Certificate,
                           .mv = {.n = i->keys->len, .bin = bins}};
    if (i->keys->len > 0)
        bag_set(i->bag, &v);
}

static void set_members(struct import *i) {
    struct prop_bin *bins = arena_alloc(i->arena, MAX(i->members->len, 1) * sizeof *bins);
    for (guint k = 0; k < i->members->len; k++) {
        const GByteArray *id = i->members->pdata[k];
        bins[k] = (struct prop_bin){id->len, id->data};
    }
    struct prop_value v = {.tag = PidLidDistributionListMembers,
                           .mv = {.n = i->members->len, .bin = bins}};
    if (i->members->len == 0)
        return;
    bag_set(i->bag, &v);
    v.tag = PidLidDistributionListOneOffMembers;
    bag_set(i->bag, &v);
}

static const char *part(const struct import *i, proptag_t tag) {
    const char *s = bag_str(i->bag, tag);
    return s ? s : "";
}

static void set_names(struct import *i) {
    const char *given = part(i, PidTagGivenName), *middle = part(i, PidTagMiddleName);
    const char *surname = part(i, PidTagSurname), *company = part(i, PidTagCompanyName);
    if (!is_set(i, PidTagDisplayName)) {
        g_autofree char *full = g_strjoin(" ", given, middle, surname, NULL);
        g_auto(GStrv) words = g_strsplit_set(full, " ", -1);
        g_autoptr(GString) name = g_string_new(NULL);
        for (char **w = words; *w; w++)
            if (**w)
                g_string_append_printf(name, "%s%s", name->len ? " " : "", *w);
        bag_set_str(i->bag, PidTagDisplayName, name->len ? name->str : company);
    }
    const char *display = part(i, PidTagDisplayName);
    bag_set_str(i->bag, PidTagSubject, display);
    bag_set_str(i->bag, PidTagNormalizedSubject, display);
    bag_set_str(i->bag, PidTagSubjectPrefix, "");
    bag_set_str(i->bag, PidTagConversationTopic, display);
    const char *under = display;
    if (*surname && *given) {
        under = arena_printf(i->arena, "%s, %s%s%s", surname, given, *middle ? " " : "", middle);
        bag_set_long(i->bag, PidLidFileUnderId, FILE_UNDER_LAST_FIRST);
    }
    bag_set_str(i->bag, PidLidFileUnder, under);
}

// The mailing address is a copy of the one that was chosen ([MS-OXOCNTC] 2.2.1.3.9).
static void set_mailing_address(struct import *i) {
    int id = bag_long(i->bag, PidLidPostalAddressId, 0);
    if (id < 1 || id > 3)
        return;
    const struct vcard_address *a = &vcard_addresses[id - 1];
    for (unsigned k = 0; k < ADDRESS_PARTS; k++)
        bag_set_str(i->bag, vcard_mailing_address[k], bag_str(i->bag, a->parts[k]));
    bag_set_str(i->bag, PidTagPostalAddress, bag_str(i->bag, a->whole));
}

// What is written under the address on a letter, where the card does not say it.
static void set_labels(struct import *i) {
    for (unsigned n = 0; n < G_N_ELEMENTS(vcard_addresses); n++) {
        const struct vcard_address *a = &vcard_addresses[n];
        const char *street = part(i, a->parts[1]), *city = part(i, a->parts[2]);
        const char *region = part(i, a->parts[3]), *code = part(i, a->parts[4]);
        const char *country = part(i, a->parts[5]);
        g_autofree char *place =
            g_strdup_printf("%s%s%s%s%s", city, *city && *region ? ", " : "", region,
                            (*city || *region) && *code ? " " : "", code);
        const char *lines[] = {street, place, country};
        g_autoptr(GString) label = g_string_new(NULL);
        for (unsigned k = 0; k < G_N_ELEMENTS(lines); k++)
            if (*lines[k])
                g_string_append_printf(label, "%s%s", label->len ? "\r\n" : "", lines[k]);
        if (label->len > 0 && !is_set(i, a->whole))
            bag_set_str(i->bag, a->whole, label->str);
    }
}

static void set_others(struct import *i) {
    uint16_t id = named_fixed_id(&vcard_other_lines);
    if (id == 0 && i->others->len > 0)
        id = message_value_local_name(i->m, &vcard_other_lines);
    if (id != 0)
        set_strings(i, PROP_TAG(id, PT_MV_UNICODE), i->others);
}

static void finish(struct import *i) {
    bag_set_str(i->bag, PidTagMessageClass, i->is_list ? "IPM.DistList" : "IPM.Contact");
    bag_set_long(i->bag, PidTagIconIndex, i->is_list ? ICON_LIST : ICON_CONTACT);
    set_names(i);
    if (i->is_list)
        bag_set_str(i->bag, PidLidDistributionListName, bag_str(i->bag, PidTagDisplayName));
    set_labels(i);
    set_mailing_address(i);
    set_strings(i, PidNameKeywords, i->keywords);
    set_strings(i, PidTagChildrensNames, i->children);
    set_keys(i);
    set_members(i);
    set_others(i);
}

static bool is_of_file(const char *name) {
    return strcmp(name, "PRODID") == 0 || strcmp(name, "PROFILE") == 0;
}

// Those that are preferred come first, so that they take the first places.
static void take_emails(struct import *i, const struct vcard *card, bool preferred) {
    for (unsigned k = 0; k < card->n_lines; k++) {
        const struct vcard_line *line = &card->lines[k];
        bool is_preferred = vcard_has_type(line, "PREF") || vcard_param(line, "PREF");
        if (strcmp(line->name, "EMAIL") != 0 || vcard_has_type(line, "TLX") ||
            is_preferred != preferred)
            continue;
        if (!take_email(i, line))
            g_ptr_array_add(i->others, (gpointer)line->raw);
    }
}

static void free_member(gpointer data) {
    g_byte_array_unref(data);
}

static void free_key(gpointer data) {
    g_bytes_unref(data);
}

bool convert_vcard_next(const char **p, const char *end, struct message_value **out) {
    ARENA_AUTO arena = arena_new();
    struct vcard card;
    if (!vcard_next(arena, p, end, &card))
        return false;
    struct import i = {.arena = arena, .m = message_value_new()};
    i.bag = i.m->bag;
    i.others = g_ptr_array_new();
    i.children = g_ptr_array_new();
    i.keywords = g_ptr_array_new();
    i.keys = g_ptr_array_new_with_free_func(free_key);
    i.members = g_ptr_array_new_with_free_func(free_member);
    take_emails(&i, &card, true);
    take_emails(&i, &card, false);
    for (unsigned k = 0; k < card.n_lines; k++) {
        const struct vcard_line *line = &card.lines[k];
        bool is_email = strcmp(line->name, "EMAIL") == 0 && !vcard_has_type(line, "TLX");
        if (!is_email && !is_of_file(line->name) && !take_line(&i, line))
            g_ptr_array_add(i.others, (gpointer)line->raw);
    }
    finish(&i);
    g_ptr_array_unref(i.others);
    g_ptr_array_unref(i.children);
    g_ptr_array_unref(i.keywords);
    g_ptr_array_unref(i.keys);
    g_ptr_array_unref(i.members);
    *out = i.m;
    return true;
}
