// The server: its routes, its listeners (one libmicrohttpd daemon each), start and stop.
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http_internal.h"

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define CUT_STEP_MS 10

enum ec http_server_new(const struct http_options *options, struct http_server **out) {
    struct http_server *s = g_new0(struct http_server, 1);
    s->net = options->net;
    s->auth = options->auth;
    s->server_name = g_strdup(options->server_name);
    s->spool_dir = g_strdup(options->spool_dir);
    s->threads = options->threads > 0 ? options->threads
                                      : MIN(g_get_num_processors(), (unsigned)HTTP_THREADS_MAX);
    s->max_connections = options->max_connections;
    s->max_per_address = options->max_per_address;
    s->idle_seconds = options->idle_seconds > 0 ? options->idle_seconds : 120;
    s->exact = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    s->prefixes = g_ptr_array_new_with_free_func(g_free);
    s->daemons = g_ptr_array_new();
    s->per_address = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->tls = http_tls_new();
    if (options->access_log != NULL)
        s->access_log = access_log_open(options->access_log);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->request_ended, &attr);
    pthread_condattr_destroy(&attr);
    if (!http_clock_start(s)) {
        http_server_free(s);
        return EC_NOT_ENOUGH_RESOURCES;
    }
    *out = s;
    return EC_OK;
}

// --- Routes ---

void http_server_add(struct http_server *s, const struct http_route *routes, void *service) {
    for (const struct http_route *route = routes; route->path != NULL; route++) {
        struct bound_route *bound = g_new(struct bound_route, 1);
        *bound = (struct bound_route){route, service};
        if (g_str_has_suffix(route->path, "/*"))
            g_ptr_array_add(s->prefixes, bound);
        else
            g_hash_table_replace(s->exact, g_strdup(route->path), bound);
    }
}

// "/x/*" is for /x and what is below.
static bool is_below(const char *pattern, const char *path, size_t *len_out) {
    size_t len = strlen(pattern) - 2;
    *len_out = len;
    return strncmp(pattern, path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

const struct bound_route *http_route_find(const struct http_server *s, const char *path) {
    g_autofree char *lower = g_ascii_strdown(path, -1);
    const struct bound_route *found = g_hash_table_lookup(s->exact, lower);
    size_t longest = 0;
    for (unsigned i = 0; i < s->prefixes->len && found == NULL; i++) {
        const struct bound_route *bound = s->prefixes->pdata[i];
        size_t len;
        if (is_below(bound->route->path, lower, &len) && len >= longest)
            longest = len + 1;
    }
    for (unsigned i = 0; i < s->prefixes->len && found == NULL && longest > 0; i++) {
        const struct bound_route *bound = s->prefixes->pdata[i];
        size_t len;
        if (is_below(bound->route->path, lower, &len) && len + 1 == longest)
            found = bound;
    }
    return found;
}

// --- Listening ---

static int open_socket(const char *address) {
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (colon == NULL)
        return errno = EINVAL, -1;
    bool is_bracketed = address[0] == '[' && colon > address + 1 && colon[-1] == ']';
    g_autofree char *host =
        g_strndup(address + is_bracketed, (gsize)(colon - address) - (is_bracketed ? 2 : 0));
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0 || found == NULL)
        return errno = EINVAL, -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
                    bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1024) != 0)) {
        int error = errno;
        close(fd);
        fd = -1;
        errno = error;
    }
    freeaddrinfo(found);
    return fd;
}

static char *bound_address(int fd) {
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof ss;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
        getnameinfo((struct sockaddr *)&ss, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return g_strdup("unknown");
    return g_strdup_printf(ss.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

G_GNUC_PRINTF(2, 0) static void on_message(void *data, const char *format, va_list args) {
    (void)data;
    g_autofree char *text = g_strdup_vprintf(format, args);
    log_event(LOG_LEVEL_DEBUG, "http.library", "message", g_strstrip(text), NULL);
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd, bool has_tls) {
    struct MHD_OptionItem options[20] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_message, NULL},
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)http_on_connection, s},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)http_on_target, s},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)http_on_completed, s},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEAD_MAX, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)s->idle_seconds, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
    };
    unsigned n = 9, flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                            MHD_USE_ERROR_LOG | (has_tls ? MHD_USE_TLS : 0);
    // Its own limit stops accepting; ours refuses. Each thread has its share of it.
    if (s->max_connections > 0)
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_LIMIT,
                                               (intptr_t)s->max_connections * s->threads, NULL};
    if (s->threads > 1)
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, s->threads, NULL};
    if (has_tls) {
        options[n++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, http_tls_callback()};
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, TLS_PRIORITIES};
    }
    options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(flags, 0, http_on_accept, s, http_on_request, s, MHD_OPTION_ARRAY,
                            options, MHD_OPTION_END);
}

