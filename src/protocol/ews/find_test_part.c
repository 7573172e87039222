// FindItem, FindFolder and search folders over EWS ([MS-OXWSSRCH]).
#include "protocol/ews/folders_fixture.h"

#define SHAPE                                                                                      \
    "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"                       \
    "<t:FieldURI FieldURI='item:Subject'/></t:AdditionalProperties></m:ItemShape>"
#define INBOX "<m:ParentFolderIds><t:DistinguishedFolderId Id='inbox'/></m:ParentFolderIds>"

static void fill(struct ews_world *e, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *subject = g_strdup_printf("message %02u", i);
        clock_set(START + i * DAY);
        assert_ok(world_append(&e->w, FID_INBOX, subject, 100 + i, NULL));
    }
    clock_set(0);
}

// The subjects of the answer as one text.
static char *subjects(const char *answer) {
    GString *out = g_string_new(NULL);
    for (const char *at = answer; (at = strstr(at, "<t:Subject>"));) {
        at += strlen("<t:Subject>");
        g_string_append_printf(out, "%s%.*s", out->len ? "," : "", (int)strcspn(at, "<"), at);
    }
    return g_string_free(out, FALSE);
}

#define assert_subjects(answer, expected)                                                          \
    do {                                                                                           \
        g_autofree char *got_ = subjects(answer);                                                  \
        g_assert_cmpstr(got_, ==, expected);                                                       \
    } while (0)

static const char *find(struct ews_world *e, const char *view, const char *rest) {
    return ews_ask(e, "<m:FindItem Traversal='Shallow'>" SHAPE "%s%s</m:FindItem>", view, rest);
}

static void test_pages(struct ews_world *e, gconstpointer data) {
    (void)data;
    fill(e, 10);
    const char *a = find(e, "", INBOX); // newest first
    assert_count(a, "<t:Subject>", 10);
    assert_has(a, "TotalItemsInView=\"10\"");
    assert_has(a, "IncludesLastItemInRange=\"true\"");
    a = find(e, "<m:IndexedPageItemView MaxEntriesReturned='3' Offset='2' BasePoint='Beginning'/>",
             INBOX);
    assert_subjects(a, "message 07,message 06,message 05");
    assert_has(a, "IndexedPagingOffset=\"5\"");
    assert_has(a, "IncludesLastItemInRange=\"false\"");
    a = find(e, "<m:IndexedPageItemView MaxEntriesReturned='3' Offset='0' BasePoint='End'/>",
             INBOX);
    assert_subjects(a, "message 02,message 01,message 00");
    assert_has(a, "IndexedPagingOffset=\"3\"");
    a = find(e, "<m:IndexedPageItemView MaxEntriesReturned='3' Offset='50' BasePoint='Beginning'/>",
             INBOX);
    assert_subjects(a, "");
    assert_has(a, "IncludesLastItemInRange=\"true\"");
    a = find(e, "<m:FractionalPageItemView MaxEntriesReturned='2' Numerator='1' Denominator='2'/>",
             INBOX);
    assert_subjects(a, "message 04,message 03");
    assert_has(a, "NumeratorOffset=\"7\"");
    assert_has(a, "AbsoluteDenominator=\"10\"");
    a = find(e,
             "<m:SeekToConditionPageItemView MaxEntriesReturned='2' BasePoint='Beginning'>"
             "<t:Condition><t:IsEqualTo><t:FieldURI FieldURI='item:Subject'/>"
             "<t:FieldURIOrConstant><t:Constant Value='message 03'/></t:FieldURIOrConstant>"
             "</t:IsEqualTo></t:Condition></m:SeekToConditionPageItemView>",
             INBOX);
    assert_subjects(a, "message 03,message 02");
    assert_has(find(e,
                    "<m:IndexedPageItemView MaxEntriesReturned='0' Offset='0' "
                    "BasePoint='Beginning'/>",
                    INBOX),
               "ErrorInvalidPagingMaxRows");
    assert_has(find(e, "<m:IndexedPageItemView Offset='-1' BasePoint='Beginning'/>", INBOX),
               "ErrorInvalidIndexedPagingParameters");
    assert_has(find(e, "<m:FractionalPageItemView Numerator='3' Denominator='2'/>", INBOX),
               "ErrorInvalidFractionalPagingParameters");
}

