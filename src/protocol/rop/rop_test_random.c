// Random requests of every form on random handles: none may disturb the session, and the mailbox is
// whole afterwards.
#include "protocol/rop/rop_fixture.h"
#include "protocol/rop/rop_internal.h"
#include "protocol/rop/rop_tests.h"

#define N_BATCHES 120
#define BATCH 10

static uint32_t below(uint32_t n) {
    return (uint32_t)g_test_rand_int_range(0, (int32_t)n);
}

static void put_random_bytes(struct rops *f, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        u8(f, below(3) ? 0 : (uint8_t)below(256));
}

static uint64_t some_id(const uint64_t *mids, unsigned n) {
    switch (below(4)) {
    case 0:
        return n ? mids[below(n)] : 0;
    case 1:
        return below(0x140);
    default:
        return FID_INBOX + below(4);
    }
}

static proptag_t some_tag(void) {
    static const proptag_t tags[] = {PidTagSubject,
                                     PidTagBody,
                                     PidTagHtml,
                                     PidTagMessageFlags,
                                     PidTagImportance,
                                     PidTagDisplayName,
                                     PidTagAttachDataBinary,
                                     PidTagAttachMethod,
                                     PidTagComment,
                                     PidTagMid,
                                     PidTagFolderId,
                                     PidTagSentMailSvrEID,
                                     PROP_TAG(0x8005, PT_LONG),
                                     PROP_TAG(0x0037, PT_STRING8)};
    return tags[below(G_N_ELEMENTS(tags))];
}

static void put_value(struct rops *f, proptag_t tag) {
    BAG_AUTO bag = bag_new();
    struct wire_writer w = wire_writer(1000);
    static const struct prop_wire form = PROP_WIRE_ROP;
    struct prop_value v = {.tag = tag};
    char text[] = "text\0more";
    if (PROP_TYPE(tag) == PT_UNICODE)
        v.str = text;
    else if (PROP_TYPE(tag) == PT_BINARY || PROP_TYPE(tag) == PT_SVREID)
        v.bin = (struct prop_bin){9, (const uint8_t *)text};
    else
        v.i8 = below(10);
    if (PROP_TYPE(tag) == PT_STRING8)
        v.tag = PROP_TAG(PROP_ID(tag), PT_LONG);
    prop_wire_put_tagged(&w, &form, &v);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    if (bytes)
        wire_put_bytes(&f->w, bytes->data, bytes->len);
}

// `n` values with their count.
static void put_some_values(struct rops *f) {
    unsigned n = below(3);
    u16(f, (uint16_t)n);
    for (unsigned i = 0; i < n; i++)
        put_value(f, some_tag());
}

static void put_counted(struct rops *f, size_t size_bytes) {
    struct wire_writer outer = f->w;
    f->w = wire_writer(10000);
    if (below(2))
        put_some_values(f);
    else
        put_random_bytes(f, below(20));
    g_autoptr(GByteArray) bytes = wire_writer_take(&f->w);
    f->w = outer;
    size_t n = bytes ? bytes->len : 0;
    if (size_bytes == 2)
        u16(f, (uint16_t)n);
    else
        u32(f, (uint32_t)n);
    if (n)
        wire_put_bytes(&f->w, bytes->data, n);
}

