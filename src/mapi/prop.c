// Property values: copying, comparing, sizes.
#include "mapi/prop.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "mapi/prop_shape.h"

bool prop_type_is_valid(uint16_t type) {
    switch (type) {
    case PT_I2:
    case PT_LONG:
    case PT_FLOAT:
    case PT_DOUBLE:
    case PT_CURRENCY:
    case PT_APPTIME:
    case PT_BOOLEAN:
    case PT_OBJECT:
    case PT_I8:
    case PT_UNICODE:
    case PT_SYSTIME:
    case PT_CLSID:
    case PT_SVREID:
    case PT_SRESTRICT:
    case PT_ACTIONS:
    case PT_BINARY:
    case PT_MV_I2:
    case PT_MV_LONG:
    case PT_MV_FLOAT:
    case PT_MV_DOUBLE:
    case PT_MV_CURRENCY:
    case PT_MV_APPTIME:
    case PT_MV_I8:
    case PT_MV_UNICODE:
    case PT_MV_SYSTIME:
    case PT_MV_CLSID:
    case PT_MV_BINARY:
        return true;
    default:
        return false;
    }
}

static struct prop_bin copy_bin(struct arena *arena, struct prop_bin bin) {
    return (struct prop_bin){bin.len, arena_memdup(arena, bin.data, bin.len)};
}

static void copy_mv(struct arena *arena, struct prop_value *to, const struct prop_value *v) {
    uint32_t n = v->mv.n;
    uint16_t type = PROP_TYPE(v->tag);
    if (type == PT_MV_UNICODE) {
        const char **str = arena_alloc(arena, n * sizeof *str);
        for (uint32_t i = 0; i < n; i++)
            str[i] = arena_strdup(arena, v->mv.str[i]);
        to->mv.str = str;
    } else if (type == PT_MV_BINARY) {
        struct prop_bin *bin = arena_alloc(arena, n * sizeof *bin);
        for (uint32_t i = 0; i < n; i++)
            bin[i] = copy_bin(arena, v->mv.bin[i]);
        to->mv.bin = bin;
    } else {
        to->mv.i2 = arena_memdup(arena, v->mv.i2, (size_t)n * prop_fixed_size(type));
    }
}

struct prop_value prop_copy(struct arena *arena, const struct prop_value *v) {
    struct prop_value copy = *v;
    uint16_t type = PROP_TYPE(v->tag);
    if (v->is_external)
        copy.external.charset = arena_strdup(arena, v->external.charset);
    else if (type == PT_UNICODE)
        copy.str = arena_strdup(arena, v->str);
    else if (prop_is_bytes(type))
        copy.bin = copy_bin(arena, v->bin);
    else if (prop_is_mv(type))
        copy_mv(arena, &copy, v);
    return copy;
}

static int compare_i64(int64_t a, int64_t b) {
    return a < b ? -1 : a > b;
}

// A NaN comes before every number, so that sorting has an order.
static int compare_double(double a, double b) {
    if (isnan(a) || isnan(b))
        return (int)!isnan(a) - (int)!isnan(b);
    return a < b ? -1 : a > b;
}

static int compare_bin(struct prop_bin a, struct prop_bin b) {
    uint32_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    return c ? c : compare_i64(a.len, b.len);
}

struct prop_value prop_element(const struct prop_value *v, uint32_t i) {
    struct prop_value e = {.tag = v->tag & ~PT_MV};
    uint16_t type = PROP_TYPE(e.tag);
    unsigned size = prop_fixed_size(type);
    if (type == PT_UNICODE)
        e.str = v->mv.str[i];
    else if (type == PT_BINARY)
        e.bin = v->mv.bin[i];
    else if (size)
        memcpy(prop_fixed(&e), (const uint8_t *)v->mv.i2 + (size_t)i * size, size);
    return e;
}

