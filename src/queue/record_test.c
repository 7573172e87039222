// The spool's records: round trips, damage in the middle, envelopes with everything and with
// nothing.
#include "queue/record.h"

#include <string.h>

#include "base/test.h"

#define MAGIC 0x5eed1234

static void add(GByteArray *file, const struct record *r, const char *data) {
    g_autoptr(GByteArray) head = record_encode(r);
    record_seal(head, MAGIC, r->type, data, data ? strlen(data) : 0);
    g_byte_array_append(file, head->data, head->len);
    if (data)
        g_byte_array_append(file, (const uint8_t *)data, (guint)strlen(data));
}

static GByteArray *example(void) {
    static const struct queue_recipient to[] = {{.address = "b@example.test"}};
    struct queue_envelope envelope = {.sender = "", .recipients = to, .n_recipients = 1};
    g_autoptr(GByteArray) encoded = record_encode_envelope(&envelope);
    GByteArray *file = g_byte_array_new();
    uint8_t header[SEGMENT_HEADER_SIZE];
    segment_header_put(header, 7, MAGIC);
    g_byte_array_append(file, header, sizeof header);
    struct record r = {.type = RECORD_SUBMIT,
                       .id = 1,
                       .arrived = 99,
                       .size = 5,
                       .envelope = encoded->data,
                       .envelope_len = encoded->len};
    add(file, &r, "hello");
    struct record retry = {.type = RECORD_RETRY,
                           .id = 1,
                           .next = 123,
                           .attempts = 4,
                           .done = (const uint8_t *)"\1",
                           .done_len = 1,
                           .reason = "busy"};
    add(file, &retry, NULL);
    struct record end = {.type = RECORD_FINISH, .id = 1};
    add(file, &end, NULL);
    return file;
}

struct seen {
    unsigned n[4];
    const uint8_t *data;
};

static void see(void *ctx, const struct record *r) {
    struct seen *s = ctx;
    s->n[r->type]++;
    g_assert_cmpuint(r->id, ==, 1);
    if (r->type == RECORD_SUBMIT) {
        g_assert_cmpuint(r->arrived, ==, 99);
        g_assert_cmpmem(s->data + r->data_pos, r->size, "hello", 5);
    } else if (r->type == RECORD_RETRY) {
        g_assert_cmpuint(r->next, ==, 123);
        g_assert_cmpuint(r->attempts, ==, 4);
        g_assert_cmpmem(r->done, r->done_len, "\1", 1);
        g_assert_cmpstr(r->reason, ==, "busy");
    }
}

static void test_round_trip(void) {
    g_autoptr(GByteArray) file = example();
    struct seen seen = {.data = file->data};
    struct segment_scan scan;
    g_assert_true(segment_scan(file->data, file->len, see, &seen, &scan));
    g_assert_cmpuint(scan.number, ==, 7);
    g_assert_cmpuint(scan.end, ==, file->len);
    g_assert_cmpuint(scan.skipped, ==, 0);
    for (int i = 1; i <= 3; i++)
        g_assert_cmpuint(seen.n[i], ==, 1);
}

// Any one byte changed costs one record, or the segment when it is in its header.
static void test_damage(void) {
    g_autoptr(GByteArray) file = example();
    for (guint i = 0; i < file->len; i++) {
        file->data[i] ^= 0x40;
        struct seen seen = {.data = file->data};
        struct segment_scan scan;
        bool ok = segment_scan(file->data, file->len, see, &seen, &scan);
        g_assert_cmpint(ok, ==, i >= SEGMENT_HEADER_SIZE);
        if (ok)
            g_assert_cmpuint(seen.n[1] + seen.n[2] + seen.n[3], ==, 2);
        file->data[i] ^= 0x40;
    }
}

static void test_envelope(void) {
    struct queue_recipient to[3] = {{.address = "x@y", .orcpt = "rfc822;x@y", .notify = 0x80000001},
                                    {.address = "ü@ö", .orcpt = ""},
                                    {.address = ""}};
    struct queue_envelope in = {.sender = "s@d",
                                .recipients = to,
                                .n_recipients = 3,
                                .envid = "id",
                                .ret = "FULL",
                                .auth = "alice",
                                .fields = "X-A: 1\r\n b\r\n",
                                .scl = -1,
                                .pcl = 8,
                                .hold_until = 0x1db123456789abcd,
                                .is_smtputf8 = true,
                                .requires_tls = true};
    g_autoptr(GByteArray) encoded = record_encode_envelope(&in);
    ARENA_AUTO arena = arena_new();
    struct queue_envelope out;
    g_assert_true(record_decode_envelope(encoded->data, encoded->len, arena, &out));
    g_assert_cmpstr(out.sender, ==, "s@d");
    g_assert_cmpstr(out.envid, ==, "id");
    g_assert_cmpstr(out.ret, ==, "FULL");
    g_assert_cmpstr(out.auth, ==, "alice");
    g_assert_null(out.peer);
    g_assert_true(out.is_smtputf8);
    g_assert_false(out.is_8bit);
    g_assert_cmpstr(out.fields, ==, "X-A: 1\r\n b\r\n");
    g_assert_cmpint(out.scl, ==, -1);
    g_assert_cmpint(out.pcl, ==, 8);
    g_assert_cmpuint(out.hold_until, ==, 0x1db123456789abcd);
    g_assert_true(out.requires_tls);
    g_assert_false(out.is_binary);
    for (int i = 0; i < 3; i++) {
        g_assert_cmpstr(out.recipients[i].address, ==, to[i].address);
        g_assert_cmpstr(out.recipients[i].orcpt, ==, to[i].orcpt);
        g_assert_cmpuint(out.recipients[i].notify, ==, to[i].notify);
    }
    for (guint len = 0; len < encoded->len; len++)
        g_assert_false(record_decode_envelope(encoded->data, len, arena, &out));
    static const uint8_t many[] = {0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f};
    g_assert_false(record_decode_envelope(many, sizeof many, arena, &out));
}

// As the version before wrote it: nothing after the recipients.
static void test_old_envelope(void) {
    static const uint8_t old[] = "\2s@d\0\0\0\0\1"
                                 "192.0.2.1\0\0\1b@d\0\0";
    ARENA_AUTO arena = arena_new();
    struct queue_envelope out;
    g_assert_true(record_decode_envelope(old, sizeof old, arena, &out)); // notify is its NUL
    g_assert_cmpstr(out.sender, ==, "s@d");
    g_assert_cmpstr(out.peer, ==, "192.0.2.1");
    g_assert_cmpuint(out.n_recipients, ==, 1);
    g_assert_cmpstr(out.recipients[0].address, ==, "b@d");
    g_assert_true(out.is_8bit);
    g_assert_cmpint(out.scl, ==, QUEUE_SCL_NONE);
    g_assert_null(out.fields);
    g_assert_cmpuint(out.hold_until, ==, 0);
    g_assert_false(out.is_binary || out.requires_tls);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/round-trip", test_round_trip);
    g_test_add_func("/record/damage", test_damage);
    g_test_add_func("/record/envelope", test_envelope);
    g_test_add_func("/record/envelope/old", test_old_envelope);
    return g_test_run();
}
