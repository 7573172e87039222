// `bourse probe`: the client of probe/ as a command.
#include "main/probe_command.h"

#include "admin/password_prompt.h"
#include "probe/probe.h"

static void print(void *ctx, const char *line) {
    struct command_call *call = ctx;
    output_say(call->out, "%s", line);
    output_flush(call->out);
}

static bool is_scenario(const char *name) {
    if (g_strcmp0(name, "all") == 0)
        return true;
    for (const struct probe_scenario *s = probe_scenarios; s->name; s++)
        if (g_strcmp0(s->name, name) == 0)
            return true;
    return false;
}

int program_probe(struct command_call *call) {
    const char *scenario = call_option(call, "scenario");
    char *password = NULL;
    if (scenario && !is_scenario(scenario))
        return call_fail(call, EC_INVALID_PARAMETER,
                         "there is no scenario %s; `bourse help probe` lists them", scenario);
    if (!call_switch(call, "password-stdin"))
        return call_fail(call, EC_INVALID_PARAMETER,
                         "give the password on standard input, with --password-stdin");
    enum ec ec = password_from_stdin(&password);
    if (ec != EC_OK)
        return call_fail(call, ec, "no password came on standard input");
    struct probe_options options = {
        .target = call_argument(call, 0),
        .user = call_option(call, "user"),
        .password = password,
        .scenario = scenario ? scenario : "all",
        .ca_file = call_option(call, "ca"),
        .is_insecure = call_switch(call, "insecure"),
        .print = print,
        .ctx = call,
    };
    unsigned failed = probe_run(&options);
    password_free(password);
    if (failed > 0)
        return call_fail(call, EC_CALL_FAILED, "%u steps failed", failed);
    return EXIT_DONE;
}
