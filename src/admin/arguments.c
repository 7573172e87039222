// The command line's grammar, once for the terminal and once for the control socket.
#include "admin/arguments.h"

#include <glib.h>
#include <string.h>

static const struct command_option always[] = {
    {"json", NULL, "Print JSON"}, {"help", NULL, "Print how the command is used"}, {NULL}};

static const struct command_option *find_in(const struct command_option *options, const char *name,
                                            size_t len) {
    for (const struct command_option *o = options; o && o->name; o++)
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return o;
    return NULL;
}

static const struct command_option *find_option(const struct command_option *options,
                                                const char *name, size_t len) {
    const struct command_option *o = find_in(options, name, len);
    return o ? o : find_in(always, name, len);
}

// How many positional arguments a pattern takes; *max is ARGUMENTS_MAX when the last one repeats.
static void pattern_count(const char *pattern, unsigned *min, unsigned *max) {
    *min = *max = 0;
    for (const char *p = pattern; *p;) {
        size_t len = strcspn(p, " ");
        ++*max;
        if (*p != '[')
            ++*min;
        if (g_strstr_len(p, (gssize)len, "..."))
            *max = ARGUMENTS_MAX;
        p += len + strspn(p + len, " ");
    }
}

static enum ec check_count(struct arena *arena, const char *pattern, unsigned n,
                           const char **error_out) {
    unsigned min, max;
    pattern_count(pattern, &min, &max);
    if (n >= min && n <= max)
        return EC_OK;
    if (n > max)
        *error_out = arena_printf(arena, "%u argument%s too many", n - max, n - max > 1 ? "s" : "");
    else {
        // Names the first one that is missing.
        const char *p = pattern;
        for (unsigned i = 0; i < n; i++)
            p += strcspn(p, " ") + strspn(p + strcspn(p, " "), " ");
        *error_out = arena_printf(arena, "%.*s is missing", (int)strcspn(p, " "), p);
    }
    return EC_INVALID_PARAMETER;
}

enum ec arguments_check(struct arena *arena, const char *pattern,
                        const struct command_option *options, const struct arguments *a,
                        const char **error_out) {
    for (unsigned i = 0; i < a->n_options; i++) {
        const char *name = a->options[i].name;
        const struct command_option *o = find_option(options, name, strlen(name));
        if (!o) {
            *error_out = arena_printf(arena, "there is no option --%s", name);
            return EC_INVALID_PARAMETER;
        }
        if (!o->value != !a->options[i].value) {
            *error_out = o->value ? arena_printf(arena, "--%s needs a value (%s)", name, o->value)
                                  : arena_printf(arena, "--%s takes no value", name);
            return EC_INVALID_PARAMETER;
        }
    }
    return check_count(arena, pattern, a->n, error_out);
}

// One word that begins with dashes; *i moves on when its value is the next word.
static enum ec parse_option(struct arena *arena, const struct command_option *options,
                            char *const *words, unsigned n, unsigned *i, struct arguments *out,
                            const char **error_out) {
    const char *name = words[*i] + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct command_option *o = find_option(options, name, len);
    struct argument_option *slot = &out->options[out->n_options++];
    slot->name = arena_strndup(arena, name, len);
    slot->value = equals ? equals + 1 : NULL;
    if (!o) {
        *error_out = arena_printf(arena, "there is no option --%s", slot->name);
        return EC_INVALID_PARAMETER;
    }
    if (o->value && !equals && *i + 1 < n)
        slot->value = words[++*i];
    if (strcmp(slot->name, "json") == 0)
        out->is_json = true;
    if (strcmp(slot->name, "help") == 0)
        out->is_help = true;
    return EC_OK;
}

enum ec arguments_parse(struct arena *arena, const char *pattern,
                        const struct command_option *options, char *const *words, unsigned n,
                        struct arguments *out, const char **error_out) {
    memset(out, 0, sizeof *out);
    if (n > ARGUMENTS_MAX) {
        *error_out = arena_printf(arena, "more than %d arguments", ARGUMENTS_MAX);
        return EC_INVALID_PARAMETER;
    }
    out->items = arena_alloc0(arena, (n + 1) * sizeof *out->items);
    out->options = arena_alloc0(arena, (n + 1) * sizeof *out->options);
    bool only_positional = false;
    for (unsigned i = 0; i < n; i++) {
        const char *word = words[i];
        if (strlen(word) > ARGUMENT_MAX) {
            *error_out = arena_printf(arena, "an argument is longer than %d bytes", ARGUMENT_MAX);
            return EC_INVALID_PARAMETER;
        }
        if (only_positional || word[0] != '-' || !word[1])
            out->items[out->n++] = word;
        else if (strcmp(word, "--") == 0)
            only_positional = true;
        else if (strcmp(word, "-h") == 0)
            out->is_help = true;
        else if (word[1] != '-') {
            *error_out = arena_printf(arena, "there is no option %s", word);
            return EC_INVALID_PARAMETER;
        } else
            EC_TRY(parse_option(arena, options, words, n, &i, out, error_out));
    }
    if (out->is_help)
        return EC_OK;
    return arguments_check(arena, pattern, options, out, error_out);
}

const char *arguments_option(const struct arguments *a, const char *name) {
    const char *value = NULL;
    for (unsigned i = 0; i < a->n_options; i++)
        if (strcmp(a->options[i].name, name) == 0)
            value = a->options[i].value;
    return value;
}

bool arguments_has(const struct arguments *a, const char *name) {
    for (unsigned i = 0; i < a->n_options; i++)
        if (strcmp(a->options[i].name, name) == 0)
            return true;
    return false;
}