static void put_field(struct rops *f, char field, const uint64_t *mids, unsigned n_mids,
                      bool *is_unicode) {
    unsigned n = below(4);
    switch (field) {
    case 'b':
        put_counted(f, 2);
        break;
    case 'B':
        put_counted(f, 4);
        break;
    case 'z':
        str8(f, below(2) ? "IPM.Note" : "");
        break;
    case 'u':
        *is_unicode = below(2);
        u8(f, *is_unicode);
        break;
    case 's':
        if (*is_unicode)
            str16(f, "Folder");
        else
            str8(f, "Other");
        break;
    case 'i':
        u16(f, (uint16_t)n);
        for (unsigned i = 0; i < n; i++)
            id(f, some_id(mids, n_mids));
        break;
    case 't':
        u16(f, (uint16_t)n);
        for (unsigned i = 0; i < n; i++)
            u32(f, some_tag());
        break;
    case 'w':
        u16(f, (uint16_t)n);
        put_random_bytes(f, n * 2);
        break;
    case 'p':
        put_some_values(f);
        break;
    case 'm':
        u16(f, 1);
        u8(f, (uint8_t)below(5));
        put_some_values(f);
        break;
    case 'g':
        u8(f, 0);
        break;
    case 'o':
        u16(f, (uint16_t)n);
        u16(f, (uint16_t)below(2));
        u16(f, 0);
        for (unsigned i = 0; i < n; i++) {
            u32(f, some_tag());
            u8(f, (uint8_t)below(2));
        }
        break;
    case 'r':
        u16(f, 0);
        u16(f, 1);
        u32(f, below(3));
        u8(f, 1);
        put_counted(f, 2);
        break;
    case 'n':
        u16(f, 1);
        u8(f, 0);
        put_random_bytes(f, 20);
        break;
    case 'x':
    case 'y':
        u16(f, (uint16_t)below(3000));
        break;
    case 'e':
        u16(f, (uint16_t)below(0x200) & ~0x400);
        u8(f, 1);
        break;
    case 'd':
        u8(f, 1);
        u32(f, 1);
        u16(f, 0);
        break;
    default:
        break;
    }
}

static void put_request(struct rops *f, const struct rop_operation *op, const uint64_t *mids,
                        unsigned n_mids) {
    bool is_unicode = false;
    bool two = op->indexes != ROP_IN && op->indexes != ROP_OUT;
    rop1(f, op->id, (uint8_t)below(N_HANDLES));
    if (two)
        u8(f, (uint8_t)below(N_HANDLES + 1));
    for (const char *p = op->form; *p;) {
        if (*p == ' ') {
            p++;
        } else if (g_ascii_isdigit(*p)) {
            char *end;
            unsigned long size = strtoul(p, &end, 10);
            p = end;
            if (size == 8 && below(2))
                id(f, some_id(mids, n_mids));
            else if (size == 4 && below(2))
                u32(f, below(2) ? some_tag() : below(4));
            else if (size == 1)
                u8(f, (uint8_t)below(5));
            else
                put_random_bytes(f, (unsigned)size);
        } else {
            put_field(f, *p++, mids, n_mids, &is_unicode);
        }
    }
}

static void open_some(struct rops *f, const uint64_t *mids, unsigned n) {
    for (uint8_t i = 1; i < 5; i++) {
        rop2(f, 0x02, 0, i);
        id(f, FID_INBOX + i);
        u8(f, 0);
    }
    for (uint8_t i = 5; i < 8 && n; i++) {
        rop2(f, 0x03, 0, i);
        u16(f, 0x0FFF);
        id(f, FID_DRAFTS);
        u8(f, 3);
        id(f, mids[below(n)]);
    }
    rop2(f, 0x05, 1, 8);
    u8(f, 0);
    rop2(f, 0x04, 1, 9);
    u8(f, 4);
    rop2(f, 0x23, 5, 10);
    rop2(f, 0x2B, 5, 11);
    u32(f, PidTagBody);
    u8(f, 2);
    run(f);
}

static void test_random(struct rops *f, gconstpointer data) {
    uint64_t mids[6];
    logon(f);
    open_folder(f, 1, FID_DRAFTS);
    for (unsigned i = 0; i < G_N_ELEMENTS(mids); i++)
        mids[i] = make_message(f, 1, FID_DRAFTS, "some");
    for (unsigned batch = 0; batch < N_BATCHES; batch++) {
        if (batch % 10 == 0) {
            logon(f);
            open_some(f, mids, G_N_ELEMENTS(mids));
        }
        for (unsigned i = 0; i < BATCH;) {
            const struct rop_operation *op = rop_operation((uint8_t)below(256));
            if (!op || op->id == 0xFE)
                continue;
            put_request(f, op, mids, G_N_ELEMENTS(mids));
            i++;
        }
        enum ec ec = rops_execute(f, f->session);
        g_assert_true(ec == EC_OK || ec == EC_RPC_FORMAT);
        if (ec == EC_OK)
            rops_next(f);
        arena_reset(f->arena);
    }
    logon(f);
    open_folder(f, 1, FID_INBOX);
}

void add_random_tests(void) {
    ROPS_TEST("/rop/random", test_random);
}
