// THREAD and UID THREAD ([RFC 5256]): REFERENCES and ORDEREDSUBJECT.
#include "mailbox/sort.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"
#include "protocol/imap/search_command.h"

// What is still to be written: siblings, and below them those of their parents.
struct writer {
    struct imap_cmd *c;
    const struct mailbox_thread_node *nodes;
    GArray *waiting; // of uint32_t: a node, or THREAD_NONE at the end of siblings
};

static void put_number(struct writer *w, uint32_t node) {
    struct imap_session *s = w->c->s;
    char *out = imap_room(s, IMAP_NUMBER_SIZE);
    imap_advance(s, imap_put_u64(out, search_number_of(w->c, w->nodes[node].index)));
}

// One thread from its beginning: "(1 2 3" up to where it branches, or all of it with ")".
static void put_line(struct writer *w, uint32_t node) {
    struct imap_session *s = w->c->s;
    imap_puts(s, "(");
    bool is_first = true;
    for (;;) {
        const struct mailbox_thread_node *n = &w->nodes[node];
        if (n->index != THREAD_NONE) {
            if (!is_first)
                imap_puts(s, " ");
            put_number(w, node);
            is_first = false;
        }
        uint32_t child = n->first_child;
        if (child == THREAD_NONE)
            break;
        if (w->nodes[child].next != THREAD_NONE) {
            if (!is_first)
                imap_puts(s, " ");
            g_array_append_val(w->waiting, child);
            return;
        }
        node = child;
    }
    imap_puts(s, ")");
}

static void put_threads(struct imap_cmd *c, const struct mailbox_threads *threads) {
    struct writer w = {.c = c, .nodes = threads->nodes};
    w.waiting = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_append_val(w.waiting, threads->first);
    while (w.waiting->len > 0) {
        uint32_t node = g_array_index(w.waiting, uint32_t, w.waiting->len - 1);
        if (node == THREAD_NONE) {
            g_array_set_size(w.waiting, w.waiting->len - 1);
            if (w.waiting->len > 0)
                imap_puts(c->s, ")");
            continue;
        }
        g_array_index(w.waiting, uint32_t, w.waiting->len - 1) = threads->nodes[node].next;
        put_line(&w, node);
    }
    g_array_unref(w.waiting);
}

void cmd_thread(struct imap_cmd *c) {
    struct search_command command = {0};
    struct imap_parser *p = &c->args;
    enum mailbox_thread_algorithm algorithm = THREAD_REFERENCES;
    if (imap_accept_word(p, "ORDEREDSUBJECT"))
        algorithm = THREAD_ORDERED_SUBJECT;
    else if (!imap_accept_word(p, "REFERENCES"))
        imap_fail(p, "Unknown thread algorithm");
    imap_space(p);
    if (!search_command_parse(c, true, &command))
        return;
    g_autoptr(GArray) found = NULL;
    struct mailbox_threads threads;
    enum ec ec = search_command_run(c, &command, &found);
    if (ec == EC_OK)
        ec = mailbox_thread(c->s->selected, c->s->view, algorithm,
                            (const uint32_t *)(const void *)found->data, found->len, c->arena,
                            &threads);
    if (ec == EC_OK) {
        imap_puts(c->s, threads.first == THREAD_NONE ? "* THREAD" : "* THREAD ");
        put_threads(c, &threads);
        imap_puts(c->s, "\r\n");
    }
    imap_reply_ec(c, ec);
}
