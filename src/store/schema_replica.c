// Ids given to clients in advance, and those they will not use: ranges, both ends included.
#include "store/schema_internal.h"

// fid of unused_id: the folder the ids are not used in; 0: ids of folders.
const char schema_replica[] =
    "CREATE TABLE reserved_id ("
    " mbx BIGINT NOT NULL, low BIGINT NOT NULL, high BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, low)) $CLUSTERED;"
    "CREATE TABLE unused_id ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, low BIGINT NOT NULL, high BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, fid, low)) $CLUSTERED;";
