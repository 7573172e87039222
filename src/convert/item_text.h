// Appointments, contacts, tasks and the like as something that a mail reader shows: what makes them
// useful, as lines at the top of their text ([MS-OXIMAP4], [MS-OXCMAIL] 2.1.3). A rendition in
// iCalendar or vCard is not made here.
#pragma once

#include <glib.h>

#include "mapi/bag.h"

// "Start: 2026-11-24 10:00 UTC\r\nLocation: Room 5\r\n"; NULL for mail, and when nothing is set.
GString *item_text(const struct bag *bag);
// `text` in front of the text of an HTML body in any charset that has ASCII. Takes none of them.
GBytes *item_text_into_html(const GString *text, GBytes *html);
