// The FastTransfer stream: bytes of each form of value, splitting, messages there and back, streams
// that are taken apart, and what is refused.
#include "convert/fasttransfer.h"

#include <string.h>

#include "base/test.h"
#include "mapi/props.h"

static GByteArray *take_all(struct ft_writer *w) {
    GByteArray *out = g_byte_array_new();
    ft_take(w, ft_pending(w), out);
    return out;
}

#define check_bytes(w, expected)                                                                   \
    do {                                                                                           \
        g_autoptr(GByteArray) got_ = take_all(w);                                                  \
        g_assert_cmpmem(got_->data, got_->len, expected, sizeof expected - 1);                     \
    } while (0)

static const struct guid set_guid = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static void test_forms(void) {
    struct ft_writer *w = ft_writer_new(FT_STRINGS_UNICODE, 0);
    ft_put_marker(w, FT_START_MESSAGE); // MS-OXCFXICS_R1006
    check_bytes(w, "\x03\x00\x0c\x40");
    struct prop_value v = prop_bool(PROP_TAG(0x0E1B, PT_BOOLEAN), true);
    ft_put_value(w, &v, NULL); // MS-OXCFXICS_R990, R991
    check_bytes(w, "\x0b\x00\x1b\x0e\x01\x00");
    ft_put_long(w, PROP_TAG(0x0017, PT_LONG), 0x1234); // MS-OXCFXICS_R996
    check_bytes(w, "\x03\x00\x17\x00\x34\x12\x00\x00");
    v = prop_str(PidTagSubject, "Hi");
    ft_put_value(w, &v, NULL); // MS-OXCFXICS_R3259: with the terminating null
    check_bytes(w, "\x1f\x00\x37\x00\x06\x00\x00\x00H\0i\0\0\0");
    ft_put_binary(w, MetaTagIdsetGiven, "ab", 2); // MS-OXCFXICS_R1881
    check_bytes(w, "\x03\x00\x17\x40\x02\x00\x00\x00"
                   "ab");
    struct prop_name lid = prop_name_lid(&set_guid, 0x8501);
    v = prop_long(PROP_TAG(0x8010, PT_LONG), 7);
    ft_put_value(w, &v, &lid);
    check_bytes(w,
                "\x03\x00\x10\x80\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\0\x01\x85\0\0\7\0\0\0");
    struct prop_name string = prop_name_string(&set_guid, "k");
    ft_put_value(w, &v, &string);
    check_bytes(w, "\x03\x00\x10\x80\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\1k\0\0\0\7\0\0\0");
    const char *const words[] = {"a", ""};
    v = (struct prop_value){.tag = PROP_TAG(0x1234, PT_MV_UNICODE), .mv = {.n = 2, .str = words}};
    ft_put_value(w, &v, NULL);
    check_bytes(w, "\x1f\x10\x34\x12\2\0\0\0\4\0\0\0a\0\0\0\2\0\0\0\0\0");
    v = (struct prop_value){.tag = PROP_TAG(0x1234, PT_ERROR), .l = 5};
    ft_put_value(w, &v, NULL); // MS-OXCFXICS_R1185
    g_assert_cmpuint(ft_pending(w), ==, 0);
    ft_writer_free(w);

    w = ft_writer_new(FT_STRINGS_CODE_PAGE, 1252); // MS-OXCFXICS_R3447
    v = prop_str(PidTagSubject, "\xc3\xa9");
    ft_put_value(w, &v, NULL);
    check_bytes(w, "\x1e\x00\x37\x00\2\0\0\0\xe9\0");
    ft_writer_free(w);
    w = ft_writer_new(FT_STRINGS_TYPED, 1252); // MS-OXCFXICS_R3453
    ft_put_value(w, &v, NULL);
    check_bytes(w, "\xb0\x84\x37\x00\4\0\0\0\xe9\0\0\0");
    ft_writer_free(w);
}

// --- A message of everything ---

