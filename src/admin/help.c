// Text for people out of the table: one description of each command and option, in three forms.
#include "admin/help.h"

#include <stdio.h>
#include <string.h>

#include "admin/command_functions.h"

#define LINE_WIDTH 78

static void print_wrapped(struct output *out, const char *text, unsigned indent) {
    g_auto(GStrv) paragraphs = g_strsplit(text, "\n", -1);
    for (char **p = paragraphs; *p; p++) {
        g_auto(GStrv) words = g_strsplit(*p, " ", -1);
        g_autoptr(GString) line = g_string_new(NULL);
        for (char **w = words; *w; w++) {
            if (line->len && indent + line->len + 1 + strlen(*w) > LINE_WIDTH) {
                output_say(out, "%*s%s", (int)indent, "", line->str);
                g_string_truncate(line, 0);
            }
            g_string_append_printf(line, "%s%s", line->len ? " " : "", *w);
        }
        output_say(out, "%*s%s", (int)indent, "", line->str);
    }
}

static void print_options(struct output *out, const struct command_option *options) {
    for (const struct command_option *o = options; o && o->name; o++) {
        output_say(out, "  --%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        print_wrapped(out, o->help, 6);
    }
}

static void print_list(struct output *out) {
    output_say(out,
               "Usage: bourse COMMAND DIR [ARGUMENT...] [--OPTION...]\n\n"
               "DIR is the data directory. Commands work with and without a running server.\n");
    for (const struct command *c = admin_commands; c->name; c++)
        output_say(out, "  %-21s %s", c->name, c->summary);
    output_say(out,
               "\n`bourse help COMMAND` explains a command. --json prints every answer as JSON.\n"
               "Exit status: 0 done, 1 failed, 2 wrong usage.");
}

static void json_commands(struct output *out) {
    output_list_begin(out, "name");
    for (const struct command *c = admin_commands; c->name; c++) {
        output_object_begin(out, NULL);
        output_string(out, "name", c->name);
        output_string(out, "arguments", c->arguments);
        output_string(out, "summary", c->summary);
        output_array_begin(out, "options");
        for (const struct command_option *o = c->options; o && o->name; o++)
            output_string(out, NULL, o->name);
        output_array_end(out);
        output_object_end(out);
    }
    output_list_end(out);
}

void help_print(struct output *out, const struct command *command) {
    if (output_is_json(out))
        json_commands(out);
    else if (!command)
        print_list(out);
    else {
        output_say(out, "Usage: bourse %s %s%s\n\n%s.", command->name, command->arguments,
                   command->options ? " [OPTION...]" : "", command->summary);
        if (command->text) {
            output_say(out, "%s", "");
            print_wrapped(out, command->text, 0);
        }
        output_say(out, "\nOptions:");
        print_options(out, command->options);
        output_say(out, "  --json\n      Print the answer as JSON");
    }
}

int help_command(struct command_call *call) {
    unsigned used = 0;
    if (call_switch(call, "man"))
        help_man(call->out);
    else if (call_switch(call, "completion"))
        help_completion(call->out);
    else if (call->arguments->n == 0)
        help_print(call->out, NULL);
    else {
        const struct command *command =
            command_find((char *const *)call->arguments->items, call->arguments->n, &used);
        if (command) {
            help_print(call->out, command);
            return EXIT_DONE;
        }
        // `bourse help user`: what begins so.
        bool found = false;
        g_autofree char *prefix = g_strconcat(call->arguments->items[0], " ", NULL);
        for (const struct command *c = admin_commands; c->name; c++)
            if (g_str_has_prefix(c->name, prefix)) {
                output_say(call->out, "bourse %s %s\n      %s", c->name, c->arguments, c->summary);
                found = true;
            }
        if (!found) {
            call_fail(call, EC_NOT_FOUND,
                      "there is no command '%s'; `bourse help` lists the commands",
                      call->arguments->items[0]);
            return EXIT_USAGE;
        }
    }
    return EXIT_DONE;
}

int version_command(struct command_call *call) {
    output_say(call->out, "bourse %s", BOURSE_VERSION);
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "version", BOURSE_VERSION);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}

// --- The manual page ---

static char *roff_escape(const char *text) {
    GString *s = g_string_new(NULL);
    for (const char *p = text; *p; p++) {
        if (*p == '\\')
            g_string_append(s, "\\e");
        else if (*p == '-')
            g_string_append(s, "\\-");
        else if ((*p == '.' || *p == '\'') && p == text)
            g_string_append_printf(s, "\\&%c", *p);
        else if (*p == '\n')
            g_string_append(s, "\n.PP\n");
        else
            g_string_append_c(s, *p);
    }
    return g_string_free(s, FALSE);
}

static void man_text(struct output *out, const char *before, const char *text, const char *after) {
    g_autofree char *escaped = roff_escape(text);
    output_say(out, "%s%s%s", before, escaped, after);
}

