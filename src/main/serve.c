// The composition root: opens every part in order, waits for signals, closes in reverse.
#include "main/serve.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "admin/data_lock.h"
#include "base/clock.h"
#include "base/log.h"
#include "mailbox/quota.h"
#include "mailbox/retention.h"
#include "main/process.h"
#include "main/server.h"
#include "main/services.h"
#include "main/settings.h"
#include "policy/policy.h"
#include "store/store.h"
#include "transport/track.h"

#define LOCK_WAIT 10000 // ms for a command that is still at work

static void setup_log(const struct config *config) {
    enum log_level level = LOG_LEVEL_INFO;
    log_level_parse(config_string(config, "log", "level"), &level);
    log_setup(level, config_string(config, "log", "target"));
}

// Without the log the server runs all the same; why it cannot be written has been logged.
static void open_track(const char *dir, const struct config *config) {
    g_autofree char *path = g_build_filename(dir, "track", NULL);
    struct track_options options = {
        .dir = path,
        .keep_seconds = (unsigned)config_int(config, "track", "keep"),
        .with_subjects = config_bool(config, "track", "subjects"),
    };
    track_open(&options);
}

static int take_lock(struct command_call *call, struct server *server) {
    int holder = 0;
    enum ec ec = data_lock_take(server->dir, LOCK_WAIT, &server->lock, &holder);
    if (ec == EC_BUSY)
        return call_fail(
            call, ec,
            "%s is in use by process %d; `bourse status %s` tells whether that is a server",
            server->dir, holder, server->dir);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot lock %s: %s", server->dir, ec_text(ec));
    return EXIT_DONE;
}

static enum ec open_pop3(struct server *server) {
    const struct admin_services *s = &server->services;
    struct pop3_settings settings = {
        .hostname = config_string(server->config, "server", "hostname"),
        .has_starttls = true,
        .marks_read = true,
        .login_delay = (unsigned)config_int(server->config, "limits", "pop3_login_delay"),
    };
    server->drops = pop3_drops_new();
    EC_TRY(pop3_service_new(&settings, server->drops, s->mailboxes, s->auth, &server->pop3));
    settings.has_starttls = false; // TLS from the start
    return pop3_service_new(&settings, server->drops, s->mailboxes, s->auth, &server->pop3s);
}

static enum ec fill_services(struct server *server, char **error_out) {
    server->services.net = server->net;
    server->services.started = clock_now();
    server->imap = (struct imap_service){
        .mailboxes = server->services.mailboxes,
        .auth = server->services.auth,
        .hostname = config_string(server->config, "server", "hostname"),
        .max_message = (uint64_t)config_int(server->config, "limits", "message"),
        .idle_seconds = (unsigned)config_int(server->config, "limits", "idle"),
        .has_starttls = true,
    };
    server->imaps = server->imap;
    server->imaps.has_starttls = false;
    EC_TRY(open_pop3(server));
    return smtp_services_open(server, error_out);
}

// Opens one part after the other; what is open when one fails is closed by server_close.
static enum ec open_parts(struct server *server, char **error_out) {
    struct config *config = server->config;
    EC_TRY(process_become(config_string(config, "server", "user"), server->dir, error_out));
    data_lock_sign(server->lock);
    EC_TRY(services_open(server->dir, config, &server->services, error_out));
    server->policy = server->services.policy;
    EC_TRY(tls_open(server, error_out));
    enum ec ec = net_new((unsigned)config_int(config, "server", "loops"),
                         (unsigned)config_int(config, "server", "workers"), &server->net);
    if (ec != EC_OK) {
        *error_out = g_strdup_printf("cannot start threads: %s", ec_text(ec));
        return ec;
    }
    open_track(server->dir, config);
    EC_TRY(fill_services(server, error_out));
    EC_TRY(outbound_open(server, error_out));
    EC_TRY(http_services_open(server, error_out));
    EC_TRY(listeners_open(server, error_out));
    maintenance_start(server);
    return EC_OK;
}

