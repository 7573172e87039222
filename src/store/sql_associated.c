// Statements on associated messages.
#include "store/associated.h"

// The condition on the flags is that of the index message_aside (schema_view.c).
const char sql_associated_list[] = "SELECT mid, cn, flags, class FROM message WHERE mbx = $1 AND"
                                   " fid = $2 AND (flags & 768) <> 0 ORDER BY uid";
