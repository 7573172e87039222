// How quickly a folder is synchronized by ICS ([MS-OXCFXICS]; docs/PERFORMANCE.md).
//
//     ics DIR N [--incremental]
//
// Fills the inbox of a mailbox in DIR up to N messages, if it has fewer (kept for the next run),
// then measures the whole download through ROP buffers, and what a client that is up to date gets
// after 10 changes. --incremental: without the whole download.
#include <stdio.h>
#include <sys/resource.h>

#include "protocol/rop/sync_client.h"

#define BATCH 5000
#define CHANGES 10
#define ROUNDS 21

static struct world w;

static double now_ms(void) {
    return (double)g_get_monotonic_time() / 1000.0;
}

static long peak_mib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

// --- Filling ---

struct fill {
    unsigned from, n;
};

static enum ec fill(struct mbox_tx *tx, void *ctx) {
    const struct fill *f = ctx;
    for (unsigned i = f->from; i < f->from + f->n; i++) {
        struct message_value *value = message_value_new();
        g_autofree char *subject = g_strdup_printf("Report %u on the budget", i);
        g_autofree char *body = g_strnfill(1500 + i % 2000, 'a' + (char)(i % 26));
        bag_set_str(value->bag, PidTagMessageClass, "IPM.Note");
        bag_set_str(value->bag, PidTagSubject, subject);
        bag_set_str(value->bag, PidTagBody, body);
        bag_set_str(value->bag, PidTagSenderName, "Bob");
        bag_set_str(value->bag, PidTagSenderEmailAddress, "bob@example.test");
        bag_set_time(value->bag, PidTagClientSubmitTime, START + i);
        struct bag *r = bag_new();
        bag_set_long(r, PidTagRecipientType, 1);
        bag_set_str(r, PidTagDisplayName, "Alice");
        bag_set_str(r, PidTagEmailAddress, "alice@example.test");
        g_ptr_array_add(value->recipients, r);
        struct message_new spec = {.value = value, .received = START + i * FILETIME_SECOND};
        uint64_t mid;
        enum ec ec = message_create(tx, FID_INBOX, &spec, &mid, NULL);
        message_value_free(value);
        EC_TRY(ec);
    }
    return EC_OK;
}

static void open_world(const char *dir, unsigned n) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *user;
    w.dir = g_strdup(dir);
    g_autofree char *path = g_build_filename(dir, "directory.db", NULL);
    g_mkdir_with_parents(dir, 0700);
    assert_ok(directory_open(path, &w.d));
    world_open(&w);
    if (directory_find_address(w.d, arena, "alice@example.test", &user) == EC_OK) {
        w.alice = user->guid;
    } else {
        assert_ok(directory_domain_add(w.d, "example.test"));
        w.alice = world_add_user(&w, "alice@example.test", 0);
    }
    world_log_in(&w);
    unsigned there = world_folder(&w, &w.alice, FID_INBOX).n_messages;
    for (; there < n; there += BATCH) {
        struct fill f = {there, MIN(BATCH, n - there)};
        assert_ok(mbox_write(mailbox_mbox(w.m), fill, &f));
    }
}

// --- Measuring ---

// Reads the stream to its end; keeps the last buffers, which have the state.
static uint64_t drain(struct client *c, GByteArray *tail) {
    uint64_t bytes = 0;
    uint16_t status;
    do {
        put_rop(c, 0x4E, 2);
        wire_put_u16(&c->rops, 0xBABE);
        wire_put_u16(&c->rops, 0x7FFF);
        client_call(c, 0x4E, EC_OK);
        status = wire_u16(&c->r);
        wire_skip(&c->r, 5);
        uint16_t n = wire_u16(&c->r);
        const uint8_t *data = wire_bytes(&c->r, n);
        if (tail)
            g_byte_array_append(tail, data, n);
        bytes += n;
    } while (status == 1);
    return bytes;
}