static struct message_value *sample(unsigned depth) {
    struct message_value *m = message_value_new();
    struct prop_name name = prop_name_string(&set_guid, "colour");
    m->names_are_local = true;
    bag_set_str(m->bag, PidTagSubject,
                "Gr\xc3\xbc\xc3\x9f"
                "e");
    bag_set_str(m->bag, PidTagBody, "text");
    bag_set_long(m->bag, PidTagImportance, 2);
    bag_set_bool(m->bag, PidTagReadReceiptRequested, true);
    bag_set_time(m->bag, PidTagClientSubmitTime, 132000000000000000u);
    bag_set_str(m->bag, PROP_TAG(message_value_local_name(m, &name), PT_UNICODE), "blue");
    bag_set_bool(m->bag, PidLidPrivate, true);
    const int32_t longs[] = {1, -2, 3};
    struct prop_value many = {.tag = PROP_TAG(0x6123, PT_MV_LONG), .mv = {.n = 3, .l = longs}};
    assert_ok(bag_set(m->bag, &many));
    const struct prop_bin bins[] = {{2, (const uint8_t *)"ab"}, {0, (const uint8_t *)""}};
    many = (struct prop_value){.tag = PROP_TAG(0x6124, PT_MV_BINARY), .mv = {.n = 2, .bin = bins}};
    assert_ok(bag_set(m->bag, &many));
    struct bag *r = bag_new();
    bag_set_long(r, PidTagRecipientType, 1);
    bag_set_str(r, PidTagDisplayName, "Alice");
    g_ptr_array_add(m->recipients, r);
    struct attachment_value *a = attachment_value_new();
    bag_set_long(a->bag, PidTagAttachMethod, 1);
    bag_set_str(a->bag, PidTagAttachLongFilename, "a.bin");
    g_autofree uint8_t *bytes = g_malloc0(5000);
    a->data = g_bytes_new(bytes, 5000);
    g_ptr_array_add(m->attachments, a);
    if (depth > 0) {
        a = attachment_value_new();
        bag_set_long(a->bag, PidTagAttachMethod, 5);
        a->embedded = sample(depth - 1);
        g_ptr_array_add(m->attachments, a);
    }
    return m;
}

static void check_bag(const struct bag *a, const struct bag *b, unsigned n_more) {
    g_assert_cmpuint(bag_count(a), ==, bag_count(b) - n_more);
    for (unsigned i = 0; i < bag_count(a); i++) {
        const struct prop_value *x = bag_at(a, i), *y = bag_get(b, x->tag);
        g_assert_nonnull(y);
        g_assert_true(prop_equal(x, y));
    }
}

static void check_same(const struct message_value *a, const struct message_value *b) {
    check_bag(a->bag, b->bag, 0);
    g_assert_cmpuint(a->recipients->len, ==, b->recipients->len);
    for (guint i = 0; i < a->recipients->len; i++)
        check_bag(a->recipients->pdata[i], b->recipients->pdata[i], 1); // PidTagRowid
    g_assert_cmpuint(a->attachments->len, ==, b->attachments->len);
    for (guint i = 0; i < a->attachments->len; i++) {
        const struct attachment_value *x = a->attachments->pdata[i], *y = b->attachments->pdata[i];
        check_bag(x->bag, y->bag, 0);
        if (x->data)
            g_assert_true(g_bytes_equal(x->data, y->data));
        g_assert_true(!x->embedded == !y->embedded);
        if (x->embedded)
            check_same(x->embedded, y->embedded);
    }
}

static void test_message(void) {
    struct message_value *m = sample(2), *back = NULL;
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(ft_message_encode(m, NULL, &bytes));
    assert_ok(ft_message_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &back));
    check_same(m, back);
    message_value_free(back);
    gsize len = g_bytes_get_size(bytes);
    assert_ec(ft_message_decode(g_bytes_get_data(bytes, NULL), len - 1, &back), EC_FORMAT_ERROR);
    message_value_free(m);
}

static void test_too_deep(void) {
    struct message_value *m = sample(FT_DEPTH_MAX + 1), *back;
    g_autoptr(GBytes) bytes = NULL;
    assert_ec(ft_message_encode(m, NULL, &bytes), EC_TOO_COMPLEX);
    message_value_free(m);
    g_autoptr(GString) deep = g_string_new(NULL);
    for (unsigned i = 0; i < FT_DEPTH_MAX + 2; i++)
        g_string_append_len(deep, "\x03\x00\x00\x40\x03\x00\x01\x40", 8);
    assert_ec(ft_message_decode(deep->str, deep->len, &back), EC_TOO_COMPLEX);
}

