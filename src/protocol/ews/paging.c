// Pages of FindItem, FindFolder and FindConversation ([MS-OXWSSRCH] 2.2.4.5, 2.2.4.10, 2.2.4.13,
// 2.2.4.32).
#include <string.h>

#include "protocol/ews/ews_folders.h"

static bool read_number(const struct ews_node *node, const char *name, int64_t *out) {
    const char *text = ews_attribute(node, name);
    return text && ews_parse_int(text, out);
}

static enum ec read_indexed(struct ews_call *call, const struct ews_node *view,
                            struct ews_page *out) {
    int64_t offset;
    const char *base = ews_attribute(view, "BasePoint");
    out->kind = EWS_PAGE_INDEXED;
    if (!read_number(view, "Offset", &offset) || offset < 0 || offset > INT32_MAX || !base ||
        (strcmp(base, "Beginning") != 0 && strcmp(base, "End") != 0))
        return ews_fail(call, "ErrorInvalidIndexedPagingParameters", NULL);
    out->offset = (uint32_t)offset;
    out->is_from_end = strcmp(base, "End") == 0;
    return EC_OK;
}

static enum ec read_fractional(struct ews_call *call, const struct ews_node *view,
                               struct ews_page *out) {
    int64_t numerator, denominator;
    out->kind = EWS_PAGE_FRACTIONAL;
    if (!read_number(view, "Numerator", &numerator) ||
        !read_number(view, "Denominator", &denominator) || numerator < 0 || denominator <= 0 ||
        numerator > denominator || denominator > INT32_MAX)
        return ews_fail(call, "ErrorInvalidFractionalPagingParameters", NULL);
    out->numerator = (uint32_t)numerator;
    out->denominator = (uint32_t)denominator;
    return EC_OK;
}

enum ec ews_read_page(struct ews_call *call, const struct ews_node *request, struct ews_page *out) {
    const struct ews_node *view = NULL;
    int64_t max;
    *out = (struct ews_page){.kind = EWS_PAGE_ALL, .max = EWS_FIND_MAX};
    for (const struct ews_node *n = request->child; n; n = n->next) {
        if (ews_is(n, "IndexedPageItemView") || ews_is(n, "IndexedPageFolderView")) {
            view = n;
            EC_TRY(read_indexed(call, n, out));
        } else if (ews_is(n, "FractionalPageItemView") || ews_is(n, "FractionalPageFolderView")) {
            view = n;
            EC_TRY(read_fractional(call, n, out));
        } else if (ews_is(n, "SeekToConditionPageItemView")) {
            const char *base = ews_attribute(n, "BasePoint");
            view = n;
            out->kind = EWS_PAGE_SEEK;
            out->is_from_end = base && strcmp(base, "End") == 0;
            out->condition = ews_child(n, "Condition");
            if (!out->condition)
                return ews_fail(call, "ErrorInvalidIndexedPagingParameters", NULL);
        } else if (ews_is(n, "CalendarView") || ews_is(n, "ContactsView")) {
            view = n;
        }
    }
    if (!view || !ews_attribute(view, "MaxEntriesReturned"))
        return EC_OK;
    if (!read_number(view, "MaxEntriesReturned", &max) || max <= 0)
        return ews_fail(call, "ErrorInvalidPagingMaxRows", NULL);
    out->max = (uint32_t)MIN(max, EWS_FIND_MAX);
    return EC_OK;
}

void ews_page_cut(struct ews_page *page, uint32_t total, uint32_t seek) {
    uint32_t start = 0;
    page->total = total;
    if (page->kind == EWS_PAGE_INDEXED && page->is_from_end) {
        // Counted backwards; the rows of a page stand as they do in the table.
        page->to = total - MIN(page->offset, total);
        page->from = page->to - MIN(page->max, page->to);
        page->is_last = page->from == 0;
        page->next = total - page->from;
        return;
    }
    if (page->kind == EWS_PAGE_INDEXED)
        start = page->offset;
    else if (page->kind == EWS_PAGE_FRACTIONAL)
        start = (uint32_t)((uint64_t)total * page->numerator / page->denominator);
    else if (page->kind == EWS_PAGE_SEEK)
        start = seek;
    page->from = MIN(start, total);
    page->to = page->from + MIN(page->max, total - page->from);
    page->is_last = page->to == total;
    page->next = page->to;
}

void ews_page_attributes(struct ews_call *call, const struct ews_page *page) {
    struct ews_writer *w = call->w;
    if (page->kind == EWS_PAGE_INDEXED || page->kind == EWS_PAGE_SEEK) {
        ews_attr_int(w, "IndexedPagingOffset", page->next);
    } else if (page->kind == EWS_PAGE_FRACTIONAL) {
        ews_attr_int(w, "NumeratorOffset", page->next);
        ews_attr_int(w, "AbsoluteDenominator", page->total);
    }
    ews_attr_int(w, "TotalItemsInView", page->total);
    ews_attr_bool(w, "IncludesLastItemInRange", page->is_last);
}
