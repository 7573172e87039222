// The schema's tables: order, versions, the served documents, and that the operations' answers are
// what the schema says.
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>
#include <string.h>

#include "base/test.h"
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

static char *write_document(const char *folder, const char *name, enum ews_document document) {
    g_autoptr(GString) text = g_string_new(NULL);
    char *path = g_build_filename(folder, name, NULL);
    ews_schema_write(document, text);
    // Nobody gives a place for the xml: attributes, which every reader but libxml2 knows.
    g_string_replace(text, "namespace=\"http://www.w3.org/XML/1998/namespace\"/>",
                     "namespace=\"http://www.w3.org/XML/1998/namespace\" "
                     "schemaLocation=\"xml.xsd\"/>",
                     0);
    g_assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
    return path;
}

static void test_documents(void) {
    static const char xml_xsd[] = "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
                                  "targetNamespace=\"http://www.w3.org/XML/1998/namespace\">"
                                  "<xs:attribute name=\"lang\" type=\"xs:language\"/></xs:schema>";
    char *folder = test_folder();
    g_autofree char *wsdl = write_document(folder, "Services.wsdl", EWS_SERVICES_WSDL);
    g_autofree char *messages = write_document(folder, "messages.xsd", EWS_MESSAGES_XSD);
    g_autofree char *types = write_document(folder, "types.xsd", EWS_TYPES_XSD);
    g_autofree char *xml = g_build_filename(folder, "xml.xsd", NULL);
    g_assert_true(g_file_set_contents(xml, xml_xsd, -1, NULL));
    xmlDocPtr doc = xmlReadFile(wsdl, NULL, XML_PARSE_NONET);
    g_assert_nonnull(doc);
    g_assert_cmpstr((const char *)xmlDocGetRootElement(doc)->name, ==, "definitions");
    xmlFreeDoc(doc);
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(messages);
    xmlSchemaPtr schema = xmlSchemaParse(parser);
    g_assert_nonnull(schema);
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(parser);
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

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ews/schema/places", test_places);
    g_test_add_func("/ews/schema/versions", test_versions);
    g_test_add_func("/ews/schema/documents", test_documents);
    g_test_add_func("/ews/schema/answers", test_answers);
    int result = g_test_run();
    xmlSchemaCleanupTypes();
    xmlCleanupParser();
    return result;
}
