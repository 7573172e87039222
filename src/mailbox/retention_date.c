// When a message comes of age ([MS-OXCMSG] 2.2.1.60.3 to 2.2.1.60.8).
#include "base/wire.h"
#include "mailbox/retention.h"

#define DAY (UINT64_C(86400) * FILETIME_SECOND)
#define START_SIZE 12 // default period (4), start date (8)

// The last eight bytes of PidTagStartDateEtc; 0: none.
static filetime_t start_date(const struct retention_message *m) {
    if (!m->start.data || m->start.len < START_SIZE)
        return 0;
    struct wire_reader r = wire_reader(m->start.data, m->start.len);
    wire_u32(&r);
    uint64_t start = wire_u64(&r);
    return wire_ok(&r) ? start : 0;
}

static filetime_t delivered(const struct retention_message *m) {
    return m->received ? m->received : m->created;
}

static filetime_t after(filetime_t start, uint64_t days) {
    if (start == 0 || days == 0)
        return 0;
    return start > (filetime_t)INT64_MAX ? 0 : start + days * DAY;
}

filetime_t retention_expires(const struct retention_message *m, uint32_t days) {
    if (m->flags & RETENTION_SYSTEM_DATA)
        return 0;
    if (m->retention_period >= 0) // explicitly given by the user
        return after(delivered(m), (uint64_t)m->retention_period);
    if (m->retention_date)
        return m->retention_date;
    filetime_t start = start_date(m);
    return after(start ? start : delivered(m), days);
}

filetime_t retention_archives(const struct retention_message *m, uint32_t days) {
    if (m->flags & (RETENTION_SYSTEM_DATA | RETENTION_KEEP_IN_PLACE))
        return 0;
    filetime_t start = start_date(m);
    if (!start)
        start = delivered(m);
    if (m->archive_period >= 0)
        return after(start, (uint64_t)m->archive_period);
    if (m->archive_date)
        return m->archive_date;
    return after(start, days);
}
