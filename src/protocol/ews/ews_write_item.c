// Writing properties that items and messages of all kinds have.
#include <string.h>
#include <unicode/uloc.h>

#include "convert/body.h"
#include "formats/html_filter.h"
#include "formats/mime.h"
#include "mapi/code_page.h"
#include "mapi/conversation.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "protocol/ews/ews_properties.h"

#define BODY_MAX_BYTES (64u * 1024 * 1024)
#define PREVIEW_MAX 255 // characters
#define HEADERS_MAX 1000

// --- Ids ---

void ews_put_item_id(struct ews_write *o, const struct ews_property *p) {
    const struct ews_source *s = o->source;
    if (s->attachment) {
        ews_open(o->w, p->element);
        ews_attr(o->w, "Id", ews_id_format(o->call->arena, s->attachment, &s->mailbox->replica));
        ews_attr(o->w, "ChangeKey",
                 ews_change_key_format(o->call->arena, ews_class_object(s->class),
                                       &s->mailbox->replica, s->cn));
        ews_close(o->w);
    } else if (s->mid) {
        ews_write_item_id(o->call, p->element, s->mailbox, s->fid, s->mid,
                          ews_class_object(s->class), s->cn);
    }
}

void ews_put_parent_folder_id(struct ews_write *o, const struct ews_property *p) {
    const struct ews_source *s = o->source;
    if (!s->attachment && s->fid)
        ews_write_folder_id(o->call, p->element, s->mailbox, s->fid, EWS_OBJECT_FOLDER, 0);
}

void ews_put_store_entry_id(struct ews_write *o, const struct ews_property *p) {
    const struct ews_source *s = o->source;
    if (!s->mid)
        return;
    struct prop_bin id = entry_id_of_message(o->call->arena, &s->mailbox->guid,
                                             &s->mailbox->replica, s->fid, s->mid);
    ews_element_base64(o->w, p->element, id.data, id.len);
}

void ews_put_instance_key(struct ews_write *o, const struct ews_property *p) {
    struct wire_writer w = wire_writer(16);
    wire_put_be64(&w, o->source->mid);
    if (o->source->mid)
        ews_element_base64(o->w, p->element, w.bytes->data, w.bytes->len);
    wire_writer_clear(&w);
}

void ews_put_conversation_id(struct ews_write *o, const struct ews_property *p) {
    struct prop_value index = {0}, topic = {0}, id;
    uint8_t bytes[16];
    if (o->source->attachment || o->source->class & (EWS_CONTACT | EWS_LIST | EWS_TASK))
        return;
    bool has = ews_value(o, PidTagConversationId, &id) && id.bin.len == sizeof bytes;
    if (has)
        memcpy(bytes, id.bin.data, sizeof bytes);
    bool has_index = ews_value(o, PidTagConversationIndex, &index);
    bool has_topic = ews_value(o, PidTagConversationTopic, &topic);
    if (!has)
        has = conversation_id(has_index, has_index ? index.bin : (struct prop_bin){0, NULL},
                              has_topic ? topic.str : NULL, bytes);
    if (has)
        ews_write_conversation_id(o->call, p->element, o->source->mailbox, bytes);
}

void ews_put_item_class(struct ews_write *o, const struct ews_property *p) {
    struct prop_value v;
    ews_element(o->w, p->element, ews_value(o, PidTagMessageClass, &v) ? v.str : "IPM.Note");
}

// --- Flags ---

void ews_put_message_flag(struct ews_write *o, const struct ews_property *p) {
    static const struct {
        const char *element;
        int32_t flag; // of PidTagMessageFlags
    } flags[] = {
        {"t:IsRead", 0x01},   {"t:IsUnmodified", 0x02}, {"t:IsSubmitted", 0x04},
        {"t:IsDraft", 0x08},  {"t:IsFromMe", 0x20},     {"t:IsAssociated", 0x40},
        {"t:IsResend", 0x80},
    };
    struct item *item = o->source->item;
    int32_t value = ews_value_long(o, PidTagMessageFlags, 0);
    // The read state is the principal's (public folders).
    if (item && item_mid(item))
        value = (value & ~1) | (item_flags(item) & MSG_READ ? 1 : 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(flags); i++)
        if (strcmp(flags[i].element, p->element) == 0)
            ews_element_bool(o->w, p->element, value & flags[i].flag);
}

void ews_put_constant_false(struct ews_write *o, const struct ews_property *p) {
    ews_element_bool(o->w, p->element, false);
}