// --- Splitting ---

// Whether `bytes` is whole elements but for the last one, which may be cut inside a value only.
static void check_cut(const GByteArray *before, size_t cut) {
    struct ft_reader *r = ft_reader_new(0, FT_VALUE_MAX);
    ARENA_AUTO arena = arena_new();
    struct ft_element e;
    ft_reader_put(r, before->data, cut);
    do
        assert_ok(ft_reader_next(r, arena, &e));
    while (e.kind != FT_MORE);
    ft_reader_free(r);
}

static void test_split(void) {
    struct message_value *m = sample(1);
    g_autoptr(GBytes) whole = NULL;
    assert_ok(ft_message_encode(m, NULL, &whole));
    for (size_t max = 1; max < 600; max += max < 90 ? 1 : 37) {
        struct ft_writer *w = ft_writer_new(FT_STRINGS_UNICODE, 0);
        g_autoptr(GByteArray) out = g_byte_array_new();
        assert_ok(ft_put_message(w, m, NULL));
        size_t n = 1;
        while (ft_pending(w) > 0 && n > 0) {
            n = ft_take(w, max, out);
            g_assert_cmpuint(n, <=, max);
            check_cut(out, out->len);
        }
        if (max < 35) { // the longest atom: a named property's definition
            g_assert_cmpuint(ft_pending(w), >, 0);
        } else {
            g_assert_cmpmem(out->data, out->len, g_bytes_get_data(whole, NULL),
                            g_bytes_get_size(whole));
        }
        ft_writer_free(w);
    }
    message_value_free(m);
}

// MS-OXCFXICS_R982: an atom is never split, a value may be.
static void test_atoms(void) {
    struct ft_writer *w = ft_writer_new(FT_STRINGS_UNICODE, 0);
    g_autoptr(GByteArray) out = g_byte_array_new();
    ft_put_binary(w, PidTagChangeKey, "0123456789", 10);
    g_assert_cmpuint(ft_take(w, 3, out), ==, 0);
    g_assert_cmpuint(ft_take(w, 7, out), ==, 4); // the definition
    g_assert_cmpuint(ft_take(w, 3, out), ==, 0); // not inside the length
    g_assert_cmpuint(ft_take(w, 7, out), ==, 7); // the length and three bytes
    g_assert_cmpuint(ft_take(w, 100, out), ==, 7);
    g_assert_cmpuint(ft_pending(w), ==, 0);
    ft_put_marker(w, FT_START_MESSAGE);
    size_t mark = ft_pending(w);
    ft_put_binary(w, PidTagChangeKey, "0123456789", 10);
    ft_cut(w, mark);
    g_byte_array_set_size(out, 0);
    g_assert_cmpuint(ft_take(w, 100, out), ==, 4);
    ft_writer_free(w);
}

// Read in pieces of each size, the same comes out.
static void test_pieces(void) {
    struct message_value *m = sample(1), *got;
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(ft_message_encode(m, NULL, &bytes));
    gsize len;
    const uint8_t *data = g_bytes_get_data(bytes, &len);
    for (size_t piece = 1; piece < 200; piece = piece * 2 + 1) {
        GString *joined = g_string_new(NULL);
        struct ft_reader *r = ft_reader_new(0, FT_VALUE_MAX);
        unsigned n = 0;
        for (size_t at = 0; at < len; at += piece) {
            ARENA_AUTO arena = arena_new();
            struct ft_element e;
            ft_reader_put(r, data + at, MIN(piece, len - at));
            for (;;) {
                assert_ok(ft_reader_next(r, arena, &e));
                if (e.kind == FT_MORE)
                    break;
                n++;
            }
        }
        g_assert_true(ft_reader_is_empty(r));
        g_assert_cmpuint(n, >, 40);
        ft_reader_free(r);
        g_string_free(joined, TRUE);
    }
    assert_ok(ft_message_decode(data, len, &got));
    message_value_free(got);
    message_value_free(m);
}

// --- Folders ---

struct taken {
    GString *log;
};

