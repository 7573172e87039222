// POP3 sessions without sockets on a store in a temporary folder: for tests and the fuzzer.
#pragma once

#include <string.h>

#include "base/test.h"
#include "mapi/special_folder.h"
#include "protocol/pop3/session.h"

#define POP3_FIXTURE_PASSWORD "secret pass"

struct pop3_fixture {
    char *dir;
    struct store *store;
    struct directory *directory;
    struct auth *auth;
    struct mailbox_service *mailboxes;
    struct pop3_drops *drops;
    struct pop3_service *service;
    struct guid alice;
};

// A client: its session, what it sent and the server did not take yet, what it got.
struct pop3_client {
    struct pop3_session *session;
    GByteArray *input;
    GString *output, *answer;
    enum pop3_next next;
};

static inline void pop3_fixture_setup(struct pop3_fixture *f) {
    static const struct auth_options options = {.plaintext_loopback = true};
    struct store_options store_options = {.is_durable = false};
    struct directory_object user = {.kind = DIRECTORY_USER,
                                    .address = "alice@example.test",
                                    .display_name = "Alice",
                                    .has_mailbox = true,
                                    .protocols = DIRECTORY_ALL_PROTOCOLS};
    struct pop3_settings settings = {
        .hostname = "pop.example.test", .has_starttls = true, .marks_read = true};
    *f = (struct pop3_fixture){.dir = test_folder()};
    g_autofree char *path = g_build_filename(f->dir, "directory.db", NULL);
    assert_ok(directory_open(path, &f->directory));
    assert_ok(directory_domain_add(f->directory, "example.test"));
    assert_ok(directory_add(f->directory, &user));
    f->alice = user.guid;
    assert_ok(auth_new(f->directory, &options, &f->auth));
    assert_ok(auth_set_password(f->auth, &f->alice, POP3_FIXTURE_PASSWORD));
    assert_ok(store_open(f->dir, &store_options, &f->store));
    struct mbox_new spec = {f->alice, "alice@example.test", "Alice", "en"};
    assert_ok(store_create_mailbox(f->store, &spec));
    assert_ok(mailbox_service_new(f->store, f->directory, &f->mailboxes));
    f->drops = pop3_drops_new();
    assert_ok(pop3_service_new(&settings, f->drops, f->mailboxes, f->auth, &f->service));
}

static inline void pop3_fixture_teardown(struct pop3_fixture *f) {
    pop3_service_free(f->service);
    pop3_drops_free(f->drops);
    mailbox_service_free(f->mailboxes);
    auth_free(f->auth);
    store_close(f->store);
    directory_close(f->directory);
    test_folder_remove(f->dir);
}

static inline struct principal *pop3_fixture_principal(struct pop3_fixture *f) {
    struct principal *p = g_new0(struct principal, 1);
    *p = (struct principal){.refs = 1,
                            .guid = f->alice,
                            .address = g_strdup("alice@example.test"),
                            .display_name = g_strdup("Alice")};
    return p;
}

// A message with the subject "message N".
static inline void pop3_fixture_add(struct pop3_fixture *f, unsigned n, const char *body) {
    g_autofree char *text = g_strdup_printf("Subject: message %u\r\n\r\n%s", n, body);
    g_autoptr(GBytes) mime = g_bytes_new(text, strlen(text));
    struct mailbox_append append = {.mime = mime};
    struct principal *p = pop3_fixture_principal(f);
    struct mailbox *m;
    uint64_t mid;
    uint32_t uid;
    assert_ok(mailbox_open_own(f->mailboxes, p, &m));
    assert_ok(mailbox_append(m, FID_INBOX, &append, &mid, &uid));
    mailbox_close(m);
    principal_unref(p);
}

static inline const char *pop3_client_send(struct pop3_client *c, const void *data, size_t len) {
    g_string_truncate(c->answer, 0);
    g_byte_array_append(c->input, data, (guint)len);
    size_t done = 0;
    while (done < c->input->len && c->next == POP3_READ) {
        size_t seen = MIN(c->input->len - done, (size_t)POP3_UNIT_MAX);
        ssize_t n = pop3_session_frame(c->session, c->input->data + done, seen);
        if (n <= 0)
            break;
        g_autofree uint8_t *unit = g_memdup2(c->input->data + done, (gsize)n); // exactly the unit
        c->next = pop3_session_unit(c->session, unit, (size_t)n);
        while (c->next == POP3_MORE)
            c->next = pop3_session_resume(c->session);
        done += (size_t)n;
    }
    g_byte_array_remove_range(c->input, 0, (guint)done);
    g_string_append_len(c->answer, c->output->str, (gssize)c->output->len);
    g_string_truncate(c->output, 0);
    return c->answer->str;
}

static inline const char *pop3_client_say(struct pop3_client *c, const char *text) {
    return pop3_client_send(c, text, strlen(text));
}

static inline struct pop3_client *pop3_client_new(struct pop3_fixture *f, bool logged_in) {
    struct pop3_client *c = g_new0(struct pop3_client, 1);
    struct pop3_peer peer = {.address = "127.0.0.1", .is_loopback = true};
    c->input = g_byte_array_new();
    c->output = g_string_new(NULL);
    c->answer = g_string_new(NULL);
    c->session = pop3_session_new(f->service, &peer, c->output);
    g_string_truncate(c->output, 0);
    if (logged_in) { // without the password hash, which takes its time
        c->session->who = pop3_fixture_principal(f);
        assert_ok(pop3_drop_open(c->session));
    }
    return c;
}

static inline void pop3_client_free(struct pop3_client *c) {
    pop3_session_free(c->session);
    g_byte_array_unref(c->input);
    g_string_free(c->output, TRUE);
    g_string_free(c->answer, TRUE);
    g_free(c);
}
