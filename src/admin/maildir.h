// Names in a Maildir: what file and folder names say (the Maildir and Maildir++ conventions, and
// Dovecot's keyword letters).
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/filetime.h"

// Keywords by letter, 'a' first: the contents of a folder's dovecot-keywords file.
struct maildir_keywords {
    char *names[26]; // NULL: none
};
void maildir_keywords_load(struct maildir_keywords *keywords, const char *folder_path);
void maildir_keywords_clear(struct maildir_keywords *keywords);
// The letter of a keyword, a new one if needed; '\0' when all are taken.
char maildir_keyword_letter(struct maildir_keywords *keywords, const char *name);
// The text of the file that names them (g_free); NULL when there are none.
char *maildir_keywords_text(const struct maildir_keywords *keywords);

// Flags (enum message_flag) and keywords (as in message_row; g_free, NULL: none) of a file name
// ("1.x.host:2,FS").
uint32_t maildir_flags(const char *file_name, const struct maildir_keywords *keywords,
                       char **keywords_out);
// The suffix that says them: ":2,FS".
char *maildir_suffix(uint32_t flags, const char *keywords, struct maildir_keywords *letters);

// The folder path ("Projects/2026") of a Maildir++ directory (".Projects.2026", modified UTF-7),
// and back. NULL when the name is none.
char *maildir_folder_path(const char *directory_name);
char *maildir_directory_name(const char *folder_path);

// Orders file names as they were delivered: by the number they begin with, then by name.
int maildir_compare(const char *a, const char *b);
