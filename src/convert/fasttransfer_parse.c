// A FastTransfer stream taken apart by its grammar ([MS-OXCFXICS] 2.2.4.2): a stack of what is
// open, and for each kind of it the elements that may come. Messages inside others and those of
// folders are built here; what belongs to the root goes to the sink at once.
#include "convert/fasttransfer.h"
#include "mapi/props.h"

#define FOLDER_DEPTH_MAX 300
#define MAX_RECIPIENTS 20000u
#define MAX_ATTACHMENTS 10000u
#define FIRST_NONTRANSMITTABLE 0x6600
#define LAST_NONTRANSMITTABLE 0x67FF

enum what { IN_LIST, IN_TOP, IN_FOLDER, IN_MESSAGE, IN_RECIPIENT, IN_ATTACHMENT };
// How far a message or folder is: what came before cannot come again.
enum stage { AT_PROPS, AT_RECIPIENTS, AT_ATTACHMENTS, AT_MESSAGES, AT_FOLDERS, AT_END };

struct open {
    enum what what;
    enum stage stage;
    enum ft_marker end;         // what closes it; 0: nothing (a root)
    bool is_associated;         // a message
    struct message_value *m;    // IN_MESSAGE; NULL: the root
    struct attachment_value *a; // IN_ATTACHMENT; NULL: the root
    struct bag *r;              // IN_RECIPIENT
};

struct ft_parser {
    struct ft_sink sink;
    struct ft_reader *reader;
    GArray *stack; // of struct open
    unsigned messages, folders;
    unsigned n_recipients, n_attachments; // of the root
    enum ec ec;
};

static void clear_open(void *data) {
    struct open *o = data;
    message_value_free(o->m);
    attachment_value_free(o->a);
    bag_free(o->r);
}

static struct open *top(struct ft_parser *p) {
    return &g_array_index(p->stack, struct open, p->stack->len - 1);
}

static void push(struct ft_parser *p, struct open o) {
    g_array_append_val(p->stack, o);
}

// Takes the top off without freeing what it holds.
static struct open pop(struct ft_parser *p) {
    struct open o = *top(p);
    *top(p) = (struct open){0};
    g_array_set_size(p->stack, p->stack->len - 1);
    return o;
}

struct ft_parser *ft_parser_new(enum ft_root root, unsigned code_page, const struct ft_sink *sink) {
    static const enum what roots[] = {[FT_ROOT_MESSAGE] = IN_MESSAGE,
                                      [FT_ROOT_ATTACHMENT] = IN_ATTACHMENT,
                                      [FT_ROOT_FOLDER] = IN_FOLDER,
                                      [FT_ROOT_MESSAGES] = IN_LIST,
                                      [FT_ROOT_TOP_FOLDER] = IN_TOP};
    struct ft_parser *p = g_new0(struct ft_parser, 1);
    p->sink = *sink;
    p->reader = ft_reader_new(code_page, FT_VALUE_MAX);
    p->stack = g_array_new(FALSE, FALSE, sizeof(struct open));
    g_array_set_clear_func(p->stack, clear_open);
    push(p, (struct open){.what = roots[root]});
    return p;
}

void ft_parser_free(struct ft_parser *p) {
    if (!p)
        return;
    ft_reader_free(p->reader);
    g_array_unref(p->stack);
    g_free(p);
}

bool ft_parser_is_complete(const struct ft_parser *p) {
    if (p->ec != EC_OK || !ft_reader_is_empty(p->reader) || p->stack->len != 1)
        return false;
    const struct open *root = &g_array_index(p->stack, struct open, 0);
    return root->what != IN_TOP || root->stage == AT_END;
}

// --- Values ---

// The message whose names count for what is open now; NULL: the root.
static struct message_value *owner(struct ft_parser *p) {
    for (guint i = p->stack->len; i-- > 0;) {
        const struct open *o = &g_array_index(p->stack, struct open, i);
        if (o->what == IN_MESSAGE)
            return o->m;
    }
    return NULL;
}

static uint16_t id_of(struct ft_parser *p, const struct prop_name *name, bool is_fixed_only) {
    uint16_t fixed = named_fixed_id(name);
    struct message_value *m = owner(p);
    // Local names are those of a message's own properties.
    if (fixed)
        return fixed;
    if (p->sink.id)
        return is_fixed_only && m && m->names_are_local ? 0 : p->sink.id(p->sink.ctx, m, name);
    return m && !is_fixed_only ? message_value_local_name(m, name) : 0;
}

