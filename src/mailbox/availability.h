// When somebody is free and when not, as others may see it ([MS-OXWAVLS] 3.1.4.1, [MS-OXOPFFB]).
//
// Read from the appointments of the Calendar. Recurring ones count as their first time for now;
// their other times come with the calendar's logic.
#pragma once

#include "mailbox/mailbox.h"

#define AVAILABILITY_MAX 10000 // appointments

enum busy_status { BUSY_FREE, BUSY_TENTATIVE, BUSY_BUSY, BUSY_OOF, BUSY_ELSEWHERE };
struct busy_time {
    filetime_t start, end;
    enum busy_status status;
    // Only for those who may see details:
    uint64_t mid;
    const char *subject, *location; // NULL: none, or private
    bool is_meeting, is_recurring, has_reminder, is_private;
};
struct busy_times {
    struct busy_time *items; // by start
    unsigned n;
    bool with_details;
};
// What `who` may see of the owner's appointments that touch the time. EC_NOT_FOUND: no such
// mailbox; EC_ACCESS_DENIED: nothing may be seen. In the arena.
enum ec mailbox_availability(struct mailbox_service *s, struct principal *who, struct arena *arena,
                             const struct guid *owner, filetime_t start, filetime_t end,
                             struct busy_times *out);
