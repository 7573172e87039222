// The statements on envelope_chunk.
#include "store/envelope_chunk_internal.h"

const char sql_envelope_chunk_find[] =
    "SELECT uid_first, uid_last, size, data FROM envelope_chunk"
    " WHERE mbx = $1 AND fid = $2 AND uid_last >= $3 ORDER BY uid_last LIMIT 1";
const char sql_envelope_chunk_bounds[] =
    "SELECT uid_first, uid_last FROM envelope_chunk"
    " WHERE mbx = $1 AND fid = $2 AND uid_last >= $3 ORDER BY uid_last LIMIT 1";
const char sql_envelope_chunk_insert[] =
    "INSERT INTO envelope_chunk (mbx, fid, uid_last, uid_first, size, data)"
    " VALUES ($1, $2, $3, $4, $5, $6)";
const char sql_envelope_chunk_forget_uid[] =
    "DELETE FROM envelope_chunk WHERE mbx = $1 AND fid = $2 AND uid_last >= $3"
    " AND uid_first <= $3";
const char sql_envelope_chunk_forget_folder[] =
    "DELETE FROM envelope_chunk WHERE mbx = $1 AND fid = $2";
const char sql_envelope_chunk_forget_all[] = "DELETE FROM envelope_chunk WHERE mbx = $1";