static enum ec log_prop(void *ctx, const struct prop_value *v) {
    struct taken *t = ctx;
    if (v->tag == PidTagDisplayName)
        g_string_append_printf(t->log, "%s ", v->str);
    return EC_OK;
}

static enum ec log_message(void *ctx, struct message_value *take, bool is_associated) {
    struct taken *t = ctx;
    g_string_append_printf(t->log, "%s:%s ", is_associated ? "fai" : "message",
                           bag_str(take->bag, PidTagSubject));
    message_value_free(take);
    return EC_OK;
}

static enum ec log_begin(void *ctx) {
    struct taken *t = ctx;
    g_string_append(t->log, "( ");
    return EC_OK;
}

static enum ec log_end(void *ctx) {
    struct taken *t = ctx;
    g_string_append(t->log, ") ");
    return EC_OK;
}

static enum ec log_delete(void *ctx, proptag_t kind) {
    struct taken *t = ctx;
    g_string_append_printf(t->log, "del:%x ", kind);
    return EC_OK;
}

static void put_subject(struct ft_writer *w, enum ft_marker marker, const char *subject) {
    struct prop_value v = prop_str(PidTagSubject, subject);
    ft_put_marker(w, marker);
    ft_put_value(w, &v, NULL);
    ft_put_marker(w, FT_END_MESSAGE);
}

static void put_name(struct ft_writer *w, const char *name) {
    struct prop_value v = prop_str(PidTagDisplayName, name);
    ft_put_value(w, &v, NULL);
}

static enum ec parse(enum ft_root root, struct ft_writer *w, const char *expected) {
    struct taken t = {g_string_new(NULL)};
    struct ft_sink sink = {.prop = log_prop,
                           .message = log_message,
                           .folder_begin = log_begin,
                           .folder_end = log_end,
                           .delete_children = log_delete,
                           .ctx = &t};
    struct ft_parser *p = ft_parser_new(root, 0, &sink);
    g_autoptr(GByteArray) bytes = take_all(w);
    enum ec ec = ft_parser_put(p, bytes->data, bytes->len);
    if (ec == EC_OK && expected) {
        g_assert_cmpstr(t.log->str, ==, expected);
        g_assert_true(ft_parser_is_complete(p));
    }
    if (ec != EC_OK)
        g_assert_false(ft_parser_is_complete(p));
    ft_parser_free(p);
    g_string_free(t.log, TRUE);
    ft_writer_free(w);
    return ec;
}

static void test_folders(void) {
    struct ft_writer *w = ft_writer_new(FT_STRINGS_UNICODE, 0);
    ft_put_marker(w, FT_START_TOP_FOLDER);
    put_name(w, "top");
    put_subject(w, FT_START_FAI_MESSAGE, "f"); // MS-OXCFXICS_R1133
    put_subject(w, FT_START_MESSAGE, "m");
    ft_put_marker(w, FT_START_SUB_FOLDER);
    put_name(w, "sub");
    put_subject(w, FT_START_MESSAGE, "n");
    ft_put_marker(w, FT_END_FOLDER);
    ft_put_marker(w, FT_END_FOLDER);
    assert_ok(parse(FT_ROOT_TOP_FOLDER, w, "( top fai:f message:m ( sub message:n ) ) "));

    w = ft_writer_new(FT_STRINGS_UNICODE, 0); // folderContent with directives
    put_name(w, "x");
    ft_put_long(w, MetaTagFXDelProp, (int32_t)PidTagContainerContents);
    put_subject(w, FT_START_MESSAGE, "m");
    assert_ok(parse(FT_ROOT_FOLDER, w, "x del:360f000d message:m "));

    w = ft_writer_new(FT_STRINGS_UNICODE, 0); // messageList
    ft_put_long(w, MetaTagEcWarning, (int32_t)EC_ACCESS_DENIED);
    put_subject(w, FT_START_MESSAGE, "m");
    assert_ok(parse(FT_ROOT_MESSAGES, w, "message:m "));
}

