// GetPasswordExpirationDate ([MS-OXWSPED]), GetUserRetentionPolicyTags ([MS-OXWSURPT]),
// GetReminders and PerformReminderAction.
#include <string.h>

#include "directory/retention.h"
#include "mailbox/archive.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

#define REMINDERS_MAX 200

enum ec op_get_password_expiration_date(struct ews_call *call) {
    const char *address = ews_child_text(call->arena, call->request, "MailboxSmtpAddress");
    struct directory_object *object;
    if (address && *address && ews_find_object(call, address, &object) != EC_OK)
        return ews_fail(call, "ErrorNonExistentMailbox", NULL);
    ews_success(call);
    // Passwords do not expire here; Exchange says so with the last date there is.
    ews_element(call->w, "m:PasswordExpirationDate", "9999-12-31T23:59:59");
    ews_message_end(call);
    return EC_OK;
}

// --- Retention tags ---

static const char *tag_type(uint64_t fid) {
    static const struct {
        uint64_t fid;
        const char *type;
    } types[] = {
        {0, "Personal"},
        {FID_IPM_SUBTREE, "All"},
        {FID_CALENDAR, "Calendar"},
        {FID_CONTACTS, "Contacts"},
        {FID_DELETED_ITEMS, "DeletedItems"},
        {FID_DRAFTS, "Drafts"},
        {FID_INBOX, "Inbox"},
        {FID_JUNK, "JunkEmail"},
        {FID_JOURNAL, "Journal"},
        {FID_NOTES, "Notes"},
        {FID_OUTBOX, "Outbox"},
        {FID_SENT_ITEMS, "SentItems"},
        {FID_TASKS, "Tasks"},
        {FID_RSS_FEEDS, "RssSubscriptions"},
        {FID_SYNC_ISSUES, "SyncIssues"},
        {FID_RECOVERABLE_ITEMS, "RecoverableItems"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].fid == fid)
            return types[i].type;
    return "ManagedCustomFolder";
}

static void write_tag(struct ews_writer *w, const struct retention_tag *tag, bool has_archive) {
    static const char *const actions[] = {[RETENTION_DELETE] = "DeleteAndAllowRecovery",
                                          [RETENTION_PURGE] = "PermanentlyDelete",
                                          [RETENTION_ARCHIVE] = "MoveToArchive"};
    char guid[GUID_STRING_SIZE];
    bool is_archive = tag->action == RETENTION_ARCHIVE;
    if (is_archive && !has_archive)
        return;
    guid_format(&tag->guid, guid);
    ews_open(w, "t:RetentionPolicyTag");
    ews_element(w, "t:DisplayName", tag->name);
    ews_element(w, "t:RetentionId", guid);
    ews_element_int(w, "t:RetentionPeriod", tag->days);
    ews_element(w, "t:Type", tag_type(tag->folder));
    ews_element(w, "t:RetentionAction", actions[tag->action]);
    ews_element_bool(w, "t:IsVisible", tag->folder == 0);
    ews_element_bool(w, "t:OptedInto", false);
    ews_element_bool(w, "t:IsArchive", is_archive);
    ews_close(w);
}

