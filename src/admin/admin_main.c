// From the words of the command line to an exit status: finds the command, and a place to run it.
//
// With a server the request goes to its control socket. Without one a child process takes the
// lock's place, opens the data (as the user the directory belongs to) and answers the same request
// over a socket pair, so that there is one way for every command.
#include <errno.h>
#include <grp.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/command.h"
#include "admin/control_client.h"
#include "admin/control_server.h"
#include "admin/data_lock.h"
#include "admin/help.h"
#include "admin/password_prompt.h"

#define LOCK_WAIT 10000 // ms for a server that starts or stops, or for another command

static bool write_standard(void *ctx, enum output_stream stream, const void *data, size_t len) {
    int fd = stream == OUTPUT_OUT ? 1 : 2;
    if (stream == OUTPUT_PROGRESS) {
        if (isatty(2) && len > 0)
            fprintf(stderr, "\r%.*s\033[K", (int)MIN(len, 200), (const char *)data);
        return true;
    }
    for (const char *p = data; len;) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n, len -= (size_t)n;
    }
    return true;
}

static int usage_error(struct output *out, const struct command *command, const char *error) {
    g_autofree char *text =
        command ? g_strdup_printf("%s: %s\nUsage: bourse %s %s\n`bourse help %s` explains it.",
                                  command->name, error, command->name, command->arguments,
                                  command->name)
                : g_strdup_printf("%s; `bourse help` lists the commands", error);
    output_error(out, EC_INVALID_PARAMETER, text);
    return EXIT_USAGE;
}

// `bourse user` and unknown words.
static int unknown_command(struct output *out, const char *word) {
    g_autofree char *prefix = g_strconcat(word, " ", NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    for (const struct command *c = admin_commands; c->name; c++)
        if (g_str_has_prefix(c->name, prefix))
            g_string_append_printf(text, "%s%s", text->len ? ", " : "", c->name + strlen(prefix));
    g_autofree char *error = text->len ? g_strdup_printf("'%s' needs one of: %s", word, text->str)
                                       : g_strdup_printf("there is no command '%s'", word);
    return usage_error(out, NULL, error);
}

// --- Running without a server ---

// root leaves its rights to the owner of the directory, so that no file there becomes root's.
static bool become_owner(const char *dir) {
    struct stat st;
    if (geteuid() != 0 || stat(dir, &st) != 0 || st.st_uid == 0)
        return true;
    return setgroups(0, NULL) == 0 && setgid(st.st_gid) == 0 && setuid(st.st_uid) == 0;
}

static void fail_request(struct channel *channel, bool is_json, const char *error) {
    g_autoptr(GString) text = g_string_new(NULL);
    if (is_json) {
        g_autofree char *escaped = g_strescape(error, NULL);
        g_string_printf(text, "{\"error\": \"%s\", \"code\": \"EC_CALL_FAILED\"}\n", escaped);
    } else
        g_string_printf(text, "bourse: %s\n", error);
    channel_send(channel, FRAME_ERROR, text->str, text->len);
    channel_send(channel, FRAME_DONE, "\1", 1);
}

static void serve_alone(int fd, const char *dir, bool is_json,
                        const struct admin_program *program) {
    struct channel *channel = channel_new(fd);
    struct admin_services services = {0};
    g_autofree char *error = NULL;
    signal(SIGINT, SIG_IGN); // the parent ends the connection
    umask(077);
    if (!become_owner(dir))
        fail_request(channel, is_json, "cannot become the user the data directory belongs to");
    else if (program->open_services(dir, &services, &error) != EC_OK)
        fail_request(channel, is_json, error ? error : "cannot open the data directory");
    else {
        control_serve_one(channel, &services, program);
        program->close_services(&services);
    }
    channel_free(channel);
}

static enum ec start_alone(const char *dir, int lock, bool is_json,
                           const struct admin_program *program, struct channel **out,
                           pid_t *child_out) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return EC_NOT_ENOUGH_RESOURCES;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        close(pair[0]);
        close(pair[1]);
        return EC_NOT_ENOUGH_RESOURCES;
    }
    if (child == 0) {
        close(pair[0]);
        data_lock_sign(lock);
        serve_alone(pair[1], dir, is_json, program);
        exit(0);
    }
    close(pair[1]);
    close(lock); // the child's copy holds it
    *out = channel_new(pair[0]);
    *child_out = child;
    return EC_OK;
}