static void test_refused(void) {
    static const struct {
        enum ft_root root;
        enum ft_marker markers[3];
    } wrong[] = {
        {FT_ROOT_MESSAGE, {FT_START_MESSAGE}},
        {FT_ROOT_MESSAGE, {FT_END_MESSAGE}},
        {FT_ROOT_MESSAGE, {FT_START_EMBED}},
        {FT_ROOT_MESSAGE, {FT_START_RECIPIENT, FT_NEW_ATTACHMENT}},
        {FT_ROOT_MESSAGE, {FT_NEW_ATTACHMENT, FT_END_ATTACHMENT, FT_START_RECIPIENT}},
        {FT_ROOT_MESSAGE, {FT_CHANGE}},
        {FT_ROOT_ATTACHMENT, {FT_NEW_ATTACHMENT}},
        {FT_ROOT_ATTACHMENT, {FT_START_EMBED, FT_END_EMBED, FT_START_EMBED}},
        {FT_ROOT_FOLDER, {FT_START_TOP_FOLDER}},
        {FT_ROOT_FOLDER, {FT_START_SUB_FOLDER, FT_END_FOLDER, FT_START_MESSAGE}},
        {FT_ROOT_MESSAGES, {FT_START_SUB_FOLDER}},
        {FT_ROOT_TOP_FOLDER, {FT_START_SUB_FOLDER}},
        {FT_ROOT_TOP_FOLDER, {FT_START_TOP_FOLDER, FT_END_FOLDER, FT_START_TOP_FOLDER}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct ft_writer *w = ft_writer_new(FT_STRINGS_UNICODE, 0);
        for (unsigned k = 0; k < 3 && (k == 0 || wrong[i].markers[k]); k++)
            ft_put_marker(w, wrong[i].markers[k]);
        assert_ec(parse(wrong[i].root, w, NULL), EC_FORMAT_ERROR);
    }
    struct ft_writer *w = ft_writer_new(FT_STRINGS_UNICODE, 0); // a property of a list
    put_name(w, "x");
    assert_ec(parse(FT_ROOT_MESSAGES, w, NULL), EC_FORMAT_ERROR);
    w = ft_writer_new(FT_STRINGS_UNICODE, 0); // behind a recipient
    ft_put_marker(w, FT_START_RECIPIENT);
    ft_put_marker(w, FT_END_RECIPIENT);
    put_name(w, "x");
    assert_ec(parse(FT_ROOT_MESSAGE, w, NULL), EC_FORMAT_ERROR);
}

static enum ec read_one(const void *data, size_t len) {
    ARENA_AUTO arena = arena_new();
    struct ft_reader *r = ft_reader_new(0, 1000);
    struct ft_element e;
    ft_reader_put(r, data, len);
    enum ec ec = ft_reader_next(r, arena, &e);
    ft_reader_free(r);
    return ec;
}

static void test_bad_values(void) {
    assert_ec(read_one("\x99\x00\x37\x00", 4), EC_FORMAT_ERROR);              // no such type
    assert_ec(read_one("\x0a\x00\x37\x00\0\0\0\0", 8), EC_FORMAT_ERROR);      // an error value
    assert_ec(read_one("\x02\x01\x37\x00\xe9\3\0\0", 8), EC_MESSAGE_TOO_BIG); // R262501
    assert_ec(read_one("\x1f\x00\x37\x00\1\0\0\0a", 9), EC_FORMAT_ERROR);     // half a character
    assert_ec(read_one("\x03\x10\x37\x00\xff\xff\xff\xff", 8), EC_MESSAGE_TOO_BIG);
    assert_ec(read_one("\x03\x00\x10\x80\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\7", 21),
              EC_FORMAT_ERROR); // no kind of name
    g_autofree char *name = g_malloc(600);
    memset(name, 'x', 600);
    memcpy(name, "\x03\x00\x10\x80\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\1", 21);
    assert_ec(read_one(name, 600), EC_FORMAT_ERROR);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fasttransfer/forms", test_forms);
    g_test_add_func("/fasttransfer/message", test_message);
    g_test_add_func("/fasttransfer/too_deep", test_too_deep);
    g_test_add_func("/fasttransfer/split", test_split);
    g_test_add_func("/fasttransfer/atoms", test_atoms);
    g_test_add_func("/fasttransfer/pieces", test_pieces);
    g_test_add_func("/fasttransfer/folders", test_folders);
    g_test_add_func("/fasttransfer/refused", test_refused);
    g_test_add_func("/fasttransfer/bad_values", test_bad_values);
    return g_test_run();
}
