// Restrictions: reading, writing and building the tree. Evaluation is in restriction_eval.c.
#include "mapi/restriction.h"

#include "mapi/prop_shape.h"
#include "mapi/restriction_internal.h"

#define MV_INSTANCE 0x2000u

// --- Reading ---
struct parse {
    struct wire_reader *r;
    const struct prop_wire *form;
    struct arena *arena;
    unsigned nodes;
    enum ec error; // the first; EC_OK so far
};

static struct restriction *parse_node(struct parse *p, unsigned depth);

static void fail(struct parse *p, enum ec error) {
    if (p->error == EC_OK)
        p->error = error;
    wire_fail(p->r);
}

static proptag_t parse_tag(struct parse *p) {
    proptag_t tag = wire_u32(p->r);
    if (PROP_TYPE(tag) & PT_MV)
        tag &= ~MV_INSTANCE;
    if ((PROP_TYPE(tag) & ~PT_MV) == PT_STRING8)
        tag += PT_UNICODE - PT_STRING8;
    return tag;
}

// A value inside a restriction; restrictions and actions are not nested in values, so that the
// depth stays bounded.
static struct prop_value parse_value(struct parse *p) {
    struct wire_reader peek = *p->r;
    uint16_t type = PROP_TYPE(wire_u32(&peek));
    if (type == PT_SRESTRICT || type == PT_ACTIONS || type == PT_UNSPECIFIED)
        wire_fail(p->r);
    return prop_wire_tagged(p->r, p->form, p->arena);
}

static enum relop parse_relop(struct parse *p) {
    uint8_t op = wire_u8(p->r);
    if (op == 0x06) // a regular expression
        fail(p, EC_TOO_COMPLEX);
    else if (op > RELOP_NE && op != RELOP_MEMBER_OF_DL)
        fail(p, EC_FORMAT_ERROR);
    return op;
}

static void parse_list(struct parse *p, struct restriction *res, unsigned depth) {
    uint32_t n = p->form->count_size == 2 ? wire_u16(p->r) : wire_u32(p->r);
    if (n > RESTRICTION_MAX_NODES)
        fail(p, EC_TOO_COMPLEX);
    if (n > wire_left(p->r)) // each takes a byte at least
        fail(p, EC_FORMAT_ERROR);
    if (!wire_ok(p->r))
        return;
    res->list.n = n;
    res->list.sub = arena_alloc(p->arena, n * sizeof(struct restriction *));
    for (uint32_t i = 0; i < n; i++)
        res->list.sub[i] = parse_node(p, depth);
}

static void parse_content(struct parse *p, struct restriction *res) {
    res->content.fuzzy = wire_u16(p->r);
    res->content.fuzzy |= (uint32_t)wire_u16(p->r) << 16;
    res->content.tag = parse_tag(p);
    res->content.value = parse_value(p);
    if (wire_ok(p->r))
        restriction_prepare(p->arena, res);
}

static void parse_comment(struct parse *p, struct restriction *res, unsigned depth) {
    res->comment.n = wire_u8(p->r);
    res->comment.values = arena_alloc(p->arena, res->comment.n * sizeof(struct prop_value));
    for (uint32_t i = 0; i < res->comment.n; i++)
        res->comment.values[i] = parse_value(p);
    res->comment.sub = wire_u8(p->r) ? parse_node(p, depth) : NULL;
}

static void parse_body(struct parse *p, struct restriction *res, unsigned depth) {
    struct wire_reader *r = p->r;
    switch (res->kind) {
    case RES_AND:
    case RES_OR:
        parse_list(p, res, depth);
        break;
    case RES_NOT:
        res->sub = parse_node(p, depth);
        break;
    case RES_CONTENT:
        parse_content(p, res);
        break;
    case RES_PROPERTY:
        res->property.op = parse_relop(p);
        res->property.tag = parse_tag(p);
        res->property.value = parse_value(p);
        break;
    case RES_COMPARE:
        res->compare.op = parse_relop(p);
        res->compare.tag1 = parse_tag(p);
        res->compare.tag2 = parse_tag(p);
        break;
    case RES_BITMASK:
        res->bitmask.is_nonzero = wire_u8(r) != 0;
        res->bitmask.tag = parse_tag(p);
        res->bitmask.mask = wire_u32(r);
        break;
    case RES_SIZE:
        res->size.op = parse_relop(p);
        res->size.tag = parse_tag(p);
        res->size.size = wire_u32(r);
        break;
    case RES_EXIST:
        res->exist.tag = parse_tag(p);
        break;
    case RES_SUBOBJECT:
        res->subobject.tag = wire_u32(r);
        res->subobject.sub = parse_node(p, depth);
        break;
    case RES_COMMENT:
    case RES_ANNOTATION:
        parse_comment(p, res, depth);
        break;
    case RES_COUNT:
        res->count.count = wire_u32(r);
        res->count.sub = parse_node(p, depth);
        break;
    default:
        fail(p, EC_FORMAT_ERROR);
    }
}

static struct restriction *parse_node(struct parse *p, unsigned depth) {
    if (depth == RESTRICTION_MAX_DEPTH || ++p->nodes > RESTRICTION_MAX_NODES)
        fail(p, EC_TOO_COMPLEX);
    if (!wire_ok(p->r))
        return NULL;
    struct restriction *res = arena_alloc0(p->arena, sizeof *res);
    res->kind = wire_u8(p->r);
    parse_body(p, res, depth + 1);
    return res;
}

