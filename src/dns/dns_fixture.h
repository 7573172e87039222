// A real name server for unit tests: knotd on a free port of the loopback with the zones that a
// test writes, and a struct dns that asks it.
//
//     struct dns_fixture f;
//     if (!dns_fixture_start(&f, zones, n)) { g_test_skip("knot is not installed"); return; }
//     dns_lookup(f.dns, ...);
//     dns_fixture_stop(&f);
#pragma once

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "dns/dns.h"

struct dns_fixture_zone {
    const char *name;
    const char *records; // lines of a zone file; SOA and NS are there already
    bool is_signed;
    bool has_wrong_anchor; // what we trust is another key
};

struct dns_fixture {
    struct dns *dns;
    char *folder, *server; // the address "127.0.0.1:port"
    GPid pid;
};

static inline unsigned dns_fixture_free_port_(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof address;
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(udp, (struct sockaddr *)&address, sizeof address), ==, 0);
    getsockname(udp, (struct sockaddr *)&address, &len);
    close(udp);
    return ntohs(address.sin_port);
}

static inline void dns_fixture_die_with_parent_(void *ctx) {
    (void)ctx;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static inline void dns_fixture_write_(const struct dns_fixture *f, unsigned port,
                                      const struct dns_fixture_zone *zones, unsigned n) {
    g_autoptr(GString) conf = g_string_new(NULL);
    g_string_printf(conf,
                    "server:\n  rundir: \"%s\"\n  listen: 127.0.0.1@%u\n  udp-workers: 1\n"
                    "  tcp-workers: 1\n  background-workers: 1\n"
                    "log:\n  - target: stdout\n    any: info\n"
                    "database:\n  storage: \"%s\"\n"
                    "template:\n  - id: default\n    storage: \"%s\"\n    zonefile-sync: -1\n"
                    "    journal-content: none\n    zonefile-load: whole\n"
                    "zone:\n",
                    f->folder, port, f->folder, f->folder);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("%s/%s.zone", f->folder, zones[i].name);
        g_autofree char *text =
            g_strdup_printf("$ORIGIN %s.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 5\n"
                            "@ NS ns\nns A 127.0.0.1\n%s\n",
                            zones[i].name, zones[i].records);
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_string_append_printf(conf, "  - domain: %s\n    dnssec-signing: %s\n", zones[i].name,
                               zones[i].is_signed ? "on" : "off");
    }
    g_autofree char *path = g_build_filename(f->folder, "knot.conf", NULL);
    g_assert_true(g_file_set_contents(path, conf->str, -1, NULL));
}

// Reads knotd's log until every zone was loaded.
static inline void dns_fixture_wait_(int fd, unsigned n_zones) {
    char line[1024];
    unsigned n = 0;
    FILE *out = fdopen(fd, "r");
    while (n < n_zones + 1 && fgets(line, sizeof line, out))
        n += strstr(line, "loaded, serial") || strstr(line, "server started");
    g_assert_cmpuint(n, ==, n_zones + 1);
    // Left open: knotd must not die of a closed pipe.
}

static inline void dns_fixture_anchors_(const struct dns_fixture *f, const char *path,
                                        const struct dns_fixture_zone *zones, unsigned n) {
    g_autoptr(GString) anchors = g_string_new(NULL);
    g_autofree char *conf = g_build_filename(f->folder, "knot.conf", NULL);
    for (unsigned i = 0; i < n; i++) {
        const char *argv[] = {"keymgr", "-c", conf, zones[i].name, "ds", NULL};
        g_autofree char *out = NULL;
        if (zones[i].has_wrong_anchor) {
            g_string_append_printf(anchors, "%s. DS 12345 13 2 %064x\n", zones[i].name, 7);
        } else if (zones[i].is_signed) {
            g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                       &out, NULL, NULL, NULL));
            g_string_append(anchors, out);
        }
    }
    g_assert_true(g_file_set_contents(path, anchors->str, -1, NULL));
}

// False: there is no knotd on this machine.
static inline bool dns_fixture_start(struct dns_fixture *f, const struct dns_fixture_zone *zones,
                                     unsigned n) {
    g_autofree char *program = g_find_program_in_path("knotd");
    if (!program && g_file_test("/usr/sbin/knotd", G_FILE_TEST_IS_EXECUTABLE))
        program = g_strdup("/usr/sbin/knotd");
    if (!program)
        return false;
    unsigned port = dns_fixture_free_port_();
    *f = (struct dns_fixture){.folder = test_folder()};
    dns_fixture_write_(f, port, zones, n);
    g_autofree char *conf = g_build_filename(f->folder, "knot.conf", NULL);
    g_autofree char *anchors = g_build_filename(f->folder, "anchors", NULL);
    const char *argv[] = {program, "-c", conf, NULL};
    int out;
    g_assert_true(g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                           dns_fixture_die_with_parent_, NULL, &f->pid, NULL, &out,
                                           NULL, NULL));
    dns_fixture_wait_(out, n);
    dns_fixture_anchors_(f, anchors, zones, n);
    f->server = g_strdup_printf("127.0.0.1:%u", port);
    struct dns_options options = {.servers = f->server, .trust_anchor = anchors};
    assert_ok(dns_new(&options, &f->dns));
    return true;
}

static inline void dns_fixture_stop(struct dns_fixture *f) {
    dns_free(f->dns);
    kill(f->pid, SIGKILL);
    waitpid(f->pid, NULL, 0);
    g_free(f->server);
    test_folder_remove(f->folder);
}