static void configure(struct client *c, const struct sync_state *state) {
    client_configure(c, 1, 2, 1, SYNC_UNICODE | SYNC_READ_STATE | SYNC_FAI | SYNC_NORMAL,
                     EXTRA_EID);
    if (state)
        client_upload_state(c, 2, state, true);
}

static void measure_whole(struct client *c, unsigned n) {
    double begin = now_ms();
    configure(c, NULL);
    uint64_t bytes = drain(c, NULL);
    double seconds = (now_ms() - begin) / 1000.0;
    printf("whole download of %u messages: %.2f s, %.0f messages/s, %.1f MB/s, %ld MiB at most\n",
           n, seconds, n / seconds, (double)bytes / 1e6 / seconds, peak_mib());
    client_release(c, 2);
}

// The state of a client that has all.
static void have_all(struct client *c, struct sync_state *out) {
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct mbox_info info;
    struct mailbox_view *v;
    state_init(out);
    assert_ok(mailbox_view_open(w.m, FID_INBOX, &v));
    struct globset *given = idset_of_guid(out->given, &c->replica, true);
    for (uint32_t i = 0; i < mailbox_view_count(v); i++)
        globset_add(given, mailbox_view_row(v, i)->mid, mailbox_view_row(v, i)->mid);
    mailbox_view_free(v);
    assert_ok(mbox_read(mailbox_mbox(w.m), &tx));
    assert_ok(mbox_get_info(tx, arena, &info));
    globset_add(idset_of_guid(out->seen, &c->replica, true), 1, info.last_change);
    globset_add(idset_of_guid(out->seen_fai, &c->replica, true), 1, info.last_change);
    globset_add(idset_of_guid(out->read, &c->replica, true), 1, info.last_change);
}

static void change_some(GRand *rand) {
    struct mailbox_view *v;
    assert_ok(mailbox_view_open(w.m, FID_INBOX, &v));
    for (unsigned i = 0; i < CHANGES; i++) {
        uint32_t at = (uint32_t)g_rand_int_range(rand, 0, (gint32)mailbox_view_count(v));
        uint64_t mid = mailbox_view_row(v, at)->mid;
        struct mailbox_flags change = {.mode = g_rand_boolean(rand) ? MAILBOX_FLAGS_ADD
                                                                    : MAILBOX_FLAGS_REMOVE,
                                       .flags = i % 2 ? MSG_FLAGGED : MSG_READ,
                                       .unchanged_since = UINT64_MAX};
        assert_ok(mailbox_change_flags(w.m, FID_INBOX, &mid, 1, &change, NULL));
    }
    mailbox_view_free(v);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void measure_changes(struct client *c, unsigned n) {
    GRand *rand = g_rand_new_with_seed(1);
    struct sync_state state;
    double ms[ROUNDS];
    have_all(c, &state);
    for (unsigned i = 0; i < ROUNDS; i++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        struct stream s;
        change_some(rand);
        double begin = now_ms();
        configure(c, &state);
        drain(c, bytes);
        ms[i] = now_ms() - begin;
        stream_open(&s, bytes);
        stream_seek(&s, FT_STATE_BEGIN);
        stream_state(&s, &state);
        stream_close(&s);
        client_release(c, 2);
    }
    qsort(ms, ROUNDS, sizeof *ms, compare);
    printf("%u changes in a folder of %u: %.2f ms (median), %.2f ms at most\n", CHANGES, n,
           ms[ROUNDS / 2], ms[ROUNDS - 1]);
    state_clear(&state);
    g_rand_free(rand);
}

int main(int argc, char **argv) {
    if (argc < 3 || atoi(argv[2]) <= 0) {
        fprintf(stderr, "ics DIR N [--incremental]\n");
        return 2;
    }
    unsigned n = (unsigned)atoi(argv[2]);
    struct client c;
    open_world(argv[1], n);
    client_open(&c, &w);
    client_open_folder(&c, 1, FID_INBOX);
    if (argc == 3)
        measure_whole(&c, n);
    measure_changes(&c, n);
    client_close(&c);
    world_close_store(&w);
    directory_close(w.d);
    g_free(w.dir);
    return 0;
}
