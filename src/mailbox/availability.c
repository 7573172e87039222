// Free and busy times out of the Calendar folder.
#include "mailbox/availability.h"

#include <string.h>

#include "mailbox/mailbox_internal.h"
#include "mapi/props.h"

// Appointments that begin before `end` and end after `start`.
static struct restriction *touching(struct arena *arena, filetime_t start, filetime_t end) {
    struct prop_value *v = arena_alloc(arena, 2 * sizeof *v);
    struct restriction **both = arena_alloc(arena, 2 * sizeof *both);
    v[0] = prop_time(PidLidAppointmentStartWhole, end);
    v[1] = prop_time(PidLidAppointmentEndWhole, start);
    both[0] = restriction_property(arena, RELOP_LT, PidLidAppointmentStartWhole, &v[0]);
    both[1] = restriction_property(arena, RELOP_GT, PidLidAppointmentEndWhole, &v[1]);
    return restriction_list(arena, RES_AND, both, 2);
}

static bool take(struct arena *arena, const struct message *message, const struct bag *bag,
                 bool with_details, struct busy_time *out) {
    const char *class = bag_str(bag, PidTagMessageClass);
    int32_t status = bag_long(bag, PidLidBusyStatus, BUSY_BUSY);
    if (!class || g_ascii_strncasecmp(class, "IPM.Appointment", 15) != 0)
        return false;
    *out = (struct busy_time){
        .start = bag_time(bag, PidLidAppointmentStartWhole),
        .end = bag_time(bag, PidLidAppointmentEndWhole),
        .status =
            status >= BUSY_FREE && status <= BUSY_ELSEWHERE ? (enum busy_status)status : BUSY_BUSY,
    };
    if (!with_details)
        return true;
    out->mid = message_mid(message);
    out->is_meeting = bag_long(bag, PidLidAppointmentStateFlags, 0) & 1;
    out->is_recurring = bag_bool(bag, PidLidRecurring, false);
    out->has_reminder = bag_bool(bag, PidLidReminderSet, false);
    out->is_private = bag_long(bag, PidTagSensitivity, 0) == 2;
    if (!out->is_private) {
        out->subject = arena_strdup(arena, bag_str(bag, PidTagSubject));
        out->location = arena_strdup(arena, bag_str(bag, PidLidLocation));
    }
    return true;
}

static int by_start(const void *a, const void *b) {
    const struct busy_time *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

// `owner` is the mailbox as its owner sees it: what may be told was decided before.
static enum ec read_times(struct mailbox *owner, struct arena *arena, filetime_t start,
                          filetime_t end, struct busy_times *out) {
    struct mailbox_view *view;
    g_autoptr(GArray) found = NULL;
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(struct busy_time));
    struct search_node query = {.kind = SEARCH_RESTRICTION,
                                .restriction = touching(arena, start, end)};
    EC_TRY(mailbox_view_open(owner, FID_CALENDAR, &view));
    struct mbox_tx *tx = NULL;
    enum ec ec = mailbox_search(owner, view, &query, NULL, NULL, &found);
    if (ec == EC_OK)
        ec = mbox_read(owner->mbox, &tx);
    for (guint i = 0; ec == EC_OK && i < found->len && times->len < AVAILABILITY_MAX; i++) {
        struct message *message;
        struct busy_time t;
        uint64_t mid = mailbox_view_row(view, g_array_index(found, uint32_t, i))->mid;
        if (message_open(tx, mid, &message) != EC_OK)
            continue; // gone meanwhile
        if (take(arena, message, message_value(message)->bag, out->with_details, &t))
            g_array_append_val(times, t);
        message_free(message);
    }
    mbox_read_end(tx);
    mailbox_view_free(view);
    EC_TRY(ec);
    g_array_sort(times, by_start);
    out->n = times->len;
    out->items = arena_memdup(arena, times->data, times->len * sizeof(struct busy_time));
    return EC_OK;
}

enum ec mailbox_availability(struct mailbox_service *s, struct principal *who, struct arena *arena,
                             const struct guid *owner, filetime_t start, filetime_t end,
                             struct busy_times *out) {
    struct mailbox *as_who, *as_owner;
    uint32_t rights = 0;
    *out = (struct busy_times){0};
    EC_TRY(mailbox_open_unchecked(s, who, owner, &as_who));
    MBOX_TX_AUTO tx = NULL;
    enum ec ec = mbox_read(as_who->mbox, &tx);
    if (ec == EC_OK)
        ec = rights_of(as_who, tx, FID_CALENDAR, &rights);
    bool is_full = rights_are_full(as_who);
    mbox_read_end(tx);
    tx = NULL;
    mailbox_close(as_who);
    EC_TRY(ec);
    if (!is_full && !(rights & (RIGHTS_FREE_BUSY | RIGHTS_READ_ANY)))
        return EC_ACCESS_DENIED;
    out->with_details = is_full || rights & (RIGHTS_FREE_BUSY_DETAILED | RIGHTS_READ_ANY);
    struct principal *admin = principal_admin();
    ec = mailbox_open_unchecked(s, admin, owner, &as_owner);
    principal_unref(admin);
    EC_TRY(ec);
    ec = read_times(as_owner, arena, start, end, out);
    mailbox_close(as_owner);
    return ec;
}