void ews_put_flag(struct ews_write *o, const struct ews_property *p) {
    struct prop_value v;
    int32_t status = ews_value_long(o, PidTagFlagStatus, 0);
    ews_open(o->w, p->element);
    ews_element(o->w, "t:FlagStatus",
                status == 2   ? "Flagged"
                : status == 1 ? "Complete"
                              : "NotFlagged");
    if (status == 2 && ews_value(o, PidLidTaskStartDate, &v))
        ews_element_time(o->call, "t:StartDate", v.time);
    if (status == 2 && ews_value(o, PidLidTaskDueDate, &v))
        ews_element_time(o->call, "t:DueDate", v.time);
    if (status == 1 && ews_value(o, PidTagFlagCompleteTime, &v))
        ews_element_time(o->call, "t:CompleteDate", v.time);
    ews_close(o->w);
}

void ews_put_icon_index(struct ews_write *o, const struct ews_property *p) {
    static const struct {
        int32_t icon;
        const char *name;
    } icons[] = {
        {-1, "Default"},
        {1, "PostItem"},
        {0x100, "MailRead"},
        {0x101, "MailUnread"},
        {0x105, "MailReplied"},
        {0x106, "MailForwarded"},
        {0x110, "MailEncrypted"},
        {0x111, "MailSmimeSigned"},
        {0x200, "OutlookDefaultForContacts"},
        {0x400, "AppointmentItem"},
        {0x401, "AppointmentRecur"},
        {0x402, "AppointmentMeet"},
        {0x403, "AppointmentMeetRecur"},
        {0x500, "TaskItem"},
        {0x501, "TaskRecur"},
        {0x502, "TaskOwned"},
        {0x503, "TaskDelegated"},
    };
    int32_t icon = ews_value_long(o, PidTagIconIndex, -1);
    const char *name = "Default";
    for (unsigned i = 0; i < G_N_ELEMENTS(icons); i++)
        if (icons[i].icon == icon)
            name = icons[i].name;
    ews_element(o->w, p->element, name);
}

void ews_put_effective_rights(struct ews_write *o, const struct ews_property *p) {
    struct item *item = o->source->item;
    (void)p;
    ews_write_effective_rights(o->call, o->source->rights, false, item ? item_is_own(item) : true);
}

void ews_write_effective_rights(struct ews_call *call, uint32_t rights, bool is_folder,
                                bool is_own_item) {
    struct ews_writer *w = call->w;
    bool may_delete =
        is_folder ? rights & RIGHTS_OWNER
                  : rights & RIGHTS_DELETE_ANY || (is_own_item && rights & RIGHTS_DELETE_OWNED);
    bool may_modify = is_folder
                          ? rights & RIGHTS_OWNER
                          : rights & RIGHTS_EDIT_ANY || (is_own_item && rights & RIGHTS_EDIT_OWNED);
    ews_open(w, "t:EffectiveRights");
    ews_element_bool(w, "t:CreateAssociated", is_folder && rights & RIGHTS_OWNER);
    ews_element_bool(w, "t:CreateContents", is_folder && rights & RIGHTS_CREATE);
    ews_element_bool(w, "t:CreateHierarchy", is_folder && rights & RIGHTS_CREATE_SUBFOLDER);
    ews_element_bool(w, "t:Delete", may_delete);
    ews_element_bool(w, "t:Modify", may_modify);
    ews_element_bool(w, "t:Read",
                     rights & RIGHTS_READ_ANY ||
                         (!is_folder && is_own_item && rights & RIGHTS_VISIBLE));
    if (call->version >= EWS_2010)
        ews_element_bool(w, "t:ViewPrivateItems", (rights & RIGHTS_OWNER) != 0);
    ews_close(w);
}

// --- Times ---

static void put_time_or_received(struct ews_write *o, const struct ews_property *p) {
    struct prop_value v;
    if (ews_value(o, p->tag, &v) || ews_value(o, PidTagMessageDeliveryTime, &v))
        ews_element_time(o->call, p->element, v.time);
}

void ews_put_created_time(struct ews_write *o, const struct ews_property *p) {
    put_time_or_received(o, p);
}

void ews_put_modified_time(struct ews_write *o, const struct ews_property *p) {
    put_time_or_received(o, p);
}

// --- Bodies ---

