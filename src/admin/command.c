// Finding commands, and what their functions share.
#include "admin/command_functions.h"

#include <stdarg.h>
#include <string.h>

const struct command *command_by_name(const char *name) {
    for (const struct command *c = admin_commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

const struct command *command_find(char *const *words, unsigned n, unsigned *n_words_out) {
    g_autoptr(GString) name = g_string_new(NULL);
    const struct command *found = NULL;
    for (unsigned i = 0; i < n && i < 3; i++) {
        g_string_append_printf(name, "%s%s", i ? " " : "", words[i]);
        const struct command *c = command_by_name(name->str);
        if (c) {
            found = c;
            *n_words_out = i + 1;
        }
    }
    return found;
}

const char *call_argument(const struct command_call *call, unsigned i) {
    return i < call->arguments->n ? call->arguments->items[i] : NULL;
}

const char *call_option(const struct command_call *call, const char *name) {
    return arguments_option(call->arguments, name);
}

bool call_switch(const struct command_call *call, const char *name) {
    return arguments_has(call->arguments, name);
}

int call_fail(struct command_call *call, enum ec ec, const char *format, ...) {
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    output_error(call->out, ec, text);
    return EXIT_FAILED;
}

bool call_option_number(struct command_call *call, const char *name, uint64_t max, uint64_t *out) {
    const char *text = call_option(call, name);
    guint64 n;
    if (!text)
        return true;
    if (g_ascii_string_to_unsigned(text, 10, 0, max, &n, NULL)) {
        *out = n;
        return true;
    }
    call_fail(call, EC_INVALID_PARAMETER, "--%s takes a whole number from 0 to %" G_GUINT64_FORMAT,
              name, (guint64)max);
    return false;
}

bool call_option_size(struct command_call *call, const char *name, uint64_t *out) {
    const char *text = call_option(call, name);
    if (!text)
        return true;
    static const char units[] = "kmgt";
    size_t len = strlen(text);
    const char *unit = len > 1 ? strchr(units, g_ascii_tolower(text[len - 1])) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    g_autofree char *digits = g_strndup(text, unit ? len - 1 : len);
    guint64 n;
    if (g_ascii_string_to_unsigned(digits, 10, 0, (guint64)INT64_MAX >> shift, &n, NULL)) {
        *out = n << shift;
        return true;
    }
    call_fail(call, EC_INVALID_PARAMETER, "--%s takes a size such as 500K, 50M or 2G", name);
    return false;
}

bool call_option_yes_no(struct command_call *call, const char *name, bool *out) {
    const char *text = call_option(call, name);
    if (!text)
        return true;
    if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0) {
        *out = text[0] == 'y';
        return true;
    }
    call_fail(call, EC_INVALID_PARAMETER, "--%s takes yes or no", name);
    return false;
}

int init_command(struct command_call *call) {
    return call->program->init(call);
}

int serve_command(struct command_call *call) {
    return call->program->serve(call);
}

int probe_command(struct command_call *call) {
    return call->program->probe(call);
}
