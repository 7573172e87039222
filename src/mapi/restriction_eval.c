// Evaluating restrictions. Searches run this over every row of a folder, so that ASCII texts, which
// most are, are compared without allocating.
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/text.h"
#include "mapi/prop_shape.h"
#include "mapi/restriction_internal.h"

#define FUZZY_PLACE 0x0000FFFFu
#define FUZZY_FOLDED (FUZZY_IGNORE_CASE | FUZZY_IGNORE_NONSPACE | FUZZY_LOOSE)
#define FUZZY_BARE (FUZZY_IGNORE_NONSPACE | FUZZY_LOOSE)

// --- Text ---
// The text decomposed and without its non-spacing marks.
static char *strip_marks(struct arena *arena, const char *s) {
    size_t len = strlen(s);
    UErrorCode err = U_ZERO_ERROR;
    const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&err);
    UChar *wide = arena_alloc(arena, (len + 1) * sizeof *wide);
    int32_t units = 0;
    u_strFromUTF8WithSub(wide, (int32_t)len + 1, &units, s, (int32_t)len, 0xFFFD, NULL, &err);
    if (U_FAILURE(err))
        return arena_strdup(arena, s);
    int32_t n = unorm2_normalize(nfkd, wide, units, NULL, 0, &err); // the length; an error by that
    UChar *parts = arena_alloc(arena, ((size_t)n + 1) * sizeof *parts);
    err = U_ZERO_ERROR;
    n = unorm2_normalize(nfkd, wide, units, parts, n + 1, &err);
    if (U_FAILURE(err))
        return arena_strdup(arena, s);
    int32_t kept = 0;
    for (int32_t i = 0; i < n;) {
        int32_t from = i;
        UChar32 c;
        U16_NEXT(parts, i, n, c);
        if (u_charType(c) == U_NON_SPACING_MARK)
            continue;
        while (from < i)
            parts[kept++] = parts[from++];
    }
    return text_from_utf16(arena, (const uint8_t *)parts, (size_t)kept * sizeof *parts);
}

// The text as it is compared at this fuzzy level.
static const char *fold(struct arena *arena, uint32_t fuzzy, const char *s) {
    if (fuzzy & FUZZY_BARE && !text_is_ascii(s, strlen(s)))
        s = strip_marks(arena, s);
    return fuzzy & (FUZZY_IGNORE_CASE | FUZZY_LOOSE) ? text_fold(arena, s) : s;
}

void restriction_prepare(struct arena *arena, struct restriction *res) {
    if (PROP_TYPE(res->content.value.tag) == PT_UNICODE)
        res->content.needle = fold(arena, res->content.fuzzy, res->content.value.str);
}

// Bytes of UTF-8 letters count as part of a word.
static bool is_word_byte(char c) {
    return (unsigned char)c >= 0x80 || g_ascii_isalnum(c);
}

static bool equal_bytes(const char *a, const char *b, size_t n, bool is_caseless) {
    return is_caseless ? g_ascii_strncasecmp(a, b, n) == 0 : memcmp(a, b, n) == 0;
}

// Whether `needle` stands in `text` at a place that the level allows. `is_caseless`: ASCII
// case does not count (the needle is lower-case then).
static bool find_text(const char *text, const char *needle, uint32_t fuzzy, bool is_caseless) {
    size_t len = strlen(text), n = strlen(needle);
    uint32_t place = fuzzy & FUZZY_PLACE;
    bool at_word = place & (FUZZY_PREFIX_ON_ANY_WORD | FUZZY_PHRASE);
    if (n > len)
        return false;
    if (place == FUZZY_FULL)
        return n == len && equal_bytes(text, needle, n, is_caseless);
    if (!at_word && place & FUZZY_PREFIX)
        return equal_bytes(text, needle, n, is_caseless);
    if (!at_word && !is_caseless)
        return strstr(text, needle) != NULL;
    for (size_t i = 0; i + n <= len; i++) {
        if (at_word && i > 0 && is_word_byte(text[i - 1]))
            continue;
        if (place & FUZZY_PHRASE && is_word_byte(text[i + n]))
            continue;
        if (equal_bytes(text + i, needle, n, is_caseless))
            return true;
    }
    return false;
}

