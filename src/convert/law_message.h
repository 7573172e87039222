// Made-up messages for laws and fuzzers, and whether two messages are the same.
#pragma once

#include "base/law.h"
#include "convert/convert_internal.h"
#include "mapi/prop_shape.h"

// --- Making ---

static inline const char *make_text(struct choices *c, struct arena *arena) {
    static const char *const pieces[] = {"a",
                                         "",
                                         " ",
                                         "B",
                                         "\xc3\xa4",
                                         "\r\n",
                                         "\t",
                                         ";,:\\\"",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "=?x?q?y?=",
                                         "<b>&amp;",
                                         "{\\rtf1 }",
                                         "1234567890",
                                         "the quick brown fox "};
    GString *s = g_string_new(NULL);
    for (unsigned n = choose(c, 6); n > 0; n--)
        g_string_append(s, pieces[choose(c, G_N_ELEMENTS(pieces))]);
    if (choose(c, 40) == 39) // now and then a long one
        for (unsigned i = 0; i < 300; i++)
            g_string_append(s, "0123456789abcdef");
    char *out = arena_strdup(arena, s->str);
    g_string_free(s, TRUE);
    return out;
}

static inline struct prop_bin make_bytes(struct choices *c, struct arena *arena) {
    uint32_t len = choose(c, 20);
    if (len == 19)
        len = choose(c, 70000);
    uint8_t *data = arena_alloc(arena, len + 1);
    for (uint32_t i = 0; i < len; i++)
        data[i] = i < 16 ? (uint8_t)choose(c, 256) : (uint8_t)(i * 7);
    return (struct prop_bin){len, data};
}

static inline void make_fixed(struct choices *c, uint16_t type, struct prop_value *out) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < prop_fixed_size(type); i++)
        bits = bits << 8 | choose(c, 256);
    switch (type) {
    case PT_BOOLEAN:
        out->b = bits & 1;
        break;
    case PT_FLOAT:
        out->f = (float)(int32_t)bits;
        break;
    case PT_DOUBLE:
    case PT_APPTIME:
        out->d = (double)(int64_t)bits;
        break;
    case PT_CLSID:
        memcpy(out->guid.bytes, &bits, sizeof bits);
        break;
    case PT_I2:
        out->i2 = (int16_t)bits;
        break;
    case PT_LONG:
        out->l = (int32_t)bits;
        break;
    default:
        out->i8 = (int64_t)bits;
    }
}

static inline struct prop_value make_value(struct choices *c, struct arena *arena, proptag_t tag) {
    struct prop_value v = {.tag = tag};
    uint16_t type = PROP_TYPE(tag) & ~PT_MV;
    if (!prop_is_mv(PROP_TYPE(tag))) {
        if (type == PT_UNICODE)
            v.str = make_text(c, arena);
        else if (prop_is_bytes(type))
            v.bin = make_bytes(c, arena);
        else
            make_fixed(c, type, &v);
        return v;
    }
    v.mv.n = 1 + choose(c, 4);
    size_t size = type == PT_UNICODE  ? sizeof(const char *)
                  : type == PT_BINARY ? sizeof(struct prop_bin)
                                      : prop_fixed_size(type);
    uint8_t *values = arena_alloc(arena, v.mv.n * size);
    for (uint32_t i = 0; i < v.mv.n; i++) {
        struct prop_value one = make_value(c, arena, type);
        memcpy(values + i * size, prop_fixed(&one), size);
    }
    v.mv.i8 = (const int64_t *)(void *)values;
    return v;
}

// A property's tag: one of any id and type, one of the catalogue's named ones, or one of our own.
static inline proptag_t make_tag(struct choices *c, struct message_value *m) {
    static const uint16_t types[] = {
        PT_UNICODE,   PT_LONG,       PT_BINARY,   PT_BOOLEAN,  PT_SYSTIME,    PT_I2,
        PT_FLOAT,     PT_DOUBLE,     PT_I8,       PT_CURRENCY, PT_APPTIME,    PT_CLSID,
        PT_MV_I2,     PT_MV_LONG,    PT_MV_FLOAT, PT_MV_I8,    PT_MV_UNICODE, PT_MV_CLSID,
        PT_MV_BINARY, PT_MV_SYSTIME, PT_MV_DOUBLE};
    static const proptag_t known[] = {
        PidTagSubject,  PidTagBody,      PidTagImportance,       PidTagMessageClass,
        PidTagHtml,     PidTagStartDate, PidLidReminderSet,      PidNameKeywords,
        PidLidLocation, PidTagSearchKey, PidTagClientSubmitTime, PidTagResponseRequested};
    static const struct guid own_set = {"a set of our own"};
    uint16_t type = types[choose(c, G_N_ELEMENTS(types))];
    switch (choose(c, 4)) {
    case 0:
        return known[choose(c, G_N_ELEMENTS(known))];
    case 1:
        return PROP_TAG(0x3800 + choose(c, 0x4000), type);
    case 2: {
        struct prop_name name = prop_name_lid(&own_set, choose(c, 0x10000));
        return PROP_TAG(message_value_local_name(m, &name), type);
    }
    default: {
        char text[16];
        g_snprintf(text, sizeof text, "Own %u\xc3\xa4", choose(c, 300));
        struct prop_name name = prop_name_string(&own_set, text);
        return PROP_TAG(message_value_local_name(m, &name), type);
    }
    }
}