static bool is_meta(proptag_t tag) {
    return tag == MetaTagFXDelProp || tag == MetaTagEcWarning || tag == MetaTagDnPrefix ||
           tag == PROP_TAG(PROP_ID(MetaTagDnPrefix), PT_UNICODE) || tag == MetaTagNewFXFolder;
}

static enum ec delete_children(struct ft_parser *p, proptag_t kind) {
    return p->stack->len == 1 && p->sink.delete_children
               ? p->sink.delete_children(p->sink.ctx, kind)
               : EC_OK;
}

static enum ec set_attachment(struct attachment_value *a, const struct prop_value *v) {
    if (PROP_ID(v->tag) == PROP_ID(PidTagAttachDataBinary)) {
        if (PROP_TYPE(v->tag) != PT_BINARY && PROP_TYPE(v->tag) != PT_OBJECT)
            return EC_FORMAT_ERROR;
        g_clear_pointer(&a->data, g_bytes_unref);
        a->data = g_bytes_new(v->bin.data, v->bin.len);
        return EC_OK;
    }
    if (PROP_ID(v->tag) == PROP_ID(PidTagAttachNumber))
        return EC_OK; // its place among them
    return bag_set(a->bag, v);
}

static enum ec take_root(struct ft_parser *p, const struct prop_value *v) {
    return p->sink.prop ? p->sink.prop(p->sink.ctx, v) : EC_OK;
}

static enum ec take_value(struct ft_parser *p, const struct ft_element *e) {
    struct open *o = top(p);
    struct prop_value v = e->value;
    if (v.tag == MetaTagFXDelProp)
        return delete_children(p, (proptag_t)v.l);
    if (is_meta(v.tag))
        return EC_OK;
    if (o->what == IN_LIST || o->what == IN_TOP || o->stage != AT_PROPS)
        return EC_FORMAT_ERROR;
    if (PROP_ID(v.tag) >= FIRST_NONTRANSMITTABLE && PROP_ID(v.tag) <= LAST_NONTRANSMITTABLE)
        return EC_OK;
    if (e->has_name) {
        uint16_t id = id_of(p, &e->name, o->what != IN_MESSAGE && o->what != IN_FOLDER);
        if (id == 0)
            return EC_OK;
        v.tag = PROP_TAG(id, PROP_TYPE(v.tag));
    }
    switch (o->what) {
    case IN_MESSAGE:
        return o->m ? bag_set(o->m->bag, &v) : take_root(p, &v);
    case IN_ATTACHMENT:
        return o->a ? set_attachment(o->a, &v) : take_root(p, &v);
    case IN_RECIPIENT:
        return bag_set(o->r, &v);
    default:
        return take_root(p, &v); // a folder's
    }
}

// --- Markers that begin something ---

static enum ec begin_message(struct ft_parser *p, enum ft_marker marker) {
    struct open *o = top(p);
    if (o->what != IN_LIST && (o->what != IN_FOLDER || o->stage > AT_MESSAGES))
        return EC_FORMAT_ERROR;
    o->stage = AT_MESSAGES;
    struct open m = {.what = IN_MESSAGE,
                     .end = FT_END_MESSAGE,
                     .is_associated = marker == FT_START_FAI_MESSAGE,
                     .m = message_value_new()};
    m.m->names_are_local = !p->sink.id;
    push(p, m);
    return EC_OK;
}

static enum ec begin_embedded(struct ft_parser *p) {
    struct open *o = top(p);
    if (o->what != IN_ATTACHMENT || o->stage != AT_PROPS)
        return EC_FORMAT_ERROR;
    if (++p->messages > FT_DEPTH_MAX)
        return EC_TOO_COMPLEX;
    o->stage = AT_END;
    struct open m = {.what = IN_MESSAGE, .end = FT_END_EMBED, .m = message_value_new()};
    m.m->names_are_local = true;
    push(p, m);
    return EC_OK;
}

static enum ec begin_child(struct ft_parser *p, enum ft_marker marker) {
    struct open *o = top(p);
    bool is_recipient = marker == FT_START_RECIPIENT;
    if (o->what != IN_MESSAGE || o->stage > (is_recipient ? AT_RECIPIENTS : AT_ATTACHMENTS))
        return EC_FORMAT_ERROR;
    o->stage = is_recipient ? AT_RECIPIENTS : AT_ATTACHMENTS;
    guint n = !o->m          ? (is_recipient ? p->n_recipients++ : p->n_attachments++)
              : is_recipient ? o->m->recipients->len
                             : o->m->attachments->len;
    if (n >= (is_recipient ? MAX_RECIPIENTS : MAX_ATTACHMENTS))
        return EC_TOO_MANY_OBJECTS;
    if (is_recipient)
        push(p, (struct open){.what = IN_RECIPIENT, .end = FT_END_RECIPIENT, .r = bag_new()});
    else
        push(p, (struct open){
                    .what = IN_ATTACHMENT, .end = FT_END_ATTACHMENT, .a = attachment_value_new()});
    return EC_OK;
}

