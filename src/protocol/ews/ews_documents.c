// The documents that describe the service, and photos by GET.
#include "protocol/ews/ews_documents.h"

#include "mailbox/photo.h"
#include "protocol/ews/ews_internal.h"
#include "protocol/ews/schema.h"

static enum http_next serve(struct http_request *r, enum ews_document document) {
    g_autoptr(GString) text = g_string_sized_new(400 * 1024);
    ews_schema_write(document, text);
    http_set_header(r, "Content-Type", "text/xml; charset=utf-8");
    http_set_header(r, "Cache-Control", "private, max-age=3600");
    http_write(r, text->str, text->len);
    return HTTP_DONE;
}

enum http_next ews_serve_wsdl(struct http_request *r, void *service) {
    (void)service;
    return serve(r, EWS_SERVICES_WSDL);
}

enum http_next ews_serve_messages(struct http_request *r, void *service) {
    (void)service;
    return serve(r, EWS_MESSAGES_XSD);
}

enum http_next ews_serve_types(struct http_request *r, void *service) {
    (void)service;
    return serve(r, EWS_TYPES_XSD);
}

enum http_next ews_serve_photo(struct http_request *r, void *service) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_service *mailboxes = ews_service_mailboxes(service);
    const char *email = http_argument(r, "email"), *known = http_header(r, "If-None-Match");
    struct directory_object *object;
    struct photo photo;
    if (!email)
        return http_fail(r, 400, "The argument email is missing.");
    if (directory_find_address(mailbox_service_directory(mailboxes), arena, email, &object) !=
            EC_OK ||
        mailbox_get_photo(mailboxes, &object->guid, &photo) != EC_OK)
        return http_fail(r, 404, "There is no photo.");
    const char *tag = arena_printf(arena, "\"%" G_GINT64_MODIFIER "x\"", photo.revision);
    http_set_header(r, "ETag", tag);
    http_set_header(r, "Cache-Control", "private, max-age=3600");
    if (g_strcmp0(known, tag) == 0) {
        http_set_status(r, 304);
    } else {
        http_set_header(r, "Content-Type", photo.type);
        http_write_bytes(r, photo.bytes);
    }
    g_bytes_unref(photo.bytes);
    return HTTP_DONE;
}
