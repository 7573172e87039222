// Property bags in memory: a sorted array; values live in the bag's arena or, unchanged since
// bag_decode, in the copy of the stored form.
#include "mapi/bag.h"

#include <string.h>

#include "mapi/bag_internal.h"
#include "mapi/prop_shape.h"

// Replaced values stay in the arena until they are more than this and more than what is alive.
#define BAG_GARBAGE_MIN (64u * 1024)

struct bag *bag_new(void) {
    return g_new0(struct bag, 1);
}

void bag_free(struct bag *bag) {
    if (!bag)
        return;
    arena_free(bag->arena);
    g_free(bag->decoded);
    g_free(bag->items);
    g_free(bag);
}

unsigned bag_count(const struct bag *bag) {
    return bag->n;
}

const struct prop_value *bag_at(const struct bag *bag, unsigned i) {
    g_assert(i < bag->n);
    return &bag->items[i];
}

// Position of the first property whose id is not less.
static unsigned find(const struct bag *bag, uint16_t id) {
    unsigned low = 0, high = bag->n;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (PROP_ID(bag->items[mid].tag) < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool has_id(const struct bag *bag, unsigned i, uint16_t id) {
    return i < bag->n && PROP_ID(bag->items[i].tag) == id;
}

const struct prop_value *bag_get(const struct bag *bag, proptag_t tag) {
    unsigned i = find(bag, PROP_ID(tag));
    if (!has_id(bag, i, PROP_ID(tag)))
        return NULL;
    const struct prop_value *v = &bag->items[i];
    return v->tag == tag || PROP_TYPE(tag) == PT_UNSPECIFIED ? v : NULL;
}

static void forget(struct bag *bag, const struct prop_value *v) {
    bag->bytes -= bag_value_size(v);
    bag->garbage += prop_size(v);
}

// Moves the live values to a fresh arena when most of the old one is garbage (a bag that lives long
// and is changed often).
static void collect(struct bag *bag) {
    if (bag->garbage < BAG_GARBAGE_MIN || bag->garbage < bag->bytes)
        return;
    struct arena *arena = arena_new();
    for (unsigned i = 0; i < bag->n; i++)
        bag->items[i] = prop_copy(arena, &bag->items[i]);
    arena_free(bag->arena);
    g_clear_pointer(&bag->decoded, g_free);
    bag->arena = arena;
    bag->garbage = 0;
}

static void insert(struct bag *bag, unsigned i, struct prop_value v) {
    if (bag->n == bag->capacity) {
        bag->capacity = MAX(16, bag->capacity * 2);
        bag->items = g_renew(struct prop_value, bag->items, bag->capacity);
    }
    memmove(&bag->items[i + 1], &bag->items[i], (bag->n - i) * sizeof v);
    bag->items[i] = v;
    bag->n++;
}

enum ec bag_set(struct bag *bag, const struct prop_value *v) {
    if (!prop_type_is_valid(PROP_TYPE(v->tag)))
        return EC_INVALID_PARAMETER;
    unsigned i = find(bag, PROP_ID(v->tag));
    bool replaces = has_id(bag, i, PROP_ID(v->tag));
    if (!replaces && bag->n == BAG_MAX_PROPS)
        return EC_TOO_MANY_OBJECTS;
    size_t size = bag_value_size(v);
    size_t others = bag->bytes - (replaces ? bag_value_size(&bag->items[i]) : 0);
    if (size > BAG_MAX_BYTES || others > BAG_MAX_BYTES - size)
        return EC_MESSAGE_TOO_BIG;
    if (!bag->arena && prop_size(v) > 0)
        bag->arena = arena_new();
    // The copy comes first: `v` may point into the value that it replaces.
    struct prop_value copy = prop_size(v) > 0 ? prop_copy(bag->arena, v) : *v;
    if (replaces) {
        forget(bag, &bag->items[i]);
        bag->items[i] = copy;
    } else {
        insert(bag, i, copy);
    }
    bag->bytes += size;
    collect(bag);
    return EC_OK;
}

bool bag_remove(struct bag *bag, proptag_t tag) {
    unsigned i = find(bag, PROP_ID(tag));
    if (!has_id(bag, i, PROP_ID(tag)))
        return false;
    forget(bag, &bag->items[i]);
    bag->n--;
    memmove(&bag->items[i], &bag->items[i + 1], (bag->n - i) * sizeof bag->items[i]);
    return true;
}

struct bag *bag_copy(const struct bag *bag) {
    struct bag *copy = bag_new();
    copy->items = g_new(struct prop_value, MAX(bag->n, 1));
    copy->capacity = MAX(bag->n, 1);
    copy->n = bag->n;
    copy->bytes = bag->bytes;
    copy->arena = bag->n ? arena_new() : NULL;
    for (unsigned i = 0; i < bag->n; i++)
        copy->items[i] = prop_copy(copy->arena, &bag->items[i]);
    return copy;
}

enum ec bag_merge(struct bag *to, const struct bag *from) {
    for (unsigned i = 0; i < from->n; i++)
        EC_TRY(bag_set(to, &from->items[i]));
    return EC_OK;
}

// The short forms set one small value each; a bag at its limit stays as it is.
static void set(struct bag *bag, struct prop_value v) {
    bag_set(bag, &v);
}

void bag_set_str(struct bag *bag, proptag_t tag, const char *s) {
    if (s)
        set(bag, prop_str(tag, s));
}

void bag_set_long(struct bag *bag, proptag_t tag, int32_t v) {
    set(bag, prop_long(tag, v));
}

void bag_set_bool(struct bag *bag, proptag_t tag, bool v) {
    set(bag, prop_bool(tag, v));
}

void bag_set_time(struct bag *bag, proptag_t tag, filetime_t v) {
    set(bag, prop_time(tag, v));
}

void bag_set_bytes(struct bag *bag, proptag_t tag, const void *data, size_t len) {
    if (len <= BAG_MAX_BYTES)
        set(bag, prop_bytes(tag, data, (uint32_t)len));
}

// The property, when it has the tag's type and stands in the bag itself.
static const struct prop_value *get_inside(const struct bag *bag, proptag_t tag) {
    const struct prop_value *v = bag_get(bag, tag);
    return v && !v->is_external ? v : NULL;
}

const char *bag_str(const struct bag *bag, proptag_t tag) {
    const struct prop_value *v = get_inside(bag, tag);
    return v && PROP_TYPE(v->tag) == PT_UNICODE ? v->str : NULL;
}

int32_t bag_long(const struct bag *bag, proptag_t tag, int32_t def) {
    const struct prop_value *v = get_inside(bag, tag);
    return v && PROP_TYPE(v->tag) == PT_LONG ? v->l : def;
}

bool bag_bool(const struct bag *bag, proptag_t tag, bool def) {
    const struct prop_value *v = get_inside(bag, tag);
    return v && PROP_TYPE(v->tag) == PT_BOOLEAN ? v->b : def;
}

filetime_t bag_time(const struct bag *bag, proptag_t tag) {
    const struct prop_value *v = get_inside(bag, tag);
    return v && PROP_TYPE(v->tag) == PT_SYSTIME ? v->time : 0;
}

struct prop_bin bag_bytes(const struct bag *bag, proptag_t tag) {
    const struct prop_value *v = get_inside(bag, tag);
    return v && prop_is_bytes(PROP_TYPE(v->tag)) ? v->bin : (struct prop_bin){0};
}
