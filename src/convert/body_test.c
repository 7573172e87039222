// Bodies made from one another.
#include "convert/body.h"

#include <string.h>

#include "base/test.h"
#include "formats/rtf_compressed.h"
#include "formats/rtf_text.h"
#include "formats/rtf_write.h"
#include "mapi/props.h"

static struct prop_value get(const struct bag *bag, struct arena *arena, proptag_t tag) {
    struct prop_value v;
    assert_ok(body_get(bag, NULL, arena, tag, &v));
    g_assert_cmphex(v.tag, ==, tag);
    return v;
}

static const char *get_str(const struct bag *bag, struct arena *arena, proptag_t tag) {
    return get(bag, arena, tag).str;
}

static const char *get_bytes(const struct bag *bag, struct arena *arena, proptag_t tag) {
    struct prop_value v = get(bag, arena, tag);
    return arena_strndup(arena, (const char *)v.bin.data, v.bin.len);
}

// What the compressed RTF says.
static const char *get_rtf(const struct bag *bag, struct arena *arena) {
    struct prop_value v = get(bag, arena, PidTagRtfCompressed);
    g_autoptr(GBytes) rtf = NULL;
    assert_ok(rtf_decompress(v.bin.data, v.bin.len, 1 << 20, &rtf));
    return arena_strndup(arena, g_bytes_get_data(rtf, NULL), g_bytes_get_size(rtf));
}

static void set_rtf(struct bag *bag, const char *rtf) {
    g_autoptr(GBytes) packed = rtf_compress(rtf, strlen(rtf));
    bag_set_bytes(bag, PidTagRtfCompressed, g_bytes_get_data(packed, NULL),
                  g_bytes_get_size(packed));
}

static void check_state(const struct bag *bag, enum native_body native, bool in_sync) {
    ARENA_AUTO arena = arena_new();
    g_assert_cmpint(get(bag, arena, PidTagNativeBody).l, ==, native);
    g_assert_cmpint(get(bag, arena, PidTagRtfInSync).b, ==, in_sync);
}

static void test_nothing(void) {
    ARENA_AUTO arena = arena_new();
    BAG_AUTO bag = bag_new();
    struct prop_value v;
    static const proptag_t none[] = {PidTagBody,          PidTagHtml,      PidTagBodyHtml,
                                     PidTagRtfCompressed, PidTagRtfInSync, PidTagInternetCodepage};
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
        assert_ec(body_get(bag, NULL, arena, none[i], &v), EC_NOT_FOUND);
    // MS-OXCMSG_R2058
    g_assert_cmpint(get(bag, arena, PidTagNativeBody).l, ==, 0);
    g_assert_false(body_has(PidTagSubject));
    g_assert_true(body_has(PROP_TAG(0x1013, PT_UNSPECIFIED)));
}

static void test_from_html(void) {
    ARENA_AUTO arena = arena_new();
    BAG_AUTO bag = bag_new();
    static const char html[] = "<p>caf\xE9 <b>&lt;x&gt;</b></p>";
    bag_set_bytes(bag, PidTagHtml, html, strlen(html));
    bag_set_long(bag, PidTagInternetCodepage, 1252);
    check_state(bag, BODY_HTML, false); // MS-OXCMSG_R2061
    // MS-OXCMSG_R1462: any body property may be asked for.
    g_assert_cmpstr(get_str(bag, arena, PidTagBody), ==, "café <x>\r\n");
    g_assert_cmpstr(get_str(bag, arena, PidTagBodyHtml), ==, "<p>café <b>&lt;x&gt;</b></p>");
    g_assert_cmpstr(get_bytes(bag, arena, PidTagHtml), ==, html);
    const char *rtf = get_rtf(bag, arena); // MS-OXCMSG_R2066
    g_assert_cmpint(rtf_source(rtf, strlen(rtf)), ==, RTF_FROM_HTML);
    g_assert_cmpstr(rtf_to_html(arena, rtf, strlen(rtf), 1000, NULL), ==,
                    "<p>café <b>&lt;x&gt;</b></p>");
}