static void server_close(struct server *server) {
    unsigned grace =
        server->config ? (unsigned)config_int(server->config, "limits", "shutdown") * 1000 : 0;
    control_server_free(server->control);
    if (server->net)
        listeners_forget(server);
    net_timer_free(server->timer);
    retention_passes_free(server->passes);
    http_services_close(server, grace);
    net_free(server->net, grace);
    transport_free(server->transport); // after the last connection that could submit
    track_close();
    pop3_service_free(server->pop3);
    pop3_service_free(server->pop3s);
    pop3_drops_free(server->drops);
    smtp_services_close(server);
    net_tls_unref(server->tls);
    net_networks_unref(server->trusted);
    if (server->services.dir)
        services_close(&server->services);
    config_free(server->config);
    g_string_free(server->listeners, TRUE);
    g_free(server->dir);
    if (server->lock >= 0)
        close(server->lock);
}

// SIGHUP: log level, certificate files and limits; what needs new sockets or threads stays.
static void reload(struct server *server) {
    struct config *config;
    g_autofree char *error = NULL;
    sd_notify(0, "RELOADING=1");
    if (settings_load(server->dir, &config, &error) != EC_OK)
        log_event(LOG_LEVEL_ERROR, "server.reload_failed", "reason", error, "hint",
                  "the settings from before stay in use", NULL);
    else {
        setup_log(config);
        uint64_t max = (uint64_t)config_int(config, "limits", "message");
        __atomic_store_n(&server->imap.max_message, max, __ATOMIC_RELAXED);
        __atomic_store_n(&server->imaps.max_message, max, __ATOMIC_RELAXED);
        struct mailbox_options options;
        settings_mailbox(config, &options);
        mailbox_service_configure(server->services.mailboxes, &options);
        open_track(server->dir, config);
        if (smtp_services_reload(server, config, &error) == EC_OK)
            log_event(LOG_LEVEL_INFO, "server.reloaded", NULL);
        else
            log_event(LOG_LEVEL_ERROR, "server.reload_failed", "reason", error, "hint",
                      "the settings of SMTP from before stay in use", NULL);
        config_free(config);
    }
    policy_reload(server->services.policy);
    tls_reload(server);
    sd_notify(0, "READY=1");
}

static void wait_for_signals(struct server *server, const sigset_t *signals) {
    for (;;) {
        int number = 0;
        if (sigwait(signals, &number) != 0)
            continue;
        if (number == SIGHUP) {
            reload(server);
            continue;
        }
        sd_notify(0, "STOPPING=1");
        log_event(LOG_LEVEL_INFO, "server.stopping", "signal", strsignal(number), NULL);
        return;
    }
}

static int run(struct command_call *call, struct server *server, const sigset_t *signals) {
    g_autofree char *error = NULL;
    int status = take_lock(call, server);
    if (status != EXIT_DONE)
        return status;
    enum ec ec = settings_load(server->dir, &server->config, &error);
    if (ec == EC_OK) {
        setup_log(server->config);
        ec = open_parts(server, &error);
    }
    if (ec == EC_OK) {
        ec = control_server_new(&server->services, call->program, &server->control);
        if (ec != EC_OK)
            error = g_strdup("cannot open the control socket (run/control); see the message above");
    }
    if (ec != EC_OK)
        return call_fail(call, ec, "%s", error ? error : ec_text(ec));
    log_event(LOG_LEVEL_INFO, "server.ready", "version", BOURSE_VERSION, "dir", server->dir, NULL);
    output_raw(call->out, "bourse: ready\n", 14);
    sd_notify(0, "READY=1");
    wait_for_signals(server, signals);
    return EXIT_DONE;
}

int program_serve(struct command_call *call) {
    sigset_t signals;
    process_harden();
    process_block_signals(&signals);
    struct server server = {.dir = g_canonicalize_filename(call_argument(call, 0), NULL),
                            .lock = -1,
                            .listeners = g_string_new(NULL)};
    int status = run(call, &server, &signals);
    server_close(&server);
    return status;
}
