// Ambiguous name resolution: what a person types in a To line, to the entries it may mean.
//
// Every entry is indexed under the words of its names, its office and its addresses; each word of
// the text has to be the start of one of them. A text that is exactly somebody's address or whole
// name means that entry, even when it also begins another's ("Ann Lee" with an "Ann Leeson"
// around).
#include <string.h>

#include "base/text.h"
#include "directory/directory_internal.h"
#include "directory/limits.h"

// --- The index ---

static void add_word(struct arena *arena, const char *start, size_t len, GPtrArray *words) {
    len = MIN(len, ANR_INDEX_WORD_MAX);
    while (len > 0 && (start[len] & 0xc0) == 0x80)
        len--; // not inside a character
    if (len == 0 || words->len >= ANR_INDEX_WORDS_MAX)
        return;
    const char *word = arena_strndup(arena, start, len);
    for (guint i = 0; i < words->len; i++)
        if (strcmp(words->pdata[i], word) == 0)
            return;
    g_ptr_array_add(words, (gpointer)word);
}

// Splits a folded text at `separators`.
static void add_words(struct arena *arena, const char *folded, const char *separators,
                      GPtrArray *words) {
    while (*folded != '\0') {
        size_t len = strcspn(folded, separators);
        add_word(arena, folded, len, words);
        folded += len;
        folded += strspn(folded, separators);
    }
}

#define SPACES " \t\r\n,;()<>\"/"

void anr_words(struct arena *arena, const struct directory_object *object, char *const *addresses,
               GPtrArray *words) {
    const char *names[] = {object->display_name, object->given_name, object->surname,
                           object->office};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i] == NULL)
            continue;
        const char *folded = text_fold(arena, names[i]);
        add_words(arena, folded, SPACES, words);
        // "O'Brien" is also found as "brien", "Jean-Luc" as "luc".
        add_words(arena, folded, SPACES "-'._", words);
    }
    for (; addresses != NULL && *addresses != NULL; addresses++) {
        const char *folded = text_fold(arena, *addresses);
        add_word(arena, folded, strlen(folded), words);
        const char *at = strrchr(folded, '@');
        if (at != NULL)
            add_words(arena, arena_strndup(arena, folded, (size_t)(at - folded)), ".-_+\"", words);
    }
}

enum ec anr_index(struct db_conn *conn, const struct directory_object *object) {
    ARENA_AUTO arena = arena_new();
    char **addresses;
    EC_TRY(object_addresses(conn, arena, &object->guid, &addresses));
    struct db_stmt *q = db_query(conn, sql_word_delete_all);
    bind_guid(q, 1, &object->guid);
    EC_TRY(db_run(q, NULL));
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    anr_words(arena, object, addresses, words);
    for (guint i = 0; i < words->len; i++) {
        q = db_query(conn, sql_word_insert);
        db_bind_text(q, 1, words->pdata[i]);
        bind_guid(q, 2, &object->guid);
        EC_TRY(db_run(q, NULL));
    }
    return EC_OK;
}

// --- Resolving ---

struct resolution {
    struct db_conn *conn;
    struct arena *arena;
    const char *folded; // the text
    const char *words[ANR_WORDS_MAX];
    unsigned n_words;
    GPtrArray *found;
};

// The smallest text after all that begin with `prefix`.
static const char *after_prefix(struct arena *arena, const char *prefix) {
    return arena_printf(arena, "%s\xf4\x8f\xbf\xbf", prefix);
}

static void split_words(struct resolution *r) {
    const char *at = r->folded;
    while (*at != '\0' && r->n_words < ANR_WORDS_MAX) {
        at += strspn(at, SPACES);
        size_t len = strcspn(at, SPACES);
        if (len > 0) {
            size_t cut = MIN(len, ANR_INDEX_WORD_MAX);
            while (cut > 0 && (at[cut] & 0xc0) == 0x80)
                cut--;
            r->words[r->n_words++] = arena_strndup(r->arena, at, cut);
        }
        at += len;
    }
}

static enum ec has_word(struct resolution *r, const struct guid *guid, const char *prefix,
                        bool *out) {
    struct db_stmt *q = db_query(r->conn, sql_word_has);
    bind_guid(q, 1, guid);
    db_bind_text(q, 2, prefix);
    db_bind_text(q, 3, after_prefix(r->arena, prefix));
    *out = db_step(q);
    return db_finish(q);
}

