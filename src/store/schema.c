// The schema of a mailbox database, for both engines; every table is keyed by mailbox (`mbx`,
// always 1 in a SQLite file of its own).
//
// Two kinds of tables: narrow ones are clustered by what they are read by (message: folder and uid,
// so that a folder is one sequential scan); wide ones have a plain integer key, so that SQLite
// keeps their rows in table leaves. A message's contents hang on its `doc`, not on its mid: a move
// gives a new mid and uid but rewrites nothing wide.
#include "store/schema_internal.h"

#include "store/envelope_chunk.h"
#include "store/flag_range.h"

static const char version_1[] =
    "CREATE TABLE mailbox ("
    " mbx BIGINT NOT NULL, guid $BLOB NOT NULL, replica $BLOB NOT NULL, address TEXT NOT NULL,"
    " display_name TEXT NOT NULL, locale TEXT NOT NULL, created BIGINT NOT NULL,"
    " next_id BIGINT NOT NULL, next_uid_validity BIGINT NOT NULL, props $BLOB,"
    " PRIMARY KEY (mbx)) $CLUSTERED;"

    "CREATE TABLE folder ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, parent BIGINT NOT NULL, name TEXT NOT NULL,"
    " name_key TEXT NOT NULL, container_class TEXT NOT NULL, type INTEGER NOT NULL,"
    " cn BIGINT NOT NULL, modseq BIGINT NOT NULL, uid_validity BIGINT NOT NULL,"
    " uid_next BIGINT NOT NULL, n_messages BIGINT NOT NULL, n_unread BIGINT NOT NULL,"
    " n_associated BIGINT NOT NULL, n_soft BIGINT NOT NULL, size BIGINT NOT NULL,"
    " soft_size BIGINT NOT NULL, created BIGINT NOT NULL, changed BIGINT NOT NULL,"
    " is_subscribed INTEGER NOT NULL, is_hidden INTEGER NOT NULL, props $BLOB, pcl $BLOB,"
    " PRIMARY KEY (mbx, fid)) $CLUSTERED;"
    "CREATE UNIQUE INDEX folder_name ON folder (mbx, parent, name_key);"
    "CREATE INDEX folder_cn ON folder (mbx, cn);"

    // flags: enum message_flag. size: what the message counts for in quotas; mime_size:
    // RFC822.SIZE. modseq = max(cn, read_cn). deleted: when it was soft-deleted, else 0. pcl: what
    // a client said of its change (replica.h). The texts are for sorting and filtering lists.
    "CREATE TABLE message ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, uid BIGINT NOT NULL, mid BIGINT NOT NULL,"
    " doc BIGINT NOT NULL, cn BIGINT NOT NULL, read_cn BIGINT NOT NULL, modseq BIGINT NOT NULL,"
    " flags BIGINT NOT NULL, received BIGINT NOT NULL, mime_size BIGINT NOT NULL,"
    " keywords TEXT, size BIGINT NOT NULL, submitted BIGINT NOT NULL, deleted BIGINT NOT NULL,"
    " class TEXT NOT NULL, subject TEXT, sender TEXT, conversation $BLOB, pcl $BLOB,"
    " PRIMARY KEY (mbx, fid, uid)) $CLUSTERED;"
    "CREATE UNIQUE INDEX message_mid ON message (mbx, mid);"
    "CREATE INDEX message_modseq ON message (mbx, fid, modseq);"

    // refs: how many messages share the contents (a copy shares them until one is changed).
    // recipients: a count and as many bags with their lengths. source: the blob of the original
    // that bodies and attachments point into, else 0.
    "CREATE TABLE message_data ("
    " mbx BIGINT NOT NULL, doc $ROWID, refs BIGINT NOT NULL, source BIGINT NOT NULL,"
    " props $BLOB NOT NULL, recipients $BLOB $ROWKEY(mbx, doc));"
    "CREATE TABLE message_mime ("
    " mbx BIGINT NOT NULL, doc $ROWID, blob BIGINT NOT NULL, envelope $BLOB NOT NULL,"
    " structure $BLOB NOT NULL $ROWKEY(mbx, doc));"
    // The content: a range of a blob (referenced, unless it is the message's source), or the doc of
    // an embedded message.
    "CREATE TABLE attachment ("
    " mbx BIGINT NOT NULL, doc BIGINT NOT NULL, num BIGINT NOT NULL, props $BLOB NOT NULL,"
    " blob BIGINT NOT NULL, pos BIGINT NOT NULL, length BIGINT NOT NULL, encoding INTEGER NOT NULL,"
    " embedded BIGINT NOT NULL, PRIMARY KEY (mbx, doc, num)) $CLUSTERED;"

    // codec 0: as it is, 1: zstd. data NULL: in blob_chunk, whose key is blob << 15 | number.
    // hash: of blobs that are worth sharing (schema_internal.h), else NULL.
    "CREATE TABLE blob ("
    " mbx BIGINT NOT NULL, blob $ROWID, refs BIGINT NOT NULL, size BIGINT NOT NULL,"
    " codec INTEGER NOT NULL, hash $BLOB, data $BLOB $ROWKEY(mbx, blob));"
    "CREATE UNIQUE INDEX blob_hash ON blob (mbx, hash) WHERE hash IS NOT NULL;"
    "CREATE TABLE blob_chunk (mbx BIGINT NOT NULL, chunk $ROWID, data $BLOB NOT NULL"
    " $ROWKEY(mbx, chunk));"

    // What has left a folder, for synchronization; is_soft: it can be restored.
    "CREATE TABLE tombstone ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, cn BIGINT NOT NULL, mid BIGINT NOT NULL,"
    " uid BIGINT NOT NULL, flags BIGINT NOT NULL, is_soft INTEGER NOT NULL,"
    " PRIMARY KEY (mbx, fid, cn)) $CLUSTERED;"
    "CREATE TABLE folder_tombstone ("
    " mbx BIGINT NOT NULL, cn BIGINT NOT NULL, fid BIGINT NOT NULL, parent BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, cn)) $CLUSTERED;"

    // Folders' rows as one value, to open large ones quickly (rows_saved.c); derived, may be
    // deleted.
    "CREATE TABLE snapshot ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, part BIGINT NOT NULL, uid_validity BIGINT NOT NULL,"
    " modseq BIGINT NOT NULL, size BIGINT NOT NULL, data $BLOB NOT NULL,"
    " PRIMARY KEY (mbx, fid, part)) $CLUSTERED;"

    "CREATE TABLE delivered ("
    " mbx BIGINT NOT NULL, delivery TEXT NOT NULL, arrived BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, delivery)) $CLUSTERED;"
    "CREATE TABLE permission ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, member TEXT NOT NULL, rights BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, fid, member)) $CLUSTERED;"
    "CREATE TABLE named_prop ("
    " mbx BIGINT NOT NULL, id BIGINT NOT NULL, guid $BLOB NOT NULL, lid BIGINT, name TEXT,"
    " PRIMARY KEY (mbx, id)) $CLUSTERED;"
    "CREATE TABLE subscription ("
    " mbx BIGINT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (mbx, path)) $CLUSTERED;"

    // For the rest of the store's duties (search folders, rules, receive folders, per-user read
    // state of public folders): laid out here so that no mailbox has to be rewritten for them.
    "CREATE TABLE search_folder ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, flags BIGINT NOT NULL, restriction $BLOB NOT NULL,"
    " scope $BLOB NOT NULL, seen BIGINT NOT NULL, at_fid BIGINT NOT NULL, at_uid BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, fid)) $CLUSTERED;"
    "CREATE TABLE search_link ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, mid BIGINT NOT NULL, cn BIGINT NOT NULL,"
    " is_unread BIGINT NOT NULL, size BIGINT NOT NULL, PRIMARY KEY (mbx, fid, mid)) $CLUSTERED;"
    "CREATE INDEX search_link_mid ON search_link (mbx, mid);"
    "CREATE TABLE rule ("
    " mbx BIGINT NOT NULL, fid BIGINT NOT NULL, rule BIGINT NOT NULL, sequence BIGINT NOT NULL,"
    " props $BLOB NOT NULL, PRIMARY KEY (mbx, fid, rule)) $CLUSTERED;"
    "CREATE TABLE receive_folder ("
    " mbx BIGINT NOT NULL, class TEXT NOT NULL, fid BIGINT NOT NULL, changed BIGINT NOT NULL,"
    " PRIMARY KEY (mbx, class)) $CLUSTERED;"
    "CREATE TABLE user_read ("
    " mbx BIGINT NOT NULL, member TEXT NOT NULL, fid BIGINT NOT NULL, cns $BLOB NOT NULL,"
    " PRIMARY KEY (mbx, member, fid)) $CLUSTERED;";

static const char *const steps[] = {
    version_1,     schema_flag_range, schema_envelope_chunk, schema_retain,
    schema_rights, schema_fulltext,   schema_quarantine,     schema_view,
    schema_imap,   schema_policy,     schema_gone,           schema_replica,
    NULL};

const struct db_schema store_schema = {"store", steps};
