// Makes a data directory: everything in a new folder, so that what fails half-way leaves nothing
// that looks finished (bourse.conf, by which a data directory is known, comes last).
#include "main/init.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/certificates.h"
#include "admin/data_lock.h"
#include "directory/directory.h"
#include "main/services.h"
#include "main/settings.h"

struct plan {
    char *dir;
    const char *organization, *profile;
    char *hostname, *domain; // as A-labels
    const struct passwd *user;
};

static bool is_empty_or_new(const char *path) {
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT;
    bool empty = true;
    for (struct dirent *e; (e = readdir(dir)) && empty;)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(dir);
    return empty;
}

static int make_plan(struct command_call *call, struct plan *plan) {
    const char *domain = call_option(call, "domain"), *hostname = call_option(call, "hostname"),
               *user = call_option(call, "user");
    plan->dir = g_canonicalize_filename(call_argument(call, 0), NULL);
    plan->profile = call_option(call, "profile") ? call_option(call, "profile") : "production";
    plan->organization = call_option(call, "organization");
    if (!domain) {
        call_fail(call, EC_INVALID_PARAMETER,
                  "--domain is missing: say which mail domain this server is for, such as "
                  "--domain example.com");
        return EXIT_USAGE;
    }
    if (strcmp(plan->profile, "production") != 0 && strcmp(plan->profile, "demo") != 0 &&
        strcmp(plan->profile, "test") != 0) {
        call_fail(call, EC_INVALID_PARAMETER, "--profile is one of production, demo, test");
        return EXIT_USAGE;
    }
    plan->domain = host_name_to_ascii(domain);
    if (!plan->domain)
        return call_fail(call, EC_INVALID_PARAMETER, "'%s' is not a domain name", domain);
    plan->hostname =
        hostname ? host_name_to_ascii(hostname) : g_strconcat("mail.", plan->domain, NULL);
    if (!plan->hostname)
        return call_fail(call, EC_INVALID_PARAMETER, "'%s' is not a host name", hostname);
    if (!plan->organization)
        plan->organization = domain;
    if (user && !(plan->user = getpwnam(user)))
        return call_fail(call, EC_NOT_FOUND,
                         "there is no system user '%s'; `useradd --system %s` makes one", user,
                         user);
    if (!is_empty_or_new(plan->dir))
        return call_fail(
            call, EC_COLLISION,
            "%s exists and is not an empty directory; choose another, or remove it first",
            plan->dir);
    return EXIT_DONE;
}

static void plan_clear(struct plan *plan) {
    g_free(plan->dir);
    g_free(plan->hostname);
    g_free(plan->domain);
}

static int make_folders(struct command_call *call, const struct plan *plan) {
    static const char *const folders[] = {"run", "tls", "store", "queue"};
    if (g_mkdir_with_parents(plan->dir, 0700) != 0 || chmod(plan->dir, 0700) != 0)
        return call_fail(call, EC_DISK_ERROR, "cannot make %s: %s", plan->dir, g_strerror(errno));
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(plan->dir, folders[i], NULL);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return call_fail(call, EC_DISK_ERROR, "cannot make %s: %s", path, g_strerror(errno));
    }
    return EXIT_DONE;
}

static int make_data(struct command_call *call, const struct plan *plan,
                     const struct config *config) {
    struct admin_services services;
    g_autofree char *error = NULL;
    enum ec ec = services_open(plan->dir, config, &services, &error);
    if (ec != EC_OK)
        return call_fail(call, ec, "%s", error);
    ec = directory_domain_add(services.directory, plan->domain);
    services_close(&services);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot add the domain %s: %s", plan->domain, ec_text(ec));
    return EXIT_DONE;
}

static int make_certificates(struct command_call *call, const struct plan *plan) {
    g_autofree char *tls = g_build_filename(plan->dir, "tls", NULL);
    g_autofree char *error = NULL;
    enum ec ec = certificates_create(tls, plan->organization, plan->hostname, plan->domain, &error);
    return ec == EC_OK ? EXIT_DONE : call_fail(call, ec, "%s", error);
}

static int write_config(struct command_call *call, const struct plan *plan,
                        const struct config *config) {
    g_autofree char *path = g_build_filename(plan->dir, "bourse.conf", NULL);
    g_autofree char *text = config_format(config);
    g_autoptr(GError) error = NULL;
    if (!g_file_set_contents_full(path, text, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0600, &error))
        return call_fail(call, EC_DISK_ERROR, "%s", error->message);
    return EXIT_DONE;
}

static const struct passwd *new_owner; // nftw hands nothing through

static int give_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return lchown(path, new_owner->pw_uid, new_owner->pw_gid);
}

static int give_to_user(struct command_call *call, const struct plan *plan) {
    new_owner = plan->user;
    if (nftw(plan->dir, give_one, 16, FTW_PHYS) != 0)
        return call_fail(call, EC_ACCESS_DENIED, "cannot give %s to %s: %s", plan->dir,
                         plan->user->pw_name, g_strerror(errno));
    return EXIT_DONE;
}

static void say_done(struct command_call *call, const struct plan *plan) {
    output_say(call->out,
               "Made %s for %s.\n"
               "Add a user:        bourse user add %s alice@%s --name \"Alice Adams\"\n"
               "Start the server:  bourse serve %s\n"
               "Let clients trust: %s/tls/ca.pem",
               plan->dir, plan->domain, plan->dir, plan->domain, plan->dir, plan->dir);
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "directory", plan->dir);
        output_string(call->out, "domain", plan->domain);
        output_string(call->out, "hostname", plan->hostname);
        output_string(call->out, "profile", plan->profile);
        output_object_end(call->out);
    }
}

static int carry_out(struct command_call *call, const struct plan *plan) {
    struct config *config = settings_new(plan->profile, plan->hostname, plan->organization);
    if (plan->user)
        config_set(config, "server", "user", plan->user->pw_name);
    int lock = -1;
    int status = make_folders(call, plan);
    if (status == EXIT_DONE && data_lock_try(plan->dir, &lock, NULL) != EC_OK)
        status = call_fail(call, EC_BUSY, "%s is in use by another process", plan->dir);
    if (status == EXIT_DONE)
        status = make_certificates(call, plan);
    if (status == EXIT_DONE)
        status = make_data(call, plan, config);
    if (status == EXIT_DONE)
        status = write_config(call, plan, config);
    if (status == EXIT_DONE && plan->user)
        status = give_to_user(call, plan);
    if (lock >= 0)
        close(lock);
    config_free(config);
    return status;
}

int program_init(struct command_call *call) {
    struct plan plan = {0};
    umask(077);
    int status = make_plan(call, &plan);
    if (status == EXIT_DONE)
        status = carry_out(call, &plan);
    if (status == EXIT_DONE)
        say_done(call, &plan);
    plan_clear(&plan);
    return status;
}