enum ec http_server_listen(struct http_server *s, const char *address, const char *cert_file,
                           const char *key_file, char **bound_out) {
    g_autofree char *error = NULL;
    if (cert_file != NULL && http_tls_add(s->tls, cert_file, key_file, &error) != EC_OK) {
        log_event(LOG_LEVEL_ERROR, "http.certificate", "reason", error, NULL);
        return EC_NETWORK_ERROR;
    }
    int fd = open_socket(address);
    if (fd < 0) {
        log_event(LOG_LEVEL_ERROR, "http.listen_failed", "address", address, "reason",
                  g_strerror(errno), "hint",
                  errno == EADDRINUSE
                      ? "another program listens there: stop it or choose another port"
                      : NULL,
                  NULL);
        return EC_NETWORK_ERROR;
    }
    char *bound = bound_address(fd);
    struct MHD_Daemon *daemon = start_daemon(s, fd, cert_file != NULL);
    if (daemon == NULL) {
        log_event(LOG_LEVEL_ERROR, "http.start_failed", "address", address, NULL);
        close(fd);
        g_free(bound);
        return EC_NETWORK_ERROR;
    }
    g_ptr_array_add(s->daemons, daemon);
    *bound_out = bound;
    return EC_OK;
}

enum ec http_server_reload(struct http_server *s, char **error_out) {
    return http_tls_reload(s->tls, error_out);
}

// --- Stopping ---

static void wake_all(struct http_server *s, void (*wake)(struct http_request *r)) {
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    pthread_mutex_lock(&s->lock);
    for (GList *at = s->requests.head; at != NULL; at = at->next) {
        struct http_request *r = at->data;
        if (http_request_try_ref(r))
            g_ptr_array_add(all, r);
    }
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < all->len; i++) {
        wake(all->pdata[i]);
        http_request_unref(all->pdata[i]);
    }
}

// True: there are none any more.
static bool wait_for_requests(struct http_server *s, unsigned ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000l;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int rc = 0;
    pthread_mutex_lock(&s->lock);
    while (s->requests.length > 0 && rc == 0)
        rc = pthread_cond_timedwait(&s->request_ended, &s->lock, &until);
    bool is_empty = s->requests.length == 0;
    pthread_mutex_unlock(&s->lock);
    return is_empty;
}

static void cut_connections(struct http_server *s) {
    pthread_mutex_lock(&s->lock);
    for (GList *at = s->connections.head; at != NULL; at = at->next)
        shutdown(((struct http_conn *)at->data)->fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}

void http_server_stop(struct http_server *s, unsigned grace_ms) {
    if (s->daemons->len == 0)
        return;
    s->is_stopping = true;
    for (unsigned i = 0; i < s->daemons->len; i++) {
        int fd = MHD_quiesce_daemon(s->daemons->pdata[i]);
        if (fd >= 0)
            close(fd);
    }
    wake_all(s, http_request_wake);
    if (!wait_for_requests(s, grace_ms)) {
        // A daemon must not be stopped while a connection is suspended; jobs are waited for.
        s->is_cutting = true;
        do {
            wake_all(s, http_request_drop);
            cut_connections(s);
        } while (!wait_for_requests(s, CUT_STEP_MS));
    }
    for (unsigned i = 0; i < s->daemons->len; i++)
        MHD_stop_daemon(s->daemons->pdata[i]);
    g_ptr_array_set_size(s->daemons, 0);
    wait_for_requests(s, G_MAXINT);
}

void http_server_free(struct http_server *s) {
    if (s == NULL)
        return;
    http_server_stop(s, 0);
    http_clock_stop(s);
    http_tls_free(s->tls);
    access_log_free(s->access_log);
    g_hash_table_destroy(s->exact);
    g_hash_table_destroy(s->per_address);
    g_ptr_array_unref(s->prefixes);
    g_ptr_array_unref(s->daemons);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->request_ended);
    g_free(s->server_name);
    g_free(s->spool_dir);
    g_free(s);
}

void http_stats(struct http_server *s, struct http_stats *out) {
    *out = (struct http_stats){
        .connections = s->figures.connections,
        .requests = s->figures.requests,
        .bytes_in = s->figures.bytes_in,
        .bytes_out = s->figures.bytes_out,
        .logins_failed = s->figures.logins_failed,
        .open_connections = s->figures.open_connections,
        .parked = s->figures.parked,
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(out->by_status); i++)
        out->by_status[i] = s->figures.by_status[i];
}
