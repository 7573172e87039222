// Tables of Recoverable Items, holds and the passes that go over a mailbox (recoverable.h, pass.h).
#include "store/schema_internal.h"

const char schema_retain[] =
    // The folder each message in Recoverable Items came from; it may be gone.
    "CREATE TABLE recoverable ("
    " mbx BIGINT NOT NULL, mid BIGINT NOT NULL, origin BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, mid)) $CLUSTERED;"
    "CREATE INDEX recoverable_origin ON recoverable (mbx, origin);"
    // What deleted folders were called, so that their messages can go back.
    "CREATE TABLE gone_folder ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, path TEXT NOT NULL, container_class TEXT NOT NULL,"
    " deleted BIGINT NOT NULL, PRIMARY KEY (mbx, fid)) $CLUSTERED;"
    // Deleted messages by age. Costs nothing for the others.
    "CREATE INDEX message_deleted ON message (mbx, deleted, mid) WHERE deleted > 0;"
    // kind: enum hold_kind. duration: FILETIME units a message is kept from its arrival; 0: always.
    "CREATE TABLE hold ("
    " mbx BIGINT NOT NULL, kind BIGINT NOT NULL, since BIGINT NOT NULL, duration BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, kind)) $CLUSTERED;"
    // Where a pass over the mailbox stands; finished 0: under way, at (fid, uid) of step.
    "CREATE TABLE pass ("
    " mbx BIGINT NOT NULL, kind BIGINT NOT NULL, started BIGINT NOT NULL, finished BIGINT NOT NULL,"
    " step BIGINT NOT NULL, fid BIGINT NOT NULL, uid BIGINT NOT NULL, n_seen BIGINT NOT NULL,"
    " n_deleted BIGINT NOT NULL, n_purged BIGINT NOT NULL, n_archived BIGINT NOT NULL,"
    " warned BIGINT NOT NULL, PRIMARY KEY (mbx, kind)) $CLUSTERED;";