enum ec op_get_user_retention_policy_tags(struct ews_call *call) {
    struct retention_tags tags;
    struct guid archive;
    EC_TRY(directory_retention_tags(ews_directory(call), call->arena, &tags));
    bool has_archive =
        mailbox_archive_of(ews_mailboxes(call), &call->principal->guid, &archive) == EC_OK;
    ews_success(call);
    ews_open(call->w, "m:RetentionPolicyTags");
    for (unsigned i = 0; i < tags.n; i++)
        write_tag(call->w, &tags.items[i], has_archive);
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

// --- Reminders ---

static struct restriction *with_reminder(struct arena *arena, filetime_t from, filetime_t to) {
    struct prop_value *v = arena_alloc(arena, 3 * sizeof *v);
    struct restriction **all = arena_alloc(arena, 3 * sizeof *all);
    v[0] = prop_bool(PidLidReminderSet, true);
    v[1] = prop_time(PidLidReminderSignalTime, from);
    v[2] = prop_time(PidLidReminderSignalTime, to);
    all[0] = restriction_property(arena, RELOP_EQ, v[0].tag, &v[0]);
    all[1] = restriction_property(arena, RELOP_GE, v[1].tag, &v[1]);
    all[2] = restriction_property(arena, RELOP_LE, v[2].tag, &v[2]);
    return restriction_list(arena, RES_AND, all, 3);
}

static filetime_t time_of(struct ews_call *call, struct item *item, proptag_t tag) {
    struct prop_value v;
    return item_get(item, call->arena, tag, 0, &v) == EC_OK ? v.time : 0;
}

static const char *text_of(struct ews_call *call, struct item *item, proptag_t tag) {
    struct prop_value v;
    return item_get(item, call->arena, tag, 4096, &v) == EC_OK ? v.str : NULL;
}

static void write_reminder(struct ews_call *call, struct ews_mailbox *mailbox, struct item *item) {
    struct ews_writer *w = call->w;
    enum ews_class class = ews_class_of(item_class(item));
    bool is_calendar = class == EWS_CALENDAR;
    filetime_t due = time_of(call, item, PidLidReminderSignalTime);
    filetime_t start =
        time_of(call, item, is_calendar ? PidLidAppointmentStartWhole : PidLidTaskStartDate);
    filetime_t end =
        time_of(call, item, is_calendar ? PidLidAppointmentEndWhole : PidLidTaskDueDate);
    const char *subject = text_of(call, item, PidTagSubject);
    struct prop_value uid;
    ews_open(w, "t:Reminder");
    ews_element(w, "t:Subject", subject ? subject : "");
    ews_element(w, "t:Location", is_calendar ? text_of(call, item, PidLidLocation) : NULL);
    ews_element_time(call, "t:ReminderTime", due);
    ews_element_time(call, "t:StartDate", start ? start : due);
    ews_element_time(call, "t:EndDate", end ? end : due);
    ews_write_item_id(call, "t:ItemId", mailbox, item_fid(item), item_mid(item),
                      ews_class_object(class), item_change(item));
    ews_element(w, "t:ReminderGroup", is_calendar ? "Calendar" : "Task");
    if (is_calendar && item_get(item, call->arena, PidLidGlobalObjectId, 1024, &uid) == EC_OK) {
        GString *hex = g_string_new(NULL);
        for (uint32_t i = 0; i < uid.bin.len; i++)
            g_string_append_printf(hex, "%02X", uid.bin.data[i]);
        ews_element(w, "t:UID", hex->str);
        g_string_free(hex, TRUE);
    } else {
        ews_element(w, "t:UID", "");
    }
    ews_close(w);
}

enum ec op_get_reminders(struct ews_call *call) {
    const char *from = ews_child_text(call->arena, call->request, "BeginTime");
    const char *to = ews_child_text(call->arena, call->request, "EndTime");
    int64_t max = ews_child_int(call->request, "MaxItems", REMINDERS_MAX);
    filetime_t begin = 1, end = INT64_MAX;
    struct ews_mailbox *own;
    g_autoptr(GArray) found = NULL;
    if ((from && !ews_date_parse(call, from, &begin)) || (to && !ews_date_parse(call, to, &end)) ||
        max < 0)
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    EC_TRY(ews_own_mailbox(call, &own));
    struct search_node query = {.kind = SEARCH_RESTRICTION,
                                .restriction = with_reminder(call->arena, begin, end)};
    struct search_scope scope = {.is_recursive = true};
    EC_TRY(mailbox_search_all(own->m, &scope, &query, SEARCH_NEWEST_ARRIVED,
                              (unsigned)CLAMP(max, 1, REMINDERS_MAX), NULL, NULL, &found));
    ews_success(call);
    ews_open(call->w, "m:Reminders");
    for (guint i = 0; i < found->len && max > 0; i++) {
        struct item *item;
        if (item_open(own->m, g_array_index(found, struct search_found, i).mid, &item) != EC_OK)
            continue; // gone meanwhile
        write_reminder(call, own, item);
        item_close(item);
    }
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

static enum ec act(struct ews_call *call, const struct ews_node *node, struct ews_item_ref *ref,
                   struct item **item_out) {
    const char *action = ews_child_text(call->arena, node, "ActionType");
    const char *text = ews_child_text(call->arena, node, "NewReminderTime");
    filetime_t when;
    EC_TRY(ews_read_item_id(call, ews_child(node, "ItemId"), ref));
    if (!action || (strcmp(action, "Dismiss") != 0 &&
                    (strcmp(action, "Snooze") != 0 || !text || !ews_date_parse(call, text, &when))))
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    enum ec ec = item_open(ref->mailbox->m, ref->mid, item_out);
    if (ec != EC_OK)
        return ews_fail_item(call, ec);
    struct prop_value v = strcmp(action, "Dismiss") == 0
                              ? prop_bool(PidLidReminderSet, false)
                              : prop_time(PidLidReminderSignalTime, when);
    EC_TRY(item_set(*item_out, &v));
    return item_save(*item_out, ITEM_SAVE_FORCE);
}

enum ec op_perform_reminder_action(struct ews_call *call) {
    const struct ews_node *actions = ews_child(call->request, "ReminderItemActions");
    const struct ews_node *first = ews_child(actions, "ReminderItemAction");
    if (!first || ews_count(actions) > REMINDERS_MAX)
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    ews_success(call);
    ews_open(call->w, "m:UpdatedItemIds");
    for (const struct ews_node *n = first; n; n = ews_next(n)) {
        struct ews_item_ref ref;
        struct item *item = NULL;
        enum ec ec = act(call, n, &ref, &item);
        if (ec == EC_OK)
            ews_write_item_id(call, "t:ItemId", ref.mailbox, item_fid(item), item_mid(item),
                              ews_class_object(ews_class_of(item_class(item))), item_change(item));
        item_close(item);
        EC_TRY(ec);
    }
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}
