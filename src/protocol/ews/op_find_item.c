// FindItem ([MS-OXWSSRCH] 3.1.4.2): a folder's items filtered, sorted, grouped and paged. The store
// keeps the sorted and filtered rows; here a request becomes the description of such a view, and
// only the rows of the page are read.
#include <string.h>

#include "mailbox/aqs.h"
#include "mapi/props.h"
#include "protocol/ews/ews_folders.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_rows.h"

#define CALENDAR_DAYS_MAX 731 // of a CalendarView
#define DAY (UINT64_C(86400) * FILETIME_SECOND)

struct find {
    struct ews_call *call;
    struct ews_shape shape;
    struct ews_page page;
    enum mailbox_find_kind kind;
    const struct search_node *query;
    const struct ews_node *calendar, *contacts, *group, *group_by_topic;
    filetime_t from, to; // of a CalendarView
    // Of the folder at hand.
    struct ews_mailbox *m;
    uint64_t fid;
    struct sort_order sort;
    struct restriction *restriction;
    struct mailbox_found *found;
    struct ews_columns columns;
};

// --- The request ---

static enum ec read_traversal(struct find *f) {
    const char *text = ews_attribute(f->call->request, "Traversal");
    if (g_strcmp0(text, "Shallow") == 0)
        f->kind = FIND_NORMAL;
    else if (g_strcmp0(text, "Associated") == 0)
        f->kind = FIND_ASSOCIATED;
    else if (g_strcmp0(text, "SoftDeleted") == 0)
        f->kind = FIND_SOFT_DELETED;
    else
        return ews_fail(f->call, "ErrorInvalidRequest", "Traversal");
    return EC_OK;
}

static enum ec read_query(struct find *f) {
    const struct ews_node *node = ews_child(f->call->request, "QueryString");
    const char *text = node ? ews_text(f->call->arena, node) : "";
    if (!*text)
        return EC_OK;
    if (strlen(text) > AQS_MAX_TEXT)
        return ews_fail(f->call, "ErrorQueryFilterTooLong", NULL);
    if (f->kind != FIND_NORMAL || f->group || f->group_by_topic)
        return ews_fail(f->call, "ErrorInvalidOperation",
                        "A query string goes with neither groups nor other traversals.");
    struct aqs_options options = {0};
    f->query = aqs_parse(f->call->arena, text, &options);
    return EC_OK;
}

static enum ec read_calendar(struct find *f) {
    const char *start = ews_attribute(f->calendar, "StartDate");
    const char *end = ews_attribute(f->calendar, "EndDate");
    if (!start || !end || !ews_date_parse(f->call, start, &f->from) ||
        !ews_date_parse(f->call, end, &f->to))
        return ews_fail(f->call, "ErrorInvalidRequest", "StartDate, EndDate");
    if (f->to < f->from)
        return ews_fail(f->call, "ErrorCalendarEndDateIsEarlierThanStartDate", NULL);
    if (f->to - f->from > CALENDAR_DAYS_MAX * DAY)
        return ews_fail(f->call, "ErrorCalendarViewRangeTooBig", NULL);
    return EC_OK;
}

static enum ec read_request(struct find *f) {
    const struct ews_node *request = f->call->request;
    EC_TRY(ews_read_shape(f->call, ews_child(request, "ItemShape"), true, &f->shape));
    EC_TRY(read_traversal(f));
    EC_TRY(ews_read_page(f->call, request, &f->page));
    f->calendar = ews_child(request, "CalendarView");
    f->contacts = ews_child(request, "ContactsView");
    f->group = ews_child(request, "GroupBy");
    f->group_by_topic = ews_child(request, "DistinguishedGroupBy");
    if (f->calendar && (ews_child(request, "Restriction") || ews_child(request, "SortOrder")))
        return ews_fail(f->call, "ErrorInvalidRequest",
                        "A calendar view has neither restriction nor order.");
    if (f->calendar)
        EC_TRY(read_calendar(f));
    return read_query(f);
}

