// What an import reads: files and directories of the administrator, as a list of sources in order.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/filetime.h"
#include "base/result.h"

// SOURCE_ITEM: .msg, .vcf and the like (item_file.h); SOURCE_PST: an Outlook data file.
enum source_kind { SOURCE_MESSAGE, SOURCE_MBOX, SOURCE_ITEM, SOURCE_PST };

struct import_source {
    enum source_kind kind;
    char *path;
    char *folder; // path in the mailbox
    uint64_t size;
    uint32_t flags;      // of a Maildir's file name
    char *keywords;      // NULL: none
    filetime_t modified; // of the file
    bool is_maildir;
};

struct import_skip {
    char *what, *why;
    bool is_failure; // false: it was no mail, so nothing is missing
};

struct import_sources {
    GPtrArray *items;   // struct import_source *
    GPtrArray *skipped; // struct import_skip *
    GPtrArray *folders; // char *: to be made even when empty
    uint64_t size;
    const char *folder; // --folder; NULL: Inbox, and folders of trees at the top
    bool is_flat;
};

void import_sources_init(struct import_sources *sources, const char *folder, bool is_flat);
void import_sources_clear(struct import_sources *sources);
// Adds a file or directory. What cannot be used goes to `skipped`.
void import_sources_add(struct import_sources *sources, const char *path);
void import_sources_skip(struct import_sources *sources, const char *what, const char *why,
                         bool is_failure);

// A folder's path component as a file name and back: never empty, "." or "..", at most 200 bytes.
char *folder_name_to_file(const char *component);
char *folder_name_from_file(const char *file_name);
