// Out-of-office settings as XML in an associated message, and what follows from them.
#include "mailbox/oof.h"

#include <string.h>

#include "mailbox/mailbox_internal.h"
#include "mapi/props.h"
#include "store/associated.h"

#define SETTINGS_CLASS "IPM.Microsoft.OOF.UserOofSettings"
#define SETTINGS_FOLDER FID_FREEBUSY_DATA
#define INTERNAL_TEMPLATE "IPM.Note.Rules.OofTemplate.Microsoft"
#define EXTERNAL_TEMPLATE "IPM.Note.Rules.ExternalOofTemplate.Microsoft"
#define XML_MAX (4 * OOF_REPLY_MAX * 6) // escaped

static const char *const states[] = {"Disabled", "Enabled", "Scheduled"};
static const char *const audiences[] = {"None", "Known", "All"};

// --- As XML ---

static void put_element(GString *out, const char *name, const char *text) {
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    g_string_append_printf(out, "<%s>%s</%s>", name, escaped, name);
}

static void put_reply(GString *out, const char *name, const struct oof_reply *reply) {
    if (!reply->text)
        return;
    g_autofree char *text = g_markup_escape_text(reply->text, -1);
    g_autofree char *language = reply->language ? g_markup_escape_text(reply->language, -1) : NULL;
    g_string_append_printf(out, "<%s", name);
    if (language)
        g_string_append_printf(out, " lang=\"%s\"", language);
    g_string_append_printf(out, ">%s</%s>", text, name);
}

static GString *to_xml(const struct oof_settings *s) {
    GString *out = g_string_new("<UserOofSettings>");
    put_element(out, "OofState", states[s->state]);
    put_element(out, "ExternalAudience", audiences[s->audience]);
    if (s->start || s->end)
        g_string_append_printf(out,
                               "<StartTime>%" G_GUINT64_FORMAT "</StartTime>"
                               "<EndTime>%" G_GUINT64_FORMAT "</EndTime>",
                               s->start, s->end);
    put_reply(out, "InternalReply", &s->internal);
    put_reply(out, "ExternalReply", &s->external);
    return g_string_append(out, "</UserOofSettings>");
}

struct reading {
    struct arena *arena;
    struct oof_settings *s;
    GString *text; // of the innermost element
    const char *language;
    unsigned depth;
};

static void on_start(GMarkupParseContext *context, const gchar *name, const gchar **names,
                     const gchar **values, gpointer data, GError **error) {
    struct reading *r = data;
    (void)context, (void)name;
    if (++r->depth > 8) {
        g_set_error_literal(error, G_MARKUP_ERROR, G_MARKUP_ERROR_PARSE, "too deep");
        return;
    }
    g_string_truncate(r->text, 0);
    r->language = NULL;
    for (unsigned i = 0; names[i]; i++)
        if (strcmp(names[i], "lang") == 0)
            r->language = arena_strdup(r->arena, values[i]);
}

static unsigned index_of(const char *const *names, unsigned n, const char *text, unsigned def) {
    for (unsigned i = 0; i < n; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    return def;
}

static void on_end(GMarkupParseContext *context, const gchar *name, gpointer data, GError **error) {
    struct reading *r = data;
    const char *text = r->text->str;
    struct oof_reply reply = {.language = r->language};
    (void)context, (void)error;
    r->depth--;
    if (strcmp(name, "OofState") == 0)
        r->s->state = index_of(states, G_N_ELEMENTS(states), text, OOF_DISABLED);
    else if (strcmp(name, "ExternalAudience") == 0)
        r->s->audience = index_of(audiences, G_N_ELEMENTS(audiences), text, OOF_NOBODY);
    else if (strcmp(name, "StartTime") == 0)
        r->s->start = g_ascii_strtoull(text, NULL, 10);
    else if (strcmp(name, "EndTime") == 0)
        r->s->end = g_ascii_strtoull(text, NULL, 10);
    else if (g_str_has_suffix(name, "Reply")) {
        reply.text = arena_strdup(r->arena, text);
        *(strcmp(name, "InternalReply") == 0 ? &r->s->internal : &r->s->external) = reply;
    }
    g_string_truncate(r->text, 0);
}

static void on_text(GMarkupParseContext *context, const gchar *text, gsize len, gpointer data,
                    GError **error) {
    struct reading *r = data;
    (void)context, (void)error;
    g_string_append_len(r->text, text, (gssize)len);
}

static enum ec from_xml(struct arena *arena, struct prop_bin xml, struct oof_settings *out) {
    static const GMarkupParser parser = {
        .start_element = on_start, .end_element = on_end, .text = on_text};
    g_autoptr(GString) text = g_string_new(NULL);
    struct reading r = {.arena = arena, .s = out, .text = text};
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &r, NULL);
    bool is_good = g_markup_parse_context_parse(context, (const char *)xml.data, xml.len, NULL) &&
                   g_markup_parse_context_end_parse(context, NULL);
    g_markup_parse_context_free(context);
    return is_good ? EC_OK : EC_CORRUPT_DATA;
}

// --- Reading ---

static const struct oof_settings nothing_set = {.audience = OOF_EVERYBODY};