static bool match_text(const struct restriction *res, const char *text) {
    const char *needle = res->content.needle;
    uint32_t fuzzy = res->content.fuzzy;
    if (!needle)
        return false;
    bool is_caseless = fuzzy & (FUZZY_IGNORE_CASE | FUZZY_LOOSE);
    if (!(fuzzy & FUZZY_FOLDED) || text_is_ascii(text, strlen(text)))
        return find_text(text, needle, fuzzy, is_caseless);
    ARENA_AUTO arena = arena_new();
    return find_text(fold(arena, fuzzy, text), needle, fuzzy, false);
}

static bool match_bytes(const struct restriction *res, struct prop_bin bin) {
    if (!prop_is_bytes(PROP_TYPE(res->content.value.tag)))
        return false;
    struct prop_bin needle = res->content.value.bin;
    if (needle.len > bin.len)
        return false;
    if (needle.len == 0)
        return bin.len == 0 || (res->content.fuzzy & FUZZY_PLACE) != FUZZY_FULL;
    switch (res->content.fuzzy & (FUZZY_SUBSTRING | FUZZY_PREFIX)) {
    case FUZZY_FULL:
        return needle.len == bin.len && memcmp(bin.data, needle.data, bin.len) == 0;
    case FUZZY_PREFIX:
        return memcmp(bin.data, needle.data, needle.len) == 0;
    default:
        return memmem(bin.data, bin.len, needle.data, needle.len) != NULL;
    }
}

static bool match_single_content(const struct restriction *res, const struct prop_value *v) {
    if (v->is_external)
        return false;
    if (PROP_TYPE(v->tag) == PT_UNICODE)
        return match_text(res, v->str);
    return prop_is_bytes(PROP_TYPE(v->tag)) && match_bytes(res, v->bin);
}

static bool match_content(const struct restriction *res, const struct prop_value *v) {
    if (!v)
        return false;
    uint16_t type = PROP_TYPE(v->tag);
    if (!prop_is_mv(type))
        return match_single_content(res, v);
    for (uint32_t i = 0; i < v->mv.n; i++) {
        struct prop_value e = prop_element(v, i);
        if (match_single_content(res, &e))
            return true;
    }
    return false;
}

// --- Comparisons ---
static bool holds(enum relop op, int order) {
    switch (op) {
    case RELOP_LT:
        return order < 0;
    case RELOP_LE:
        return order <= 0;
    case RELOP_GT:
        return order > 0;
    case RELOP_GE:
        return order >= 0;
    case RELOP_EQ:
        return order == 0;
    case RELOP_NE:
        return order != 0;
    default:
        return false;
    }
}

// Both may be NULL: absent values come before all others.
static bool compare(enum relop op, const struct prop_value *a, const struct prop_value *b) {
    if (!a || !b)
        return holds(op, (a != NULL) - (b != NULL));
    uint16_t type_a = PROP_TYPE(a->tag), type_b = PROP_TYPE(b->tag);
    if (type_a == type_b)
        return holds(op, prop_compare(a, b));
    if (type_a != (type_b | PT_MV))
        return false;
    // A multi-valued property against one value.
    for (uint32_t i = 0; i < a->mv.n; i++) {
        struct prop_value e = prop_element(a, i);
        int order = prop_compare(&e, b);
        if (op == RELOP_NE && order == 0)
            return false;
        if (op != RELOP_NE && holds(op, order))
            return true;
    }
    return op == RELOP_NE;
}

// Bytes of the value on the wire; strings in UTF-16 with their terminator.
static uint32_t wire_size(const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    if (prop_is_mv(type)) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < v->mv.n; i++) {
            struct prop_value e = prop_element(v, i);
            sum += wire_size(&e);
        }
        return sum;
    }
    if (v->is_external)
        return (uint32_t)MIN(v->external.len, UINT32_MAX);
    if (type == PT_UNICODE) {
        uint32_t units = 1;
        for (const char *p = v->str; *p; p++)
            units += ((unsigned char)*p & 0xC0) != 0x80 ? ((unsigned char)*p >= 0xF0 ? 2 : 1) : 0;
        return units * 2;
    }
    return prop_is_bytes(type) ? v->bin.len : prop_fixed_size(type);
}

