// Shapes: which properties of an item an answer has, and writing items in them
// ([MS-OXWSCDATA] 2.2.4.35 ItemResponseShapeType).
#include <string.h>

#include "mapi/props.h"
#include "protocol/ews/ews_properties.h"

// --- Kinds of items ---

static const struct {
    const char *prefix; // of the message class
    enum ews_class class;
} classes[] = {
    {"IPM.Contact", EWS_CONTACT},
    {"IPM.DistList", EWS_LIST},
    {"IPM.Task", EWS_TASK},
    {"IPM.Appointment", EWS_CALENDAR},
    {"IPM.Schedule.Meeting.Request", EWS_REQUEST},
    {"IPM.Schedule.Meeting.Resp", EWS_RESPONSE},
    {"IPM.Schedule.Meeting.Canceled", EWS_CANCELLATION},
    {"IPM.Schedule.Meeting", EWS_MEETING},
    {"IPM.Post", EWS_POST},
};

enum ews_class ews_class_of(const char *message_class) {
    for (unsigned i = 0; message_class && i < G_N_ELEMENTS(classes); i++) {
        size_t n = strlen(classes[i].prefix);
        if (g_ascii_strncasecmp(message_class, classes[i].prefix, n) == 0 &&
            (message_class[n] == '\0' || message_class[n] == '.'))
            return classes[i].class;
    }
    return EWS_MESSAGE;
}

static const struct {
    enum ews_class class;
    const char *element;
    unsigned object;
} kinds[] = {
    {EWS_ITEM, "t:Message", EWS_OBJECT_MESSAGE},
    {EWS_MESSAGE, "t:Message", EWS_OBJECT_MESSAGE},
    {EWS_POST, "t:PostItem", EWS_OBJECT_POST},
    {EWS_CONTACT, "t:Contact", EWS_OBJECT_CONTACT},
    {EWS_LIST, "t:DistributionList", EWS_OBJECT_LIST},
    {EWS_TASK, "t:Task", EWS_OBJECT_TASK},
    {EWS_CALENDAR, "t:CalendarItem", EWS_OBJECT_CALENDAR_ITEM},
    {EWS_MEETING, "t:MeetingMessage", EWS_OBJECT_MESSAGE},
    {EWS_REQUEST, "t:MeetingRequest", EWS_OBJECT_MEETING_REQUEST},
    {EWS_RESPONSE, "t:MeetingResponse", EWS_OBJECT_MEETING_RESPONSE},
    {EWS_CANCELLATION, "t:MeetingCancellation", EWS_OBJECT_MEETING_CANCELLATION},
};

const char *ews_class_element(enum ews_class c) {
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].class == c)
            return kinds[i].element;
    return "t:Message"; // t:Item is not for answers (MS-OXWSCDATA_R1020, MS-OXWSCDATA_R1021)
}

unsigned ews_class_object(enum ews_class c) {
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].class == c)
            return kinds[i].object;
    return EWS_OBJECT_MESSAGE;
}

// --- Reading a shape ---

static bool is_selected(const struct ews_shape *shape, unsigned row) {
    return shape->selected[row / 64] >> (row % 64) & 1;
}

static void select_row(struct ews_shape *shape, unsigned row) {
    shape->selected[row / 64] |= UINT64_C(1) << (row % 64);
}

// Every row of the property's FieldURI.
static void select_uri(struct ews_shape *shape, const char *uri) {
    unsigned n;
    const struct ews_property *rows = ews_properties(&n);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(rows[i].uri, uri) == 0)
            select_row(shape, i);
}

static enum ec add_path(struct ews_call *call, struct ews_shape *shape,
                        const struct ews_node *node) {
    struct ews_path path;
    EC_TRY(ews_read_path(call, node, &path));
    if (path.kind == EWS_PATH_FIELD && g_str_has_prefix(path.uri, "folder:"))
        return ews_fail_with(
            call, &(struct ews_failure){.code = "ErrorInvalidPropertyRequest", .path = node});
    if (path.kind == EWS_PATH_FIELD) {
        if (path.property && path.property->is_only_get && shape->is_for_rows &&
            strcmp(path.uri, "item:MimeContent") == 0)
            return ews_fail_with(
                call, &(struct ews_failure){.code = "ErrorInvalidPropertyRequest", .path = node});
        select_uri(shape, path.uri);
        return EC_OK;
    }
    GPtrArray *list = path.kind == EWS_PATH_EXTENDED ? shape->extended : shape->indexed;
    g_ptr_array_add(list, arena_memdup(call->arena, &path, sizeof path));
    // A member of a dictionary brings it with what is asked for; the rest does no harm.
    if (path.kind == EWS_PATH_INDEXED)
        select_uri(shape, path.property ? path.property->uri : "item:InternetMessageHeaders");
    return EC_OK;
}

