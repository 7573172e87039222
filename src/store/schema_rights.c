// What rights and public folders need: limits of folders, and who created a message.
#include "store/schema_internal.h"

// creator: GUID text of who put the message there, for the rights on one's own items; NULL: the
// mailbox's owner, or nobody (delivered). Limits of 0: none.
const char schema_rights[] =
    "CREATE TABLE folder_limits ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, item_size BIGINT NOT NULL, quota BIGINT NOT NULL,"
    " age_days BIGINT NOT NULL, PRIMARY KEY (mbx, fid)) $CLUSTERED;"
    "ALTER TABLE message ADD COLUMN creator TEXT;";