// --- Finding who runs it ---

static int no_access(struct output *out, const char *dir, enum ec ec, int holder) {
    g_autofree char *text = NULL;
    if (ec == EC_BUSY)
        text =
            g_strdup_printf("%s is in use by process %d, which does not answer; try again when it "
                            "has finished",
                            dir, holder);
    else if (ec == EC_ACCESS_DENIED)
        text = g_strdup_printf("no access to %s; run the command as root or as the user the server "
                               "runs as",
                               dir);
    else
        text = g_strdup_printf("cannot use %s: %s", dir, ec_text(ec));
    output_error(out, ec, text);
    return EXIT_FAILED;
}

// A connection to the server, or else to a child of our own (*child_out, 0: a server).
static enum ec reach(const char *dir, bool is_json, const struct admin_program *program,
                     struct channel **out, pid_t *child_out, int *holder_out) {
    *child_out = 0;
    for (unsigned waited = 0;; waited += 50) {
        enum ec ec = control_connect(dir, out);
        if (ec != EC_NOT_FOUND)
            return ec;
        int lock;
        ec = data_lock_try(dir, &lock, holder_out);
        if (ec == EC_OK)
            return start_alone(dir, lock, is_json, program, out, child_out);
        if (ec != EC_BUSY || waited >= LOCK_WAIT)
            return ec;
        g_usleep(50000);
    }
}

static bool is_data_dir(const char *dir) {
    g_autofree char *path = g_build_filename(dir, "bourse.conf", NULL);
    return access(path, F_OK) == 0 || errno != ENOENT;
}

static int run_remote(struct client_call *call, const char *dir, const char *password,
                      const struct admin_program *program) {
    pid_t child;
    int holder = 0;
    enum ec ec = reach(dir, call->arguments->is_json, program, &call->channel, &child, &holder);
    if (ec != EC_OK)
        return no_access(call->out, dir, ec, holder);
    struct control_request request = {.command = call->command->name,
                                      .password = password,
                                      .is_terminal = call->is_terminal,
                                      .arguments = *call->arguments};
    struct wire_writer w = wire_writer(FRAME_MAX);
    control_encode_request(&request, &w);
    ec = channel_send_writer(call->channel, FRAME_REQUEST, &w);
    int status;
    if (ec == EC_NOT_ENOUGH_RESOURCES) {
        output_error(call->out, ec, "the arguments are too long; give fewer at once");
        status = EXIT_USAGE;
    } else if (ec != EC_OK)
        status = client_lost(call, ec);
    else
        status = call->command->client ? call->command->client(call) : client_finish(call);
    channel_free(call->channel);
    if (child)
        waitpid(child, NULL, 0);
    return status;
}

// --- What is asked before ---

static int ask_password(struct client_call *call, char **out) {
    bool from_stdin = arguments_has(call->arguments, "password-stdin");
    if (!from_stdin &&
        (arguments_has(call->arguments, "no-password") || arguments_has(call->arguments, "shared")))
        return EXIT_DONE;
    enum ec ec = from_stdin ? password_from_stdin(out)
                            : password_from_terminal(call->arguments->items[1], out);
    if (ec == EC_OK)
        return EXIT_DONE;
    output_error(call->out, ec,
                 ec == EC_NOT_FOUND
                     ? "no terminal to ask for the password; give it as the first line "
                       "of standard input with --password-stdin"
                 : ec == EC_CANCEL ? "the two passwords differ; nothing was changed"
                                   : "the password is empty, too long or not UTF-8; nothing was "
                                     "changed");
    return EXIT_FAILED;
}