static enum ec consider(struct resolution *r, const struct guid *guid, unsigned skip) {
    bool matches = true;
    for (unsigned i = 0; i < r->n_words && matches; i++)
        if (i != skip)
            EC_TRY(has_word(r, guid, r->words[i], &matches));
    if (!matches)
        return EC_OK;
    struct directory_object *object;
    enum ec ec = object_by_guid(r->conn, r->arena, guid, &object);
    if (ec == EC_OK && !object->is_hidden)
        g_ptr_array_add(r->found, object);
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

// The longest word has the fewest candidates; the others are checked on each.
static enum ec find_by_words(struct resolution *r) {
    unsigned longest = 0;
    for (unsigned i = 1; i < r->n_words; i++)
        if (strlen(r->words[i]) > strlen(r->words[longest]))
            longest = i;
    struct db_stmt *q = db_query(r->conn, sql_word_candidates);
    db_bind_text(q, 1, r->words[longest]);
    db_bind_text(q, 2, after_prefix(r->arena, r->words[longest]));
    db_bind_i64(q, 3, ANR_SCANNED_MAX);
    enum ec ec = EC_OK;
    while (ec == EC_OK && r->found->len < ANR_CANDIDATES_MAX && db_step(q)) {
        struct guid guid = column_guid(q, 0);
        ec = consider(r, &guid, longest);
    }
    enum ec step_ec = db_finish(q);
    return ec != EC_OK ? ec : step_ec;
}

static enum ec find_by_whole_name(struct resolution *r) {
    struct db_stmt *q = db_query(r->conn, sql_anr_exact);
    db_bind_text(q, 1, r->folded);
    db_bind_i64(q, 2, ANR_CANDIDATES_MAX);
    while (db_step(q))
        g_ptr_array_add(r->found, object_from_row(r->arena, q));
    return db_finish(q);
}

static bool is_exactly(struct resolution *r, const char *text) {
    return text != NULL && strcmp(text_fold(r->arena, text), r->folded) == 0;
}

// "=x": only entries one of whose attributes is exactly x.
static enum ec keep_exact(struct resolution *r) {
    for (guint i = r->found->len; i-- > 0;) {
        const struct directory_object *o = r->found->pdata[i];
        bool keep = is_exactly(r, o->display_name) || is_exactly(r, o->given_name) ||
                    is_exactly(r, o->surname) || is_exactly(r, o->office);
        char **addresses;
        EC_TRY(object_addresses(r->conn, r->arena, &o->guid, &addresses));
        for (char **a = addresses; *a != NULL && !keep; a++) {
            const char *at = strrchr(*a, '@');
            keep = is_exactly(r, *a) ||
                   (at != NULL && is_exactly(r, arena_strndup(r->arena, *a, (size_t)(at - *a))));
        }
        if (!keep)
            g_ptr_array_remove_index(r->found, i);
    }
    return EC_OK;
}

static enum ec resolve(struct resolution *r, bool exact) {
    split_words(r);
    if (r->n_words == 0)
        return EC_OK;
    if (exact) {
        EC_TRY(find_by_words(r));
        return keep_exact(r);
    }
    EC_TRY(find_by_whole_name(r));
    if (r->found->len == 1)
        return EC_OK;
    g_ptr_array_set_size(r->found, 0);
    return find_by_words(r);
}

static int compare_names(gconstpointer a, gconstpointer b) {
    const struct directory_object *x = *(struct directory_object *const *)a;
    const struct directory_object *y = *(struct directory_object *const *)b;
    int order = text_compare_folded(x->display_name, y->display_name);
    return order != 0 ? order : strcmp(x->address, y->address);
}

enum ec directory_resolve(struct directory *d, struct arena *arena, const char *text,
                          struct directory_list *out) {
    *out = (struct directory_list){0};
    text += strspn(text, SPACES);
    if (g_ascii_strncasecmp(text, "smtp:", 5) == 0)
        text += 5;
    bool exact = text[0] == '=';
    if (exact)
        text++;
    if (strlen(text) > DIRECTORY_TEXT_MAX || !g_utf8_validate(text, -1, NULL))
        return EC_NOT_FOUND;
    struct resolution r = {.arena = arena};
    r.folded = g_strstrip(text_fold(arena, text));
    r.found = g_ptr_array_new();
    struct directory_object *owner;
    enum ec ec = directory_find_address(d, arena, r.folded, &owner);
    if (ec == EC_OK && !owner->is_hidden) {
        g_ptr_array_add(r.found, owner);
    } else if (ec == EC_OK || ec == EC_NOT_FOUND) {
        ec = db_read(d->db, &r.conn);
        if (ec == EC_OK) {
            ec = resolve(&r, exact);
            db_read_end(r.conn);
        }
    }
    if (ec != EC_OK) {
        g_ptr_array_free(r.found, TRUE);
        return ec;
    }
    g_ptr_array_sort(r.found, compare_names);
    list_take(arena, r.found, out);
    return out->n == 1 ? EC_OK : out->n == 0 ? EC_NOT_FOUND : EC_AMBIGUOUS;
}
