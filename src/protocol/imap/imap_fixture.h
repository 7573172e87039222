// IMAP sessions without sockets on a store in a temporary folder: for tests and fuzzers.
#pragma once

#include <string.h>

#include "base/test.h"
#include "protocol/imap/imap_session.h"

struct imap_fixture {
    char *dir;
    struct store *store;
    struct principal principal;
    struct imap_service service;
};

// A client: its session, what it sent and the server did not take yet, what it got.
struct imap_client {
    struct imap_session *session;
    GByteArray *input;
    GString *output;
    enum net_next next; // what the server asked for last
};

static inline void imap_fixture_setup(struct imap_fixture *f) {
    *f = (struct imap_fixture){.dir = test_folder()};
    f->principal = (struct principal){.refs = 1000000, .guid = guid_new()};
    f->principal.address = (char *)"alice@example.test";
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(f->dir, &options, &f->store));
    struct mbox_new spec = {f->principal.guid, "alice@example.test", "Alice Adams", "en"};
    assert_ok(store_create_mailbox(f->store, &spec));
    f->service.hostname = "imap.example.test";
    assert_ok(mailbox_service_new(f->store, NULL, &f->service.mailboxes));
}

static inline void imap_fixture_teardown(struct imap_fixture *f) {
    mailbox_service_free(f->service.mailboxes);
    store_close(f->store);
    test_folder_remove(f->dir);
}

static inline struct imap_client *imap_client_new(struct imap_fixture *f, bool logged_in) {
    struct imap_client *c = g_new0(struct imap_client, 1);
    c->session = imap_session_new(NULL, &f->service);
    c->input = g_byte_array_new();
    c->output = c->session->capture = g_string_new(NULL);
    if (logged_in)
        assert_ok(imap_log_in(c->session, &f->principal));
    return c;
}

static inline void imap_client_free(struct imap_client *c) {
    imap_session_free(c->session);
    g_byte_array_unref(c->input);
    g_string_free(c->output, TRUE);
    g_free(c);
}

// Sends bytes as a network would bring them; the session's frame cuts them into units. Gives what
// came back; valid until the next call.
static inline const char *imap_client_send(struct imap_client *c, const void *data, size_t len) {
    g_string_truncate(c->output, 0);
    g_byte_array_append(c->input, data, (guint)len);
    size_t done = 0;
    while (done < c->input->len && c->next != NET_CLOSE && c->next != NET_ABORT) {
        size_t seen = MIN(c->input->len - done, IMAP_UNIT_MAX); // the net never shows more
        ssize_t n = imap_session_frame(c->session, c->input->data + done, seen);
        if (n <= 0)
            break;
        c->next = imap_session_unit(c->session, c->input->data + done, (size_t)n);
        done += (size_t)n;
    }
    g_byte_array_remove_range(c->input, 0, (guint)done);
    return c->output->str;
}

static inline const char *imap_client_say(struct imap_client *c, const char *text) {
    return imap_client_send(c, text, strlen(text));
}

// Fails unless the answer to `text` matches `pattern` (glob: '*' and '?').
#define expect(client, text, pattern)                                                              \
    do {                                                                                           \
        const char *got_ = imap_client_say(client, text);                                          \
        if (!g_pattern_match_simple(pattern, got_))                                                \
            g_error("%s:%d: sent\n%s\ngot\n%s\nexpected\n%s", __FILE__, __LINE__, text, got_,      \
                    pattern);                                                                      \
    } while (0)
