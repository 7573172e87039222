// FILETIME conversions.
#include "base/filetime.h"

filetime_t filetime_from_unix(int64_t seconds) {
    if (seconds < -INT64_C(11644473600))
        return 0;
    if (seconds > INT64_C(910692730085)) // the year 30828, the largest signed FILETIME
        return INT64_MAX;
    return (filetime_t)(seconds * (int64_t)FILETIME_SECOND + (int64_t)FILETIME_UNIX_EPOCH);
}

int64_t filetime_to_unix(filetime_t t) {
    int64_t since = (int64_t)(t > INT64_MAX ? INT64_MAX : t) - (int64_t)FILETIME_UNIX_EPOCH;
    int64_t seconds = since / (int64_t)FILETIME_SECOND;
    return since % (int64_t)FILETIME_SECOND < 0 ? seconds - 1 : seconds;
}

filetime_t filetime_from_usec(int64_t usec) {
    int64_t t = usec * 10 + (int64_t)FILETIME_UNIX_EPOCH;
    return t < 0 ? 0 : (filetime_t)t;
}
