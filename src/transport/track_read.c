// Reading the tracking log: day files in order, lines that fit a filter.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "transport/track_internal.h"

static bool fits_address(const char *wanted, const char *value) {
    if (!wanted)
        return true;
    if (!value)
        return false;
    if (*wanted == '@') {
        const char *at = strrchr(value, '@');
        return at && text_compare_folded(at, wanted) == 0;
    }
    return text_compare_folded(value, strcmp(wanted, "<>") == 0 ? "" : wanted) == 0;
}

static bool fits_id(struct arena *arena, const char *wanted, const char *value) {
    if (!wanted)
        return true;
    if (!value)
        return false;
    return strcmp(wanted, value) == 0 || strcmp(arena_printf(arena, "<%s>", wanted), value) == 0;
}

static bool fits(struct arena *arena, const struct track_filter *f, const struct track_event *e) {
    return e->time >= f->since && (!f->until || e->time < f->until) &&
           fits_address(f->sender, e->sender) && fits_address(f->recipient, e->recipient) &&
           fits_id(arena, f->message_id, e->message_id) &&
           (!f->queue_id || (e->queue_id && strcmp(f->queue_id, e->queue_id) == 0));
}

// False: `each` wants no more.
static bool read_file(FILE *file, const struct track_filter *filter,
                      bool (*each)(void *ctx, const struct track_event *event), void *ctx) {
    ARENA_AUTO arena = arena_new();
    g_autofree char *line = g_malloc(TRACK_LINE_MAX + 2);
    bool skips = false; // the rest of a line that is too long
    while (fgets(line, TRACK_LINE_MAX + 2, file)) {
        size_t len = strlen(line);
        bool is_whole = len > 0 && line[len - 1] == '\n', was_skipped = skips;
        skips = !is_whole;
        if (!is_whole || was_skipped)
            continue;
        struct track_event e;
        arena_reset(arena);
        if (track_parse(arena, line, len - 1, &e) && fits(arena, filter, &e) && !each(ctx, &e))
            return false;
    }
    return true;
}

static int compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum ec track_read(const char *dir, const struct track_filter *filter,
                   bool (*each)(void *ctx, const struct track_event *event), void *ctx) {
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GDir *listing = g_dir_open(dir, 0, NULL);
    if (!listing)
        return EC_OK; // nothing was tracked yet
    for (const char *name; (name = g_dir_read_name(listing));)
        if (track_is_day_file(name))
            g_ptr_array_add(names, g_strdup(name));
    g_dir_close(listing);
    g_ptr_array_sort(names, compare_names);
    g_autofree char *first = track_day_path(dir, filter->since / TRACK_DAY);
    g_autofree char *first_name = g_path_get_basename(first);
    g_autofree char *last = track_day_path(dir, filter->until / TRACK_DAY);
    g_autofree char *last_name = g_path_get_basename(last);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        if ((filter->since && strcmp(name, first_name) < 0) ||
            (filter->until && strcmp(name, last_name) > 0))
            continue;
        g_autofree char *path = g_build_filename(dir, name, NULL);
        FILE *file = fopen(path, "re");
        if (!file && errno == ENOENT)
            continue; // removed by now
        if (!file)
            return EC_DISK_ERROR;
        bool goes_on = read_file(file, filter, each, ctx);
        bool is_bad = ferror(file);
        fclose(file);
        if (is_bad)
            return EC_DISK_ERROR;
        if (!goes_on)
            break;
    }
    return EC_OK;
}
