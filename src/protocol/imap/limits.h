// Every limit of the IMAP server.
#pragma once

#define IMAP_UNIT_MAX (64 * 1024)       // bytes handed over at once: a line or a piece of one
#define IMAP_LITERAL_CHUNK (32 * 1024)  // bytes of a literal waited for before they are taken
#define IMAP_LINE_MAX (16 * 1024)       // a command before login, literals included
#define IMAP_COMMAND_MAX (1024 * 1024)  // a command after login (long UID sets), without messages
#define IMAP_SPOOL_MEMORY (1024 * 1024) // larger APPEND literals go to a temporary file
#define IMAP_SPOOL_MIN 4096             // smaller literals of APPEND stay in the command
#define IMAP_MAX_MESSAGE (150u << 20)   // APPEND, when the service sets no limit
#define IMAP_MAX_APPENDS 1000           // messages of one APPEND
#define IMAP_MAX_SPOOLED 4000           // literals of one command that are not in its text
#define IMAP_MAX_CATENATE 1000          // parts of one message
#define IMAP_APPENDS_TOTAL (512u << 20) // bytes of all of them, more where one may be larger
#define IMAP_MAX_BAD 10                 // syntax errors in a row before the connection closes
#define IMAP_MAX_LOGIN_FAILURES 5       // on one connection
#define IMAP_TAG_MAX 128                // bytes
#define IMAP_MAX_NESTING 50             // parentheses of SEARCH (below SEARCH_MAX_DEPTH)
#define IMAP_MAX_SAVED_KEYS 16          // SAVEDBEFORE and the like in one SEARCH
#define IMAP_MAX_CONTEXTS 16            // searches kept up to date
#define IMAP_MAX_CONTEXT_RESULTS 100000 // of all of them, 4 bytes each
#define IMAP_MAX_NOTIFY_GROUPS 16
#define IMAP_MAX_NOTIFY_PATHS 64        // of one group
#define IMAP_MAX_NOTIFY_FETCH 1024      // bytes of the data items of MessageNew
#define IMAP_MAX_NOTIFY_FOLDERS 5000    // that one session watches
#define IMAP_MAX_NOTIFY_NEW 200         // new messages that are fetched at once
#define IMAP_MAX_METADATA 100           // entries in one GETMETADATA or SETMETADATA
#define IMAP_MAX_FETCH_ITEMS 256
#define IMAP_MAX_HEADER_FIELDS 500     // in one HEADER.FIELDS list
#define IMAP_MAX_KEYWORDS 64           // in one flag list
#define IMAP_MAX_KEYWORD 128           // bytes of one keyword
#define IMAP_MAX_PATTERNS 32           // of one LIST
#define IMAP_MAX_PATTERN 1024          // bytes
#define IMAP_OUT_FLUSH (32 * 1024)     // output gathered before it goes to the connection
#define IMAP_STEP_OUTPUT (1024 * 1024) // made in one step of a long answer
#define IMAP_BY_REFERENCE (8 * 1024)   // larger bodies go out without being copied
#define IMAP_PROGRESS_SECONDS 10       // between lines that say that a command goes on
#define IMAP_LOGIN_SECONDS 60          // without input before login
#define IMAP_IDLE_SECONDS                                                                          \
    (30 * 60 + 30)                   // without input after login (RFC 3501 5.4: at least 30 min)
#define IMAP_IDLE_KEEPALIVE (4 * 60) // between "still here" lines while IDLE
