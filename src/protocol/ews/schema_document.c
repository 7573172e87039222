// Writes the WSDL and the XSDs that clients fetch beside Exchange.asmx, from the schema's tables.
#include <string.h>

#include "protocol/ews/schema_internal.h"

#define NS_MESSAGES "http://schemas.microsoft.com/exchange/services/2006/messages"
#define NS_TYPES "http://schemas.microsoft.com/exchange/services/2006/types"
#define NS_XSD "http://www.w3.org/2001/XMLSchema"
#define NS_XML "http://www.w3.org/XML/1998/namespace"
#define DEPTH_MAX 32 // of the tables, which are ours

// --- Pieces ---

static void indent(GString *out, unsigned depth) {
    for (unsigned i = 0; i < depth; i++)
        g_string_append(out, "  ");
}

static void attribute(GString *out, const char *name, const char *value) {
    if (!value)
        return;
    g_autofree char *escaped = g_markup_escape_text(value, -1);
    g_string_append_printf(out, " %s=\"%s\"", name, escaped);
}

// A name in our tables' prefixes: "x:" is XML Schema's.
static void named(GString *out, const char *name, const char *type) {
    if (!type)
        return;
    g_autofree char *own =
        type[0] == 'x' && type[1] == ':' ? g_strconcat("xs:", type + 2, NULL) : g_strdup(type);
    attribute(out, name, own);
}

static void occurs(GString *out, const struct ews_schema_node *n) {
    if (n->low != 1)
        g_string_append_printf(out, " minOccurs=\"%d\"", n->low);
    if (n->high < 0)
        g_string_append(out, " maxOccurs=\"unbounded\"");
    else if (n->high != 1)
        g_string_append_printf(out, " maxOccurs=\"%d\"", n->high);
}

static void write_nodes(GString *out, const struct ews_schema_node *from,
                        const struct ews_schema_node *to, unsigned depth);

// Ends the tag that is open in `out`, with what is inside the node.
static void inside(GString *out, const struct ews_schema_node *n, const char *tag, unsigned depth) {
    const struct ews_schema_node *end = ews_schema_end(n);
    if (end == n + 1) {
        g_string_append(out, "/>\n");
        return;
    }
    g_string_append(out, ">\n");
    write_nodes(out, n + 1, end, depth + 1);
    indent(out, depth);
    g_string_append_printf(out, "</xs:%s>\n", tag);
}

// --- Kinds of nodes ---

static void write_complex(GString *out, const struct ews_schema_node *n, unsigned depth) {
    attribute(out, "name", n->name);
    if (n->flags & XS_ABSTRACT)
        attribute(out, "abstract", "true");
    if (!n->type) {
        inside(out, n, "complexType", depth);
        return;
    }
    const char *content = n->flags & XS_TEXT ? "simpleContent" : "complexContent";
    const char *how = n->flags & XS_RESTRICTS ? "restriction" : "extension";
    g_string_append_printf(out, "><xs:%s><xs:%s", content, how);
    named(out, "base", n->type);
    inside(out, n, how, depth);
    indent(out, depth);
    g_string_append_printf(out, "</xs:%s></xs:complexType>\n", content);
}

static void write_simple(GString *out, const struct ews_schema_node *n, unsigned depth) {
    bool is_list = n->flags & XS_LIST, is_union = n->flags & XS_UNION;
    const char *how = is_list ? "list" : is_union ? "union" : "restriction";
    attribute(out, "name", n->name);
    g_string_append_printf(out, "><xs:%s", how);
    named(out, is_list ? "itemType" : is_union ? "memberTypes" : "base", n->type);
    inside(out, n, how, depth);
    indent(out, depth);
    g_string_append(out, "</xs:simpleType>\n");
}

static void write_element(GString *out, const struct ews_schema_node *n, unsigned depth) {
    attribute(out, "name", n->name);
    named(out, "type", n->type);
    if (n->depth > 1) {
        occurs(out, n);
        attribute(out, "default", n->extra);
    } else {
        named(out, "substitutionGroup", n->extra);
    }
    if (n->flags & XS_NILLABLE)
        attribute(out, "nillable", "true");
    if (n->flags & XS_ABSTRACT)
        attribute(out, "abstract", "true");
    inside(out, n, "element", depth);
}

static void write_attribute(GString *out, const struct ews_schema_node *n, unsigned depth) {
    if (strchr(n->name, ':')) {
        attribute(out, "ref", n->name);
    } else {
        attribute(out, "name", n->name);
        named(out, "type", n->type);
        attribute(out, "default", n->extra);
    }
    if (n->flags & XS_REQUIRED)
        attribute(out, "use", "required");
    inside(out, n, "attribute", depth);
}