static void man_command(struct output *out, const struct command *c) {
    g_autofree char *name = roff_escape(c->name);
    g_autofree char *arguments = roff_escape(c->arguments);
    output_say(out, ".SS \"%s %s\"", name, arguments);
    man_text(out, "", c->summary, ".");
    if (c->text)
        man_text(out, ".PP\n", c->text, "");
    for (const struct command_option *o = c->options; o && o->name; o++) {
        g_autofree char *option = roff_escape(o->name);
        g_autofree char *value = o->value ? roff_escape(o->value) : g_strdup("");
        output_say(out, ".TP\n\\fB\\-\\-%s\\fR%s\\fI%s\\fR", option, *value ? " " : "", value);
        man_text(out, "", o->help, ".");
    }
}

void help_man(struct output *out) {
    output_say(
        out,
        ".\\\" Made by `bourse help --man` from the table of commands; do not edit.\n"
        ".TH BOURSE 8 \"\" \"bourse " BOURSE_VERSION "\" \"System Administration\"\n"
        ".SH NAME\nbourse \\- mail and groupware server\n"
        ".SH SYNOPSIS\n\\fBbourse\\fR \\fICOMMAND\\fR \\fIDIR\\fR [\\fIARGUMENT\\fR...] "
        "[\\fB\\-\\-\\fIOPTION\\fR...]\n"
        ".SH DESCRIPTION\nOne program is the server (\\fBbourse serve\\fR) and all of its "
        "administration. Everything that belongs to an installation stands in one data directory, "
        "\\fIDIR\\fR.\n.PP\nCommands work with and without a running server: they reach it through "
        "\\fIDIR\\fR/run/control, and otherwise lock the directory (\\fIDIR\\fR/run/lock) and do "
        "the "
        "work themselves. Only root and the server's own user may run them.\n.PP\n"
        "Passwords are never arguments: they are asked for, or read from standard input with "
        "\\fB\\-\\-password\\-stdin\\fR.\n.PP\nEvery command takes \\fB\\-\\-json\\fR, which "
        "prints its "
        "answer as JSON (a list is an array with one object a line; errors are an object on "
        "standard "
        "error), and \\fB\\-\\-help\\fR.\n"
        ".SH COMMANDS");
    for (const struct command *c = admin_commands; c->name; c++)
        man_command(out, c);
    output_say(
        out,
        ".SH \"EXIT STATUS\"\n.TP\n0\nDone.\n.TP\n1\nFailed; the reason is on standard error.\n"
        ".TP\n2\nWrong usage.\n"
        ".SH FILES\n.TP\n\\fIDIR\\fR/bourse.conf\nThe configuration; every setting is explained "
        "in it.\n.TP\n\\fIDIR\\fR/tls\nThe certificate authority made by \\fBbourse init\\fR "
        "(ca.pem is for clients to trust) and the server's certificate.\n.TP\n"
        "\\fIDIR\\fR/run/listeners\nWhere the running server listens, one "
        "\\fIname address:port\\fR a line.");
}

void help_completion(struct output *out) {
    output_say(out, "# Made by `bourse help --completion`.\n_bourse() {\n"
                    "    local cur=${COMP_WORDS[COMP_CWORD]} words=${COMP_WORDS[*]:1:2}\n"
                    "    case \"$cur\" in\n    --*)\n        case \"$words\" in");
    for (const struct command *c = admin_commands; c->name; c++) {
        g_autoptr(GString) options = g_string_new("--json --help");
        for (const struct command_option *o = c->options; o && o->name; o++)
            g_string_append_printf(options, " --%s", o->name);
        output_say(out, "        \"%s\"*) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")) ;;", c->name,
                   options->str);
    }
    output_say(out, "        esac\n        return ;;\n    esac\n    case $COMP_CWORD in");
    g_autoptr(GString) first = g_string_new(NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const struct command *c = admin_commands; c->name; c++) {
        char *word = g_strndup(c->name, strcspn(c->name, " "));
        if (g_hash_table_add(seen, word))
            g_string_append_printf(first, "%s%s", first->len ? " " : "", word);
    }
    output_say(out, "    1) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;", first->str);
    output_say(out, "    2) case \"${COMP_WORDS[1]}\" in");
    for (const struct command *c = admin_commands; c->name; c++) {
        size_t len = strcspn(c->name, " ");
        if (!c->name[len] || (c != admin_commands && strncmp(c[-1].name, c->name, len + 1) == 0))
            continue;
        g_autoptr(GString) second = g_string_new(NULL);
        for (const struct command *d = c; d->name && strncmp(d->name, c->name, len + 1) == 0; d++) {
            g_autofree char *word = g_strndup(d->name + len + 1, strcspn(d->name + len + 1, " "));
            if (!strstr(second->str, word))
                g_string_append_printf(second, "%s%s", second->len ? " " : "", word);
        }
        output_say(out, "        %.*s) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;",
                   (int)len, c->name, second->str);
    }
    output_say(out, "        esac ;;\n    esac\n    COMPREPLY=($(compgen -f -- \"$cur\"))\n}\n"
                    "complete -o filenames -F _bourse bourse");
}