static enum ec read_settings(struct mbox_tx *tx, struct arena *arena, struct oof_settings *out) {
    uint64_t mid;
    struct message *message;
    struct prop_value v;
    *out = nothing_set;
    enum ec ec = associated_find(tx, SETTINGS_FOLDER, SETTINGS_CLASS, &mid);
    if (ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    EC_TRY(message_open(tx, mid, &message));
    ec = message_get_prop(tx, message, arena, PidTagRoamingXmlStream, XML_MAX, &v);
    if (ec == EC_OK)
        ec = from_xml(arena, v.bin, out);
    message_free(message);
    if (ec == EC_NOT_FOUND || ec == EC_CORRUPT_DATA) { // a client's doing: as never set
        *out = nothing_set;
        return EC_OK;
    }
    return ec;
}

static enum ec require_owner(const struct mailbox *m) {
    if (m->is_public)
        return EC_NOT_SUPPORTED;
    return rights_are_full(m) ? EC_OK : EC_ACCESS_DENIED;
}

enum ec mailbox_get_oof(struct mailbox *m, struct arena *arena, struct oof_settings *out) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(require_owner(m));
    EC_TRY(mbox_read(m->mbox, &tx));
    return read_settings(tx, arena, out);
}

bool oof_is_active(const struct oof_settings *s, filetime_t now) {
    if (s->state == OOF_SCHEDULED)
        return s->start <= now && now < s->end;
    return s->state == OOF_ENABLED;
}

enum ec mailbox_oof_tip(struct mailbox_service *s, struct arena *arena, const struct guid *owner,
                        bool for_internal, struct oof_tip *out) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    struct oof_settings settings;
    *out = (struct oof_tip){0};
    EC_TRY(store_open_mailbox(s->store, owner, &mbox));
    EC_TRY(mbox_read(mbox, &tx));
    EC_TRY(read_settings(tx, arena, &settings));
    if (!oof_is_active(&settings, clock_now()) ||
        (!for_internal && settings.audience != OOF_EVERYBODY))
        return EC_OK;
    const struct oof_reply *reply = for_internal ? &settings.internal : &settings.external;
    *out = (struct oof_tip){.text = reply->text, .language = reply->language};
    if (settings.state == OOF_SCHEDULED) {
        out->start = settings.start;
        out->end = settings.end;
    }
    return EC_OK;
}

// --- Setting ---

// The associated message of a class gets the value; it is made when there is none.
static enum ec put_associated(struct mbox_tx *tx, uint64_t fid, const char *class,
                              const struct prop_value *v) {
    uint64_t mid;
    enum ec ec = associated_find(tx, fid, class, &mid);
    if (ec == EC_NOT_FOUND) {
        struct message_value *value = message_value_new();
        bag_set_str(value->bag, PidTagMessageClass, class);
        bag_set_str(value->bag, PidTagSubject, class);
        ec = bag_set(value->bag, v);
        struct message_new spec = {
            .value = value, .flags = MSG_READ | MSG_ASSOCIATED, .received = clock_now()};
        if (ec == EC_OK)
            ec = message_create(tx, fid, &spec, &mid, NULL);
        message_value_free(value);
        return ec;
    }
    EC_TRY(ec);
    struct message *message;
    EC_TRY(message_open(tx, mid, &message));
    ec = message_set_prop(message, v);
    if (ec == EC_OK)
        ec = message_save(tx, message, MESSAGE_SAVE_FORCE);
    message_free(message);
    return ec;
}

struct oof_change {
    const struct oof_settings *s;
    const GString *xml;
};

static enum ec put_template(struct mbox_tx *tx, const char *class, const struct oof_reply *reply) {
    if (!reply->text)
        return EC_OK;
    struct prop_value html = prop_bytes(PidTagHtml, reply->text, (uint32_t)strlen(reply->text));
    return put_associated(tx, FID_INBOX, class, &html);
}

static enum ec change_settings(struct mbox_tx *tx, void *ctx) {
    const struct oof_change *c = ctx;
    BAG_AUTO set = bag_new();
    struct prop_value xml = prop_bytes(PidTagRoamingXmlStream, c->xml->str, (uint32_t)c->xml->len);
    EC_TRY(put_associated(tx, SETTINGS_FOLDER, SETTINGS_CLASS, &xml));
    EC_TRY(put_template(tx, INTERNAL_TEMPLATE, &c->s->internal));
    EC_TRY(put_template(tx, EXTERNAL_TEMPLATE, &c->s->external));
    bag_set_bool(set, PidTagOutOfOfficeState, oof_is_active(c->s, clock_now()));
    return mbox_set_props(tx, set, NULL, 0);
}

static bool is_too_long(const struct oof_reply *reply) {
    return reply->text && strlen(reply->text) > OOF_REPLY_MAX;
}

enum ec mailbox_set_oof(struct mailbox *m, const struct oof_settings *settings) {
    EC_TRY(require_owner(m));
    if (settings->state == OOF_SCHEDULED && settings->end <= settings->start)
        return EC_INVALID_PARAMETER;
    if (is_too_long(&settings->internal) || is_too_long(&settings->external))
        return EC_MESSAGE_TOO_BIG;
    g_autoptr(GString) xml = to_xml(settings);
    struct oof_change change = {settings, xml};
    return mbox_write(m->mbox, change_settings, &change);
}
