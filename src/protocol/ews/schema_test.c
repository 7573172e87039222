// The schema's tables: order, versions, the served documents, and that the operations' answers are
// what the schema says.
#include "protocol/ews/schema_fixture.h"
#include "protocol/ews/schema_internal.h"

static void test_places(void) {
    g_assert_cmpint(ews_schema_place("t:ItemType", "MimeContent"), ==, 0);
    g_assert_cmpint(ews_schema_place("t:ItemType", "Subject"), <,
                    ews_schema_place("t:ItemType", "Body"));
    // What a type extends comes first.
    g_assert_cmpint(ews_schema_place("t:MessageType", "Subject"), <,
                    ews_schema_place("t:MessageType", "Sender"));
    g_assert_cmpint(ews_schema_place("t:MessageType", "Start"), ==, -1);
    g_assert_cmpint(ews_schema_place("t:NoSuchType", "Subject"), ==, -1);
    // A choice that repeats has no order.
    g_assert_cmpint(ews_schema_place("m:ArrayOfResponseMessagesType", "GetItemResponseMessage"), ==,
                    ews_schema_place("m:ArrayOfResponseMessagesType", "CreateItemResponseMessage"));
    // What stands for an abstract element, and elements of groups.
    g_assert_cmpint(ews_schema_place("t:RestrictionType", "IsEqualTo"), ==, 0);
    g_assert_cmpint(ews_schema_place("t:RecurrenceType", "NoEndRecurrence"), ==, 1);
    g_assert_cmpint(ews_schema_place("t:ArrayOfTransitionsType", "RecurringDayTransition"), ==, 0);
}

static void test_versions(void) {
    enum ews_version since;
    g_assert_true(ews_schema_knows("t:MessageType", "Subject", EWS_2007));
    g_assert_false(ews_schema_knows("t:MessageType", "ConversationId", EWS_2007_SP1));
    g_assert_true(ews_schema_knows("t:MessageType", "ConversationId", EWS_2010));
    g_assert_false(ews_schema_knows("t:ContactItemType", "Alias", EWS_2010_SP1));
    g_assert_false(ews_schema_knows("t:MessageType", "Nothing", EWS_2016));
    g_assert_true(ews_schema_operation_since("GetRooms", &since));
    g_assert_cmpint(since, ==, EWS_2010);
    g_assert_false(ews_schema_operation_since("GetRoom", &since));
    g_assert_cmpstr(ews_schema_response("GetItem"), ==, "GetItemResponse");
    g_assert_true(ews_schema_is_value("t:DistinguishedFolderIdNameType", "inbox"));
    g_assert_false(ews_schema_is_value("t:DistinguishedFolderIdNameType", "Inbox"));
}

static void test_documents(void) {
    char *folder = test_folder();
    g_autofree char *wsdl = schema_write(folder, "Services.wsdl", EWS_SERVICES_WSDL);
    xmlDocPtr doc = xmlReadFile(wsdl, NULL, XML_PARSE_NONET);
    g_assert_nonnull(doc);
    g_assert_cmpstr((const char *)xmlDocGetRootElement(doc)->name, ==, "definitions");
    xmlFreeDoc(doc);
    xmlSchemaFree(schema_load());
    test_folder_remove(folder);
}

// Whether a type is `base` or extends it.
static bool extends(const char *type, const char *base) {
    for (unsigned i = 0; type && i < 16; i++) {
        if (strcmp(type, base) == 0)
            return true;
        const struct ews_schema_node *n = ews_schema_find(type);
        type = n ? n->type : NULL;
    }
    return false;
}

static const char *element_type(const char *element) {
    g_autofree char *key = g_strconcat("m:<", element, NULL);
    const struct ews_schema_node *n = ews_schema_find(key);
    return n ? n->type : NULL;
}

// The forms of answers in operations.c are those of the schema's types.
static void test_answers(void) {
    unsigned n;
    const struct ews_operation *all = ews_operations(&n);
    for (unsigned i = 0; i < n; i++) {
        const struct ews_operation *o = &all[i];
        const char *type = element_type(o->response + 2);
        enum ews_version since;
        if (!type || !ews_schema_operation_since(o->name, &since))
            continue; // not described any more, or later by other documents
        bool has_messages = extends(type, "m:BaseResponseMessageType");
        bool is_message = extends(type, "m:ResponseMessageType");
        g_test_message("%s", o->name);
        g_assert_cmpstr(ews_schema_response(o->name), ==, o->response + 2);
        if (o->answer == EWS_ANSWER_MESSAGES) {
            g_assert_true(has_messages);
            g_assert_cmpint(ews_schema_place("m:ArrayOfResponseMessagesType", o->message + 2), >=,
                            0);
        } else if (o->answer == EWS_ANSWER_SINGLE) {
            g_assert_true(is_message);
        } else {
            g_assert_false(has_messages || is_message);
        }
    }
}

// The table of properties says of elements what the schema says: that the type has them, in this
// order, since that version.
static void test_properties(void) {
    static const struct {
        enum ews_class class;
        const char *type;
    } types[] = {{EWS_ITEM, "t:ItemType"},
                 {EWS_MESSAGE, "t:MessageType"},
                 {EWS_POST, "t:PostItemType"},
                 {EWS_CONTACT, "t:ContactItemType"},
                 {EWS_LIST, "t:DistributionListType"},
                 {EWS_TASK, "t:TaskType"},
                 {EWS_CALENDAR, "t:CalendarItemType"},
                 {EWS_MEETING, "t:MeetingMessageType"},
                 {EWS_REQUEST, "t:MeetingRequestMessageType"},
                 {EWS_RESPONSE, "t:MeetingResponseMessageType"},
                 {EWS_CANCELLATION, "t:MeetingCancellationMessageType"}};
    g_autoptr(GString) bad = g_string_new(NULL);
    unsigned n;
    const struct ews_property *all = ews_properties(&n);
    for (unsigned t = 0; t < G_N_ELEMENTS(types); t++) {
        int last = -1;
        for (unsigned i = 0; i < n; i++) {
            const struct ews_property *p = &all[i];
            enum ews_version before = p->since > EWS_2007 ? p->since - 1 : EWS_2007;
            if (!(p->classes & types[t].class) || p->since == EWS_NEVER || !p->element)
                continue;
            int place = ews_schema_place(types[t].type, p->element + 2);
            if (place < 0)
                g_string_append_printf(bad, "%s has no %s\n", types[t].type, p->element);
            else if (place < last)
                g_string_append_printf(bad, "%s: %s is too late\n", types[t].type, p->element);
            else if (!ews_schema_knows(types[t].type, p->element + 2, p->since))
                g_string_append_printf(bad, "%s: %s is not known so early\n", types[t].type,
                                       p->uri);
            else if (before < p->since && ews_schema_knows(types[t].type, p->element + 2, before))
                g_string_append_printf(bad, "%s: %s was known before\n", types[t].type, p->uri);
            last = MAX(last, place);
        }
    }
    g_assert_cmpstr(bad->str, ==, "");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ews/schema/places", test_places);
    g_test_add_func("/ews/schema/versions", test_versions);
    g_test_add_func("/ews/schema/documents", test_documents);
    g_test_add_func("/ews/schema/answers", test_answers);
    g_test_add_func("/ews/schema/properties", test_properties);
    int result = g_test_run();
    xmlSchemaCleanupTypes();
    xmlCleanupParser();
    return result;
}
