// EWS without HTTP on a store in a temporary folder: two users, and what they send is caught.
#pragma once

#include <string.h>

#include "base/test.h"
#include "directory/directory.h"
#include "mailbox/outbox.h"
#include "protocol/ews/ews_internal.h"
#include "protocol/ews/schema_fixture.h"
#include "store/store.h"

#define EWS_FIXTURE_VERSION "Exchange2016"

struct ews_fixture {
    char *dir;
    struct directory *directory;
    struct store *store;
    struct mailbox_service *mailboxes;
    struct ews_service *service;
    struct principal *alice, *bob;
    const char *version; // of requests
    const char *header;  // more header elements; NULL
    GPtrArray *sent;     // "recipients\nMIME" of each message
    struct arena *arena; // of answers
    unsigned status;     // of the last answer
};

static inline enum ec ews_fixture_submit(void *ctx, const struct mailbox_outgoing *m) {
    struct ews_fixture *f = ctx;
    GString *text = g_string_new(m->sender);
    for (unsigned i = 0; i < m->n_recipients; i++)
        g_string_append_printf(text, " %s", m->recipients[i].address);
    if (m->n_recipients == 0)
        g_string_append_printf(text, " %s", m->recipient);
    gsize len;
    const char *data = g_bytes_get_data(m->mime, &len);
    g_string_append_c(text, '\n');
    g_string_append_len(text, data, (gssize)len);
    g_ptr_array_add(f->sent, g_string_free(text, FALSE));
    return EC_OK;
}

static inline struct principal *ews_fixture_user(struct ews_fixture *f, const char *address,
                                                 const char *name) {
    struct directory_object user = {.kind = DIRECTORY_USER,
                                    .address = address,
                                    .display_name = name,
                                    .has_mailbox = true,
                                    .protocols = DIRECTORY_ALL_PROTOCOLS};
    assert_ok(directory_add(f->directory, &user));
    struct mbox_new spec = {user.guid, address, name, "en"};
    assert_ok(store_create_mailbox(f->store, &spec));
    struct principal *p = g_new0(struct principal, 1);
    p->refs = 1;
    p->guid = user.guid;
    p->address = g_strdup(address);
    p->display_name = g_strdup(name);
    return p;
}

static inline void ews_fixture_setup(struct ews_fixture *f, gconstpointer data) {
    f->dir = test_folder();
    f->arena = arena_new();
    f->sent = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = g_build_filename(f->dir, "directory.db", NULL);
    g_autofree char *store = g_build_filename(f->dir, "store", NULL);
    assert_ok(directory_open(path, &f->directory));
    assert_ok(directory_domain_add(f->directory, "example.test"));
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(store, &options, &f->store));
    assert_ok(mailbox_service_new(f->store, f->directory, &f->mailboxes));
    mailbox_service_set_outbox(f->mailboxes, ews_fixture_submit, f);
    f->alice = ews_fixture_user(f, "alice@example.test", "Alice Adams");
    f->bob = ews_fixture_user(f, "bob@example.test", "Bob Brown");
    struct ews_options o = {.mailboxes = f->mailboxes, .hostname = "mail.example.test"};
    assert_ok(ews_service_new(&o, &f->service));
    f->version = EWS_FIXTURE_VERSION;
}

static inline void ews_fixture_teardown(struct ews_fixture *f, gconstpointer data) {
    ews_service_free(f->service);
    mailbox_service_free(f->mailboxes);
    store_close(f->store);
    directory_close(f->directory);
    principal_unref(f->alice);
    principal_unref(f->bob);
    g_ptr_array_unref(f->sent);
    arena_free(f->arena);
    test_folder_remove(f->dir);
}

#define EWS_TEST(path, function)                                                                   \
    g_test_add(path, struct ews_fixture, NULL, ews_fixture_setup, function, ews_fixture_teardown)

