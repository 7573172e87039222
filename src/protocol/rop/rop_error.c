// Results of the program as ReturnValue ([MS-OXCDATA] 2.4): the only place where one becomes
// another.
#include "protocol/rop/rop_internal.h"

uint32_t rop_error(enum ec ec) {
    switch (ec) {
    case EC_BAD_VERSION: // of a database: nothing a client knows
    case EC_DATABASE_ERROR:
        return (uint32_t)EC_CALL_FAILED;
    case EC_BUSY:
        return (uint32_t)EC_SERVER_BUSY;
    case EC_STRING_TOO_LONG: // ecStringTooLong is of the client's library alone
    case EC_FORMAT_ERROR:
        return (uint32_t)EC_INVALID_PARAMETER;
    default:
        return (uint32_t)ec;
    }
}