static enum ec read_base(struct ews_call *call, const struct ews_node *node,
                         struct ews_shape *shape) {
    const char *base = ews_child_text(call->arena, node, "BaseShape");
    shape->base = EWS_ID_ONLY;
    if (!base || strcmp(base, "IdOnly") == 0)
        return EC_OK;
    if (strcmp(base, "Default") == 0)
        shape->base = EWS_DEFAULT;
    else if (strcmp(base, "AllProperties") == 0)
        shape->base = EWS_ALL_PROPERTIES;
    else
        return ews_fault(call, "ErrorSchemaValidation",
                         "The request failed schema validation: The 'BaseShape' element is "
                         "invalid.");
    return EC_OK;
}

enum ec ews_read_shape(struct ews_call *call, const struct ews_node *node, bool is_for_rows,
                       struct ews_shape *out) {
    unsigned n;
    ews_properties(&n);
    *out = (struct ews_shape){.is_for_rows = is_for_rows};
    out->selected = arena_alloc0(call->arena, (n / 64 + 1) * sizeof *out->selected);
    out->extended = g_ptr_array_new();
    out->indexed = g_ptr_array_new();
    EC_TRY(read_base(call, node, out));
    out->with_mime = ews_child_bool(node, "IncludeMimeContent", false);
    out->filters_html = ews_child_bool(node, "FilterHtmlContent", false);
    out->utf8 = ews_child_bool(node, "ConvertHtmlCodePageToUTF8", true);
    out->blocks_images = ews_child_bool(node, "BlockExternalImages", false);
    out->adds_blank = ews_child_bool(node, "AddBlankTargetToLinks", false);
    out->cid_template = ews_child_text(call->arena, node, "InlineImageUrlTemplate");
    out->max_body = MAX(ews_child_int(node, "MaximumBodySize", 0), 0);
    const char *body = ews_child_text(call->arena, node, "BodyType");
    if (body)
        out->body = strcmp(body, "HTML") == 0   ? EWS_BODY_HTML
                    : strcmp(body, "Text") == 0 ? EWS_BODY_TEXT
                                                : EWS_BODY_BEST;
    select_uri(out, "item:ItemId");
    if (out->with_mime)
        select_uri(out, "item:MimeContent");
    const struct ews_node *paths = ews_child(node, "AdditionalProperties");
    for (const struct ews_node *c = paths ? paths->child : NULL; c; c = c->next) {
        enum ec ec = add_path(call, out, c);
        if (ec != EC_OK) {
            ews_shape_clear(out);
            return ec;
        }
    }
    return EC_OK;
}

void ews_shape_clear(struct ews_shape *shape) {
    g_clear_pointer(&shape->extended, g_ptr_array_unref);
    g_clear_pointer(&shape->indexed, g_ptr_array_unref);
}

// Whether an item of the class has the row in this shape.
static bool is_wanted(const struct ews_call *call, const struct ews_shape *shape, unsigned row,
                      const struct ews_property *p, uint32_t class) {
    if (!(p->classes & class) || p->since > call->version)
        return false;
    if (p->is_only_get && shape->is_for_rows)
        return false;
    if (!*p->uri)
        return shape->extended->len > 0;
    return is_selected(shape, row) || (shape->base == EWS_DEFAULT && (p->defaults & class)) ||
           (shape->base == EWS_ALL_PROPERTIES && !p->is_only_asked);
}

static void add_tag(GArray *tags, proptag_t tag) {
    if (PROP_ID(tag) == 0)
        return;
    for (guint i = 0; i < tags->len; i++)
        if (g_array_index(tags, proptag_t, i) == tag)
            return;
    g_array_append_val(tags, tag);
}

