// The property catalogue: constants, lookups, and the fixed ids that stored mailboxes rely on.
#include "base/test.h"
#include "mapi/catalogue.h"

static void test_constants(void) {
    g_assert_cmphex(PidTagSubject, ==, 0x0037001F);
    g_assert_cmphex(PidTagHtml, ==, 0x10130102);
    g_assert_cmphex(PidTagBodyHtml, ==, 0x1013001F);
    g_assert_cmphex(PidTagAttachDataObject, ==, 0x3701000D);
    g_assert_cmphex(PidTagAddressBookHomeMessageDatabase, ==, 0x8006001F);
    g_assert_cmphex(PROP_TYPE(PidTagRuleCondition), ==, PT_SRESTRICT);
    g_assert_cmphex(PROP_TYPE(PidNameKeywords), ==, PT_MV_UNICODE);
    g_assert_cmphex(PidNameLocationUrl, ==, PidNameCalendarLocationUrl);
}

// Ids in existing mailboxes: a change of one of these breaks them.
static void test_fixed_ids(void) {
    g_assert_cmphex(PidLidAddressBookProviderArrayType, ==, 0x80010003);
    g_assert_cmphex(PROP_ID(PidNameXVoiceMessageSenderName), ==, 0x81F7);
    g_assert_cmphex(PROP_ID(PidLidSingleInvite), ==, 0x81F8);
}

static void test_by_tag(void) {
    g_assert_cmpstr(catalogue_by_tag(PidTagSubject)->name, ==, "PidTagSubject");
    g_assert_cmpstr(catalogue_by_tag(0x0037001E)->name, ==, "PidTagSubject");
    g_assert_cmpstr(catalogue_by_tag(0x68470003)->name, ==, "PidTagFreeBusyPublishStart");
    g_assert_cmpstr(catalogue_by_tag(PidTagMessageSizeExtended)->name, ==,
                    "PidTagMessageSizeExtended");
    g_assert_null(catalogue_by_tag(0x7E01001F));
    g_assert_null(catalogue_by_tag(0xFFFF001F));
    g_assert_cmpstr(catalogue_by_tag(PidLidReminderSet)->name, ==, "PidLidReminderSet");
    g_assert_cmpstr(catalogue_by_address_book_tag(0x8005000D)->name, ==,
                    "PidTagAddressBookManager");
    g_assert_cmpstr(catalogue_by_address_book_tag(PidTagDisplayName)->name, ==,
                    "PidTagDisplayName");
    g_assert_cmpint(catalogue_by_tag(0x8005000D)->kind, ==, CATALOGUE_LID);
}

static void test_by_name_of_set(void) {
    const struct catalogue_property *p = catalogue_by_lid(&PSETID_Common, 0x8503);
    g_assert_cmpstr(p->name, ==, "PidLidReminderSet");
    g_assert_null(catalogue_by_lid(&PSETID_Task, 0x8503));
    p = catalogue_by_string(&PS_PUBLIC_STRINGS, "Keywords");
    g_assert_cmphex(p->tag, ==, PidNameKeywords);
    g_assert_null(catalogue_by_string(&PS_PUBLIC_STRINGS, "keywords"));
    p = catalogue_by_string(&PS_INTERNET_HEADERS, "X-CallID");
    g_assert_cmpstr(p->name, ==, "PidNameXCallId");
    g_assert_cmpstr(p->string, ==, "x-callid");
    p = catalogue_by_string(&PS_PUBLIC_STRINGS, "urn:schemas:calendar:locationurl");
    g_assert_cmpstr(p->name, ==, "PidNameCalendarLocationUrl");
}

// Every row is found by each of its keys.
static void test_all(void) {
    unsigned n;
    const struct catalogue_property *all = catalogue_all(&n);
    g_assert_cmpuint(n, >=, 1141);
    for (unsigned i = 0; i < n; i++) {
        const struct catalogue_property *p = &all[i], *q = NULL;
        g_assert_true(catalogue_by_name(p->name) == p);
        switch (p->kind) {
        case CATALOGUE_TAG:
            q = catalogue_by_tag(p->tag);
            break;
        case CATALOGUE_ADDRESS_BOOK:
            q = catalogue_by_address_book_tag(p->tag);
            break;
        case CATALOGUE_LID:
            q = catalogue_by_lid(p->set, p->lid);
            break;
        case CATALOGUE_STRING:
            q = catalogue_by_string(p->set, p->string);
            break;
        }
        g_assert_nonnull(q);
        g_assert_cmphex(p->tag, ==, q->tag);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/catalogue/constants", test_constants);
    g_test_add_func("/catalogue/fixed_ids", test_fixed_ids);
    g_test_add_func("/catalogue/by_tag", test_by_tag);
    g_test_add_func("/catalogue/by_name_of_set", test_by_name_of_set);
    g_test_add_func("/catalogue/all", test_all);
    return g_test_run();
}
