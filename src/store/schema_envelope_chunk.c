// Envelopes kept in uid order (envelope_chunk.h); derived, may be deleted.
#include "store/envelope_chunk.h"

const char schema_envelope_chunk[] =
    "CREATE TABLE envelope_chunk ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, uid_last BIGINT NOT NULL,"
    " uid_first BIGINT NOT NULL, size BIGINT NOT NULL, data $BLOB NOT NULL,"
    " PRIMARY KEY (mbx, fid, uid_last)) $CLUSTERED;";
