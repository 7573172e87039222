// How quickly SORT and THREAD answer in a large folder (docs/PERFORMANCE.md).
//
//     imap_sort DIR N
//
// Fills the inbox of the mailbox in DIR up to N messages, if it has fewer (kept for the next run),
// then measures: the first sort after a start, which reads the envelopes, and those after it.
#include <stdio.h>
#include <stdlib.h>

#include "mailbox/mailbox.h"
#include "mailbox/sort.h"

#define BATCH 2000

static const struct guid guid = {{0xbe, 0x9c, 0x50, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15}};

static void must(enum ec ec, const char *what) {
    if (ec == EC_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, ec_text(ec));
    exit(1);
}

static double now_ms(void) {
    return (double)g_get_monotonic_time() / 1000.0;
}

// About four messages a thread; answers name up to ten before them.
static GBytes *message(GRand *rand, unsigned i) {
    static const char *const names[] = {"Alice", "Bob", "Carol", "David", "Eva", "Frank", "Grace"};
    unsigned thread = i / 4 * 4 + (unsigned)g_rand_int_range(rand, 0, 4) / 3, place = i % 4;
    g_autoptr(GString) m = g_string_new(NULL);
    unsigned from = (unsigned)g_rand_int_range(rand, 0, 5000);
    g_string_append_printf(m, "Message-ID: <%u.%u@bench.test>\r\n", i / 4, place);
    for (unsigned k = 0; k < place; k++)
        g_string_append_printf(m, k ? " <%u.%u@bench.test>" : "References: <%u.%u@bench.test>",
                               i / 4, k);
    g_string_append_printf(
        m, "%sFrom: %s %u <u%u@d%u.test>\r\nTo: team%u@bench.test\r\nSubject: %sTopic %u of %u\r\n",
        place ? "\r\n" : "", names[from % G_N_ELEMENTS(names)], from, from, from % 97, from % 50,
        place ? "Re: " : "", thread, thread % 1000);
    g_string_append_printf(m, "Date: %02u Nov 2025 %02u:%02u:%02u +0100\r\n\r\nText of %u\r\n",
                           1 + i % 28, i / 28 % 24, i / 672 % 60, i % 60, i);
    return g_string_free_to_bytes(g_steal_pointer(&m));
}

static void fill(struct mailbox *m, unsigned have, unsigned want) {
    GRand *rand = g_rand_new_with_seed(1);
    for (unsigned done = have; done < want;) {
        struct mailbox_import batch[BATCH] = {0};
        unsigned n = MIN(BATCH, want - done);
        for (unsigned i = 0; i < n; i++)
            batch[i] = (struct mailbox_import){.mime = message(rand, done + i)};
        mailbox_import(m, FID_INBOX, batch, n);
        for (unsigned i = 0; i < n; i++) {
            must(batch[i].result, "import");
            g_bytes_unref(batch[i].mime);
        }
        done += n;
    }
    g_rand_free(rand);
}

static void sort_by(struct mailbox *m, const struct mailbox_view *view, enum mailbox_sort_key key,
                    const char *name) {
    struct mailbox_sort_column column = {key, false};
    uint32_t n = mailbox_view_count(view);
    uint32_t *indexes = g_new(uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++)
        indexes[i] = i;
    double start = now_ms();
    must(mailbox_sort(m, view, &column, 1, indexes, n), "sort");
    printf("SORT %s: %.1f ms\n", name, now_ms() - start);
    g_free(indexes);
}

static void thread_by(struct mailbox *m, const struct mailbox_view *view,
                      enum mailbox_thread_algorithm algorithm, const char *name) {
    struct arena *arena = arena_new();
    struct mailbox_threads threads;
    uint32_t n = mailbox_view_count(view);
    uint32_t *indexes = g_new(uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++)
        indexes[i] = i;
    double start = now_ms();
    must(mailbox_thread(m, view, algorithm, indexes, n, arena, &threads), "thread");
    printf("THREAD %s: %.1f ms\n", name, now_ms() - start);
    g_free(indexes);
    arena_free(arena);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: imap_sort DIR N\n");
        return 2;
    }
    struct store *store;
    struct mailbox_service *service;
    struct mailbox *m;
    struct mailbox_view *view;
    struct store_options options = {.is_durable = false};
    struct principal who = {.refs = 1000000, .guid = guid};
    who.address = who.display_name = (char *)"bench@bench.test";
    must(store_open(argv[1], &options, &store), "store");
    struct mbox_new spec = {guid, "bench@bench.test", "Bench", "en"};
    enum ec ec = store_create_mailbox(store, &spec);
    must(ec == EC_COLLISION ? EC_OK : ec, "mailbox");
    must(mailbox_service_new(store, NULL, &service), "service");
    must(mailbox_open_own(service, &who, &m), "open");
    must(mailbox_view_open(m, FID_INBOX, &view), "view");
    fill(m, mailbox_view_count(view), (unsigned)atoi(argv[2]));
    mailbox_view_free(view);
    must(mailbox_view_open(m, FID_INBOX, &view), "view");
    printf("%u messages\n", mailbox_view_count(view));
    sort_by(m, view, MAILBOX_SORT_DATE, "DATE, first");
    sort_by(m, view, MAILBOX_SORT_DATE, "DATE");
    sort_by(m, view, MAILBOX_SORT_SUBJECT, "SUBJECT, first");
    sort_by(m, view, MAILBOX_SORT_SUBJECT, "SUBJECT");
    sort_by(m, view, MAILBOX_SORT_FROM, "FROM");
    sort_by(m, view, MAILBOX_SORT_SIZE, "SIZE");
    thread_by(m, view, THREAD_REFERENCES, "REFERENCES, first");
    thread_by(m, view, THREAD_REFERENCES, "REFERENCES");
    thread_by(m, view, THREAD_ORDERED_SUBJECT, "ORDEREDSUBJECT");
    mailbox_view_free(view);
    mailbox_close(m);
    mailbox_service_free(service);
    store_close(store);
    return 0;
}
