// Notifications as elements: watermarks and events ([MS-OXWSNTIF] 2.2.4).
#include <string.h>

#include "base/wire.h"
#include "mailbox/folder_object.h"
#include "mapi/special_folder.h"
#include "protocol/ews/notify.h"

#define WATERMARK_VERSION 1
#define WATERMARK_SIZE 17

// --- Watermarks: a version, the number of an event, half of the subscription's id ---

const char *watermark_format(struct arena *arena, const struct subscription *s, uint64_t seq) {
    uint8_t bytes[WATERMARK_SIZE] = {WATERMARK_VERSION};
    uint64_t le = GUINT64_TO_LE(seq);
    memcpy(bytes + 1, &le, sizeof le);
    memcpy(bytes + 9, s->id.bytes, 8);
    g_autofree char *text = g_base64_encode(bytes, sizeof bytes);
    return arena_strdup(arena, text);
}

bool watermark_parse(const struct subscription *s, const char *text, uint64_t *seq_out) {
    uint8_t bytes[3 * WATERMARK_SIZE];
    gint state = 0;
    guint save = 0;
    size_t text_len = strlen(text);
    if (text_len > 2 * WATERMARK_SIZE)
        return false;
    gsize len = g_base64_decode_step(text, text_len, bytes, &state, &save);
    struct wire_reader r = wire_reader(bytes, len);
    if (len != WATERMARK_SIZE || wire_u8(&r) != WATERMARK_VERSION)
        return false;
    *seq_out = wire_u64(&r);
    return memcmp(bytes + 9, s->id.bytes, 8) == 0 && *seq_out <= mailbox_feed_last(s->feed);
}

// --- Events ---

struct writing {
    struct ews_call *call;
    struct subscription *s;
    bool with_watermarks;
    unsigned n; // elements written
};

static void write_ids(struct writing *o, const struct mailbox_event *e) {
    struct ews_mailbox *m = &o->s->mailbox;
    struct ews_call *call = o->call;
    if (e->is_folder) {
        ews_write_folder_id(call, "t:FolderId", m, e->fid, EWS_OBJECT_FOLDER, e->cn);
        ews_write_folder_id(call, "t:ParentFolderId", m, e->parent ? e->parent : FID_ROOT,
                            EWS_OBJECT_FOLDER, 0);
    } else {
        ews_write_item_id(call, "t:ItemId", m, e->fid, e->mid, EWS_OBJECT_MESSAGE, e->cn);
        ews_write_folder_id(call, "t:ParentFolderId", m, e->fid, EWS_OBJECT_FOLDER, 0);
    }
    if (e->kind != MAILBOX_EVENT_MOVED && e->kind != MAILBOX_EVENT_COPIED)
        return;
    if (e->is_folder) {
        ews_write_folder_id(call, "t:OldFolderId", m, e->old_fid ? e->old_fid : e->fid,
                            EWS_OBJECT_FOLDER, 0);
        ews_write_folder_id(call, "t:OldParentFolderId", m,
                            e->old_parent ? e->old_parent : FID_ROOT, EWS_OBJECT_FOLDER, 0);
    } else {
        ews_write_item_id(call, "t:OldItemId", m, e->old_fid, e->old_mid, EWS_OBJECT_MESSAGE, 0);
        ews_write_folder_id(call, "t:OldParentFolderId", m, e->old_fid, EWS_OBJECT_FOLDER, 0);
    }
}

static void begin_event(struct writing *o, const char *element, uint64_t seq) {
    ews_open(o->call->w, element);
    if (o->with_watermarks)
        ews_element(o->call->w, "t:Watermark", watermark_format(o->call->arena, o->s, seq));
    o->n++;
}

static void write_one(struct writing *o, const char *element, const struct mailbox_event *e) {
    begin_event(o, element, e->seq);
    ews_element_time(o->call, "t:TimeStamp", e->time);
    write_ids(o, e);
    if (e->kind == MAILBOX_EVENT_MODIFIED && e->is_folder) {
        struct mailbox_folder_object f;
        if (mailbox_get_folder_object(o->s->mailbox.m, o->call->arena, e->fid, false, &f) == EC_OK)
            ews_element_int(o->call->w, "t:UnreadCount", f.n_unread);
    }
    ews_close(o->call->w);
}

static const char *event_element(enum mailbox_event_kind kind) {
    switch (kind) {
    case MAILBOX_EVENT_NEW_MAIL:
        return "t:NewMailEvent";
    case MAILBOX_EVENT_CREATED:
        return "t:CreatedEvent";
    case MAILBOX_EVENT_DELETED:
        return "t:DeletedEvent";
    case MAILBOX_EVENT_MODIFIED:
        return "t:ModifiedEvent";
    case MAILBOX_EVENT_MOVED:
        return "t:MovedEvent";
    case MAILBOX_EVENT_COPIED:
        return "t:CopiedEvent";
    }
    return "t:ModifiedEvent";
}

static void write_event(struct writing *o, const struct mailbox_event *e) {
    const struct subscription *s = o->s;
    if (e->kind & s->kinds)
        write_one(o, event_element(e->kind), e);
    // Whose time it is changes with the appointments.
    bool is_appointment = !e->is_folder && !s->mailbox.is_public && e->fid == FID_CALENDAR &&
                          !(e->kind & (MAILBOX_EVENT_NEW_MAIL | MAILBOX_EVENT_COPIED));
    if (s->wants_free_busy && is_appointment) {
        struct mailbox_event changed = *e;
        changed.kind = MAILBOX_EVENT_MODIFIED;
        write_one(o, "t:FreeBusyChangedEvent", &changed);
    }
}

enum ec notify_write(struct ews_call *call, struct subscription *s, const char *element,
                     uint64_t after, bool with_watermarks, uint64_t *last_out, bool *more_out) {
    struct mailbox_event events[NOTIFY_BATCH];
    struct writing o = {call, s, with_watermarks, 0};
    bool is_lost;
    unsigned n = mailbox_feed_read(s->feed, after, events, NOTIFY_BATCH, more_out, &is_lost);
    if (is_lost)
        return EC_OBJECT_DELETED;
    EC_TRY(mailbox_feed_check(s->mailbox.m, s->feed));
    *last_out = n ? events[n - 1].seq : after;
    ews_open(call->w, element);
    ews_element(call->w, "t:SubscriptionId", s->name);
    if (with_watermarks) {
        ews_element(call->w, "t:PreviousWatermark", watermark_format(call->arena, s, after));
        ews_element_bool(call->w, "t:MoreEvents", *more_out);
    }
    for (unsigned i = 0; i < n; i++)
        write_event(&o, &events[i]);
    if (o.n == 0) {
        begin_event(&o, "t:StatusEvent", *last_out);
        ews_close(call->w);
    }
    ews_close(call->w);
    return EC_OK;
}
