// For tests of operations about settings and people: users, an EWS service, requests and answers.
#pragma once

#include "mailbox/mailbox_fixture.h"
#include "protocol/ews/ews.h"
#include "protocol/ews/schema_fixture.h"

struct ews_world {
    struct world world;
    struct ews_service *service;
    xmlSchemaPtr schema;
    char *answer; // the last one
    bool any;     // answers are not checked
};

static inline void ews_world_setup(struct ews_world *e, gconstpointer data) {
    world_setup(&e->world, data);
    struct ews_options options = {.mailboxes = e->world.service, .hostname = "mail.example.test"};
    assert_ok(ews_service_new(&options, &e->service));
    e->schema = schema_load();
}

static inline void ews_world_teardown(struct ews_world *e, gconstpointer data) {
    ews_service_free(e->service);
    xmlSchemaFree(e->schema);
    g_free(e->answer);
    world_teardown(&e->world, data);
}

// Sends a request (the operation's element; "m:" and "t:" are known) as a user and gives the
// answer, which must be valid by the schema.
static inline const char *ews_ask_as(struct ews_world *e, const struct guid *who,
                                     const char *address, const char *version,
                                     const char *request) {
    g_autofree char *body =
        g_strdup_printf("<?xml version=\"1.0\"?><soap:Envelope"
                        " xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\""
                        " xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\""
                        " xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\">"
                        "<soap:Header><t:RequestServerVersion Version=\"%s\"/></soap:Header>"
                        "<soap:Body>%s</soap:Body></soap:Envelope>",
                        version, request);
    struct principal *p = world_principal(who, address);
    GBytes *bytes;
    unsigned status;
    ews_run(e->service, p, body, strlen(body), &bytes, &status);
    principal_unref(p);
    gsize len;
    const char *text = g_bytes_get_data(bytes, &len);
    g_free(e->answer);
    e->answer = g_strndup(text, len);
    g_bytes_unref(bytes);
    if (!e->any && !schema_is_valid(e->schema, e->answer))
        g_error("not valid: %s\n%s", request, e->answer);
    return e->answer;
}

static inline const char *ews_ask(struct ews_world *e, const char *request) {
    return ews_ask_as(e, &e->world.alice, "alice@example.test", "Exchange2016", request);
}

#define assert_says(answer, text)                                                                  \
    do {                                                                                           \
        const char *answer_ = (answer);                                                            \
        if (!strstr(answer_, (text)))                                                              \
            g_error("%s:%d: no %s in %s", __FILE__, __LINE__, (text), answer_);                    \
    } while (0)
#define assert_silent(answer, text)                                                                \
    do {                                                                                           \
        const char *answer_ = (answer);                                                            \
        if (strstr(answer_, (text)))                                                               \
            g_error("%s:%d: %s in %s", __FILE__, __LINE__, (text), answer_);                       \
    } while (0)

#define EWS_TEST(path, function)                                                                   \
    g_test_add(path, struct ews_world, NULL, ews_world_setup, function, ews_world_teardown)
