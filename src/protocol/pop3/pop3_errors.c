// Results of mailbox/ and auth/ as POP3 answers ([RFC 2449] 8.1, [RFC 3206]).
#include "protocol/pop3/session.h"

static const struct {
    enum ec ec;
    const char *code;
} codes[] = {
    {EC_LOGON_FAILED, "AUTH"},       {EC_ACCOUNT_DISABLED, "AUTH"},
    {EC_NOT_AUTHORIZED, "AUTH"},     {EC_PASSWORD_EXPIRED, "AUTH"},
    {EC_SERVER_BUSY, "SYS/TEMP"},    {EC_DISK_FULL, "SYS/TEMP"},
    {EC_TIMEOUT, "SYS/TEMP"},        {EC_BUSY, "IN-USE"},
    {EC_DISK_ERROR, "SYS/PERM"},     {EC_CORRUPT_DATA, "SYS/PERM"},
    {EC_DATABASE_ERROR, "SYS/PERM"},
};

enum pop3_next pop3_err_ec(struct pop3_session *s, enum ec ec) {
    const char *code = NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++)
        if (codes[i].ec == ec)
            code = codes[i].code;
    return pop3_err(s, code, ec_text(ec));
}
