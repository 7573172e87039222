// How quickly a folder's contents are listed, sorted and filtered (docs/PERFORMANCE.md).
//
//     store_views DIR N [--unsaved]
//
// Fills the mailbox of DIR up to N messages in its inbox, if it has fewer (kept for the next run
// and for other benchmarks), then measures. "cold": the mailbox was just opened and its file is not
// in the page cache; with --unsaved its saved columns are deleted before, as on the first use ever.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mapi/conversation.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "store/columns_internal.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/view.h"

#define BATCH 5000
#define VIEWS 50

static const struct guid mailbox = {{0xbe, 0x9c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}};

static struct store *store;
static struct mbox *mbox;

static void must(enum ec ec, const char *what) {
    if (ec == EC_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, ec_text(ec));
    exit(1);
}

static double now_ms(void) {
    return (double)g_get_monotonic_time() / 1000.0;
}

// CPU time of all threads: what is left of a figure when the machine does other things too.
static double cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1000.0 + (double)t.tv_nsec / 1e6;
}

// --- Filling ---

static const char *const words[] = {
    "budget",  "report",  "meeting", "project",  "invoice", "contract", "travel",  "schedule",
    "draft",   "review",  "quarter", "planning", "release", "customer", "support", "question",
    "update",  "minutes", "offer",   "delivery", "server",  "account",  "holiday", "training",
    "summary", "request", "status",  "feedback", "agenda",  "launch",   "design",  "migration"};
static const char *const given[] = {"Alice",  "Bob",   "Carol", "David", "Eva",  "Frank",
                                    "Grace",  "Heidi", "Ivan",  "Judy",  "Karl", "Lena",
                                    "Mikael", "Nora",  "Oscar", "Paula"};

struct fill {
    GRand *rand;
    unsigned n;
};

static const char *word(GRand *rand) {
    return words[g_rand_int_range(rand, 0, G_N_ELEMENTS(words))];
}

// About four messages a conversation: the first and its answers.
static char *subject_of(GRand *rand) {
    guint32 seed = g_rand_int_range(rand, 0, 250000);
    g_autofree char *topic = g_strdup_printf("%s %s %s %u", words[seed % 32], words[seed / 32 % 32],
                                             words[seed / 1024 % 32], seed % 977);
    const char *prefix = g_rand_int_range(rand, 0, 4) == 0   ? ""
                         : g_rand_int_range(rand, 0, 5) == 0 ? "FW: "
                                                             : "RE: ";
    return g_strconcat(prefix, topic, NULL);
}

static char *body_of(GRand *rand) {
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < 40; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", word(rand));
    return g_string_free(text, FALSE);
}

static enum ec create_one(struct mbox_tx *tx, GRand *rand) {
    struct message_value *value = message_value_new();
    guint32 sender = g_rand_int_range(rand, 0, 3000);
    g_autofree char *subject = subject_of(rand), *body = body_of(rand);
    g_autofree char *name = g_strdup_printf("%s %s%u", given[sender % 16], word(rand), sender / 16);
    g_autofree char *address = g_strdup_printf("sender%u@example.test", sender);
    filetime_t sent = UINT64_C(132000000000000000) + g_rand_int(rand) * UINT64_C(400000);
    uint64_t mid;
    bag_set_str(value->bag, PidTagSubject, subject);
    bag_set_str(value->bag, PidTagMessageClass,
                g_rand_int_range(rand, 0, 20) ? "IPM.Note" : "IPM.Schedule.Meeting.Request");
    bag_set_str(value->bag, PidTagSenderName, name);
    bag_set_str(value->bag, PidTagSentRepresentingName, name);
    bag_set_str(value->bag, PidTagSenderSmtpAddress, address);
    bag_set_str(value->bag, PidTagBody, body);
    bag_set_time(value->bag, PidTagClientSubmitTime, sent);
    bag_set_long(value->bag, PidTagImportance, g_rand_int_range(rand, 0, 10) ? 1 : 2);
    uint8_t index[CONVERSATION_INDEX_HEADER];
    struct guid guid = {{0}};
    guint32 topic = g_str_hash(strchr(subject, ':') ? strchr(subject, ':') + 2 : subject);
    memcpy(guid.bytes, &topic, sizeof topic);
    conversation_index_start(sent, &guid, index);
    bag_set_bytes(value->bag, PidTagConversationIndex, index, sizeof index);
    struct message_new spec = {
        .value = value,
        .flags = (g_rand_int_range(rand, 0, 3) ? MSG_READ : 0u) |
                 (g_rand_int_range(rand, 0, 20) ? 0u : MSG_FLAGGED),
        .received = sent + g_rand_int_range(rand, 1, 100000) * UINT64_C(10000),
        .keywords = g_rand_int_range(rand, 0, 20) ? NULL : "Work",
    };
    enum ec ec = message_create(tx, FID_INBOX, &spec, &mid, NULL);
    message_value_free(value);
    return ec;
}

