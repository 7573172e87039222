// Ids given to clients in advance, and those they will not use: ranges, both ends included. And
// what clients put by.
#include "store/schema_internal.h"

// fid of unused_id: the folder the ids are not used in; 0: ids of folders.
const char schema_replica[] =
    "CREATE TABLE reserved_id ("
    " mbx BIGINT NOT NULL, low BIGINT NOT NULL, high BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, low)) $CLUSTERED;"
    "CREATE TABLE unused_id ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, low BIGINT NOT NULL, high BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, fid, low)) $CLUSTERED;"
    // folder: a GID of the public store; source: the GUID of the database the data is of.
    "CREATE TABLE per_user ("
    " mbx BIGINT NOT NULL, folder $BLOB NOT NULL, source $BLOB NOT NULL, data $BLOB NOT NULL,"
    " PRIMARY KEY (mbx, folder)) $CLUSTERED;";