static bool match_bits(const struct restriction *res, const struct prop_value *v) {
    if (!v || PROP_TYPE(v->tag) != PT_LONG)
        return false;
    return (((uint32_t)v->l & res->bitmask.mask) != 0) == res->bitmask.is_nonzero;
}

// --- The tree ---
static const struct prop_value *get(const struct restriction_source *s, proptag_t tag) {
    return s->get(s->ctx, tag);
}

static bool match_list(const struct restriction *res, const struct restriction_source *s) {
    bool is_and = res->kind == RES_AND;
    for (uint32_t i = 0; i < res->list.n; i++)
        if (restriction_matches(res->list.sub[i], s) != is_and)
            return !is_and;
    return is_and;
}

static bool match_subobject(const struct restriction *res, const struct restriction_source *s) {
    proptag_t tag = res->subobject.tag;
    unsigned n = s->n_subobjects ? s->n_subobjects(s->ctx, tag) : 0;
    for (unsigned i = 0; i < n; i++) {
        struct restriction_source sub = s->subobject(s->ctx, tag, i);
        if (restriction_matches(res->subobject.sub, &sub))
            return true;
    }
    return false;
}

bool restriction_matches(const struct restriction *res, const struct restriction_source *source) {
    const struct prop_value *v;
    switch (res->kind) {
    case RES_AND:
    case RES_OR:
        return match_list(res, source);
    case RES_NOT:
        return !restriction_matches(res->sub, source);
    case RES_CONTENT:
        return match_content(res, get(source, res->content.tag));
    case RES_PROPERTY:
        return compare(res->property.op, get(source, res->property.tag), &res->property.value);
    case RES_COMPARE:
        return compare(res->compare.op, get(source, res->compare.tag1),
                       get(source, res->compare.tag2));
    case RES_BITMASK:
        return match_bits(res, get(source, res->bitmask.tag));
    case RES_SIZE:
        v = get(source, res->size.tag);
        uint32_t size = v ? wire_size(v) : 0;
        return holds(res->size.op, size < res->size.size ? -1 : size > res->size.size);
    case RES_EXIST:
        return get(source, res->exist.tag) != NULL;
    case RES_SUBOBJECT:
        return match_subobject(res, source);
    case RES_COMMENT:
    case RES_ANNOTATION:
        return !res->comment.sub || restriction_matches(res->comment.sub, source);
    case RES_COUNT:
        return restriction_matches(res->count.sub, source);
    }
    return false;
}

void restriction_tags(const struct restriction *res, GArray *tags) {
    switch (res->kind) {
    case RES_AND:
    case RES_OR:
        for (uint32_t i = 0; i < res->list.n; i++)
            restriction_tags(res->list.sub[i], tags);
        break;
    case RES_NOT:
        restriction_tags(res->sub, tags);
        break;
    case RES_CONTENT:
        g_array_append_val(tags, res->content.tag);
        break;
    case RES_PROPERTY:
        g_array_append_val(tags, res->property.tag);
        break;
    case RES_COMPARE:
        g_array_append_val(tags, res->compare.tag1);
        g_array_append_val(tags, res->compare.tag2);
        break;
    case RES_BITMASK:
        g_array_append_val(tags, res->bitmask.tag);
        break;
    case RES_SIZE:
        g_array_append_val(tags, res->size.tag);
        break;
    case RES_EXIST:
        g_array_append_val(tags, res->exist.tag);
        break;
    case RES_SUBOBJECT:
        break;
    case RES_COMMENT:
    case RES_ANNOTATION:
        if (res->comment.sub)
            restriction_tags(res->comment.sub, tags);
        break;
    case RES_COUNT:
        restriction_tags(res->count.sub, tags);
        break;
    }
}

uint32_t restriction_count_limit(const struct restriction *res) {
    return res->kind == RES_COUNT ? res->count.count : UINT32_MAX;
}
