// What the files of the SQLite engine share.
#pragma once

#include "db/db_internal.h"

enum ec lite_errno_to_ec(int error);
enum ec lite_code_to_ec(int code, int system_error); // SQLite's extended code
const char *lite_advice(enum ec ec);                 // for the log; NULL: none
// Creates an empty file of mode 0600; EC_COLLISION when there is one.
enum ec lite_create_file(const char *path);
int lite_sync_folder_of(const char *path); // as fsync

// sqlite_copy.c, the engine's functions of these names
enum ec lite_copy_begin(struct db_conn *conn, const char *path, struct db_copying **out);
enum ec lite_copy_step(struct db_copying *c, unsigned pages, bool *done_out, int *percent_out);
enum ec lite_copy_end(struct db_copying *c);
