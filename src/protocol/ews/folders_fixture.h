// Requests to EWS without HTTP, for the tests of folders, finding, synchronization, notifications
// and conversations: bodies in, the text of the answer out.
#pragma once

#include "mailbox/mailbox_fixture.h"
#include "protocol/ews/ews.h"

struct ews_world {
    struct world w; // first
    struct ews_service *s;
    struct principal *who;
    char *answer; // the last one
    unsigned status;
};

static inline void ews_world_setup(struct ews_world *e, gconstpointer data) {
    world_setup(&e->w, data);
    struct ews_options options = {
        .mailboxes = e->w.service, .hostname = "mail.example.test", .allows_push = true};
    assert_ok(ews_service_new(&options, &e->s));
    e->who = world_principal(&e->w.alice, "alice@example.test");
}

static inline void ews_world_teardown(struct ews_world *e, gconstpointer data) {
    ews_service_free(e->s);
    principal_unref(e->who);
    g_free(e->answer);
    world_teardown(&e->w, data);
}

// `body`: what stands in soap:Body, with m: and t: as in answers.
static inline const char *ews_ask_as(struct ews_world *e, struct principal *who,
                                     const char *version, const char *body) {
    g_autofree char *text =
        g_strdup_printf("<?xml version='1.0'?><s:Envelope "
                        "xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' "
                        "xmlns:m='http://schemas.microsoft.com/exchange/services/2006/messages' "
                        "xmlns:t='http://schemas.microsoft.com/exchange/services/2006/types'>"
                        "<s:Header><t:RequestServerVersion Version='%s'/></s:Header>"
                        "<s:Body>%s</s:Body></s:Envelope>",
                        version, body);
    GBytes *bytes = NULL;
    ews_run(e->s, who, text, strlen(text), &bytes, &e->status);
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    g_free(e->answer);
    e->answer = g_strndup(data, len);
    g_bytes_unref(bytes);
    return e->answer;
}

G_GNUC_PRINTF(2, 3)
static inline const char *ews_ask(struct ews_world *e, const char *format, ...) {
    va_list args;
    va_start(args, format);
    g_autofree char *body = g_strdup_vprintf(format, args);
    va_end(args);
    return ews_ask_as(e, e->who, "Exchange2013_SP1", body);
}

static inline unsigned count_of(const char *text, const char *part) {
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

// The answer's n-th attribute or text after `before` (`<t:FolderId Id="`, "<m:SyncState>"), up to
// the quotation mark or tag that ends it. g_free.
static inline char *value_after(const char *text, const char *before, unsigned n) {
    const char *at = text;
    for (unsigned i = 0; i <= n; i++) {
        at = strstr(at, before);
        if (!at)
            g_error("no %s (%u) in %s", before, n, text);
        at += strlen(before);
    }
    return g_strndup(at, strcspn(at, "\"<"));
}

#define assert_has(text, part)                                                                     \
    do {                                                                                           \
        const char *text_ = (text), *part_ = (part);                                               \
        if (!strstr(text_, part_))                                                                 \
            g_error("%s:%d: no %s in %s", __FILE__, __LINE__, part_, text_);                       \
    } while (0)
#define assert_count(text, part, n)                                                                \
    do {                                                                                           \
        const char *text_ = (text), *part_ = (part);                                               \
        if (count_of(text_, part_) != (n))                                                         \
            g_error("%s:%d: %u times %s in %s", __FILE__, __LINE__, count_of(text_, part_), part_, \
                    text_);                                                                        \
    } while (0)
#define assert_ok_answer(text) assert_count(text, "ResponseClass=\"Error\"", 0)

#define EWS_TEST(path, function)                                                                   \
    g_test_add(path, struct ews_world, NULL, ews_world_setup, function, ews_world_teardown)

// The parts of the test program (folders_test.c, ...).
void add_find_tests(void);
void add_sync_tests(void);
void add_notify_tests(void);
void add_conversation_tests(void);
