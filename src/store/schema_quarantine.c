// What a repair took out because it could not be understood, kept for people to look at.
#include "store/schema_internal.h"

const char schema_quarantine[] =
    "CREATE TABLE quarantine ("
    " mbx BIGINT NOT NULL, found BIGINT NOT NULL, what TEXT NOT NULL, data $BLOB NOT NULL,"
    " PRIMARY KEY (mbx, found, what)) $CLUSTERED;";
