// What deleted folders were, beside their names (table gone_folder): all that is needed to make
// them again. Only of those that can be restored.
#include "store/schema_internal.h"

const char schema_gone[] =
    "CREATE TABLE gone_state ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, parent BIGINT NOT NULL, name TEXT NOT NULL,"
    " is_hidden INTEGER NOT NULL, created BIGINT NOT NULL, props $BLOB,"
    " PRIMARY KEY (mbx, fid)) $CLUSTERED;"
    "CREATE TABLE gone_permission ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, member TEXT NOT NULL, rights BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, fid, member)) $CLUSTERED;";
