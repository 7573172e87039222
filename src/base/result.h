// The one result type of the whole program: the MAPI return codes of [MS-OXCDATA] 2.4, as values.
//
// Every function that can fail returns an `enum ec`; what it produces goes to `*_out` parameters,
// which are written only on EC_OK. Each protocol maps these codes to its own in one file.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define EC_LIST(X)                                                                                 \
    X(EC_OK, 0x00000000, "success")                                                                \
    X(EC_DISK_FULL, 0x00000004, "the disk is full")                                                \
    X(EC_UNKNOWN_USER, 0x000003EB, "no such user")                                                 \
    X(EC_UNKNOWN_CODE_PAGE, 0x000003EF, "no such code page")                                       \
    X(EC_BAD_VERSION, 0x00000451, "made by a newer version of the program")                        \
    X(EC_DATABASE_ERROR, 0x00000454, "the database failed")                                        \
    X(EC_BAD_FOLDER_NAME, 0x0000045C, "the folder name is not allowed")                            \
    X(EC_SEARCH_FOLDER, 0x00000460, "not possible on a search folder")                             \
    X(EC_NOT_SEARCH_FOLDER, 0x00000461, "not a search folder")                                     \
    X(EC_NO_RECEIVE_FOLDER, 0x00000463, "no receive folder is set")                                \
    X(EC_SUBMITTED, 0x00000465, "the message was handed over for sending")                         \
    X(EC_INVALID_RECIPIENTS, 0x00000467, "a recipient is not valid")                               \
    X(EC_NO_REPLICA_HERE, 0x00000468, "the folder's contents are elsewhere")                       \
    X(EC_WRONG_SERVER, 0x00000478, "another server has it")                                        \
    X(EC_BUFFER_TOO_SMALL, 0x0000047D, "not even one row fits")                                    \
    X(EC_SERVER_BUSY, 0x00000480, "the server is busy")                                            \
    X(EC_SEARCH_SCOPE_VIOLATION, 0x00000490, "a search folder in its own scope")                   \
    X(EC_RPC_FORMAT, 0x000004B6, "a malformed buffer")                                             \
    X(EC_NULL_OBJECT, 0x000004B9, "no such object handle")                                         \
    X(EC_MESSAGE_TOO_BIG, 0x000004D4, "the message is larger than the limit")                      \
    X(EC_NOT_AUTHORIZED, 0x000004D6, "not authorized")                                             \
    X(EC_QUOTA_EXCEEDED, 0x000004D9, "the mailbox is over its quota")                              \
    X(EC_TOO_MANY_ATTACHMENTS, 0x000004DB, "too many attachments")                                 \
    X(EC_SEND_AS_DENIED, 0x000004DC, "no right to send as this sender")                            \
    X(EC_TOO_MANY_OBJECTS, 0x000004DE, "too many open objects")                                    \
    X(EC_FORMAT_ERROR, 0x000004ED, "the data is not in the expected format")                       \
    X(EC_NOT_EXPANDED, 0x000004F7, "the category is not expanded")                                 \
    X(EC_NOT_COLLAPSED, 0x000004F8, "the category is not collapsed")                               \
    X(EC_LOOP_DETECTED, 0x00000504, "a loop of groups or messages")                                \
    X(EC_DST_NULL_OBJECT, 0x00000503, "no such destination handle")                                \
    X(EC_TOO_MANY_RECIPIENTS, 0x00000505, "too many recipients")                                   \
    X(EC_DUPLICATE_OBJECT, 0x00000579, "an object like this exists already")                       \
    X(EC_ERRORS_RETURNED, 0x00040380, "done, but for some of it")                                  \
    X(EC_SYNC_OBJECT_DELETED, 0x80040800, "the object was deleted on the other side")              \
    X(EC_NEWER_CLIENT_CHANGE, 0x00040821, "the server had an older version than the client")       \
    X(EC_SYNC_IGNORE, 0x80040801, "the change is older than what is stored")                       \
    X(EC_SYNC_CONFLICT, 0x80040802, "the change conflicts with what is stored")                    \
    X(EC_STREAM_ACCESS_DENIED, 0x80030005, "the stream is read-only")                              \
    X(EC_STREAM_SEEK_ERROR, 0x80030019,                                                            \
      "before the start or beyond the end of what a stream may be")                                \
    X(EC_STREAM_INVALID_PARAMETER, 0x80030057, "an invalid parameter of a stream")                 \
    X(EC_NOT_IMPLEMENTED, 0x80004001, "not implemented")                                           \
    X(EC_CALL_FAILED, 0x80004005, "the call failed")                                               \
    X(EC_NOT_SUPPORTED, 0x80040102, "not supported")                                               \
    X(EC_STRING_TOO_LONG, 0x80040105, "a string is too long")                                      \
    X(EC_UNKNOWN_FLAGS, 0x80040106, "unknown flags")                                               \
    X(EC_INVALID_ENTRY_ID, 0x80040107, "not a valid entry id")                                     \
    X(EC_INVALID_OBJECT, 0x80040108, "the object is not valid any more")                           \
    X(EC_OBJECT_MODIFIED, 0x80040109, "the object was changed in the meantime")                    \
    X(EC_OBJECT_DELETED, 0x8004010A, "the object was deleted")                                     \
    X(EC_BUSY, 0x8004010B, "busy")                                                                 \
    X(EC_NOT_ENOUGH_DISK, 0x8004010D, "not enough disk space")                                     \
    X(EC_NOT_ENOUGH_RESOURCES, 0x8004010E, "not enough resources")                                 \
    X(EC_NOT_FOUND, 0x8004010F, "not found")                                                       \
    X(EC_VERSION, 0x80040110, "the version does not fit")                                          \
    X(EC_LOGON_FAILED, 0x80040111, "the user name or the password is wrong")                       \
    X(EC_CANCEL, 0x80040114, "cancelled")                                                          \
    X(EC_NETWORK_ERROR, 0x80040115, "the network failed")                                          \
    X(EC_DISK_ERROR, 0x80040116, "reading or writing the disk failed")                             \
    X(EC_TOO_COMPLEX, 0x80040117, "too complex")                                                   \
    X(EC_COMPUTED, 0x8004011A, "a computed property cannot be set")                                \
    X(EC_CORRUPT_DATA, 0x8004011B, "the stored data is corrupt")                                   \
    X(EC_INVALID_CODEPAGE, 0x8004011E, "the code page is not supported")                           \
    X(EC_INVALID_LOCALE, 0x8004011F, "the locale is not supported")                                \
    X(EC_ACCOUNT_DISABLED, 0x80040124, "the account is switched off")                              \
    X(EC_PASSWORD_EXPIRED, 0x80040127, "the password has expired")                                 \
    X(EC_END_OF_SESSION, 0x80040200, "the session has ended")                                      \
    X(EC_UNEXPECTED_TYPE, 0x80040301, "the property has another type")                             \
    X(EC_TABLE_TOO_BIG, 0x80040403, "the table is too big")                                        \
    X(EC_INVALID_BOOKMARK, 0x80040405, "not a valid bookmark")                                     \
    X(EC_TOO_BIG, 0x80040305, "larger than a stream may be")                                       \
    X(EC_TIMEOUT, 0x80040401, "it took too long")                                                  \
    X(EC_COLLISION, 0x80040604, "a folder or object with this name exists already")                \
    X(EC_NOT_INITIALIZED, 0x80040605, "not initialized")                                           \
    X(EC_HAS_FOLDERS, 0x80040609, "the folder has subfolders")                                     \
    X(EC_HAS_MESSAGES, 0x8004060A, "the folder has messages")                                      \
    X(EC_FOLDER_CYCLE, 0x8004060B, "a folder cannot be moved below itself")                        \
    X(EC_PARTIAL_COMPLETION, 0x00040680, "done in part")                                           \
    X(EC_NOT_IN_QUEUE, 0x80040601, "not in the queue")                                             \
    X(EC_AMBIGUOUS, 0x80040700, "the name fits more than one entry")                               \
    X(EC_NAMED_PROP_QUOTA, 0x8004090B, "too many named properties")                                \
    X(EC_ACCESS_DENIED, 0x80070005, "access denied")                                               \
    X(EC_NO_MEMORY, 0x8007000E, "not enough memory")                                               \
    X(EC_INVALID_PARAMETER, 0x80070057, "an invalid parameter")

enum ec {
#define X(name, value, text) name = (int)value,
    EC_LIST(X)
#undef X
};

// What a code means, as a phrase for people ("not found"). Never NULL; static.
const char *ec_text(enum ec ec);

// The code's name ("EC_NOT_FOUND"), for logs and JSON. Never NULL; static.
const char *ec_name(enum ec ec);

// Leaves the calling function with the result of `call` unless it is EC_OK.
#define EC_TRY(call)                                                                               \
    do {                                                                                           \
        enum ec ec_try_ = (call);                                                                  \
        if (ec_try_ != EC_OK)                                                                      \
            return ec_try_;                                                                        \
    } while (0)
