// Autodiscover ([MS-OXDSCLI]): asks with X-MapiHttpCapability for the URLs of both endpoints and
// for the user's X.500 name.
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#include "probe/probe_internal.h"

static const char request[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
    "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/"
    "requestschema/2006\"><Request><EMailAddress>%s</EMailAddress><AcceptableResponseSchema>"
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
    "</AcceptableResponseSchema></Request></Autodiscover>";

// The text of the first element below `node` on a path of names ("MailStore/InternalUrl").
static const char *text_at(struct probe *p, xmlNode *node, const char *path) {
    size_t len = strcspn(path, "/");
    for (xmlNode *child = node->children; child; child = child->next) {
        if (child->type != XML_ELEMENT_NODE || strlen((char *)child->name) != len ||
            strncmp((char *)child->name, path, len) != 0)
            continue;
        if (path[len] == '/')
            return text_at(p, child, path + len + 1);
        xmlChar *text = xmlNodeGetContent(child);
        const char *copy = arena_strdup(p->arena, (char *)text);
        xmlFree(text);
        return copy;
    }
    return NULL;
}

static const char *first_of(struct probe *p, xmlNode *node, const char *a, const char *b) {
    const char *text = text_at(p, node, a);
    return text ? text : text_at(p, node, b);
}

// Looks at every element; answers of servers are shallow, and a limit holds for others.
static void look(struct probe *p, xmlNode *node, unsigned depth) {
    for (; node && depth < 32; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        xmlChar *type = xmlGetNoNsProp(node, (const xmlChar *)"Type");
        if (type && g_ascii_strcasecmp((char *)type, "mapiHttp") == 0) {
            p->emsmdb_url = first_of(p, node, "MailStore/ExternalUrl", "MailStore/InternalUrl");
            p->nspi_url = first_of(p, node, "AddressBook/ExternalUrl", "AddressBook/InternalUrl");
        }
        xmlFree(type);
        if (strcmp((char *)node->name, "LegacyDN") == 0 && !p->dn)
            p->dn = text_at(p, node->parent, "LegacyDN");
        look(p, node->children, depth + 1);
    }
}

static bool read_answer(struct probe *p, const struct reply *r) {
    xmlDoc *doc = xmlReadMemory((const char *)r->body, (int)MIN(r->len, 1 << 20), "answer.xml",
                                NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!doc)
        return false;
    look(p, xmlDocGetRootElement(doc), 0);
    xmlFreeDoc(doc);
    return true;
}

static bool ask(struct probe *p, const char *url) {
    static const char *const fields[] = {"Content-Type: text/xml; charset=utf-8",
                                         "X-MapiHttpCapability: 1", NULL};
    g_autofree char *escaped = g_markup_escape_text(p->address, -1);
    const char *body = arena_printf(p->arena, request, escaped);
    struct reply r;
    http_post(p, url, fields, body, strlen(body), true, &r);
    bool is_asked =
        probe_step(p, r.status == 401, "Autodiscover wants a login", "%s: %s (HTTP %ld)", url,
                   r.error ? r.error : "no 401 without one", r.status);
    reply_clear(&r);
    if (!is_asked)
        return false;
    http_post(p, url, fields, body, strlen(body), false, &r);
    bool is_ok = probe_step(p, r.status == 200 && read_answer(p, &r), "Autodiscover answers",
                            "%s: HTTP %ld %s", url, r.status,
                            r.error           ? r.error
                            : r.status == 401 ? "(is the password right?)"
                                              : "");
    reply_clear(&r);
    return is_ok && probe_step(p, p->emsmdb_url && p->nspi_url && p->dn,
                               "Autodiscover tells the endpoints and the user's name",
                               "mailbox %s, address book %s, LegacyDN %s",
                               p->emsmdb_url ? p->emsmdb_url : "none",
                               p->nspi_url ? p->nspi_url : "none", p->dn ? p->dn : "none");
}

bool discover(struct probe *p) {
    return ask(p, arena_printf(p->arena, "%s/autodiscover/autodiscover.xml", p->base));
}
