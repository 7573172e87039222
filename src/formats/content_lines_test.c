// The words of calendars and contacts.
#include "formats/content_lines.h"

#include <string.h>

#include "base/test.h"

static void check(const char *data, const char *expected) {
    ARENA_AUTO arena = arena_new();
    g_assert_cmpstr(content_lines_text(arena, data, strlen(data), NULL, 1 << 20, NULL), ==,
                    expected);
}

static void test_calendar(void) {
    check("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Lunch\\, with\r\n  cake\r\n"
          "DESCRIPTION;LANGUAGE=en:one\\ntwo\\;\\\\\r\nDTSTART:20240101T000000Z\r\n"
          "ATTENDEE;CN=\"Ann: A; B\";ROLE=CHAIR:mailto:ann@e.example\r\n"
          "ORGANIZER;CN=Bob:MAILTO:bob@e.example\r\nLOCATION:Room\r\n 1\r\nEND:VEVENT\r\n",
          "Lunch, with cake\none\ntwo;\\\nAnn: A; B\nann@e.example\nBob\nbob@e.example\nRoom1\n");
}

static void test_card(void) {
    check("BEGIN:VCARD\nVERSION:3.0\nN:Doe;Jane;;Dr.;\nFN:Jane Doe\nitem1.EMAIL;TYPE=work:j@e\n"
          "ORG:Firm;Section\nPHOTO;ENCODING=b:AAAA\n BBBB\nNOTE:n\nEND:VCARD\n",
          "Doe Jane  Dr. \nJane Doe\nj@e\nFirm Section\nn\n");
    check("NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:caf=C3=A9 a=\r\nnd more\r\nFN:x\r\n",
          "café and more\nx\n");
    check("NOTE;CHARSET=koi8-r;ENCODING=QUOTED-PRINTABLE:=C4=C1\r\n", "да\n");
    check("NOTE;ENCODING=QUOTED-PRINTABLE:\xC3\xA9=E9\r\n", "é\uFFFD\n");
}

static void test_broken(void) {
    check("", "");
    check("\r\n\r\n : \r\n;;;\r\nSUMMARY\r\nSUMMARY;X=\"open:a\r\nSUMMARY:\r\nFN:\\", "\\\n");
    check("SUMMARY:caf\xE9", "café\n");
    check(" SUMMARY:folded nothing\nFN:a\n", "a\n");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/content_lines/calendar", test_calendar);
    g_test_add_func("/content_lines/card", test_card);
    g_test_add_func("/content_lines/broken", test_broken);
    return g_test_run();
}