static const char *find_where(struct ews_world *e, const char *condition) {
    g_autofree char *rest =
        g_strdup_printf("<m:Restriction>%s</m:Restriction><m:SortOrder><t:FieldOrder "
                        "Order='Ascending'><t:FieldURI FieldURI='item:Subject'/></t:FieldOrder>"
                        "</m:SortOrder>" INBOX,
                        condition);
    return find(e, "", rest);
}

static char *compare(const char *op, const char *uri, const char *value) {
    return g_strdup_printf("<t:%s><t:FieldURI FieldURI='%s'/><t:FieldURIOrConstant>"
                           "<t:Constant Value='%s'/></t:FieldURIOrConstant></t:%s>",
                           op, uri, value, op);
}

static char *contains(const char *mode, const char *uri, const char *value) {
    return g_strdup_printf("<t:Contains ContainmentMode='%s' ContainmentComparison='IgnoreCase'>"
                           "<t:FieldURI FieldURI='%s'/><t:Constant Value='%s'/></t:Contains>",
                           mode, uri, value);
}

static void add_mail(struct ews_world *e, const char *from, const char *to, const char *subject,
                     const char *body, uint32_t flags) {
    char *text = g_strdup_printf("From: %s\r\nTo: %s\r\nSubject: %s\r\n"
                                 "Message-ID: <%s@x.test>\r\n\r\n%s\r\n",
                                 from, to, subject, subject, body);
    g_autoptr(GBytes) mime = g_bytes_new_take(text, strlen(text));
    struct mailbox_append message = {.mime = mime, .flags = flags};
    assert_ok(mailbox_append(e->w.m, FID_INBOX, &message, NULL, NULL));
}

