// The encoding of GLOBSETs ([MS-OXCFXICS] 2.2.2.6): commands that build counters from a stack of
// their common high bytes.
#include <string.h>

#include "mapi/idset_internal.h"

enum globset_command {
    COMMAND_END = 0x00,
    COMMAND_PUSH_1 = 0x01, // to 6: so many bytes
    COMMAND_PUSH_6 = 0x06,
    COMMAND_BITMASK = 0x42,
    COMMAND_POP = 0x50,
    COMMAND_RANGE = 0x52,
};

// --- Reading ---
struct decoder {
    struct wire_reader *r;
    uint8_t stack[COUNTER_SIZE];
    unsigned depth;               // bytes on the stack
    uint8_t pushes[COUNTER_SIZE]; // how many each push brought
    unsigned n_pushes;
    GArray *ranges; // of struct globset_range
};

// A counter of the stack's bytes and what follows in the input.
static uint64_t read_counter(struct decoder *d) {
    uint64_t v = 0;
    for (unsigned i = 0; i < COUNTER_SIZE; i++)
        v = v << 8 | (i < d->depth ? d->stack[i] : wire_u8(d->r));
    return v;
}

static void add(struct decoder *d, uint64_t low, uint64_t high) {
    struct globset_range range = {low, high};
    if (low > high)
        wire_fail(d->r);
    if (wire_ok(d->r))
        g_array_append_val(d->ranges, range);
}

// Six bytes are a counter, which is not kept on the stack.
static void push(struct decoder *d, unsigned n) {
    if (d->depth + n > COUNTER_SIZE) {
        wire_fail(d->r);
        return;
    }
    if (d->depth + n == COUNTER_SIZE) {
        uint64_t counter = read_counter(d);
        add(d, counter, counter);
        return;
    }
    const uint8_t *bytes = wire_bytes(d->r, n);
    if (!bytes)
        return;
    memcpy(d->stack + d->depth, bytes, n);
    d->depth += n;
    d->pushes[d->n_pushes++] = (uint8_t)n;
}

static void pop(struct decoder *d) {
    if (d->n_pushes == 0)
        wire_fail(d->r);
    else
        d->depth -= d->pushes[--d->n_pushes];
}

static void bitmask(struct decoder *d) {
    if (d->depth != COUNTER_SIZE - 1) {
        wire_fail(d->r);
        return;
    }
    uint64_t start = read_counter(d);
    // The bits after the first value may not leave the last byte.
    uint32_t bits = 1u | (uint32_t)wire_u8(d->r) << 1;
    for (unsigned i = 0; i <= 8; i++) {
        if (!(bits >> i & 1))
            continue;
        unsigned from = i;
        while (bits >> (i + 1) & 1)
            i++;
        if ((start & 0xFF) + i > 0xFF)
            wire_fail(d->r);
        add(d, start + from, start + i);
    }
}

static void range(struct decoder *d) {
    uint64_t low = read_counter(d);
    add(d, low, read_counter(d));
}

enum ec globset_read(struct wire_reader *r, struct globset *set) {
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct globset_range));
    struct decoder d = {.r = r, .ranges = ranges};
    while (wire_ok(r)) {
        uint8_t command = wire_u8(r);
        if (command == COMMAND_END)
            break;
        if (command <= COMMAND_PUSH_6)
            push(&d, command);
        else if (command == COMMAND_POP)
            pop(&d);
        else if (command == COMMAND_BITMASK)
            bitmask(&d);
        else if (command == COMMAND_RANGE)
            range(&d);
        else
            wire_fail(r);
        if (ranges->len > GLOBSET_MAX_RANGES)
            return EC_TOO_COMPLEX;
    }
    if (!wire_ok(r))
        return EC_FORMAT_ERROR;
    globset_add_ranges(set, (const struct globset_range *)(const void *)ranges->data, ranges->len);
    return EC_OK;
}

// --- Writing ---
static uint8_t byte_at(uint64_t counter, unsigned i) {
    return (uint8_t)(counter >> (8 * (COUNTER_SIZE - 1 - i)));
}

static void put_bytes(struct wire_writer *w, uint64_t counter, unsigned from, unsigned to) {
    for (unsigned i = from; i < to; i++)
        wire_put_u8(w, byte_at(counter, i));
}

// How many high bytes, from `depth` on, all counters from `low` to `high` have in common.
static unsigned common(uint64_t low, uint64_t high, unsigned depth) {
    unsigned i = depth;
    while (i < COUNTER_SIZE && byte_at(low, i) == byte_at(high, i))
        i++;
    return i - depth;
}

static void put_range(struct wire_writer *w, struct globset_range r, unsigned depth) {
    if (r.low == r.high) {
        wire_put_u8(w, (uint8_t)(COUNTER_SIZE - depth));
        put_bytes(w, r.low, depth, COUNTER_SIZE);
    } else {
        wire_put_u8(w, COMMAND_RANGE);
        put_bytes(w, r.low, depth, COUNTER_SIZE);
        put_bytes(w, r.high, depth, COUNTER_SIZE);
    }
}

// Ranges that differ in the last byte only: as many as lie within nine counters in one bitmask.
static void put_last_bytes(struct wire_writer *w, const struct globset_range *ranges, unsigned n) {
    for (unsigned i = 0; i < n;) {
        uint64_t start = ranges[i].low;
        unsigned end = i;
        uint32_t bits = 0;
        while (end < n && ranges[end].high <= start + 8) {
            for (uint64_t c = ranges[end].low; c <= ranges[end].high; c++)
                bits |= 1u << (c - start);
            end++;
        }
        if (end - i < 2) {
            put_range(w, ranges[i++], COUNTER_SIZE - 1);
            continue;
        }
        wire_put_u8(w, COMMAND_BITMASK);
        wire_put_u8(w, (uint8_t)start);
        wire_put_u8(w, (uint8_t)(bits >> 1));
        i = end;
    }
}

// Ranges whose first `depth` bytes are on the stack. Deeper by a byte at least each time.
static void put_ranges(struct wire_writer *w, const struct globset_range *ranges, unsigned n,
                       unsigned depth) {
    if (depth == COUNTER_SIZE - 1) {
        put_last_bytes(w, ranges, n);
        return;
    }
    for (unsigned i = 0; i < n;) {
        // The ranges within one value of the next byte go together.
        unsigned end = i;
        while (end < n && common(ranges[i].low, ranges[end].high, depth) > 0)
            end++;
        if (end - i < 2) {
            put_range(w, ranges[i++], depth);
            continue;
        }
        unsigned same = common(ranges[i].low, ranges[end - 1].high, depth);
        wire_put_u8(w, (uint8_t)same);
        put_bytes(w, ranges[i].low, depth, depth + same);
        put_ranges(w, ranges + i, end - i, depth + same);
        wire_put_u8(w, COMMAND_POP);
        i = end;
    }
}

void globset_put(struct wire_writer *w, const struct globset *set) {
    put_ranges(w, set->ranges, set->n, 0);
    wire_put_u8(w, COMMAND_END);
}