// --- Order and groups ---

static enum ec add_column(struct find *f, proptag_t tag, enum sort_direction direction) {
    struct sort_order *sort = &f->sort;
    if (PROP_TYPE(tag) & PT_MV) { // rows appear once for each value
        for (unsigned i = 0; i < sort->n; i++)
            if (sort->columns[i].is_instance)
                return ews_fail(f->call, "ErrorUnsupportedPathForSortGroup", NULL);
    }
    if (sort->n == SORT_ORDER_MAX)
        return ews_fail(f->call, "ErrorInvalidRequest", "Too many columns to sort by.");
    bool is_mv = PROP_TYPE(tag) & PT_MV;
    sort->columns[sort->n++] =
        (struct sort_column){is_mv ? tag & ~(proptag_t)PT_MV : tag, direction, is_mv};
    return EC_OK;
}

// EC_NOT_FOUND: nothing has this property, and it orders nothing.
static enum ec path_column(struct find *f, const struct ews_node *node, const char *code,
                           proptag_t *out) {
    struct ews_path path;
    EC_TRY(ews_read_path_child(f->call, node, &path));
    enum ec ec = ews_sort_tag(f->call, f->m, &path, false, out);
    if (ec == EC_OK || ec == EC_NOT_FOUND)
        return ec;
    struct ews_failure failure = {.code = code, .path = path.node};
    return ews_fail_with(f->call, &failure);
}

static enum ec read_direction(struct find *f, const struct ews_node *node,
                              enum sort_direction *out) {
    const char *order = ews_attribute(node, "Order");
    if (order && strcmp(order, "Descending") == 0)
        *out = SORT_DESCENDING;
    else if (!order || strcmp(order, "Ascending") == 0)
        *out = SORT_ASCENDING;
    else
        return ews_fail(f->call, "ErrorInvalidRequest", "Order");
    return EC_OK;
}

static enum ec read_sort(struct find *f) {
    const struct ews_node *list = ews_child(f->call->request, "SortOrder");
    for (const struct ews_node *n = list ? list->child : NULL; n; n = n->next) {
        enum sort_direction direction;
        proptag_t tag;
        EC_TRY(read_direction(f, n, &direction));
        enum ec ec = path_column(f, n, "ErrorUnsupportedPathForSortGroup", &tag);
        if (ec == EC_NOT_FOUND)
            continue;
        EC_TRY(ec);
        EC_TRY(add_column(f, tag, direction));
    }
    return EC_OK;
}

// Groups stand in the order of their largest value of the aggregated property; with Minimum in that
// of what they are grouped by.
static enum ec read_group(struct find *f) {
    enum sort_direction direction;
    proptag_t tag, aggregate;
    if (f->group_by_topic) {
        EC_TRY(read_direction(f, f->group_by_topic, &direction));
        EC_TRY(add_column(f, PidTagConversationTopic, direction));
        EC_TRY(add_column(f, PidTagMessageDeliveryTime, SORT_MAXIMUM_CATEGORY));
        f->sort.n_categories = 1;
        return EC_OK;
    }
    const struct ews_node *on = ews_child(f->group, "AggregateOn");
    EC_TRY(read_direction(f, f->group, &direction));
    enum ec ec = path_column(f, f->group, "ErrorUnsupportedPathForSortGroup", &tag);
    if (ec == EC_NOT_FOUND) {
        tag = PidTagConversationTopic; // one group of everything would be as right
        ec = EC_OK;
    }
    EC_TRY(ec);
    EC_TRY(add_column(f, tag, direction));
    f->sort.n_categories = 1;
    if (!on || g_strcmp0(ews_attribute(on, "Aggregate"), "Maximum") != 0)
        return EC_OK;
    ec = path_column(f, on, "ErrorUnsupportedPathForSortGroup", &aggregate);
    if (ec == EC_NOT_FOUND || (ec == EC_OK && (PROP_TYPE(aggregate) & PT_MV)))
        return EC_OK;
    EC_TRY(ec);
    return add_column(f, aggregate, SORT_MAXIMUM_CATEGORY);
}

