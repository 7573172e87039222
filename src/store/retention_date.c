// When a message comes of age ([MS-OXCMSG] 2.2.1.60.3 to 2.2.1.60.8).
#include "base/wire.h"
#include "store/retention_policy.h"

#define DAY (UINT64_C(86400) * FILETIME_SECOND)

// The last eight bytes of PidTagStartDateEtc; 0: none.
static filetime_t start_date(const struct slice_row *m) {
    if (!m->policy.has_start)
        return 0;
    struct wire_reader r = wire_reader(m->policy.start, sizeof m->policy.start);
    wire_u32(&r); // the default tag's period when it was given; the tag itself counts
    return wire_u64(&r);
}

static filetime_t delivered(const struct slice_row *m) {
    return m->received ? m->received : m->policy.created;
}

static filetime_t after(filetime_t start, uint64_t days) {
    if (start == 0 || days == 0 || start > (filetime_t)INT64_MAX)
        return 0;
    return start + days * DAY;
}

filetime_t retention_expires(const struct slice_row *m, uint32_t days) {
    const struct message_policy *p = &m->policy;
    if (p->flags & RETENTION_SYSTEM_DATA)
        return 0;
    if (p->retention_period >= 0) // explicitly given by the user
        return after(delivered(m), (uint64_t)p->retention_period);
    if (p->retention_date)
        return p->retention_date;
    filetime_t start = start_date(m);
    return after(start ? start : delivered(m), days);
}

filetime_t retention_archives(const struct slice_row *m, uint32_t days) {
    const struct message_policy *p = &m->policy;
    if (p->flags & (RETENTION_SYSTEM_DATA | RETENTION_KEEP_IN_PLACE))
        return 0;
    filetime_t start = start_date(m);
    if (!start)
        start = delivered(m);
    if (p->archive_period >= 0)
        return after(start, (uint64_t)p->archive_period);
    if (p->archive_date)
        return p->archive_date;
    return after(start, days);
}