static enum ec create_batch(struct mbox_tx *tx, void *ctx) {
    struct fill *f = ctx;
    for (unsigned i = 0; i < f->n; i++)
        EC_TRY(create_one(tx, f->rand));
    return EC_OK;
}

static unsigned count_messages(void) {
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    struct mbox_tx *tx;
    must(mbox_read(mbox, &tx), "read");
    must(folder_get(tx, arena, FID_INBOX, &info), "inbox");
    mbox_read_end(tx);
    return info.n_messages;
}

static void fill(unsigned n) {
    struct fill f = {g_rand_new_with_seed(count_messages() + 1), 0};
    double start = now_ms();
    unsigned had = count_messages(), at = had;
    while (at < n) {
        f.n = MIN(BATCH, n - at);
        must(mbox_write(mbox, create_batch, &f), "create");
        at += f.n;
        if (at % 50000 == 0)
            store_maintain(store);
    }
    if (n > had)
        printf("filled: %u messages in %.1f s\n", n - had, (now_ms() - start) / 1000);
    g_rand_free(f.rand);
}

// --- Measuring ---

static void open_store(const char *dir) {
    struct store_options options = {.is_durable = true};
    must(store_open(dir, &options, &store), "open store");
    struct mbox_new spec = {mailbox, "bench@example.test", "Bench", "en"};
    enum ec ec = store_create_mailbox(store, &spec);
    if (ec != EC_COLLISION)
        must(ec, "create mailbox");
    must(store_open_mailbox(store, &mailbox, &mbox), "open mailbox");
}

static void close_store(void) {
    mbox_unref(mbox);
    store_close(store);
}

static void drop_page_cache(const char *dir) {
    char text[GUID_STRING_SIZE];
    guid_format(&mailbox, text);
    g_autofree char *path = g_strdup_printf("%s/%s.mbx", dir, text);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
        perror(path);
    if (fd >= 0)
        close(fd);
}

static struct view *get(const struct sort_order *sort, const struct restriction *res) {
    struct view_spec spec = {FID_INBOX, VIEW_CONTENTS, sort, res};
    struct view *v;
    must(view_get(mbox, &spec, &v), "view_get");
    return v;
}

static struct sort_order by(proptag_t tag, enum sort_direction direction) {
    struct sort_order order = {.n = 1, .columns = {{tag, direction, false}}};
    return order;
}

static void first_rows(struct view *v, const char *name) {
    static const proptag_t tags[] = {
        PidTagMid,        PidTagInstanceNum,    PidTagSubject,        PidTagSentRepresentingName,
        PidTagImportance, PidTagMessageClass,   PidTagMessageFlags,   PidTagMessageDeliveryTime,
        PidTagEntryId,    PidTagHasAttachments, PidTagConversationId, PidTagMessageSize};
    const struct prop_value *values[G_N_ELEMENTS(tags)];
    ARENA_AUTO arena = arena_new();
    double start = now_ms();
    struct mbox_tx *tx;
    must(mbox_read(mbox, &tx), "read");
    for (uint32_t i = 0; i < MIN(50, view_count(v)); i++)
        must(view_values(v, tx, arena, i, tags, G_N_ELEMENTS(tags), 255, values), "values");
    mbox_read_end(tx);
    printf("  first 50 rows (%s): %.2f ms\n", name, now_ms() - start);
}

static const struct {
    const char *name;
    proptag_t tag;
} columns[] = {{"received", PidTagMessageDeliveryTime},
               {"subject", PidTagSubject},
               {"sender", PidTagSentRepresentingName},
               {"size", PidTagMessageSize},
               {"importance", PidTagImportance}};

