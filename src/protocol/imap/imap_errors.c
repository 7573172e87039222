// Results of mailbox/ as IMAP answers ([RFC 5530], [RFC 3501] 7.1, [RFC 4978], [RFC 9208]).
#include "protocol/imap/imap_session.h"
#include "protocol/imap/imap_write.h"

static const struct {
    enum ec ec;
    const char *code;
} codes[] = {
    {EC_NOT_FOUND, "[NONEXISTENT] "},
    {EC_OBJECT_DELETED, "[NONEXISTENT] "},
    {EC_COLLISION, "[ALREADYEXISTS] "},
    {EC_DUPLICATE_OBJECT, "[ALREADYEXISTS] "},
    {EC_ACCESS_DENIED, "[NOPERM] "},
    {EC_NOT_AUTHORIZED, "[NOPERM] "},
    {EC_QUOTA_EXCEEDED, "[OVERQUOTA] "},
    {EC_DISK_FULL, "[UNAVAILABLE] "},
    {EC_NOT_ENOUGH_DISK, "[UNAVAILABLE] "},
    {EC_MESSAGE_TOO_BIG, "[TOOBIG] "},
    {EC_BAD_FOLDER_NAME, "[CANNOT] "},
    {EC_STRING_TOO_LONG, "[CANNOT] "},
    {EC_FOLDER_CYCLE, "[CANNOT] "},
    {EC_SEARCH_FOLDER, "[CANNOT] "},
    {EC_NOT_SUPPORTED, "[CANNOT] "},
    {EC_HAS_FOLDERS, "[HASCHILDREN] "},
    {EC_TOO_COMPLEX, "[LIMIT] "},
    {EC_TOO_MANY_OBJECTS, "[LIMIT] "},
    {EC_NAMED_PROP_QUOTA, "[LIMIT] "},
    {EC_BUSY, "[INUSE] "},
    {EC_SERVER_BUSY, "[UNAVAILABLE] "},
    {EC_TIMEOUT, "[UNAVAILABLE] "},
    {EC_END_OF_SESSION, "[UNAVAILABLE] "},
    {EC_LOGON_FAILED, "[AUTHENTICATIONFAILED] "},
    {EC_ACCOUNT_DISABLED, "[AUTHORIZATIONFAILED] "},
    {EC_PASSWORD_EXPIRED, "[EXPIRED] "},
    {EC_CORRUPT_DATA, "[SERVERBUG] "},
    {EC_DATABASE_ERROR, "[SERVERBUG] "},
    {EC_DISK_ERROR, "[SERVERBUG] "},
    {EC_CALL_FAILED, "[SERVERBUG] "},
};

const char *imap_ec_code(enum ec ec) {
    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++)
        if (codes[i].ec == ec)
            return codes[i].code;
    return "";
}

void imap_reply_ec(struct imap_cmd *c, enum ec ec) {
    // In a selected folder the end of the command says so.
    if (ec == EC_END_OF_SESSION && c->s->state == IMAP_AUTHENTICATED) {
        imap_puts(c->s, IMAP_BYE_REPLACED);
        c->next = NET_CLOSE;
    }
    if (ec == EC_OK)
        imap_reply_ok(c);
    else
        imap_reply(c, "NO", arena_printf(c->arena, "%s%s", imap_ec_code(ec), ec_text(ec)));
}

void imap_reply_ec_target(struct imap_cmd *c, enum ec ec) {
    if (ec == EC_NOT_FOUND)
        imap_reply(c, "NO", "[TRYCREATE] no such mailbox");
    else
        imap_reply_ec(c, ec);
}