// Bytes of UTF-8 that are not cut inside a character.
static size_t cut(const char *text, size_t len, size_t max) {
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

static const char *html_of(struct ews_write *o, size_t *len_out) {
    struct prop_value v, page;
    struct item *item = ews_write_open(o);
    struct arena *arena = o->call->arena;
    if (!item || item_get(item, arena, PidTagHtml, BODY_MAX_BYTES, &v) != EC_OK)
        return NULL;
    unsigned code_page =
        item_get(item, arena, PidTagInternetCodepage, 0, &page) == EC_OK ? (unsigned)page.l : 65001;
    const char *charset = code_page_charset(code_page);
    return mime_to_utf8(arena, v.bin.data, v.bin.len, charset ? charset : "utf-8", len_out);
}

// As the shape wants it: nothing that acts, no images from elsewhere, links in other windows.
static const char *filtered(struct ews_write *o, const char *html, size_t *len) {
    const struct ews_shape *s = o->shape;
    struct html_filter_options options = {
        .blocks_images = s->blocks_images,
        .adds_blank = s->adds_blank,
        .cid_template = s->cid_template && strstr(s->cid_template, "{id}") ? s->cid_template : NULL,
    };
    if (!html || (!s->filters_html && !s->blocks_images && !s->adds_blank && !options.cid_template))
        return html;
    return html_filter(o->call->arena, html, *len, &options, NULL, len);
}

static const char *text_of(struct ews_write *o, size_t *len_out) {
    struct prop_value v;
    struct item *item = ews_write_open(o);
    if (!item || item_get(item, o->call->arena, PidTagBody, BODY_MAX_BYTES, &v) != EC_OK)
        return NULL;
    *len_out = strlen(v.str);
    return v.str;
}

static bool is_html_best(struct ews_write *o) {
    struct prop_value v;
    struct item *item = ews_write_open(o);
    int32_t native = item && item_get(item, o->call->arena, PidTagNativeBody, 0, &v) == EC_OK
                         ? v.l
                         : BODY_UNDEFINED;
    return native == BODY_HTML || native == BODY_RTF || native == BODY_CLEAR_SIGNED;
}

static void put_body(struct ews_write *o, const char *element, bool is_html) {
    size_t len = 0;
    const char *text = is_html ? html_of(o, &len) : text_of(o, &len);
    if (is_html)
        text = filtered(o, text, &len);
    size_t shown =
        text && o->shape->max_body > 0 ? cut(text, len, (size_t)o->shape->max_body) : len;
    ews_open(o->w, element);
    ews_attr(o->w, "BodyType", is_html ? "HTML" : "Text");
    if (o->call->version >= EWS_2010_SP2)
        ews_attr_bool(o->w, "IsTruncated", shown < len);
    if (text)
        ews_put_text_len(o->w, text, shown);
    ews_close(o->w);
}

void ews_put_body(struct ews_write *o, const struct ews_property *p) {
    bool is_html = o->shape->body == EWS_BODY_HTML ||
                   (o->shape->body == EWS_BODY_BEST && is_html_best(o)) ||
                   strcmp(p->uri, "item:NormalizedBody") == 0;
    put_body(o, p->element, is_html);
}

void ews_put_text_body(struct ews_write *o, const struct ews_property *p) {
    put_body(o, p->element, false);
}

// The first words, white space made one.
void ews_put_preview(struct ews_write *o, const struct ews_property *p) {
    size_t len = 0;
    const char *text = text_of(o, &len);
    g_autoptr(GString) words = g_string_new(NULL);
    bool is_space = true;
    unsigned n = 0;
    for (const char *c = text; c && *c && n < PREVIEW_MAX; c = g_utf8_next_char(c)) {
        gunichar u = g_utf8_get_char(c);
        bool space = g_unichar_isspace(u);
        if (!space || !is_space) {
            g_string_append_unichar(words, space ? ' ' : u);
            n++;
        }
        is_space = space;
    }
    ews_element(o->w, p->element, words->str);
}

void ews_put_mime_content(struct ews_write *o, const struct ews_property *p) {
    g_autoptr(GBytes) mime = NULL;
    struct item *item = ews_write_open(o);
    if (!item || item_mime(item, &mime) != EC_OK)
        return;
    gsize len;
    const void *data = g_bytes_get_data(mime, &len);
    ews_open(o->w, p->element);
    ews_attr(o->w, "CharacterSet", "UTF-8");
    ews_put_base64(o->w, data, len);
    ews_close(o->w);
}

// --- Headers ---

static void put_header(struct ews_write *o, const char *start, const char *colon, const char *end) {
    g_autoptr(GString) value = g_string_new(NULL);
    char name[256];
    size_t n = (size_t)(colon - start);
    if (n == 0 || n >= sizeof name)
        return;
    memcpy(name, start, n);
    name[n] = '\0';
    for (const char *c = colon + 1; c < end; c++)
        if (*c != '\r' && *c != '\n')
            g_string_append_c(value, *c);
    ews_open(o->w, "t:InternetMessageHeader");
    ews_attr(o->w, "HeaderName", name);
    ews_put_text(o->w, g_strstrip(value->str));
    ews_close(o->w);
}

void ews_put_headers(struct ews_write *o, const struct ews_property *p) {
    struct prop_value v;
    if (!ews_value(o, PidTagTransportMessageHeaders, &v) || !*v.str)
        return;
    struct ews_mark mark = ews_mark(o->w);
    ews_open(o->w, p->element);
    unsigned n = 0;
    for (const char *at = v.str; *at && n < HEADERS_MAX;) {
        const char *end = at;
        do // folded lines belong to the field
            end += strcspn(end, "\n"), end += *end == '\n';
        while (*end == ' ' || *end == '\t');
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (colon) {
            put_header(o, at, colon, end);
            n++;
        }
        at = end;
    }
    if (n > 0)
        ews_close(o->w);
    else
        ews_rewind(o->w, mark);
}

// --- What can be done with it ---

void ews_put_response_objects(struct ews_write *o, const struct ews_property *p) {
    const struct ews_source *s = o->source;
    bool is_draft = ews_value_long(o, PidTagMessageFlags, 0) & 8;
    struct prop_value v;
    if (s->attachment || is_draft || !(s->class & (EWS_ANY_MESSAGE | EWS_POST | EWS_CALENDAR)))
        return;
    ews_open(o->w, p->element);
    if (s->class == EWS_REQUEST) {
        ews_element_empty(o->w, "t:AcceptItem");
        ews_element_empty(o->w, "t:TentativelyAcceptItem");
        ews_element_empty(o->w, "t:DeclineItem");
    }
    if (s->class == EWS_POST)
        ews_element_empty(o->w, "t:PostReplyItem");
    ews_element_empty(o->w, "t:ReplyToItem");
    ews_element_empty(o->w, "t:ReplyAllToItem");
    ews_element_empty(o->w, "t:ForwardItem");
    if (s->class == EWS_CANCELLATION)
        ews_element_empty(o->w, "t:RemoveItem");
    if (ews_value(o, PidTagReadReceiptRequested, &v) && v.b)
        ews_element_empty(o->w, "t:SuppressReadReceipt");
    ews_close(o->w);
}

// --- Others ---

void ews_put_extended(struct ews_write *o, const struct ews_property *p) {
    (void)p;
    for (guint i = 0; i < o->shape->extended->len; i++) {
        const struct ews_path *path = o->shape->extended->pdata[i];
        struct prop_value v;
        proptag_t tag;
        if (ews_path_tag(o->call, o->source->mailbox, path, &tag) != EC_OK ||
            !ews_value(o, tag, &v))
            continue;
        if (PROP_TYPE(v.tag) == PROP_TYPE(tag))
            ews_write_extended(o->call, path, &v);
    }
}

void ews_put_culture(struct ews_write *o, const struct ews_property *p) {
    char name[64];
    UErrorCode status = U_ZERO_ERROR;
    int32_t lcid = ews_value_long(o, PidTagMessageLocaleId, 0);
    if (lcid <= 0)
        return;
    int32_t n = uloc_getLocaleForLCID((uint32_t)lcid, name, sizeof name - 1, &status);
    if (U_FAILURE(status) || n <= 0)
        return;
    name[n] = '\0';
    g_strdelimit(name, "_", '-');
    ews_element(o->w, p->element, name);
}

void ews_put_retention_tag(struct ews_write *o, const struct ews_property *p) {
    struct prop_value v;
    struct guid guid;
    char text[GUID_STRING_SIZE];
    if (!ews_value(o, p->tag, &v) || v.bin.len != sizeof guid.bytes)
        return;
    memcpy(guid.bytes, v.bin.data, sizeof guid.bytes);
    guid_format(&guid, text);
    ews_open(o->w, p->element);
    ews_attr_bool(o->w, "IsExplicit", true);
    ews_put_text(o->w, text);
    ews_close(o->w);
}
