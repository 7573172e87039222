// The statements of sql_imap.c.
#pragma once

extern const char sql_references_walk[];
extern const char sql_id_time_insert[], sql_id_time_get[], sql_id_time_since[];
extern const char sql_annotation_list[], sql_annotation_uses[], sql_annotation_set[],
    sql_annotation_remove[], sql_annotation_drop_folder[];