enum ec ews_shape_tags(struct ews_call *call, struct ews_mailbox *m, const struct ews_shape *shape,
                       GArray *tags) {
    unsigned n, n_indexed;
    const struct ews_property *rows = ews_properties(&n);
    const struct ews_indexed *indexed = ews_indexed_all(&n_indexed);
    add_tag(tags, PidTagMessageClass);
    add_tag(tags, PidTagChangeNumber);
    for (unsigned i = 0; i < n; i++) {
        if (!is_wanted(call, shape, i, &rows[i], EWS_ANY_ITEM))
            continue;
        add_tag(tags, rows[i].tag);
        for (unsigned k = 0; k < G_N_ELEMENTS(rows[i].needs); k++)
            add_tag(tags, rows[i].needs[k]);
        for (unsigned k = 0; k < n_indexed; k++)
            if (strcmp(indexed[k].property, rows[i].uri) == 0)
                add_tag(tags, ews_indexed_tag(m, &indexed[k]));
    }
    for (guint i = 0; i < shape->extended->len; i++) {
        proptag_t tag;
        enum ec ec = ews_path_tag(call, m, shape->extended->pdata[i], &tag);
        if (ec == EC_OK)
            add_tag(tags, tag);
        else if (ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_OK;
}

// --- Values ---

bool ews_value(struct ews_write *o, proptag_t tag, struct prop_value *out) {
    return PROP_ID(tag) != 0 && o->source->get(o->source->ctx, tag, out);
}

int32_t ews_value_long(struct ews_write *o, proptag_t tag, int32_t def) {
    struct prop_value v;
    return ews_value(o, tag, &v) && PROP_TYPE(v.tag) == PT_LONG ? v.l : def;
}

struct item *ews_write_open(struct ews_write *o) {
    if (o->source->item)
        return o->source->item;
    if (!o->opened && item_open(o->source->mailbox->m, o->source->mid, &o->opened) != EC_OK)
        o->opened = NULL;
    return o->opened;
}

struct item_values {
    struct ews_call *call;
    struct item *item;
};

static bool get_of_item(void *ctx, proptag_t tag, struct prop_value *out) {
    struct item_values *values = ctx;
    return item_get(values->item, values->call->arena, tag, 0, out) == EC_OK;
}

enum ec ews_source_of_item(struct ews_call *call, struct ews_mailbox *mailbox, struct item *item,
                           struct ews_source *out) {
    struct item_values *values = arena_alloc(call->arena, sizeof *values);
    *values = (struct item_values){call, item};
    *out = (struct ews_source){
        .mailbox = mailbox,
        .fid = item_fid(item),
        .mid = item_mid(item),
        .cn = item_change(item),
        .class = ews_class_of(item_class(item)),
        .get = get_of_item,
        .ctx = values,
        .item = item,
        .rights = item_rights(item),
    };
    return EC_OK;
}

// --- Writing ---

static void put_enum(struct ews_write *o, const struct ews_property *p, int32_t value) {
    for (const struct ews_enum_name *n = p->names; n->name; n++) {
        if (n->value != value)
            continue;
        ews_element(o->w, p->element, n->name);
        return;
    }
}

static void put_strings(struct ews_write *o, const struct ews_property *p,
                        const struct prop_value *v) {
    if (v->mv.n == 0)
        return;
    ews_open(o->w, p->element);
    for (uint32_t i = 0; i < v->mv.n; i++)
        ews_element(o->w, "t:String", v->mv.str[i]);
    ews_close(o->w);
}

// What an item has though its property is not set: [MS-OXCMSG] 2.2.1.11, 2.2.1.13 and the like.
static bool put_default(struct ews_write *o, const struct ews_property *p) {
    switch (p->tag) {
    case PidTagSensitivity:
        put_enum(o, p, 0);
        return true;
    case PidTagImportance:
        put_enum(o, p, 1);
        return true;
    case PidLidTaskStatus:
        put_enum(o, p, 0);
        return true;
    case PidTagHasAttachments:
    case PidLidReminderSet:
    case PidTagReadReceiptRequested:
    case PidTagOriginatorDeliveryReportRequested:
    case PidLidTaskComplete:
    case PidLidTaskFRecurring:
    case PidLidRecurring:
    case PidLidAppointmentSubType:
        ews_element_bool(o->w, p->element, false);
        return true;
    default:
        return false;
    }
}

static void put_by_type(struct ews_write *o, const struct ews_property *p) {
    struct prop_value v;
    if (!ews_value(o, p->tag, &v)) {
        put_default(o, p);
        return;
    }
    switch (p->type) {
    case EWS_STRING:
        ews_element(o->w, p->element, v.str);
        break;
    case EWS_BOOL:
        ews_element_bool(o->w, p->element, v.b);
        break;
    case EWS_INT:
        ews_element_int(o->w, p->element, v.l);
        break;
    case EWS_LONG64:
        ews_element_int(o->w, p->element, v.i8);
        break;
    case EWS_DOUBLE: {
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        ews_element(o->w, p->element, g_ascii_dtostr(text, sizeof text, v.d));
        break;
    }
    case EWS_TIME:
        ews_element_time(o->call, p->element, v.time);
        break;
    case EWS_BASE64:
        ews_element_base64(o->w, p->element, v.bin.data, v.bin.len);
        break;
    case EWS_STRINGS:
        put_strings(o, p, &v);
        break;
    case EWS_ENUM:
        put_enum(o, p, v.l);
        break;
    case EWS_OWN:
        break;
    }
}

enum ec ews_write_item(struct ews_call *call, const struct ews_shape *shape,
                       const struct ews_source *source) {
    unsigned n;
    const struct ews_property *rows = ews_properties(&n);
    struct ews_write o = {.call = call, .w = call->w, .shape = shape, .source = source};
    ews_open(call->w, ews_class_element(source->class));
    for (unsigned i = 0; i < n; i++) {
        if (!is_wanted(call, shape, i, &rows[i], source->class))
            continue;
        if (rows[i].write)
            rows[i].write(&o, &rows[i]);
        else
            put_by_type(&o, &rows[i]);
    }
    ews_close(call->w);
    item_close(o.opened);
    return EC_OK;
}