static int compare_single(const struct prop_value *a, const struct prop_value *b) {
    switch (PROP_TYPE(a->tag)) {
    case PT_I2:
        return a->i2 - b->i2;
    case PT_LONG:
    case PT_ERROR:
        return compare_i64(a->l, b->l);
    case PT_FLOAT:
        return compare_double((double)a->f, (double)b->f);
    case PT_DOUBLE:
    case PT_APPTIME:
        return compare_double(a->d, b->d);
    case PT_I8:
    case PT_CURRENCY:
        return compare_i64(a->i8, b->i8);
    case PT_BOOLEAN:
        return (int)a->b - (int)b->b;
    case PT_SYSTIME:
        return a->time < b->time ? -1 : a->time > b->time;
    case PT_UNICODE:
        return text_compare_folded(a->str, b->str);
    case PT_CLSID:
        return guid_compare(&a->guid, &b->guid);
    default:
        return prop_is_bytes(PROP_TYPE(a->tag)) ? compare_bin(a->bin, b->bin) : 0;
    }
}

int prop_compare(const struct prop_value *a, const struct prop_value *b) {
    if (PROP_TYPE(a->tag) != PROP_TYPE(b->tag))
        return PROP_TYPE(a->tag) < PROP_TYPE(b->tag) ? -1 : 1;
    const struct prop_value empty = {.tag = a->tag,
                                     .str = PROP_TYPE(a->tag) == PT_UNICODE ? "" : NULL};
    if (a->is_external)
        a = &empty;
    if (b->is_external)
        b = &empty;
    if (!prop_is_mv(PROP_TYPE(a->tag)))
        return compare_single(a, b);
    for (uint32_t i = 0; i < a->mv.n && i < b->mv.n; i++) {
        struct prop_value ea = prop_element(a, i), eb = prop_element(b, i);
        int c = compare_single(&ea, &eb);
        if (c)
            return c;
    }
    return compare_i64(a->mv.n, b->mv.n);
}

static bool equal_external(const struct prop_external *a, const struct prop_external *b) {
    const char *ca = a->charset ? a->charset : "", *cb = b->charset ? b->charset : "";
    return a->blob == b->blob && a->pos == b->pos && a->len == b->len &&
           a->encoding == b->encoding && strcmp(ca, cb) == 0;
}

static bool equal_single(const struct prop_value *a, const struct prop_value *b) {
    uint16_t type = PROP_TYPE(a->tag);
    if (type == PT_UNICODE)
        return strcmp(a->str, b->str) == 0;
    if (prop_is_bytes(type))
        return compare_bin(a->bin, b->bin) == 0;
    return memcmp(prop_fixed_const(a), prop_fixed_const(b), prop_fixed_size(type)) == 0;
}

bool prop_equal(const struct prop_value *a, const struct prop_value *b) {
    if (a->tag != b->tag || a->is_external != b->is_external)
        return false;
    if (a->is_external)
        return equal_external(&a->external, &b->external);
    if (!prop_is_mv(PROP_TYPE(a->tag)))
        return equal_single(a, b);
    if (a->mv.n != b->mv.n)
        return false;
    for (uint32_t i = 0; i < a->mv.n; i++) {
        struct prop_value ea = prop_element(a, i), eb = prop_element(b, i);
        if (!equal_single(&ea, &eb))
            return false;
    }
    return true;
}

static size_t mv_size(const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    size_t size = 0;
    if (type == PT_MV_UNICODE) {
        for (uint32_t i = 0; i < v->mv.n; i++)
            size += sizeof v->mv.str[i] + strlen(v->mv.str[i]) + 1;
    } else if (type == PT_MV_BINARY) {
        for (uint32_t i = 0; i < v->mv.n; i++)
            size += sizeof v->mv.bin[i] + v->mv.bin[i].len;
    } else {
        size = (size_t)v->mv.n * prop_fixed_size(type);
    }
    return size;
}

size_t prop_size(const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    if (v->is_external)
        return v->external.charset ? strlen(v->external.charset) + 1 : 0;
    if (type == PT_UNICODE)
        return strlen(v->str) + 1;
    if (prop_is_bytes(type))
        return v->bin.len;
    return prop_is_mv(type) ? mv_size(v) : 0;
}
