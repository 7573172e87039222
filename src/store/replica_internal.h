// Statements on reserved and unused ids and on notes of changes (sql_replica.c).
#pragma once

extern const char sql_reserved_insert[], sql_reserved_find[], sql_reserved_delete[];
extern const char sql_unused_insert[], sql_unused_find[], sql_unused_delete_inside[],
    sql_unused_drop[];
extern const char sql_folder_change_get[], sql_folder_change_set[], sql_message_change_set[];
extern const char sql_per_user_get[], sql_per_user_set[], sql_per_user_list[];