static int ask_confirmation(struct client_call *call) {
    if (arguments_has(call->arguments, "yes"))
        return EXIT_DONE;
    g_autofree char *question = g_strdup_printf("%s %s? Type yes: ", call->command->name,
                                                call->arguments->items[call->arguments->n - 1]);
    question[0] = g_ascii_toupper(question[0]);
    if (terminal_confirms(question))
        return EXIT_DONE;
    output_error(call->out, EC_CANCEL,
                 "not confirmed, nothing was changed; say --yes to go ahead without being asked");
    return EXIT_FAILED;
}

static int run_command(struct client_call *call, const struct admin_program *program) {
    g_autofree char *dir = NULL;
    if (call->arguments->n > 0)
        dir = g_canonicalize_filename(call->arguments->items[0], NULL);
    bool is_local = (call->command->flags & COMMAND_LOCAL) ||
                    ((call->command->flags & COMMAND_NEW_DIR) && !is_data_dir(dir));
    if (is_local) {
        struct command_call local = {.command = call->command,
                                     .arguments = call->arguments,
                                     .arena = call->arena,
                                     .out = call->out,
                                     .program = program};
        return call->command->run(&local);
    }
    if (!is_data_dir(dir)) {
        g_autofree char *text = g_strdup_printf(
            "%s is no data directory of bourse (it has no bourse.conf); make one with "
            "`bourse init %s --domain DOMAIN`",
            dir, call->arguments->items[0]);
        output_error(call->out, EC_NOT_FOUND, text);
        return EXIT_FAILED;
    }
    char *password = NULL;
    int status = EXIT_DONE;
    if (call->command->flags & COMMAND_CONFIRM)
        status = ask_confirmation(call);
    if (status == EXIT_DONE && (call->command->flags & COMMAND_PASSWORD))
        status = ask_password(call, &password);
    if (status == EXIT_DONE)
        status = run_remote(call, dir, password, program);
    password_free(password);
    return status;
}

// The server has another working directory.
static void make_paths_absolute(struct arena *arena, const struct command *command,
                                struct arguments *arguments) {
    for (unsigned i = 0; i < arguments->n_options; i++)
        for (const struct command_option *o = command->options; o && o->name; o++)
            if (o->is_path && strcmp(o->name, arguments->options[i].name) == 0) {
                g_autofree char *path = g_canonicalize_filename(arguments->options[i].value, NULL);
                arguments->options[i].value = arena_strdup(arena, path);
            }
}

int admin_main(int argc, char **argv, const struct admin_program *program) {
    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN);
    ARENA_AUTO arena = arena_new();
    unsigned n_words = argc > 1 ? (unsigned)argc - 1 : 0, used = 0;
    char **words = argv + 1;
    bool is_json = false;
    for (unsigned i = 0; i < n_words; i++)
        is_json |= strcmp(words[i], "--json") == 0;
    struct output *out = output_new(is_json, write_standard, NULL);
    int status;
    const struct command *command = command_find(words, n_words, &used);
    struct arguments arguments;
    const char *error = NULL;
    if (n_words == 0 || strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0) {
        help_print(out, NULL);
        status = n_words ? EXIT_DONE : EXIT_USAGE;
    } else if (strcmp(words[0], "--version") == 0) {
        output_say(out, "bourse %s", BOURSE_VERSION);
        status = EXIT_DONE;
    } else if (!command)
        status = unknown_command(out, words[0]);
    else if (arguments_parse(arena, command->arguments, command->options, words + used,
                             n_words - used, &arguments, &error) != EC_OK)
        status = usage_error(out, command, error);
    else if (arguments.is_help) {
        help_print(out, command);
        status = EXIT_DONE;
    } else {
        make_paths_absolute(arena, command, &arguments);
        struct client_call call = {.command = command,
                                   .arguments = &arguments,
                                   .arena = arena,
                                   .out = out,
                                   .is_terminal = isatty(2) && !is_json};
        status = run_command(&call, program);
    }
    output_flush(out);
    if (output_is_broken(out) && status == EXIT_DONE)
        status = EXIT_FAILED;
    output_free(out);
    return status;
}
