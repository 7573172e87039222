// Flag changes of uid ranges that are not in the rows yet (flag_range.h).
#include "store/flag_range.h"

const char schema_flag_range[] =
    "CREATE TABLE flag_range ("
    " mbx BIGINT NOT NULL, base BIGINT NOT NULL, fid BIGINT NOT NULL, uid_first BIGINT NOT NULL,"
    " uid_last BIGINT NOT NULL, kept BIGINT NOT NULL, bits BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, base)) $CLUSTERED;";
