// All positions in the pattern that the name read so far can have led to are followed at once, so
// that no pattern makes it try again and again.
#include "protocol/imap/list_match.h"

#include <glib.h>
#include <string.h>

#include "protocol/imap/limits.h"

// Wildcards match nothing as well: the positions behind them are reached too.
static void close_over(const char *pattern, size_t len, bool *at) {
    for (size_t i = 0; i < len; i++)
        if (at[i] && (pattern[i] == '*' || pattern[i] == '%'))
            at[i + 1] = true;
}

bool imap_list_match(const char *pattern, const char *name) {
    size_t len = strlen(pattern);
    if (len > IMAP_MAX_PATTERN)
        return false;
    bool at[IMAP_MAX_PATTERN + 1] = {true}, next[IMAP_MAX_PATTERN + 1];
    close_over(pattern, len, at);
    bool is_inbox = g_str_has_prefix(name, "INBOX") && (name[5] == 0 || name[5] == '/');
    for (size_t n = 0; name[n]; n++) {
        bool any = false, caseless = is_inbox && n < 5;
        memset(next, 0, len + 1);
        for (size_t i = 0; i < len; i++) {
            if (!at[i])
                continue;
            bool is_wild = pattern[i] == '*' || (pattern[i] == '%' && name[n] != '/');
            if (is_wild)
                next[i] = any = true;
            else if (pattern[i] == name[n] || (caseless && g_ascii_toupper(pattern[i]) == name[n]))
                next[i + 1] = any = true;
        }
        if (!any)
            return false;
        close_over(pattern, len, next);
        memcpy(at, next, len + 1);
    }
    return at[len];
}
