// What the retention of messages is, for reading: each folder's, and each tag's.
#include "store/schema_internal.h"

const char schema_policy[] =
    // fid 0: the tag itself. kind: enum retention_kind. tag: its guid, empty when messages of the
    // folder have a period without a tag. days 0: never.
    "CREATE TABLE retention_policy ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, kind BIGINT NOT NULL, tag $BLOB NOT NULL,"
    " days BIGINT NOT NULL, PRIMARY KEY (mbx, fid, kind, tag)) $CLUSTERED;";