static void test_from_text(void) {
    ARENA_AUTO arena = arena_new();
    BAG_AUTO bag = bag_new();
    bag_set_str(bag, PidTagBody, "a <b>  日\r\nc & d");
    check_state(bag, BODY_PLAIN, false); // MS-OXCMSG_R2059
    g_assert_cmpint(get(bag, arena, PidTagInternetCodepage).l, ==, 65001);
    const char *html = get_str(bag, arena, PidTagBodyHtml);
    g_assert_nonnull(strstr(html, "a &lt;b&gt;&nbsp; 日<br>\r\nc &amp; d</body>"));
    g_assert_cmpstr(get_bytes(bag, arena, PidTagHtml), ==, html);
    const char *rtf = get_rtf(bag, arena);
    g_assert_cmpint(rtf_source(rtf, strlen(rtf)), ==, RTF_FROM_TEXT);
    g_assert_cmpstr(rtf_to_text(arena, rtf, strlen(rtf), "\r\n", 1000, NULL), ==,
                    "a <b>  日\r\nc & d");
    // HTML as bytes of a code page that lacks the character.
    bag_set_long(bag, PidTagInternetCodepage, 1252);
    g_assert_nonnull(strstr(get_bytes(bag, arena, PidTagHtml), "&#26085;<br>"));
}

static void test_from_rtf(void) {
    ARENA_AUTO arena = arena_new();
    BAG_AUTO bag = bag_new();
    set_rtf(bag, "{\\rtf1\\ansi {\\ul a \\u26085?} <b>\\par c}");
    check_state(bag, BODY_RTF, true); // MS-OXCMSG_R2060
    g_assert_cmpstr(get_str(bag, arena, PidTagBody), ==, "a 日 <b>\r\nc");
    g_assert_nonnull(
        strstr(get_str(bag, arena, PidTagBodyHtml), "<u>a 日</u> &lt;b&gt;<br>\r\nc</body>"));
    static const char html[] = "<p>x<br>y</p>";
    g_autoptr(GBytes) rtf = rtf_from_html(html, strlen(html));
    g_autofree char *text = g_strndup(g_bytes_get_data(rtf, NULL), g_bytes_get_size(rtf));
    set_rtf(bag, text);
    g_assert_cmpstr(get_str(bag, arena, PidTagBody), ==, "x\r\ny\r\n");
    g_assert_cmpstr(get_bytes(bag, arena, PidTagHtml), ==, html);
    struct prop_value v;
    bag_set_bytes(bag, PidTagRtfCompressed, "broken", 6);
    assert_ec(body_get(bag, NULL, arena, PidTagBody, &v), EC_CORRUPT_DATA);
    assert_ec(body_get(bag, NULL, arena, PidTagHtml, &v), EC_CORRUPT_DATA);
}

static void test_native(void) {
    BAG_AUTO bag = bag_new();
    bag_set_str(bag, PidTagBody, "text");
    bag_set_long(bag, PidTagNativeBody, 3); // what is stored does not count
    check_state(bag, BODY_PLAIN, false);
    set_rtf(bag, "{\\rtf1 rich}");
    check_state(bag, BODY_RTF, false);
    bag_set_bytes(bag, PidTagHtml, "<p>", 3);
    check_state(bag, BODY_HTML, false);
    bag_set_bool(bag, PidTagRtfInSync, true);
    check_state(bag, BODY_RTF, true); // MS-OXCMSG_R2068
    bag_set_str(bag, PidTagMessageClass, "IPM.Note.SMIME.MultipartSigned");
    check_state(bag, BODY_CLEAR_SIGNED, false); // MS-OXCMSG_R2062
}

static void test_replaced(void) {
    BAG_AUTO bag = bag_new();
    unsigned set = 0;
    bag_set_str(bag, PidTagBody, "old");
    bag_set_bytes(bag, PidTagHtml, "old", 3);
    body_replaced(bag, PidTagSubject, &set);
    g_assert_cmpuint(bag_count(bag), ==, 2);
    body_replaced(bag, PidTagRtfCompressed, &set);
    g_assert_cmpuint(bag_count(bag), ==, 0);
    set_rtf(bag, "{\\rtf1 new}");
    body_replaced(bag, PidTagBody, &set); // both are the client's
    bag_set_str(bag, PidTagBody, "new");
    g_assert_cmpuint(bag_count(bag), ==, 2);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/body/nothing", test_nothing);
    g_test_add_func("/body/from_html", test_from_html);
    g_test_add_func("/body/from_text", test_from_text);
    g_test_add_func("/body/from_rtf", test_from_rtf);
    g_test_add_func("/body/native", test_native);
    g_test_add_func("/body/replaced", test_replaced);
    return g_test_run();
}
