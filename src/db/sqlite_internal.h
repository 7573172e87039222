// What the files of the SQLite engine share.
#pragma once

#include <sqlite3.h>

#include "db/db_internal.h"

enum ec lite_errno_to_ec(int error);
enum ec lite_code_to_ec(int code, int system_error); // SQLite's extended code
const char *lite_advice(enum ec ec);                 // for the log; NULL: none
// The result of the connection's last call that failed with `code`; logged unless callers ask for
// it.
enum ec lite_failure(struct db_conn *conn, int code, const char *sql);
// Creates an empty file of mode 0600; EC_COLLISION when there is one.
enum ec lite_create_file(const char *path);
int lite_sync_folder_of(const char *path); // as fsync

// sqlite_copy.c, the engine's functions of these names
enum ec lite_copy_begin(struct db_conn *conn, const char *path, struct db_copying **out);
enum ec lite_copy_step(struct db_copying *c, unsigned pages, bool *done_out, int *percent_out);
enum ec lite_copy_end(struct db_copying *c);
bool lite_needs_remaking(struct db_conn *conn);
enum ec lite_remake(struct db_conn *conn, const char *path);

// --- sqlite_sums.c ---
#define LITE_VFS "bourse" // for sqlite3_open_v2
// For sqlite3_file_control.
#define LITE_SUMS_TRUST 0x426f7501 // int *, NULL: true. Wrong sums are not told any longer
#define LITE_SUMS_SET 0x426f7502   // int *: whether the pages of a file that is made have sums
#define LITE_SUMS_GET 0x426f7503   // int *: whether they have
void lite_sums_register(void);
// Makes room for sums when the file is still empty; SQLite's code.
int lite_sums_begin(sqlite3 *handle);
bool lite_sums_are_on(sqlite3 *handle);
// The numbers (int64_t) of the pages with a wrong sum; SQLite's code. Without sums there are none.
int lite_sums_verify(sqlite3 *handle, GArray *bad);

// --- sqlite_verify.c ---
enum ec lite_verify(struct db_conn *conn, GPtrArray *faults);
enum ec lite_verify_file(const char *path, GPtrArray *faults);
