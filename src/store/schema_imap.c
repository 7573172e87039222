// Tables behind extensions of IMAP.
#include "store/schema_internal.h"

// id_time: ids from `first_id` on were given at `at` or later (id_time.h); at most one row a second
// in which messages came. annotation: METADATA ([RFC 5464]); fid 0: of the mailbox itself; member:
// the GUID text of whose own it is, "" for everybody's.
const char schema_imap[] =
    "CREATE TABLE id_time ("
    " mbx BIGINT NOT NULL, first_id BIGINT NOT NULL, at BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, first_id)) $CLUSTERED;"
    "CREATE TABLE annotation ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, member TEXT NOT NULL, entry TEXT NOT NULL,"
    " value $BLOB NOT NULL, PRIMARY KEY (mbx, fid, member, entry)) $CLUSTERED;"
    // What folders are for, without a look at the rest.
    "CREATE INDEX annotation_use ON annotation (mbx, entry) WHERE entry = '/specialuse';";
