// Tables and indexes of views.
#include "store/schema_internal.h"

// Columns of large folders as values, so that the first look after a start reads a few contiguous
// pages (columns_saved.c); derived, may be deleted. tag 0: the messages themselves.
//
// message_aside finds the few associated and soft-deleted messages of a folder of a million.
const char schema_view[] =
    "CREATE TABLE view_column ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, tag BIGINT NOT NULL, part BIGINT NOT NULL,"
    " uid_validity BIGINT NOT NULL, modseq BIGINT NOT NULL, count BIGINT NOT NULL,"
    " size BIGINT NOT NULL, data $BLOB NOT NULL, PRIMARY KEY (mbx, fid, tag, part)) $CLUSTERED;"
    "CREATE INDEX message_aside ON message (mbx, fid, uid) WHERE (flags & 768) <> 0;";