enum ec restriction_read(struct wire_reader *r, const struct prop_wire *form, struct arena *arena,
                         struct restriction **out) {
    struct parse p = {.r = r, .form = form, .arena = arena};
    struct restriction *res = parse_node(&p, 0);
    if (!wire_ok(r))
        return p.error != EC_OK ? p.error : EC_FORMAT_ERROR;
    *out = res;
    return EC_OK;
}

// --- Writing ---
static void put_list(struct wire_writer *w, const struct prop_wire *form,
                     const struct restriction *res) {
    if (form->count_size == 2 && res->list.n > UINT16_MAX)
        w->failed = true;
    else if (form->count_size == 2)
        wire_put_u16(w, (uint16_t)res->list.n);
    else
        wire_put_u32(w, res->list.n);
    for (uint32_t i = 0; i < res->list.n; i++)
        restriction_put(w, form, res->list.sub[i]);
}

static void put_comment(struct wire_writer *w, const struct prop_wire *form,
                        const struct restriction *res) {
    if (res->comment.n > UINT8_MAX)
        w->failed = true;
    wire_put_u8(w, (uint8_t)res->comment.n);
    for (uint32_t i = 0; i < res->comment.n; i++)
        prop_wire_put_tagged(w, form, &res->comment.values[i]);
    wire_put_u8(w, res->comment.sub != NULL);
    if (res->comment.sub)
        restriction_put(w, form, res->comment.sub);
}

void restriction_put(struct wire_writer *w, const struct prop_wire *form,
                     const struct restriction *res) {
    wire_put_u8(w, (uint8_t)res->kind);
    switch (res->kind) {
    case RES_AND:
    case RES_OR:
        put_list(w, form, res);
        break;
    case RES_NOT:
        restriction_put(w, form, res->sub);
        break;
    case RES_CONTENT:
        wire_put_u16(w, (uint16_t)res->content.fuzzy);
        wire_put_u16(w, (uint16_t)(res->content.fuzzy >> 16));
        wire_put_u32(w, res->content.tag);
        prop_wire_put_tagged(w, form, &res->content.value);
        break;
    case RES_PROPERTY:
        wire_put_u8(w, (uint8_t)res->property.op);
        wire_put_u32(w, res->property.tag);
        prop_wire_put_tagged(w, form, &res->property.value);
        break;
    case RES_COMPARE:
        wire_put_u8(w, (uint8_t)res->compare.op);
        wire_put_u32(w, res->compare.tag1);
        wire_put_u32(w, res->compare.tag2);
        break;
    case RES_BITMASK:
        wire_put_u8(w, res->bitmask.is_nonzero);
        wire_put_u32(w, res->bitmask.tag);
        wire_put_u32(w, res->bitmask.mask);
        break;
    case RES_SIZE:
        wire_put_u8(w, (uint8_t)res->size.op);
        wire_put_u32(w, res->size.tag);
        wire_put_u32(w, res->size.size);
        break;
    case RES_EXIST:
        wire_put_u32(w, res->exist.tag);
        break;
    case RES_SUBOBJECT:
        wire_put_u32(w, res->subobject.tag);
        restriction_put(w, form, res->subobject.sub);
        break;
    case RES_COMMENT:
    case RES_ANNOTATION:
        put_comment(w, form, res);
        break;
    case RES_COUNT:
        wire_put_u32(w, res->count.count);
        restriction_put(w, form, res->count.sub);
        break;
    }
}

// --- Building ---
static struct restriction *node(struct arena *arena, enum restriction_kind kind) {
    struct restriction *res = arena_alloc0(arena, sizeof *res);
    res->kind = kind;
    return res;
}

struct restriction *restriction_list(struct arena *arena, enum restriction_kind kind,
                                     struct restriction **sub, uint32_t n) {
    struct restriction *res = node(arena, kind);
    res->list.n = n;
    res->list.sub = arena_memdup(arena, sub, n * sizeof *sub);
    return res;
}

struct restriction *restriction_not(struct arena *arena, struct restriction *sub) {
    struct restriction *res = node(arena, RES_NOT);
    res->sub = sub;
    return res;
}

struct restriction *restriction_content(struct arena *arena, uint32_t fuzzy, proptag_t tag,
                                        const struct prop_value *value) {
    struct restriction *res = node(arena, RES_CONTENT);
    res->content.fuzzy = fuzzy;
    res->content.tag = tag;
    res->content.value = *value;
    restriction_prepare(arena, res);
    return res;
}

struct restriction *restriction_property(struct arena *arena, enum relop op, proptag_t tag,
                                         const struct prop_value *value) {
    struct restriction *res = node(arena, RES_PROPERTY);
    res->property.op = op;
    res->property.tag = tag;
    res->property.value = *value;
    return res;
}

struct restriction *restriction_bitmask(struct arena *arena, proptag_t tag, uint32_t mask,
                                        bool is_nonzero) {
    struct restriction *res = node(arena, RES_BITMASK);
    res->bitmask.tag = tag;
    res->bitmask.mask = mask;
    res->bitmask.is_nonzero = is_nonzero;
    return res;
}

struct restriction *restriction_exist(struct arena *arena, proptag_t tag) {
    struct restriction *res = node(arena, RES_EXIST);
    res->exist.tag = tag;
    return res;
}

struct restriction *restriction_subobject(struct arena *arena, proptag_t tag,
                                          struct restriction *sub) {
    struct restriction *res = node(arena, RES_SUBOBJECT);
    res->subobject.tag = tag;
    res->subobject.sub = sub;
    return res;
}
