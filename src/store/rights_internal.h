// What the store's files on rights and public folders share.
#pragma once

#include "store/store_internal.h"

extern const char sql_permission_all[], sql_creator_get[], sql_creator_set[], sql_limits_get[],
    sql_limits_set[], sql_limits_drop[], sql_limits_aging[], sql_limits_expired[];
extern const char sql_check_permissions[], sql_check_limits[], sql_check_user_read[];
extern const char sql_user_read_get[], sql_user_read_set[], sql_user_read_drop[],
    sql_user_read_list[];

// Forgets what these files keep of a folder that is deleted.
enum ec rights_drop_folder(struct mbox_tx *tx, uint64_t fid);
