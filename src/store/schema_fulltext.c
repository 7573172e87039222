// The tables of the full-text index (fulltext.h). The words are in tables of db/fulltext.h.
#include "store/schema_internal.h"

const char schema_fulltext[] =
    // One row an index. is_live: searches use it; the other is being built. format: how words were
    // made. Of the messages' contents those up to `watermark` are in it.
    "CREATE TABLE fulltext ("
    " mbx BIGINT NOT NULL, slot INTEGER NOT NULL, is_live INTEGER NOT NULL, format BIGINT NOT NULL,"
    " watermark BIGINT NOT NULL, n_docs BIGINT NOT NULL, PRIMARY KEY (mbx, slot)) $CLUSTERED;"
    // A row for each of the contents that was indexed, with the signatures of its original
    // (fulltext_grams.h); NULL: there is none.
    "CREATE TABLE fulltext_doc ("
    " mbx BIGINT NOT NULL, doc $ROWID, head $BLOB, body $BLOB);"
    // From contents to the messages that have them.
    "CREATE INDEX message_doc ON message (mbx, doc);";
