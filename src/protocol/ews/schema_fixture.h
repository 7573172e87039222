// For tests: whether an answer is valid by the schema that is served.
#pragma once

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>

#include "base/test.h"
#include "protocol/ews/schema.h"

static inline char *schema_write(const char *folder, const char *name, enum ews_document document) {
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

static inline xmlSchemaPtr schema_load(void) {
    static const char xml_xsd[] = "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
                                  "targetNamespace=\"http://www.w3.org/XML/1998/namespace\">"
                                  "<xs:attribute name=\"lang\" type=\"xs:language\"/></xs:schema>";
    char *folder = test_folder();
    g_autofree char *messages = schema_write(folder, "messages.xsd", EWS_MESSAGES_XSD);
    g_autofree char *types = schema_write(folder, "types.xsd", EWS_TYPES_XSD);
    g_autofree char *xml = g_build_filename(folder, "xml.xsd", NULL);
    g_assert_true(g_file_set_contents(xml, xml_xsd, -1, NULL));
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(messages);
    xmlSchemaPtr schema = xmlSchemaParse(parser);
    g_assert_nonnull(schema);
    xmlSchemaFreeParserCtxt(parser);
    test_folder_remove(folder);
    return schema;
}

// The first element inside the SOAP body.
static inline xmlNodePtr schema_body(xmlDocPtr doc) {
    for (xmlNodePtr n = xmlDocGetRootElement(doc)->children; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE && xmlStrEqual(n->name, BAD_CAST "Body"))
            for (n = n->children; n; n = n->next)
                if (n->type == XML_ELEMENT_NODE)
                    return n;
    return NULL;
}

// Whether the answer (an envelope) is valid; a fault is. What is wrong goes to stderr.
static inline bool schema_is_valid(xmlSchemaPtr schema, const char *answer) {
    xmlDocPtr doc = xmlReadMemory(answer, (int)strlen(answer), NULL, NULL, XML_PARSE_NONET);
    if (!doc)
        return false;
    xmlNodePtr body = schema_body(doc);
    bool is_valid = body && xmlStrEqual(body->name, BAD_CAST "Fault");
    if (body && !is_valid) {
        xmlSchemaValidCtxtPtr valid = xmlSchemaNewValidCtxt(schema);
        is_valid = xmlSchemaValidateOneElement(valid, body) == 0;
        xmlSchemaFreeValidCtxt(valid);
    }
    xmlFreeDoc(doc);
    return is_valid;
}
