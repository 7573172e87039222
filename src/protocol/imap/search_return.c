// RETURN options, and the ESEARCH response made of them.
#include "protocol/imap/search_return.h"

#include <stdlib.h>

#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_write.h"

static bool partial_number(struct imap_parser *p, bool is_negative, uint32_t *out) {
    if (is_negative && !imap_accept(p, '-'))
        return imap_fail(p, "Invalid PARTIAL range");
    if (!imap_number(p, out))
        return false;
    return *out != 0 || imap_fail(p, "Invalid PARTIAL range");
}

bool search_partial_parse(struct imap_parser *p, struct search_partial *out) {
    uint32_t a, b;
    out->is_from_end = imap_peek(p) == '-';
    if (!partial_number(p, out->is_from_end, &a) || !imap_expect(p, ':') ||
        !partial_number(p, out->is_from_end, &b))
        return false;
    out->first = MIN(a, b);
    out->last = MAX(a, b);
    return true;
}

void search_partial_resolve(const struct search_partial *partial, uint32_t n, uint32_t *from_out,
                            uint32_t *end_out) {
    uint32_t first = MIN(partial->first - 1, n), end = MIN(partial->last, n);
    *from_out = partial->is_from_end ? n - end : first;
    *end_out = partial->is_from_end ? n - first : end;
}

bool search_return_parse(struct imap_parser *p, struct search_return *out) {
    static const char *const names[] = {"MIN",  "MAX",    "ALL",     "COUNT",  "RELEVANCY",
                                        "SAVE", "UPDATE", "CONTEXT", "PARTIAL"};
    *out = (struct search_return){0};
    if (!imap_accept_word(p, "RETURN"))
        return true;
    if (!imap_space(p) || !imap_expect(p, '('))
        return false;
    out->is_given = true;
    while (!imap_accept(p, ')')) {
        unsigned i = 0;
        while (i < G_N_ELEMENTS(names) && !imap_accept_word(p, names[i]))
            i++;
        if (i == G_N_ELEMENTS(names))
            return imap_fail(p, "Unknown search result option");
        if ((out->what & 1u << i) && 1u << i == RETURN_PARTIAL)
            return imap_fail(p, "More than one PARTIAL");
        out->what |= 1u << i;
        if (1u << i == RETURN_PARTIAL && !(imap_space(p) && search_partial_parse(p, &out->partial)))
            return false;
        imap_accept(p, ' ');
    }
    if ((out->what & RETURN_PARTIAL) && (out->what & RETURN_ALL))
        return imap_fail(p, "ALL and PARTIAL exclude each other");
    // Options that only say what is to be done with the result.
    if ((out->what & ~(unsigned)(RETURN_UPDATE | RETURN_CONTEXT)) == 0)
        out->what |= RETURN_ALL;
    return imap_space(p);
}

uint32_t search_number_of(const struct imap_cmd *c, uint32_t index) {
    return c->is_uid ? mailbox_view_row(c->s->view, index)->uid : index + 1;
}

uint64_t search_highest_modseq(const struct imap_cmd *c, const GArray *found, guint from,
                               guint end) {
    uint64_t highest = 0;
    for (guint i = from; i < end; i++) {
        uint32_t index = g_array_index(found, uint32_t, i);
        highest = MAX(highest, mailbox_view_row(c->s->view, index)->modseq);
    }
    return highest;
}

static void put_numbers(struct imap_cmd *c, const GArray *found, guint from, guint end) {
    g_autofree uint32_t *numbers = g_new(uint32_t, end - from + 1);
    for (guint i = from; i < end; i++)
        numbers[i - from] = search_number_of(c, g_array_index(found, uint32_t, i));
    imap_append_set(c->s->out, numbers, end - from);
}

static void put_partial(struct imap_cmd *c, const GArray *found,
                        const struct search_partial *partial) {
    const char *sign = partial->is_from_end ? "-" : "";
    uint32_t from, end;
    search_partial_resolve(partial, found->len, &from, &end);
    imap_printf(c->s, " PARTIAL (%s%u:%s%u ", sign, partial->first, sign, partial->last);
    if (from < end)
        put_numbers(c, found, from, end);
    else
        imap_puts(c->s, "NIL");
    imap_puts(c->s, ")");
}

