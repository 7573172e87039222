// The statements of flag_range.c.
#pragma once

extern const char sql_flag_range_list[], sql_flag_range_insert[], sql_flag_range_delete[],
    sql_flag_range_rows[], sql_flag_range_stamp[];