static void test_restrictions(struct ews_world *e, gconstpointer data) {
    (void)data;
    add_mail(e, "Anna Adams <anna@remote.test>", "alice@example.test", "apple", "red fruit", 0);
    add_mail(e, "Carl <carl@remote.test>", "Bob <bob@example.test>", "banana", "yellow fruit",
             MSG_READ);
    add_mail(e, "Dora <dora@remote.test>", "alice@example.test", "cherry pie", "cake",
             MSG_READ | MSG_FLAGGED);
    const struct {
        char *condition;
        const char *expected;
    } cases[] = {
        {compare("IsEqualTo", "item:Subject", "apple"), "apple"},
        {compare("IsNotEqualTo", "item:Subject", "apple"), "banana,cherry pie"},
        {compare("IsGreaterThan", "item:Subject", "apple"), "banana,cherry pie"},
        {compare("IsLessThanOrEqualTo", "item:Subject", "banana"), "apple,banana"},
        {compare("IsEqualTo", "message:IsRead", "false"), "apple"},
        {compare("IsEqualTo", "message:IsRead", "true"), "banana,cherry pie"},
        {compare("IsNotEqualTo", "message:IsRead", "true"), "apple"},
        {compare("IsEqualTo", "item:HasAttachments", "true"), ""},
        {compare("IsEqualTo", "item:Importance", "Normal"), NULL}, // only: no error
        {compare("IsGreaterThan", "item:DateTimeReceived", "2020-01-01T00:00:00Z"),
         "apple,banana,cherry pie"},
        {contains("Substring", "item:Subject", "AN"), "banana"},
        {contains("Prefixed", "item:Subject", "ch"), "cherry pie"},
        {contains("FullString", "item:Subject", "cherry"), ""},
        {contains("PrefixOnWords", "item:Subject", "pi"), "cherry pie"},
        {contains("ExactPhrase", "item:Subject", "pie"), "cherry pie"},
        {contains("Substring", "message:From", "anna"), "apple"},
        {contains("Substring", "message:From", "carl@remote"), "banana"},
        {contains("Substring", "message:ToRecipients", "bob"), "banana"},
        {contains("Substring", "message:CcRecipients", "bob"), ""},
        {contains("Substring", "item:Body", "fruit"), "apple,banana"},
        {g_strdup("<t:Exists><t:FieldURI FieldURI='item:Subject'/></t:Exists>"),
         "apple,banana,cherry pie"},
        {g_strdup("<t:Exists><t:ExtendedFieldURI PropertyName='nobody has it' "
                  "PropertySetId='00020329-0000-0000-C000-000000000046' PropertyType='String'/>"
                  "</t:Exists>"),
         ""},
        {g_strdup("<t:Excludes><t:ExtendedFieldURI PropertyTag='0x0E07' PropertyType='Integer'/>"
                  "<t:Bitmask Value='0x1'/></t:Excludes>"),
         "apple"},
        {g_strdup("<t:Not><t:Or><t:IsEqualTo><t:FieldURI FieldURI='item:Subject'/>"
                  "<t:FieldURIOrConstant><t:Constant Value='apple'/></t:FieldURIOrConstant>"
                  "</t:IsEqualTo><t:IsEqualTo><t:FieldURI FieldURI='item:Subject'/>"
                  "<t:FieldURIOrConstant><t:Constant Value='banana'/></t:FieldURIOrConstant>"
                  "</t:IsEqualTo></t:Or></t:Not>"),
         "cherry pie"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *a = find_where(e, cases[i].condition);
        assert_ok_answer(a);
        if (cases[i].expected) {
            g_autofree char *got = subjects(a);
            if (strcmp(got, cases[i].expected) != 0)
                g_error("%s gave %s, not %s", cases[i].condition, got, cases[i].expected);
        }
        g_free(cases[i].condition);
    }
}

static void test_bad_restrictions(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const struct {
        const char *condition, *code;
    } cases[] = {
        {"<t:And/>", "ErrorInvalidRestriction"},
        {"<t:Contains ContainmentMode='Sideways'><t:FieldURI FieldURI='item:Subject'/>"
         "<t:Constant Value='x'/></t:Contains>",
         "ErrorInvalidRestriction"},
        {"<t:Contains><t:FieldURI FieldURI='item:Size'/><t:Constant Value='x'/></t:Contains>",
         "ErrorContainsFilterWrongType"},
        {"<t:IsEqualTo><t:FieldURI FieldURI='item:Size'/><t:FieldURIOrConstant>"
         "<t:Constant Value='many'/></t:FieldURIOrConstant></t:IsEqualTo>",
         "ErrorInvalidValueForProperty"},
        {"<t:Excludes><t:FieldURI FieldURI='item:Size'/><t:Bitmask Value='0xZZ'/></t:Excludes>",
         "ErrorInvalidExcludesRestriction"},
        {"<t:IsEqualTo/>", "ErrorInvalidRestriction"},
        {"<t:Nonsense/>", "ErrorInvalidRestriction"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_has(find_where(e, cases[i].condition), cases[i].code);
    // Nested as deeply as anybody likes, and as wide: an answer, not our end.
    g_autoptr(GString) deep = g_string_new(NULL);
    for (unsigned i = 0; i < 5000; i++)
        g_string_append(deep, "<t:Not>");
    for (unsigned i = 0; i < 5000; i++)
        g_string_append(deep, "</t:Not>");
    assert_has(find_where(e, deep->str), "Error");
    g_string_truncate(deep, 0);
    for (unsigned i = 0; i < 80; i++)
        g_string_append(deep, "<t:Not>");
    for (unsigned i = 0; i < 80; i++)
        g_string_append(deep, "</t:Not>");
    assert_has(find_where(e, deep->str), "ErrorRestrictionTooComplex");
    g_autoptr(GString) wide = g_string_new("<t:Or>");
    for (unsigned i = 0; i < 3000; i++)
        g_string_append(wide, "<t:Exists><t:FieldURI FieldURI='item:Subject'/></t:Exists>");
    g_string_append(wide, "</t:Or>");
    assert_has(find_where(e, wide->str), "ErrorRestrictionTooComplex");
}

// What another protocol put there is found, by words too; every way of reading agrees.
static void test_query(struct ews_world *e, gconstpointer data) {
    (void)data;
    add_mail(e, "Anna <anna@remote.test>", "alice@example.test", "budget", "the quarterly numbers",
             0);
    add_mail(e, "Carl <carl@remote.test>", "alice@example.test", "lunch", "numbers of sandwiches",
             0);
    assert_subjects(find(e, "", INBOX "<m:QueryString>quarterly</m:QueryString>"), "budget");
    assert_subjects(find(e, "", INBOX "<m:QueryString>numbers from:carl</m:QueryString>"), "lunch");
    assert_subjects(find(e, "",
                         INBOX "<m:QueryString>subject:budget OR subject:lunch"
                               "</m:QueryString>"),
                    "lunch,budget");
    assert_subjects(find(e, "", INBOX "<m:QueryString>nothing-like-it</m:QueryString>"), "");
    assert_has(ews_ask(e, "<m:FindItem Traversal='Associated'>" SHAPE INBOX
                          "<m:QueryString>x</m:QueryString></m:FindItem>"),
               "ErrorInvalidOperation");
    g_autofree char *lots = g_strnfill(20000, 'x');
    g_autofree char *rest = g_strdup_printf(INBOX "<m:QueryString>%s</m:QueryString>", lots);
    assert_has(find(e, "", rest), "ErrorQueryFilterTooLong");
}

static void test_groups(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const char *const senders[] = {"Anna <a@x.test>", "Bert <b@x.test>", "Anna <a@x.test>"};
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *subject = g_strdup_printf("s%u", i);
        clock_set(START + i * DAY);
        add_mail(e, senders[i], "alice@example.test", subject, "x", 0);
    }
    clock_set(0);
    const char *a = find(e, "",
                         "<m:GroupBy Order='Ascending'><t:FieldURI FieldURI='message:From'/>"
                         "<t:AggregateOn Aggregate='Minimum'><t:FieldURI "
                         "FieldURI='item:DateTimeReceived'/></t:AggregateOn></m:GroupBy>" INBOX);
    assert_count(a, "<t:GroupedItems>", 2);
    assert_has(a, "<t:GroupIndex>Anna</t:GroupIndex>");
    assert_has(a, "<t:GroupIndex>Bert</t:GroupIndex>");
    g_assert_true(strstr(a, "Anna</t:GroupIndex>") < strstr(a, "Bert</t:GroupIndex>"));
    // By the newest of each: Anna's is newer.
    a = find(e, "",
             "<m:GroupBy Order='Descending'><t:FieldURI FieldURI='message:From'/>"
             "<t:AggregateOn Aggregate='Maximum'><t:FieldURI FieldURI='item:DateTimeReceived'/>"
             "</t:AggregateOn></m:GroupBy>" INBOX);
    g_assert_true(strstr(a, "Anna</t:GroupIndex>") < strstr(a, "Bert</t:GroupIndex>"));
    a = find(e, "",
             "<m:DistinguishedGroupBy Order='Ascending'><t:StandardGroupBy>ConversationTopic"
             "</t:StandardGroupBy></m:DistinguishedGroupBy>" INBOX);
    assert_count(a, "<t:GroupedItems>", 3);
    // A page through the groups.
    a = find(e, "<m:IndexedPageItemView MaxEntriesReturned='2' Offset='1' BasePoint='Beginning'/>",
             "<m:GroupBy Order='Ascending'><t:FieldURI FieldURI='message:From'/>"
             "<t:AggregateOn Aggregate='Minimum'><t:FieldURI FieldURI='item:Size'/>"
             "</t:AggregateOn></m:GroupBy>" INBOX);
    assert_count(a, "<t:GroupedItems>", 2);
    assert_count(a, "<t:Subject>", 2);
}

static void test_find_folder(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const char find_in[] =
        "<m:FindFolder Traversal='%s'><m:FolderShape><t:BaseShape>Default</t:BaseShape>"
        "</m:FolderShape>%s<m:ParentFolderIds><t:DistinguishedFolderId Id='msgfolderroot'/>"
        "</m:ParentFolderIds></m:FindFolder>";
    uint64_t fid;
    assert_ok(mailbox_create_folder(e->w.m, "INBOX/Deep/Deeper", &fid));
    const char *a = ews_ask(e, find_in, "Shallow", "");
    assert_has(a, "<t:DisplayName>Inbox</t:DisplayName>");
    g_assert_null(strstr(a, "<t:DisplayName>Deeper</t:DisplayName>"));
    assert_has(a, "IncludesLastItemInRange=\"true\"");
    a = ews_ask(e, find_in, "Deep", "");
    assert_has(a, "<t:DisplayName>Deeper</t:DisplayName>");
    a = ews_ask(e, find_in, "Deep",
                "<m:Restriction><t:Contains ContainmentMode='Prefixed' "
                "ContainmentComparison='IgnoreCase'><t:FieldURI FieldURI='folder:DisplayName'/>"
                "<t:Constant Value='deep'/></t:Contains></m:Restriction>");
    assert_count(a, "<t:DisplayName>", 2);
    assert_has(a, "TotalItemsInView=\"2\"");
    a = ews_ask(e, find_in, "Deep",
                "<m:Restriction><t:IsGreaterThan><t:FieldURI FieldURI='folder:ChildFolderCount'/>"
                "<t:FieldURIOrConstant><t:Constant Value='0'/></t:FieldURIOrConstant>"
                "</t:IsGreaterThan></m:Restriction>");
    assert_has(a, "<t:DisplayName>Inbox</t:DisplayName>");
    g_assert_null(strstr(a, "<t:DisplayName>Deeper</t:DisplayName>"));
    a = ews_ask(e, find_in, "Deep",
                "<m:IndexedPageFolderView MaxEntriesReturned='3' Offset='1' "
                "BasePoint='Beginning'/>");
    assert_count(a, "<t:DisplayName>", 3);
    assert_ok(mailbox_delete_folder(e->w.m, "INBOX/Deep/Deeper"));
    a = ews_ask(e, find_in, "SoftDeleted", "");
    assert_has(a, "<t:DisplayName>Deeper</t:DisplayName>");
    assert_has(ews_ask(e, find_in, "Sideways", ""), "ErrorInvalidRequest");
}

static void test_search_folders(struct ews_world *e, gconstpointer data) {
    (void)data;
    add_mail(e, "Anna <a@x.test>", "alice@example.test", "needle one", "x", 0);
    add_mail(e, "Anna <a@x.test>", "alice@example.test", "hay", "x", 0);
    const char *a = ews_ask(
        e, "<m:CreateFolder><m:ParentFolderId><t:DistinguishedFolderId Id='searchfolders'/>"
           "</m:ParentFolderId><m:Folders><t:SearchFolder><t:DisplayName>Needles</t:DisplayName>"
           "<t:SearchParameters Traversal='Deep'><t:Restriction><t:Contains "
           "ContainmentMode='Substring' ContainmentComparison='IgnoreCase'><t:FieldURI "
           "FieldURI='item:Subject'/><t:Constant Value='needle'/></t:Contains></t:Restriction>"
           "<t:BaseFolderIds><t:DistinguishedFolderId Id='inbox'/></t:BaseFolderIds>"
           "</t:SearchParameters></t:SearchFolder></m:Folders></m:CreateFolder>");
    assert_ok_answer(a);
    g_autofree char *id = value_after(a, "<t:FolderId Id=\"", 0);
    a = ews_ask(e,
                "<m:GetFolder><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape>"
                "</m:FolderShape><m:FolderIds><t:FolderId Id='%s'/></m:FolderIds></m:GetFolder>",
                id);
    assert_has(a, "<t:SearchFolder>"); // MS-OXWSFOLD_R3302
    assert_has(a, "<t:SearchParameters Traversal=\"Deep\">");
    assert_has(a, "<t:FieldURI FieldURI=\"item:Subject\"/><t:Constant Value=\"needle\"/>");
    g_autofree char *request =
        g_strdup_printf("<m:FindItem Traversal='Shallow'>" SHAPE "<m:ParentFolderIds>"
                        "<t:FolderId Id='%s'/></m:ParentFolderIds></m:FindItem>",
                        id);
    for (unsigned i = 0; i < 500; i++) { // found in the background
        if (strstr(ews_ask(e, "%s", request), "needle one"))
            break;
        g_usleep(2000);
    }
    assert_subjects(e->answer, "needle one");
    // The item's own folder is the one it lies in.
    g_autofree char *item = value_after(e->answer, "<t:ItemId Id=\"", 0);
    a = find(e, "", INBOX);
    assert_has(a, item);
}

void add_find_tests(void) {
    EWS_TEST("/find/pages", test_pages);
    EWS_TEST("/find/restrictions", test_restrictions);
    EWS_TEST("/find/bad-restrictions", test_bad_restrictions);
    EWS_TEST("/find/query", test_query);
    EWS_TEST("/find/groups", test_groups);
    EWS_TEST("/find/folders", test_find_folder);
    EWS_TEST("/find/search-folders", test_search_folders);
}
