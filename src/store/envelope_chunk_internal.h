// The statements of envelope_chunk.c.
#pragma once

extern const char sql_envelope_chunk_find[], sql_envelope_chunk_bounds[],
    sql_envelope_chunk_insert[], sql_envelope_chunk_forget_uid[],
    sql_envelope_chunk_forget_folder[], sql_envelope_chunk_forget_all[];
