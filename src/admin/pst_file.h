// Outlook data files (.pst, .ost) as folders and messages, read by libpff; one message is in memory
// at a time.
#pragma once

#include <stdbool.h>

#include "mapi/message_value.h"

#define PST_FOLDER_DEPTH 64
#define PST_MESSAGE_DEPTH 16
#define PST_ATTACHMENT_MAX (512u * 1024 * 1024)

struct pst_file;

// NULL: it cannot be opened; a reason goes to `*error_out` (g_free).
struct pst_file *pst_open(const char *path, char **error_out);
void pst_close(struct pst_file *pst); // accepts NULL

// How many messages there are, folder associated information included.
unsigned pst_count(struct pst_file *pst);

struct pst_visitor {
    void *ctx;
    // A folder: its path below the top of the mailbox ('/' between names, U+2215 in them), "" for
    // the top itself; its class ("" none).
    void (*folder)(void *ctx, const char *path, const char *container_class);
    // A message of the folder; NULL: it cannot be read. Not kept.
    void (*message)(void *ctx, const struct message_value *m, bool is_associated, unsigned number);
    bool (*is_stopped)(void *ctx);
};
void pst_walk(struct pst_file *pst, const struct pst_visitor *visitor);

// A value of a multi-valued property as it stands in the file ([MS-PST] 2.3.3.4): how many, and the
// i-th's bytes. False: it makes no sense.
bool pst_multi_value(const void *data, size_t len, uint16_t type, uint32_t i, uint32_t *n_out,
                     const void **value_out, size_t *len_out);
