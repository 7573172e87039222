// Items that are no mail as mail: their properties in the text and in HTML.
#include "convert/item_text.h"

#include <string.h>

#include "base/test.h"
#include "convert/convert.h"
#include "mapi/props.h"

static char *rendition(struct message_value *value) {
    g_autoptr(GBytes) mime = NULL;
    assert_ok(convert_message_to_mime(value, NULL, true, &mime));
    return g_strndup(g_bytes_get_data(mime, NULL), g_bytes_get_size(mime));
}

static void test_appointment(void) {
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Appointment");
    bag_set_str(value->bag, PidTagSubject, "Review");
    bag_set_str(value->bag, PidLidLocation, "Room\r\n5");
    struct prop_value start = prop_time(
        PidLidAppointmentStartWhole, FILETIME_UNIX_EPOCH + UINT64_C(1700000000) * FILETIME_SECOND);
    bag_set(value->bag, &start);
    bag_set_str(value->bag, PidTagBody, "Bring figures.\r\n");
    g_autofree char *text = rendition(value);
    g_assert_nonnull(strstr(text, "\r\n\r\nStart: 2023-11-14 22:13 UTC\r\nLocation: Room 5\r\n\r\n"
                                  "Bring figures.\r\n"));
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Note"); // a mail says nothing of the kind
    g_autofree char *mail = rendition(value);
    g_assert_null(strstr(mail, "Location"));
    g_assert_nonnull(strstr(mail, "\r\n\r\nBring figures.\r\n"));
    message_value_free(value);
}

static void test_others(void) {
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Contact.Own");
    bag_set_str(value->bag, PidTagDisplayName, "Zo\xc3\xab <Z> & Co");
    bag_set_str(value->bag, PidLidEmail1EmailAddress, "zoe@example.test");
    g_autoptr(GString) text = item_text(value->bag);
    g_assert_cmpstr(text->str, ==, "Name: Zo\xc3\xab <Z> & Co\r\nE-mail: zoe@example.test\r\n");
    static const char body[] = "<html><BODY lang=de>x</body>";
    g_autoptr(GBytes) plain = g_bytes_new_static(body, sizeof body - 1);
    g_autoptr(GBytes) html = item_text_into_html(text, plain);
    g_autofree char *got = g_strndup(g_bytes_get_data(html, NULL), g_bytes_get_size(html));
    g_assert_cmpstr(got, ==,
                    "<html><BODY lang=de><pre>Name: Zo&#235; &#60;Z&#62; &#38; Co\r\nE-mail: "
                    "zoe@example.test\r\n</pre>x</body>");
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Contactless");
    g_assert_null(item_text(value->bag));
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Task");
    struct prop_value status = prop_long(PidLidTaskStatus, 2);
    bag_set(value->bag, &status);
    g_autoptr(GString) done = item_text(value->bag);
    g_assert_cmpstr(done->str, ==, "Status: Completed\r\n");
    status = prop_long(PidLidTaskStatus, 99);
    bag_set(value->bag, &status);
    g_assert_null(item_text(value->bag));
    message_value_free(value);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/item_text/appointment", test_appointment);
    g_test_add_func("/item_text/others", test_others);
    return g_test_run();
}