// The answer to any bytes; it has to be an envelope that is valid by the schema that is served.
static inline const char *ews_send(struct ews_fixture *f, struct principal *who, const char *bytes,
                                   size_t len) {
    g_autoptr(GBytes) answer = NULL;
    struct ews_node *root;
    const char *error = NULL;
    gsize n;
    ews_run(f->service, who, bytes, len, &answer, &f->status);
    const char *data = g_bytes_get_data(answer, &n);
    char *text = arena_strndup(f->arena, data, n);
    // The declaration is no element of the tree.
    if (ews_node_parse(f->arena, data, n, &root, &error) != EC_OK)
        g_error("the answer is not well-formed: %s\n%s", error, text);
    static xmlSchemaPtr schema;
    if (!schema)
        schema = schema_load();
    if (!schema_is_valid(schema, text))
        g_error("the answer is not valid:\n%s\nto\n%.*s", text, (int)MIN(len, 4000), bytes);
    return text;
}

// The answer to an operation's element.
static inline const char *ews_ask(struct ews_fixture *f, struct principal *who, const char *body) {
    g_autofree char *request =
        g_strdup_printf("<?xml version=\"1.0\" encoding=\"utf-8\"?>"
                        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\""
                        " xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\""
                        " xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\">"
                        "<soap:Header><t:RequestServerVersion Version=\"%s\"/>%s</soap:Header>"
                        "<soap:Body>%s</soap:Body></soap:Envelope>",
                        f->version, f->header ? f->header : "", body);
    return ews_send(f, who, request, strlen(request));
}

// Fails unless the answer has the text.
#define assert_has(answer, text)                                                                   \
    do {                                                                                           \
        const char *has_ = (answer);                                                               \
        if (!strstr(has_, text))                                                                   \
            g_error("%s:%d: '%s' is not in\n%s", __FILE__, __LINE__, text, has_);                  \
    } while (0)
#define assert_has_not(answer, text)                                                               \
    do {                                                                                           \
        const char *has_ = (answer);                                                               \
        if (strstr(has_, text))                                                                    \
            g_error("%s:%d: '%s' is in\n%s", __FILE__, __LINE__, text, has_);                      \
    } while (0)

// What stands after `start` up to `end`; in the fixture's arena.
static inline const char *ews_cut(struct ews_fixture *f, const char *text, const char *start,
                                  const char *end) {
    const char *from = strstr(text, start);
    if (!from)
        g_error("'%s' is not in\n%s", start, text);
    from += strlen(start);
    const char *to = strstr(from, end);
    g_assert_nonnull(to);
    return arena_strndup(f->arena, from, (size_t)(to - from));
}

// The first t:ItemId of an answer as an element.
static inline const char *ews_item_of(struct ews_fixture *f, const char *answer) {
    return arena_printf(f->arena, "<t:ItemId %s/>", ews_cut(f, answer, "<t:ItemId ", "/>"));
}

// Creates a message in Drafts (or by `attributes`); gives its t:ItemId.
static inline const char *ews_make(struct ews_fixture *f, struct principal *who, const char *item) {
    g_autofree char *body =
        g_strdup_printf("<m:CreateItem MessageDisposition=\"SaveOnly\"><m:Items>%s</m:Items>"
                        "</m:CreateItem>",
                        item);
    const char *answer = ews_ask(f, who, body);
    assert_has(answer, "ResponseClass=\"Success\"");
    return ews_item_of(f, answer);
}

// GetItem with a base shape and more properties.
static inline const char *ews_get(struct ews_fixture *f, struct principal *who, const char *id,
                                  const char *base, const char *more) {
    g_autofree char *body =
        g_strdup_printf("<m:GetItem><m:ItemShape><t:BaseShape>%s</t:BaseShape>%s</m:ItemShape>"
                        "<m:ItemIds>%s</m:ItemIds></m:GetItem>",
                        base, more ? more : "", id);
    return ews_ask(f, who, body);
}
