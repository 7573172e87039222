// Body properties of stored messages: delivery keeps the original's body alone, every format is
// there when it is read ([MS-OXCMSG] 2.2.1.58, 3.2.4.1).
#include "convert/convert.h"
#include "formats/mime.h"
#include "formats/rtf_compressed.h"
#include "formats/rtf_text.h"
#include "store/store_fixture.h"

struct delivery {
    const char *mime;
    uint64_t mid;
    unsigned n_props;
};

static enum ec deliver(struct mbox_tx *tx, void *ctx) {
    struct delivery *d = ctx;
    ARENA_AUTO arena = arena_new();
    struct message_value *value;
    uint32_t uid;
    assert_ok(convert_mime_to_message(mime_scan(arena, d->mime, strlen(d->mime)), &value));
    g_autoptr(GBytes) mime = g_bytes_new(d->mime, strlen(d->mime));
    struct message_new spec = {.value = value, .mime = mime, .envelope = "", .structure = ""};
    enum ec ec = message_create(tx, FID_INBOX, &spec, &d->mid, &uid);
    message_value_free(value);
    return ec;
}

struct reading {
    struct mbox_tx *tx;
    struct message *m;
    struct arena *arena;
};

static struct prop_value get(struct reading *r, proptag_t tag) {
    struct prop_value v;
    assert_ok(message_get_prop(r->tx, r->m, r->arena, tag, 0, &v));
    return v;
}

static void open_mail(struct fixture *f, const char *mime, struct reading *r) {
    struct delivery d = {.mime = mime};
    assert_ok(mbox_write(f->mbox, deliver, &d));
    r->arena = arena_new();
    assert_ok(mbox_read(f->mbox, &r->tx));
    assert_ok(message_open(r->tx, d.mid, &r->m));
}

static void close_mail(struct reading *r) {
    message_free(r->m);
    mbox_read_end(r->tx);
    arena_free(r->arena);
}

static void test_html_only(struct fixture *f, gconstpointer data) {
    struct reading r;
    open_mail(f,
              "Subject: s\r\nContent-Type: text/html; charset=koi8-r\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C4=C1<br>two</p>\r\n",
              &r);
    // Only the original's body is kept.
    const struct bag *bag = message_value(r.m)->bag;
    g_assert_null(bag_get(bag, PidTagBody));
    g_assert_true(bag_get(bag, PidTagHtml)->is_external);
    g_assert_cmpstr(get(&r, PidTagBody).str, ==, "да\r\ntwo\r\n");
    g_assert_cmpint(get(&r, PidTagNativeBody).l, ==, 3);
    g_assert_cmpint(get(&r, PidTagInternetCodepage).l, ==, 20866);
    g_assert_false(get(&r, PidTagRtfInSync).b);
    struct prop_value v = get(&r, PidTagHtml);
    g_assert_cmpmem(v.bin.data, v.bin.len, "<p>\xC4\xC1<br>two</p>\r\n", 18);
    g_assert_cmpstr(get(&r, PidTagBodyHtml).str, ==, "<p>да<br>two</p>\r\n");
    v = get(&r, PidTagRtfCompressed);
    g_autoptr(GBytes) rtf = NULL;
    assert_ok(rtf_decompress(v.bin.data, v.bin.len, 10000, &rtf));
    g_assert_cmpint(rtf_source(g_bytes_get_data(rtf, NULL), g_bytes_get_size(rtf)), ==,
                    RTF_FROM_HTML);
    // As a stream, and too large for a row.
    struct message_stream *s;
    assert_ok(message_stream_open(r.tx, r.m, -1, PidTagBody, STREAM_READ, &s));
    g_assert_cmpuint(message_stream_size(s), ==, 18);
    message_stream_free(s);
    assert_ec(message_get_prop(r.tx, r.m, r.arena, PidTagBody, 4, &v), EC_MESSAGE_TOO_BIG);
    close_mail(&r);
}

static void test_text_only(struct fixture *f, gconstpointer data) {
    struct reading r;
    struct prop_value v;
    open_mail(f, "Subject: s\r\n\r\n1 < 2\r\n", &r);
    g_assert_cmpint(get(&r, PidTagNativeBody).l, ==, 1);
    g_assert_cmpstr(get(&r, PidTagBody).str, ==, "1 < 2\r\n");
    g_assert_nonnull(strstr(get(&r, PidTagBodyHtml).str, "1 &lt; 2<br>"));
    v = get(&r, PidTagRtfCompressed);
    g_assert_cmpuint(v.bin.len, >, RTF_COMPRESSED_HEADER);
    close_mail(&r);
}

// A client that writes one format makes those that came with the mail void.
static void test_replace(struct fixture *f, gconstpointer data) {
    struct reading r;
    open_mail(f, "Content-Type: text/html\r\n\r\n<p>old\r\n", &r);
    struct prop_value v = prop_str(PidTagBody, "new");
    assert_ok(message_set_prop(r.m, &v));
    g_assert_cmpint(get(&r, PidTagNativeBody).l, ==, 1);
    g_assert_nonnull(strstr(get(&r, PidTagBodyHtml).str, "new"));
    v = prop_bytes(PidTagHtml, "<p>newer", 8);
    assert_ok(message_set_prop(r.m, &v));
    g_assert_cmpint(get(&r, PidTagNativeBody).l, ==, 3);
    g_assert_cmpstr(get(&r, PidTagBody).str, ==, "new"); // both are the client's
    close_mail(&r);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name)                                                                                  \
    g_test_add("/message_body/" #name, struct fixture, NULL, fixture_setup, test_##name,           \
               fixture_teardown)
    ADD(html_only);
    ADD(text_only);
    ADD(replace);
    return g_test_run();
}
