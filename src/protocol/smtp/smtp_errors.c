// The table of replies. What the client can't help is temporary, so that mail is tried again.
#include "protocol/smtp/smtp_errors.h"

#include <glib.h>

static const struct smtp_error errors[] = {
    {EC_DISK_FULL, 452, "4.3.1", "Insufficient system storage, try again later"},
    {EC_NOT_ENOUGH_DISK, 452, "4.3.1", "Insufficient system storage, try again later"},
    {EC_NOT_ENOUGH_RESOURCES, 452, "4.3.2", "Insufficient resources, try again later"},
    {EC_SERVER_BUSY, 454, "4.7.0", "Too many failures, try again later"},
    {EC_MESSAGE_TOO_BIG, 552, "5.3.4", "Message size exceeds the limit"},
    {EC_QUOTA_EXCEEDED, 552, "5.2.2", "Your mailbox is full: delete something before you send"},
    {EC_TOO_MANY_RECIPIENTS, 452, "4.5.3", "Too many recipients"},
    {EC_UNKNOWN_USER, 550, "5.1.1", "No such recipient here"},
    {EC_NOT_FOUND, 550, "5.1.1", "No such recipient here"},
    {EC_NOT_AUTHORIZED, 538, "5.7.11", "Encryption required for this authentication mechanism"},
    {EC_NOT_SUPPORTED, 504, "5.5.4", "Unrecognized authentication type"},
    {EC_LOGON_FAILED, 535, "5.7.8", "Authentication credentials invalid"},
    {EC_ACCOUNT_DISABLED, 535, "5.7.13", "The account is disabled"},
    {EC_PASSWORD_EXPIRED, 535, "5.7.8", "The password has expired"},
    {EC_FORMAT_ERROR, 501, "5.5.2", "Cannot decode the response"},
    {EC_CANCEL, 501, "5.7.0", "Authentication cancelled"},
    {EC_ACCESS_DENIED, 550, "5.7.1", "Relaying denied"},
    {EC_SEND_AS_DENIED, 550, "5.7.60", "No right to send as this sender"},
    {EC_LOOP_DETECTED, 554, "5.4.6", "Routing loop detected"},
    {EC_CORRUPT_DATA, 550, "5.6.11", "Bare CR or LF is not allowed in a message"},
};
static const struct smtp_error other = {EC_CALL_FAILED, 451, "4.3.0",
                                        "Local error in processing, try again later"};

const struct smtp_error *smtp_error(enum ec ec) {
    for (unsigned i = 0; i < G_N_ELEMENTS(errors); i++)
        if (errors[i].ec == ec)
            return &errors[i];
    return &other;
}
