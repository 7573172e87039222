// The full-text index at size: fills a mailbox with N messages of made-up words, indexes it, and
// times queries. Prints one line of JSON a figure.
//
//   store_fulltext FOLDER [N]
//
// FOLDER is made when it is not there; a mailbox left in it by an earlier run with the same N is
// used again. Built by `ninja -C build store_fulltext`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "convert/convert.h"
#include "mailbox/mailbox.h"
#include "store/background.h"
#include "store/fulltext.h"

#define BATCH 1000
#define VOCABULARY 60000
#define BODY_WORDS 120
#define REPEAT 5

static struct store *the_store;
static char vocabulary[VOCABULARY][12];
static uint64_t random_state = 88172645463325252u;

static uint32_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32);
}

static void make_vocabulary(void) {
    static const char *const syllables[] = {"ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no",
                                            "pu", "ra", "se", "ti", "vo", "zu", "an", "er", "in"};
    for (unsigned i = 0; i < VOCABULARY; i++) {
        unsigned n = i;
        for (unsigned k = 0; k < 3 + i % 2; k++, n = n / 18 + i * 7)
            strcat(vocabulary[i], syllables[n % 18]);
    }
}

// Common words more often, as in texts (by rank, about 1/n).
static const char *random_word(void) {
    double u = next_random() / 4294967296.0;
    return vocabulary[(unsigned)(u * u * u * u * (VOCABULARY - 1))];
}

static void make_text(GString *out, unsigned i) {
    g_string_printf(
        out,
        "From: Person%u <person%u@example.test>\r\nTo: alice@example.test\r\n"
        "Subject: %s %s %s\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n"
        "Message-ID: <m%u@example.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
        i % 500, i % 500, random_word(), random_word(), random_word(), i);
    for (unsigned k = 0; k < BODY_WORDS; k++)
        g_string_append_printf(out, "%s%s", random_word(), k % 12 == 11 ? "\r\n" : " ");
    g_string_append_printf(out, "everywhere %s %s unique%u\r\n", i % 2 ? "half" : "other",
                           i % 100 == 7 ? "quarterly figures" : "-", i);
}

// Of this process: figures that other work on the machine does not change.
static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(void) {
    return (double)g_get_monotonic_time() / 1e6;
}

static void die(const char *what, enum ec ec) {
    fprintf(stderr, "store_fulltext: %s: %s\n", what, ec_text(ec));
    exit(1);
}

static void must(const char *what, enum ec ec) {
    if (ec != EC_OK)
        die(what, ec);
}

static void fill(struct mailbox *m, unsigned from, unsigned n) {
    g_autoptr(GString) text = g_string_new(NULL);
    struct mailbox_import *batch = g_new0(struct mailbox_import, BATCH);
    double start = seconds();
    for (unsigned i = from; i < n;) {
        unsigned k = 0;
        for (; k < BATCH && i < n; k++, i++) {
            make_text(text, i);
            batch[k] = (struct mailbox_import){
                .mime = g_bytes_new(text->str, text->len),
                .received = filetime_from_unix(1700000000 + (int64_t)i * 30)};
        }
        mailbox_import(m, FID_INBOX, batch, k);
        for (unsigned j = 0; j < k; j++) {
            must("filling", batch[j].result);
            g_bytes_unref(batch[j].mime);
        }
        store_maintain(the_store);
    }
    g_free(batch);
    printf("{\"figure\": \"fill\", \"messages\": %u, \"seconds\": %.1f}\n", n - from,
           seconds() - start);
}