// [RFC 4731] 3.2: of the messages that the response names.
static uint64_t modseq_of(struct imap_cmd *c, const GArray *found, unsigned what) {
    guint n = found->len;
    if (what & (RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL))
        return search_highest_modseq(c, found, 0, n);
    uint64_t min = what & RETURN_MIN ? search_highest_modseq(c, found, 0, 1) : 0;
    uint64_t max = what & RETURN_MAX ? search_highest_modseq(c, found, n - 1, n) : 0;
    return MAX(min, max);
}

void search_put_extended(struct imap_cmd *c, const GArray *found, const struct search_return *ret,
                         bool with_modseq) {
    struct imap_session *s = c->s;
    guint n = found->len;
    unsigned what = ret->what;
    // [RFC 5182] 2.1: a result that is only saved is not told.
    if (what == RETURN_SAVE)
        return;
    imap_puts(s, "* ESEARCH (TAG ");
    imap_put_string(s, c->tag);
    if (ret->mailbox) {
        imap_puts(s, " MAILBOX ");
        imap_put_mailbox(s, ret->mailbox);
        imap_printf(s, " UIDVALIDITY %u", ret->uid_validity);
    }
    imap_puts(s, c->is_uid ? ") UID" : ")");
    if (n && (what & RETURN_MIN))
        imap_printf(s, " MIN %u", search_number_of(c, g_array_index(found, uint32_t, 0)));
    if (n && (what & RETURN_MAX))
        imap_printf(s, " MAX %u", search_number_of(c, g_array_index(found, uint32_t, n - 1)));
    if (n && (what & RETURN_ALL)) {
        imap_puts(s, " ALL ");
        put_numbers(c, found, 0, n);
    }
    if (what & RETURN_COUNT)
        imap_printf(s, " COUNT %u", n);
    if (what & RETURN_PARTIAL)
        put_partial(c, found, &ret->partial);
    if (n && (what & RETURN_RELEVANCY)) {
        // A message has the words or not: no match is better than another.
        imap_puts(s, " RELEVANCY (");
        for (guint i = 0; i < n; i++)
            imap_puts(s, i ? " 100" : "100");
        imap_puts(s, ")");
    }
    if (with_modseq && n)
        imap_printf(s, " MODSEQ %" G_GUINT64_FORMAT, modseq_of(c, found, what));
    imap_puts(s, "\r\n");
}

// --- SEARCHRES ---

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void save_indexes(struct imap_session *s, const uint32_t *indexes, guint n) {
    for (guint i = 0; i < n; i++) {
        uint32_t uid = mailbox_view_row(s->view, indexes[i])->uid;
        struct search_range *last =
            s->saved->len ? &g_array_index(s->saved, struct search_range, s->saved->len - 1) : NULL;
        struct search_range one = {uid, uid};
        // Uids between two neighbours belong to no message: the run goes over them.
        if (last && i > 0 && indexes[i] - indexes[i - 1] <= 1)
            last->high = uid;
        else
            g_array_append_val(s->saved, one);
    }
}

void search_save(struct imap_cmd *c, const GArray *found, const struct search_return *ret) {
    struct imap_session *s = c->s;
    g_clear_pointer(&s->saved, g_array_unref);
    s->saved = g_array_new(FALSE, FALSE, sizeof(struct search_range));
    if (!found || found->len == 0)
        return;
    // [RFC 5182] 2.4, [RFC 9394] 3.1: MIN, MAX and PARTIAL alone save what they name.
    const unsigned some = RETURN_MIN | RETURN_MAX | RETURN_PARTIAL;
    uint32_t from = 0, end = found->len;
    bool is_some = (ret->what & some) && !(ret->what & (RETURN_ALL | RETURN_COUNT));
    if (is_some)
        end = 0;
    if (is_some && (ret->what & RETURN_PARTIAL))
        search_partial_resolve(&ret->partial, found->len, &from, &end);
    g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (end > from)
        g_array_append_vals(sorted, &g_array_index(found, uint32_t, from), end - from);
    if (is_some && (ret->what & RETURN_MIN))
        g_array_append_vals(sorted, &g_array_index(found, uint32_t, 0), 1);
    if (is_some && (ret->what & RETURN_MAX))
        g_array_append_vals(sorted, &g_array_index(found, uint32_t, found->len - 1), 1);
    g_array_sort(sorted, by_number);
    save_indexes(s, (const uint32_t *)(const void *)sorted->data, sorted->len);
}