static struct restriction *both(struct find *f, struct restriction *a, struct restriction *b) {
    if (!a || !b)
        return a ? a : b;
    struct restriction *list[] = {a, b};
    return restriction_list(f->call->arena, RES_AND,
                            arena_memdup(f->call->arena, list, sizeof list), 2);
}

static struct restriction *compare(struct find *f, enum relop op, proptag_t tag,
                                   struct prop_value v) {
    return restriction_property(f->call->arena, op, tag, &v);
}

// Appointments that have a part of the time; series stand once, at their first occurrence.
static enum ec narrow_calendar(struct find *f) {
    proptag_t start = PidLidAppointmentStartWhole, end = PidLidAppointmentEndWhole;
    f->restriction = both(f, compare(f, RELOP_LT, start, prop_time(start, f->to)),
                          compare(f, RELOP_GE, end, prop_time(end, f->from)));
    f->restriction = both(f, restriction_exist(f->call->arena, start), f->restriction);
    return add_column(f, start, SORT_ASCENDING);
}

static enum ec narrow_contacts(struct find *f) {
    const char *first = ews_attribute(f->contacts, "InitialName");
    const char *last = ews_attribute(f->contacts, "FinalName");
    proptag_t tag = PidTagDisplayName;
    if (first)
        f->restriction = both(f, f->restriction, compare(f, RELOP_GE, tag, prop_str(tag, first)));
    if (last)
        f->restriction =
            both(f, f->restriction,
                 compare(f, RELOP_LE, tag,
                         prop_str(tag, arena_printf(f->call->arena, "%s\xef\xbf\xbf", last))));
    return f->sort.n == 0 ? add_column(f, tag, SORT_ASCENDING) : EC_OK;
}

// What depends on the mailbox: the ids of named properties.
static enum ec describe(struct find *f) {
    f->sort = (struct sort_order){0};
    f->restriction = NULL;
    EC_TRY(ews_read_restriction(f->call, f->m, ews_child(f->call->request, "Restriction"), false,
                                &f->restriction));
    if (f->group || f->group_by_topic)
        EC_TRY(read_group(f));
    EC_TRY(read_sort(f));
    if (f->calendar)
        EC_TRY(narrow_calendar(f));
    if (f->contacts)
        EC_TRY(narrow_contacts(f));
    return EC_OK;
}

// --- The answer ---

static enum ec write_row(struct find *f, struct arena *scratch, uint32_t i) {
    struct ews_columns *c = &f->columns;
    arena_reset(scratch);
    EC_TRY(mailbox_found_values(f->found, scratch, i, c->tags, c->n, EWS_ROW_TEXT, c->values));
    return ews_columns_write(f->call, c, mailbox_found_mid(f->found, i));
}

static enum ec write_rows(struct find *f, uint32_t from, uint32_t to) {
    ARENA_AUTO scratch = arena_new();
    ews_open(f->call->w, "t:Items");
    for (uint32_t i = from; i < to; i++)
        EC_TRY(write_row(f, scratch, i));
    ews_close(f->call->w);
    return EC_OK;
}

static enum ec write_group(struct find *f, uint32_t from, uint32_t to) {
    const struct prop_value *v = NULL;
    proptag_t tag = f->sort.columns[0].tag;
    EC_TRY(mailbox_found_values(f->found, f->call->arena, from, &tag, 1, EWS_ROW_TEXT, &v));
    const char *text = v ? ews_value_text(f->call, v) : NULL;
    ews_open(f->call->w, "t:GroupedItems");
    ews_element(f->call->w, "t:GroupIndex", text ? text : "");
    EC_TRY(write_rows(f, from, to));
    ews_close(f->call->w);
    return EC_OK;
}

