// Sort orders: the wire form and the comparison of rows.
#include "mapi/sort_order.h"

#include "mapi/prop_shape.h"

#define MV_INSTANCE 0x2000u

static struct sort_column read_column(struct wire_reader *r) {
    struct sort_column c = {.tag = wire_u32(r), .direction = wire_u8(r)};
    uint16_t type = PROP_TYPE(c.tag);
    c.is_instance = (type & (PT_MV | MV_INSTANCE)) == (PT_MV | MV_INSTANCE);
    if (c.is_instance)
        c.tag &= ~(PT_MV | MV_INSTANCE);
    if ((PROP_TYPE(c.tag) & ~PT_MV) == PT_STRING8)
        c.tag += PT_UNICODE - PT_STRING8;
    return c;
}

static enum ec check(const struct sort_order *order) {
    unsigned instances = 0;
    for (unsigned i = 0; i < order->n; i++) {
        const struct sort_column *c = &order->columns[i];
        instances += c->is_instance;
        switch (c->direction) {
        case SORT_ASCENDING:
        case SORT_DESCENDING:
            break;
        case SORT_MAXIMUM_CATEGORY:
            if (i == 0 || i > order->n_categories)
                return EC_INVALID_PARAMETER;
            break;
        default:
            return EC_INVALID_PARAMETER;
        }
    }
    return instances > 1 || order->n_categories > order->n ||
                   order->n_expanded > order->n_categories
               ? EC_INVALID_PARAMETER
               : EC_OK;
}

enum ec sort_order_read(struct wire_reader *r, struct sort_order *out) {
    struct sort_order order = {0};
    order.n = wire_u16(r);
    order.n_categories = wire_u16(r);
    order.n_expanded = wire_u16(r);
    if (wire_ok(r) && order.n > SORT_ORDER_MAX)
        return EC_TOO_COMPLEX;
    for (unsigned i = 0; wire_ok(r) && i < order.n; i++)
        order.columns[i] = read_column(r);
    if (!wire_ok(r))
        return EC_FORMAT_ERROR;
    EC_TRY(check(&order));
    *out = order;
    return EC_OK;
}

void sort_order_put(struct wire_writer *w, const struct sort_order *order) {
    wire_put_u16(w, (uint16_t)order->n);
    wire_put_u16(w, (uint16_t)order->n_categories);
    wire_put_u16(w, (uint16_t)order->n_expanded);
    for (unsigned i = 0; i < order->n; i++) {
        const struct sort_column *c = &order->columns[i];
        wire_put_u32(w, c->tag | (c->is_instance ? PT_MV | MV_INSTANCE : 0));
        wire_put_u8(w, (uint8_t)c->direction);
    }
}

int sort_order_compare(const struct sort_order *order, const struct prop_value *const *a,
                       const struct prop_value *const *b) {
    for (unsigned i = 0; i < order->n; i++) {
        int c = a[i] && b[i] ? prop_compare(a[i], b[i]) : (a[i] != NULL) - (b[i] != NULL);
        if (c)
            return order->columns[i].direction == SORT_DESCENDING ? -c : c;
    }
    return 0;
}