static uint64_t file_size(struct store *store, const struct guid *guid) {
    ARENA_AUTO arena = arena_new();
    struct stat st;
    return stat(store_mailbox_path(store, arena, guid), &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_query(const char *name, const char *how, double times[REPEAT], unsigned found) {
    double first = times[0];
    qsort(times, REPEAT, sizeof *times, by_value);
    printf(
        "{\"figure\": \"query\", \"name\": \"%s\", \"how\": \"%s\", \"found\": %u, \"first_ms\": "
        "%.2f, \"median_ms\": %.2f}\n",
        name, how, found, first * 1000, times[REPEAT / 2] * 1000);
    fflush(stdout);
}

// The newest 50 anywhere, all of them by time, and all rows of the folder as IMAP wants them.
static void time_query(struct mailbox *m, const char *name, const struct search_node *n) {
    static const struct search_scope everywhere = {0};
    double times[REPEAT];
    unsigned found = 0;
    for (unsigned how = 0; how < 3; how++) {
        for (unsigned r = 0; r < REPEAT; r++) {
            double start = seconds();
            g_autoptr(GArray) out = NULL;
            if (how < 2) {
                must(name, mailbox_search_all(m, &everywhere, n,
                                              how ? SEARCH_NEWEST_RECEIVED : SEARCH_NEWEST_ARRIVED,
                                              how ? 0 : 50, NULL, NULL, &out));
            } else {
                struct mailbox_view *view;
                must("view", mailbox_view_open(m, FID_INBOX, &view));
                must(name, mailbox_search(m, view, n, NULL, NULL, &out));
                mailbox_view_free(view);
            }
            times[r] = seconds() - start;
            found = out->len;
        }
        static const char *const hows[] = {"newest 50", "all, sorted", "all in the folder"};
        print_query(name, hows[how], times, found);
    }
}

static void time_queries(struct mailbox *m) {
    struct search_node rare = {.kind = SEARCH_WORDS, .text = "unique4711"};
    struct search_node percent = {.kind = SEARCH_WORDS, .text = "quarterly"};
    struct search_node common = {.kind = SEARCH_WORDS, .text = "half"};
    struct search_node all = {.kind = SEARCH_WORDS, .text = "everywhere"};
    struct search_node phrase = {.kind = SEARCH_WORDS, .text = "quarterly figures"};
    struct search_node common_phrase = {.kind = SEARCH_WORDS, .text = "everywhere half"};
    struct search_node prefix = {.kind = SEARCH_WORDS, .text = "unique471", .is_prefix = true};
    struct search_node subject = {
        .kind = SEARCH_WORDS, .text = vocabulary[5000], .parts = 1u << TEXT_SUBJECT};
    struct search_node a = common, b = percent;
    a.next = &b;
    struct search_node both = {.kind = SEARCH_AND, .children = &a};
    struct search_node substring = {.kind = SEARCH_BODY, .text = "nique4711"};
    struct search_node sender = {.kind = SEARCH_HEADER, .name = "From", .text = "person47@"};
    time_query(m, "rare word", &rare);
    time_query(m, "word in 1%", &percent);
    time_query(m, "word in 50%", &common);
    time_query(m, "word in all", &all);
    time_query(m, "phrase in 1%", &phrase);
    time_query(m, "phrase in 50%", &common_phrase);
    time_query(m, "prefix", &prefix);
    time_query(m, "word of the subject", &subject);
    time_query(m, "two words", &both);
    time_query(m, "substring of the body (IMAP BODY)", &substring);
    time_query(m, "substring of the sender (IMAP FROM)", &sender);
}

static void show_progress(void *ctx, uint64_t done, uint64_t left) {
    (void)ctx;
    if (done % 50000 < 500)
        fprintf(stderr, "indexed %u, %u left\n", (unsigned)done, (unsigned)left);
}

static void run_index(struct mailbox *m, unsigned n) {
    const struct guid *guid = mbox_guid(mailbox_mbox(m));
    store_maintain(the_store);
    uint64_t before = file_size(the_store, guid);
    double start = seconds(), cpu = cpu_seconds();
    must("indexing", fulltext_catch_up(mailbox_mbox(m), show_progress, NULL));
    double took = seconds() - start;
    cpu = cpu_seconds() - cpu;
    store_maintain(the_store);
    uint64_t after = file_size(the_store, guid);
    printf("{\"figure\": \"index\", \"messages\": %u, \"seconds\": %.1f, \"cpu_seconds\": %.1f, "
           "\"per_second\": %.0f, "
           "\"bytes_a_message\": %.0f, \"mailbox_bytes_a_message\": %.0f}\n",
           n, took, cpu, n / took, (double)(after - before) / n, (double)before / n);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 2)
        return fprintf(stderr, "usage: store_fulltext FOLDER [N]\n"), 2;
    unsigned n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000000;
    make_vocabulary();
    struct store_options options = {.is_durable = false};
    must("store", store_open(argv[1], &options, &the_store));
    struct fulltext_options off = {.policy = FULLTEXT_OFF};
    store_set_fulltext(the_store, &off);
    static const struct guid guid = {{1, 2, 3, 4, 5, 6, 7, 8}};
    struct mbox_new spec = {guid, "alice@example.test", "Alice", "en"};
    enum ec ec = store_create_mailbox(the_store, &spec);
    if (ec != EC_COLLISION)
        must("mailbox", ec);
    struct mailbox_service *service;
    struct mailbox *m;
    struct principal alice = {
        .refs = 1000000, .guid = guid, .address = (char *)"alice@example.test"};
    must("service", mailbox_service_new(the_store, NULL, &service));
    must("open", mailbox_open_own(service, &alice, &m));
    struct mailbox_view *view;
    must("view", mailbox_view_open(m, FID_INBOX, &view));
    unsigned have = mailbox_view_count(view);
    mailbox_view_free(view);
    if (have < n)
        fill(m, have, n);
    struct search_node substring = {.kind = SEARCH_BODY, .text = "nique4711"};
    must("view", mailbox_view_open(m, FID_INBOX, &view));
    g_autoptr(GArray) found = NULL;
    double start = seconds();
    must("scan", mailbox_search(m, view, &substring, NULL, NULL, &found));
    printf("{\"figure\": \"scan\", \"name\": \"substring of the body\", \"indexed\": %s, "
           "\"found\": %u, "
           "\"seconds\": %.2f}\n",
           have < n ? "false" : "null", found->len, seconds() - start);
    mailbox_view_free(view);
    run_index(m, n);
    time_queries(m);
    mailbox_close(m);
    mailbox_service_free(service);
    store_close(the_store);
    return 0;
}
