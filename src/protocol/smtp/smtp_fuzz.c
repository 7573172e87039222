// An SMTP conversation of any bytes, framed as the net does it, with a queue and a directory in a
// temporary folder. The first byte chooses the kind of service and how the bytes are cut.
#include <unistd.h>

#include "base/log.h"
#include "base/test.h"
#include "protocol/smtp/path.h"
#include "protocol/smtp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *dir;
static struct queue *queue;
static struct directory *directory;
static struct auth *auth;
static struct net_networks *trusted;

static void cleanup(void) {
    net_networks_unref(trusted);
    queue_close(queue);
    auth_free(auth);
    directory_close(directory);
    test_folder_remove(dir);
}

static void prepare(void) {
    static const struct auth_options options = {.plaintext_loopback = true};
    log_setup(LOG_LEVEL_ERROR, "stderr");
    dir = test_folder();
    g_autofree char *path = g_build_filename(dir, "directory.db", NULL);
    g_autofree char *spool = g_build_filename(dir, "queue", NULL);
    assert_ok(directory_open(path, &directory));
    assert_ok(directory_domain_add(directory, "d"));
    struct directory_object user = {.kind = DIRECTORY_USER,
                                    .address = "a@d",
                                    .has_mailbox = true,
                                    .protocols = DIRECTORY_ALL_PROTOCOLS};
    assert_ok(directory_add(directory, &user));
    assert_ok(auth_new(directory, &options, &auth));
    assert_ok(queue_open(spool, &queue));
    assert_ok(net_networks_parse("127.0.0.1", &trusted, NULL));
    atexit(cleanup);
}

static int fake;

// Accepts with fields, or refuses, as the message's size says.
static void fake_check(struct policy *policy, struct arena *arena,
                       const struct policy_message *message, struct policy_verdict *out) {
    size_t size = g_bytes_get_size(message->bytes);
    *out = (struct policy_verdict){.action = (enum policy_action)(size % 3),
                                   .status = "5.7.1",
                                   .text = arena_strdup(arena, message->sender),
                                   .fields = "X-Checked: yes\r\n",
                                   .scl = 5};
}

static void feed(struct smtp_session *s, const uint8_t *data, size_t len, size_t piece) {
    size_t have = 0;
    while (len > 0) {
        have = MIN(have + piece, len);
        ssize_t n = smtp_session_frame(s, data, MIN(have, SMTP_CHUNK_MAX));
        g_assert_cmpint(n, <=, (ssize_t)have);
        if (n == 0 && have == len)
            return;
        if (n == 0)
            continue;
        // Exactly the unit, so that a read past its end is seen.
        g_autofree uint8_t *unit = g_memdup2(data, (size_t)n);
        if (smtp_session_unit(s, unit, (size_t)n) != SMTP_READ)
            return;
        data += n;
        len -= (size_t)n;
        have = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!queue)
        prepare();
    if (size == 0)
        return 0;
    struct smtp_settings settings = {
        .hostname = "mx",
        .kind = (enum smtp_kind)((data[0] & 3) % 3),
        .has_tls = data[0] & 1,
        .limits = {.max_size = 10000, .max_recipients = 5, .trusted = trusted, .max_errors = 1000},
        .check = fake_check,
        .policy = (struct policy *)&fake};
    struct smtp_service *service;
    assert_ok(smtp_service_new(&settings, queue, directory, auth, &service));
    g_autoptr(GString) out = g_string_new(NULL);
    struct smtp_peer peer = {.address = "127.0.0.1", .is_loopback = true};
    struct smtp_session *s = smtp_session_new(service, &peer, out);
    feed(s, data + 1, size - 1, (size_t)(data[0] >> 2) + 1);
    smtp_session_free(s);
    smtp_service_free(service);
    ARENA_AUTO arena = arena_new();
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    struct smtp_path parsed;
    smtp_path_parse(arena, text, &parsed);
    for (struct queue_item *item;;) { // what was accepted goes again
        unsigned n;
        assert_ok(queue_claim(queue, &item, 1, 0, &n));
        if (n == 0)
            return 0;
        for (unsigned i = 0; i < queue_item_envelope(item)->n_recipients; i++)
            queue_item_recipient_done(item, i);
        queue_item_release(item, 0, NULL, NULL);
    }
}