// The page's rows, cut where groups end.
static enum ec write_groups(struct find *f) {
    ews_open(f->call->w, "t:Groups");
    for (uint32_t i = f->page.from; i < f->page.to;) {
        uint32_t end = MIN(mailbox_found_group_end(f->found, i), f->page.to);
        EC_TRY(write_group(f, i, end));
        i = end;
    }
    ews_close(f->call->w);
    return EC_OK;
}

static enum ec write_answer(struct find *f) {
    struct ews_writer *w = f->call->w;
    ews_success(f->call);
    ews_open(w, "m:RootFolder");
    ews_page_attributes(f->call, &f->page);
    EC_TRY(f->sort.n_categories ? write_groups(f) : write_rows(f, f->page.from, f->page.to));
    ews_close(w);
    ews_message_end(f->call);
    return EC_OK;
}

static enum ec cut_page(struct find *f) {
    struct restriction *condition = NULL;
    uint32_t at = 0;
    if (f->page.kind == EWS_PAGE_SEEK) {
        EC_TRY(ews_read_restriction(f->call, f->m, f->page.condition, false, &condition));
        EC_TRY(mailbox_found_seek(f->found, condition, f->page.is_from_end, &at));
    }
    ews_page_cut(&f->page, mailbox_found_count(f->found), at);
    return EC_OK;
}

static enum ec find_failure(struct find *f, enum ec ec) {
    switch (ec) {
    case EC_INVALID_PARAMETER:
    case EC_UNEXPECTED_TYPE:
        return ews_fail(f->call, "ErrorUnsupportedPathForSortGroup", NULL);
    case EC_NOT_SUPPORTED:
        return ews_fail(f->call, "ErrorUnsupportedPathForQuery", NULL);
    default:
        return ews_fail_folder(f->call, ec);
    }
}

static enum ec answer_found(struct find *f) {
    EC_TRY(
        ews_fail_folder(f->call, ews_columns_init(f->call, f->m, f->fid, &f->shape, &f->columns)));
    EC_TRY(cut_page(f));
    struct ews_mark mark = ews_mark(f->call->w);
    unsigned n_messages = f->call->n_messages;
    enum ec ec = write_answer(f);
    if (ec != EC_OK) {
        ews_rewind(f->call->w, mark);
        f->call->n_messages = n_messages;
    }
    return ec;
}

static enum ec find_in(struct find *f, const struct ews_node *node) {
    struct ews_folder_ref ref;
    EC_TRY(ews_read_folder_id(f->call, node, &ref));
    f->m = ref.mailbox;
    f->fid = ref.fid;
    EC_TRY(describe(f));
    struct mailbox_find find = {
        .fid = ref.fid,
        .kind = f->kind,
        .sort = f->sort.n ? &f->sort : NULL,
        .restriction = f->restriction,
        .query = f->query,
    };
    EC_TRY(find_failure(f, mailbox_find_open(ref.mailbox->m, &find, &f->found)));
    enum ec ec = answer_found(f);
    mailbox_found_close(g_steal_pointer(&f->found));
    return ec;
}

enum ec op_find_item(struct ews_call *call) {
    struct find f = {.call = call};
    const struct ews_node *ids = ews_child(call->request, "ParentFolderIds");
    enum ec ec = read_request(&f);
    if (ec == EC_OK && ews_count(ids) > EWS_FOLDER_ADDITIONS)
        ec = ews_fail(call, "ErrorInvalidRequest", "Too many folders.");
    for (const struct ews_node *id = ec == EC_OK && ids ? ids->child : NULL; id; id = id->next) {
        enum ec one = find_in(&f, id);
        if (one != EC_OK)
            ews_error(call, one);
    }
    ews_shape_clear(&f.shape);
    return ec;
}
