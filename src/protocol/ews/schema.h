// The schema of EWS as tables: what the messages and types contain, in which order, since which
// version ([MS-OXWSCDATA] 2.2 and the other MS-OXWS* documents). Made from schema.txt by
// tools/ews_schema.py.
//
// The served documents (Services.wsdl, messages.xsd, types.xsd) are written from the same tables
// that decide what a client is sent, so that they cannot differ.
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/ews/ews_internal.h"

// --- Questions about types: "t:ItemType", "m:ResponseMessageType" ---

// Where an element stands among those of its type and the types this extends, from 0; elements that
// may come in any order have the same place. -1: the type has no such element.
int ews_schema_place(const char *type, const char *element);
// Whether clients of a version know this element of the type; false when the type has none.
bool ews_schema_knows(const char *type, const char *element, enum ews_version version);
// The first version that knows the operation. False: no such operation.
bool ews_schema_operation_since(const char *operation, enum ews_version *out);
// The element of the answer to the operation ("GetItemResponse"); NULL: no such operation. Static.
const char *ews_schema_response(const char *operation);
// Whether `value` is one of the values of a simple type ("t:DistinguishedFolderIdNameType").
bool ews_schema_is_value(const char *type, const char *value);

// --- Served documents ---
enum ews_document { EWS_SERVICES_WSDL, EWS_MESSAGES_XSD, EWS_TYPES_XSD };
void ews_schema_write(enum ews_document document, GString *out);
