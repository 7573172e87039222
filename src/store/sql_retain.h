// The statements on usage, Recoverable Items, holds and passes (sql_retain.c).
#pragma once

#include "store/schema_internal.h"

extern const char sql_usage[];
extern const char sql_origin_set[], sql_origin_get[], sql_origin_drop[];
extern const char sql_origin_lost[], sql_origin_lost_drop[];
extern const char sql_delivered_find[];
extern const char sql_gone_insert[], sql_gone_get[], sql_gone_purge[];
extern const char sql_deleted_due[], sql_deleted_oldest[], sql_deleted_list[];
extern const char sql_hold_list[], sql_hold_set[], sql_hold_remove[];
extern const char sql_pass_get[], sql_pass_set[];
extern const char sql_folder_slice[], sql_folder_total[];