static void measure_sorts(const char *dir, bool unsaved) {
    for (unsigned i = 0; i < G_N_ELEMENTS(columns); i++) {
        close_store();
        drop_page_cache(dir);
        open_store(dir);
        struct sort_order up = by(columns[i].tag, SORT_ASCENDING);
        struct sort_order down = by(columns[i].tag, SORT_DESCENDING);
        double start = now_ms(), cpu = cpu_ms();
        struct view *v = get(&up, NULL);
        double cold = now_ms() - start;
        cpu = cpu_ms() - cpu;
        start = now_ms();
        view_unref(get(&up, NULL));
        double again = now_ms() - start;
        start = now_ms();
        double other_cpu = cpu_ms();
        struct view *other = get(&down, NULL);
        printf(
            "%-11s open+sort %s %7.1f ms (CPU %.1f), again %.3f ms, other direction %.1f ms (CPU "
            "%.1f)\n",
            columns[i].name, unsaved ? "first" : "cold", cold, cpu, again, now_ms() - start,
            cpu_ms() - other_cpu);
        view_unref(other);
        first_rows(v, columns[i].name);
        view_unref(v);
    }
}

static void measure_restriction(struct arena *arena, const char *name, proptag_t tag,
                                const char *text) {
    struct prop_value value = prop_str(tag, text);
    struct restriction *res =
        restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, tag, &value);
    struct sort_order sort = by(PidTagMessageDeliveryTime, SORT_DESCENDING);
    struct view *v;
    view_unref(get(&sort, NULL));
    double start = now_ms(), cpu = cpu_ms();
    v = get(&sort, res);
    printf("restrict by %s contains \"%s\": %u rows, %.1f ms (CPU %.1f)\n", name, text,
           view_count(v), now_ms() - start, cpu_ms() - cpu);
    view_unref(v);
}

static void measure_deliveries(unsigned n) {
    struct view *views[VIEWS];
    struct fill f = {g_rand_new_with_seed(7), 1};
    for (unsigned i = 0; i < VIEWS; i++) {
        struct sort_order sort = by(columns[i % 5].tag, i / 5 % 2);
        ARENA_AUTO arena = arena_new();
        struct prop_value value = prop_str(PidTagSubject, words[i / 10]);
        views[i] =
            get(&sort, i < 10 ? NULL
                              : restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE,
                                                    PidTagSubject, &value));
    }
    printf("memory with %u views: %.1f MiB, %.1f bytes a message\n", VIEWS,
           (double)view_memory() / 1048576, (double)view_memory() / n);
    double create = 0, renew = 0, most = 0, cpu = 0;
    for (unsigned k = 0; k < 20; k++) {
        double start = now_ms();
        must(mbox_write(mbox, create_batch, &f), "deliver");
        double created = now_ms();
        cpu -= cpu_ms();
        for (unsigned i = 0; i < VIEWS; i++) {
            struct view *next;
            must(view_renew(mbox, views[i], &next), "renew");
            view_unref(views[i]);
            views[i] = next;
        }
        double end = now_ms();
        cpu += cpu_ms();
        create += created - start;
        renew += end - created;
        most = MAX(most, end - start);
    }
    printf("delivery with %u views: commit %.2f ms + renewal of all %.2f ms; worst %.2f ms\n",
           VIEWS, create / 20, renew / 20, most);
    for (unsigned i = 0; i < VIEWS; i++)
        view_unref(views[i]);
    g_rand_free(f.rand);
}

static enum ec do_forget(struct mbox_tx *tx, void *ctx) {
    return columns_forget(tx, 0);
}

int main(int argc, char **argv) {
    ARENA_AUTO arena = arena_new();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3) {
        fprintf(stderr, "store_views DIR N [--unsaved]\n");
        return 2;
    }
    unsigned n = (unsigned)strtoul(argv[2], NULL, 10);
    bool unsaved = argc > 3 && strcmp(argv[3], "--unsaved") == 0;
    open_store(argv[1]);
    fill(n);
    if (unsaved)
        must(mbox_write(mbox, do_forget, NULL), "forget");
    measure_sorts(argv[1], unsaved);
    close_store();
    open_store(argv[1]);
    struct sort_order sort = by(PidTagSubject, SORT_ASCENDING);
    struct view *v = get(&sort, NULL);
    printf("memory of one view by subject: %.1f bytes a row\n",
           (double)view_memory() / view_count(v));
    view_unref(v);
    measure_restriction(arena, "subject", PidTagSubject, "migration 12");
    measure_restriction(arena, "sender", PidTagSentRepresentingName, "heidi budget");
    measure_deliveries(n);
    close_store();
    return 0;
}
