// Statements of rule.c and receive_folder.c (sql_rule.c).
#pragma once

extern const char sql_rule_list[], sql_rule_get[], sql_rule_set[], sql_rule_remove[],
    sql_rule_drop_folder[];
extern const char sql_receive_list[], sql_receive_set[], sql_receive_remove[],
    sql_receive_drop_folder[];