static const char *const tags[] = {
    [XS_COMPLEX] = "complexType",
    [XS_SIMPLE] = "simpleType",
    [XS_ELEMENT] = "element",
    [XS_REF] = "element",
    [XS_GROUP] = "group",
    [XS_GROUP_REF] = "group",
    [XS_SEQUENCE] = "sequence",
    [XS_CHOICE] = "choice",
    [XS_ALL] = "all",
    [XS_ANY] = "any",
    [XS_ATTRIBUTE] = "attribute",
    [XS_ATTRIBUTES] = "attributeGroup",
    [XS_ATTRIBUTES_REF] = "attributeGroup",
    [XS_ANY_ATTRIBUTE] = "anyAttribute",
    [XS_VALUE] = "enumeration",
};

static void write_node(GString *out, const struct ews_schema_node *n, unsigned depth) {
    const char *tag = n->kind == XS_FACET ? n->name : tags[n->kind];
    indent(out, depth);
    g_string_append_printf(out, "<xs:%s", tag);
    switch ((enum ews_schema_kind)n->kind) {
    case XS_COMPLEX:
        write_complex(out, n, depth);
        return;
    case XS_SIMPLE:
        write_simple(out, n, depth);
        return;
    case XS_ELEMENT:
        write_element(out, n, depth);
        return;
    case XS_ATTRIBUTE:
        write_attribute(out, n, depth);
        return;
    case XS_REF:
    case XS_GROUP_REF:
    case XS_ATTRIBUTES_REF:
        named(out, "ref", n->type);
        occurs(out, n);
        break;
    case XS_ANY:
        attribute(out, "processContents", n->name);
        attribute(out, "namespace", n->type);
        occurs(out, n);
        break;
    case XS_ANY_ATTRIBUTE:
        attribute(out, "namespace", n->type);
        break;
    case XS_VALUE:
        attribute(out, "value", n->name);
        break;
    case XS_FACET:
        attribute(out, "value", n->extra);
        break;
    default: // groups and particles
        attribute(out, "name", n->name);
        occurs(out, n);
    }
    inside(out, n, tag, depth);
}

static void write_nodes(GString *out, const struct ews_schema_node *from,
                        const struct ews_schema_node *to, unsigned depth) {
    g_assert(depth < DEPTH_MAX);
    for (const struct ews_schema_node *n = from; n < to; n = ews_schema_end(n))
        write_node(out, n, depth);
}

// --- The documents ---

static const struct ews_schema_node *namespace_node(const char *prefix) {
    const struct ews_schema_node *end = ews_schema_nodes + ews_schema_n_nodes;
    for (const struct ews_schema_node *n = ews_schema_nodes; n < end; n = ews_schema_end(n))
        if (strcmp(n->name, prefix) == 0)
            return n;
    g_assert_not_reached();
}