static enum ec begin_folder(struct ft_parser *p, enum ft_marker marker) {
    struct open *o = top(p);
    bool is_top = marker == FT_START_TOP_FOLDER;
    if (is_top ? o->what != IN_TOP || o->stage != AT_PROPS : o->what != IN_FOLDER)
        return EC_FORMAT_ERROR;
    if (++p->folders > FOLDER_DEPTH_MAX)
        return EC_TOO_COMPLEX;
    o->stage = is_top ? AT_END : AT_FOLDERS;
    push(p, (struct open){.what = IN_FOLDER, .end = FT_END_FOLDER});
    return p->sink.folder_begin ? p->sink.folder_begin(p->sink.ctx) : EC_OK;
}

// --- Markers that end something ---

static enum ec end_message(struct ft_parser *p, struct open *o) {
    if (o->end == FT_END_EMBED) {
        struct open *above = top(p);
        p->messages--;
        if (above->a) {
            message_value_free(above->a->embedded);
            above->a->embedded = g_steal_pointer(&o->m);
            return EC_OK;
        }
        return p->sink.embedded ? p->sink.embedded(p->sink.ctx, g_steal_pointer(&o->m)) : EC_OK;
    }
    return p->sink.message ? p->sink.message(p->sink.ctx, g_steal_pointer(&o->m), o->is_associated)
                           : EC_OK;
}

static enum ec end_child(struct ft_parser *p, struct open *o) {
    struct message_value *m = top(p)->m;
    if (o->what == IN_RECIPIENT && m)
        g_ptr_array_add(m->recipients, g_steal_pointer(&o->r));
    else if (o->what == IN_RECIPIENT)
        return p->sink.recipient ? p->sink.recipient(p->sink.ctx, g_steal_pointer(&o->r)) : EC_OK;
    else if (m)
        g_ptr_array_add(m->attachments, g_steal_pointer(&o->a));
    else
        return p->sink.attachment ? p->sink.attachment(p->sink.ctx, g_steal_pointer(&o->a)) : EC_OK;
    return EC_OK;
}

static enum ec end_something(struct ft_parser *p, enum ft_marker marker) {
    if (top(p)->end != marker)
        return EC_FORMAT_ERROR;
    struct open o = pop(p);
    enum ec ec;
    if (o.what == IN_MESSAGE) {
        ec = end_message(p, &o);
    } else if (o.what == IN_FOLDER) {
        p->folders--;
        ec = p->sink.folder_end ? p->sink.folder_end(p->sink.ctx) : EC_OK;
    } else {
        ec = end_child(p, &o);
    }
    clear_open(&o);
    return ec;
}

static enum ec take_marker(struct ft_parser *p, enum ft_marker marker) {
    switch (marker) {
    case FT_START_MESSAGE:
    case FT_START_FAI_MESSAGE:
        return begin_message(p, marker);
    case FT_START_EMBED:
        return begin_embedded(p);
    case FT_START_RECIPIENT:
    case FT_NEW_ATTACHMENT:
        return begin_child(p, marker);
    case FT_START_TOP_FOLDER:
    case FT_START_SUB_FOLDER:
        return begin_folder(p, marker);
    case FT_END_FOLDER:
    case FT_END_MESSAGE:
    case FT_END_EMBED:
    case FT_END_RECIPIENT:
    case FT_END_ATTACHMENT:
        return end_something(p, marker);
    default:
        return EC_FORMAT_ERROR; // of synchronization: for clients only (2.2.4.4)
    }
}

enum ec ft_parser_put(struct ft_parser *p, const void *data, size_t len) {
    ARENA_AUTO arena = arena_new();
    if (p->ec != EC_OK)
        return p->ec;
    ft_reader_put(p->reader, data, len);
    for (;;) {
        struct ft_element e;
        arena_reset(arena);
        p->ec = ft_reader_next(p->reader, arena, &e);
        if (p->ec != EC_OK || e.kind == FT_MORE)
            return p->ec;
        p->ec = e.kind == FT_MARKER ? take_marker(p, e.marker) : take_value(p, &e);
        if (p->ec != EC_OK)
            return p->ec;
    }
}
