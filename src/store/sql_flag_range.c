// The statements on flag_range, and on the rows they are about.
#include "store/flag_range_internal.h"

const char sql_flag_range_list[] = "SELECT base, fid, uid_first, uid_last, kept, bits"
                                   " FROM flag_range WHERE mbx = $1 ORDER BY base";
const char sql_flag_range_insert[] =
    "INSERT INTO flag_range (mbx, base, fid, uid_first, uid_last, kept, bits)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)";
const char sql_flag_range_delete[] =
    "DELETE FROM flag_range WHERE mbx = $1 AND base <= $2 AND fid = $3";
const char sql_flag_range_rows[] =
    "SELECT uid, flags, cn, read_cn, modseq FROM message"
    " WHERE mbx = $1 AND fid = $2 AND uid >= $3 AND uid <= $4 ORDER BY uid LIMIT $5";
const char sql_flag_range_stamp[] =
    "UPDATE message SET flags = $1, cn = $2, read_cn = $3, modseq = $4"
    " WHERE mbx = $5 AND fid = $6 AND uid = $7";