static inline void make_props(struct choices *c, struct message_value *m, struct bag *bag,
                              unsigned max) {
    ARENA_AUTO arena = arena_new();
    for (unsigned n = choose(c, max); n > 0; n--) {
        proptag_t tag = make_tag(c, m);
        struct prop_value v = make_value(c, arena, tag);
        if (PROP_ID(tag) != 0)
            bag_set(bag, &v);
    }
}

// A message as the store would hold it: recipients with a type and a name, attachments with a
// method.
static inline struct message_value *make_message(struct choices *c, unsigned depth) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m = message_value_new();
    make_props(c, m, m->bag, 12);
    for (unsigned n = choose(c, 4); n > 0; n--) {
        struct bag *bag = bag_new();
        make_props(c, m, bag, 4);
        bag_set_long(bag, PidTagRecipientType, (int32_t)choose(c, 3) + 1);
        bag_set_str(bag, PidTagDisplayName, make_text(c, arena));
        g_ptr_array_add(m->recipients, bag);
    }
    for (unsigned n = choose(c, 4); n > 0; n--) {
        struct attachment_value *a = attachment_value_new();
        make_props(c, m, a->bag, 4);
        int method = choose(c, 4) == 3 ? ATTACH_EMBEDDED : ATTACH_BY_VALUE;
        if (method == ATTACH_EMBEDDED && depth > 0) {
            a->embedded = make_message(c, depth - 1);
        } else {
            struct prop_bin data = make_bytes(c, arena);
            a->data = g_bytes_new(data.data, data.len);
            method = ATTACH_BY_VALUE;
        }
        bag_set_long(a->bag, PidTagAttachMethod, method);
        g_ptr_array_add(m->attachments, a);
    }
    return m;
}

// --- Comparing ---

// The tag that a property of `a` has in `b`; 0: none.
static inline proptag_t same_tag(const struct message_value *a, const struct message_value *b,
                                 proptag_t tag) {
    struct prop_name name, other;
    if (PROP_ID(tag) < NAMED_ID_FIRST_OWN)
        return tag;
    if (!message_value_name(a, PROP_ID(tag), &name))
        return 0;
    for (guint i = 0; b->names && i < b->names->len; i++) {
        const struct value_name *n = b->names->pdata[i];
        other = n->name;
        if (name.kind == other.kind && guid_equal(&name.set, &other.set) &&
            (name.kind == PROP_NAME_LID ? name.lid == other.lid
                                        : strcmp(name.string, other.string) == 0))
            return PROP_TAG(n->id, PROP_TYPE(tag));
    }
    return 0;
}

static inline bool same_bags(const struct message_value *a, const struct bag *from,
                             const struct message_value *b, const struct bag *to) {
    if (bag_count(from) != bag_count(to))
        return false;
    for (unsigned i = 0; i < bag_count(from); i++) {
        struct prop_value v = *bag_at(from, i);
        v.tag = same_tag(a, b, v.tag);
        const struct prop_value *other = v.tag ? bag_get(to, v.tag) : NULL;
        if (!other || !prop_equal(&v, other))
            return false;
    }
    return true;
}

static inline bool same_messages(const struct message_value *a, const struct message_value *b) {
    if (!same_bags(a, a->bag, b, b->bag) || a->recipients->len != b->recipients->len ||
        a->attachments->len != b->attachments->len)
        return false;
    for (guint i = 0; i < a->recipients->len; i++)
        if (!same_bags(a, a->recipients->pdata[i], b, b->recipients->pdata[i]))
            return false;
    for (guint i = 0; i < a->attachments->len; i++) {
        const struct attachment_value *x = a->attachments->pdata[i], *y = b->attachments->pdata[i];
        if (!same_bags(a, x->bag, b, y->bag) || !x->data != !y->data ||
            !x->embedded != !y->embedded)
            return false;
        if (x->data && !g_bytes_equal(x->data, y->data))
            return false;
        if (x->embedded && !same_messages(x->embedded, y->embedded))
            return false;
    }
    return true;
}
