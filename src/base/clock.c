// Real time, or the time a test set.
#include "base/clock.h"

#include <glib.h>
#include <stdatomic.h>

static _Atomic filetime_t fixed;

filetime_t clock_now(void) {
    filetime_t t = atomic_load(&fixed);
    return t ? t : filetime_from_usec(g_get_real_time());
}

void clock_set(filetime_t now) {
    atomic_store(&fixed, now);
}