static void write_xsd(GString *out, const char *prefix) {
    bool is_types = *prefix == 't';
    g_string_append(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<xs:schema");
    attribute(out, "xmlns:xs", NS_XSD);
    attribute(out, "xmlns:t", NS_TYPES);
    if (!is_types)
        attribute(out, "xmlns:m", NS_MESSAGES);
    attribute(out, "targetNamespace", is_types ? NS_TYPES : NS_MESSAGES);
    attribute(out, "elementFormDefault", "qualified");
    attribute(out, "version", "Exchange2016");
    g_string_append(out, ">\n  <xs:import");
    attribute(out, "namespace", is_types ? NS_XML : NS_TYPES);
    if (!is_types)
        attribute(out, "schemaLocation", "types.xsd");
    g_string_append(out, "/>\n");
    const struct ews_schema_node *root = namespace_node(prefix);
    write_nodes(out, root + 1, ews_schema_end(root), 1);
    g_string_append(out, "</xs:schema>\n");
}

static const struct {
    enum ews_schema_header header;
    const char *part, *element;
} headers[] = {
    {EWS_HEADER_IMPERSONATION, "Impersonation", "ExchangeImpersonation"},
    {EWS_HEADER_CULTURE, "MailboxCulture", "MailboxCulture"},
    {EWS_HEADER_VERSION, "RequestVersion", "RequestServerVersion"},
    {EWS_HEADER_TIME_ZONE, "TimeZoneContext", "TimeZoneContext"},
    {EWS_HEADER_PRECISION, "DateTimePrecision", "DateTimePrecision"},
    {EWS_HEADER_ROLE, "ManagementRole", "ManagementRole"},
    {EWS_HEADER_CONTEXT, "S2SAuth", "SerializedSecurityContext"},
};

static void wsdl_messages(GString *out, const struct ews_schema_operation *o) {
    g_string_append_printf(out,
                           "  <wsdl:message name=\"%sSoapIn\">\n"
                           "    <wsdl:part name=\"request\" element=\"tns:%s\"/>\n",
                           o->name, o->request);
    for (unsigned i = 0; i < G_N_ELEMENTS(headers); i++)
        if (o->headers & headers[i].header)
            g_string_append_printf(out, "    <wsdl:part name=\"%s\" element=\"t:%s\"/>\n",
                                   headers[i].part, headers[i].element);
    g_string_append_printf(
        out,
        "  </wsdl:message>\n  <wsdl:message name=\"%sSoapOut\">\n"
        "    <wsdl:part name=\"%sResult\" element=\"tns:%s\"/>\n"
        "    <wsdl:part name=\"ServerVersion\" element=\"t:ServerVersionInfo\"/>\n"
        "  </wsdl:message>\n",
        o->name, o->name, o->response);
}

static void wsdl_port(GString *out, const struct ews_schema_operation *o) {
    g_string_append_printf(out,
                           "    <wsdl:operation name=\"%s\">\n"
                           "      <wsdl:input message=\"tns:%sSoapIn\"/>\n"
                           "      <wsdl:output message=\"tns:%sSoapOut\"/>\n"
                           "    </wsdl:operation>\n",
                           o->name, o->name, o->name);
}

static void wsdl_binding(GString *out, const struct ews_schema_operation *o) {
    g_string_append_printf(out,
                           "    <wsdl:operation name=\"%s\">\n"
                           "      <soap:operation soapAction=\"" NS_MESSAGES "/%s\"/>\n"
                           "      <wsdl:input>\n",
                           o->name, o->action);
    for (unsigned i = 0; i < G_N_ELEMENTS(headers); i++)
        if (o->headers & headers[i].header)
            g_string_append_printf(out,
                                   "        <soap:header message=\"tns:%sSoapIn\" part=\"%s\" "
                                   "use=\"literal\"/>\n",
                                   o->name, headers[i].part);
    g_string_append_printf(
        out,
        "        <soap:body parts=\"request\" use=\"literal\"/>\n"
        "      </wsdl:input>\n      <wsdl:output>\n"
        "        <soap:body parts=\"%sResult\" use=\"literal\"/>\n"
        "        <soap:header message=\"tns:%sSoapOut\" part=\"ServerVersion\" use=\"literal\"/>\n"
        "      </wsdl:output>\n    </wsdl:operation>\n",
        o->name, o->name);
}

// There is no service element, as Exchange has none: clients put in the address they came from.
static void write_wsdl(GString *out) {
    static void (*const parts[])(GString *, const struct ews_schema_operation *) = {
        wsdl_messages, wsdl_port, wsdl_binding};
    static const char *const open[] = {
        "", "  <wsdl:portType name=\"ExchangeServicePortType\">\n",
        "  <wsdl:binding name=\"ExchangeServiceBinding\" type=\"tns:ExchangeServicePortType\">\n"
        "    <soap:binding transport=\"http://schemas.xmlsoap.org/soap/http\" "
        "style=\"document\"/>\n"};
    static const char *const close[] = {"", "  </wsdl:portType>\n", "  </wsdl:binding>\n"};
    g_string_append(
        out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<wsdl:definitions"
             " xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\""
             " xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\" xmlns:xs=\"" NS_XSD "\""
             " xmlns:t=\"" NS_TYPES "\" xmlns:tns=\"" NS_MESSAGES "\""
             " targetNamespace=\"" NS_MESSAGES "\">\n"
             "  <wsdl:types>\n    <xs:schema>\n      <xs:import namespace=\"" NS_MESSAGES "\""
             " schemaLocation=\"messages.xsd\"/>\n    </xs:schema>\n  </wsdl:types>\n");
    for (unsigned part = 0; part < G_N_ELEMENTS(parts); part++) {
        g_string_append(out, open[part]);
        for (unsigned i = 0; i < ews_schema_n_operations; i++)
            parts[part](out, &ews_schema_operations[i]);
        g_string_append(out, close[part]);
    }
    g_string_append(out, "</wsdl:definitions>\n");
}

void ews_schema_write(enum ews_document document, GString *out) {
    if (document == EWS_SERVICES_WSDL)
        write_wsdl(out);
    else
        write_xsd(out, document == EWS_TYPES_XSD ? "t" : "m");
}
