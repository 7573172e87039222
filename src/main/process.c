// The process itself.
#include "main/process.h"

#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

void process_harden(void) {
    struct rlimit none = {0, 0}, files;
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_CORE, &none);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

// Only CAP_NET_BIND_SERVICE stays, for the listeners opened after this.
static bool keep_bind_capability(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    data[0].effective = data[0].permitted = 1u << CAP_NET_BIND_SERVICE;
    return syscall(SYS_capset, &header, data) == 0;
}

enum ec process_become(const char *user, const char *dir, char **error_out) {
    if (geteuid() != 0)
        return EC_OK;
    if (!*user) {
        log_event(LOG_LEVEL_WARNING, "server.runs_as_root", "hint",
                  "set [server] user in bourse.conf and give the data directory to that user",
                  NULL);
        return EC_OK;
    }
    struct passwd *pw = getpwnam(user);
    if (!pw) {
        *error_out = g_strdup_printf("[server] user: there is no system user '%s'", user);
        return EC_NOT_FOUND;
    }
    struct stat st;
    if (stat(dir, &st) != 0 || st.st_uid != pw->pw_uid) {
        *error_out = g_strdup_printf("%s does not belong to %s, the [server] user; give it to that "
                                     "user: chown -R %s: %s",
                                     dir, user, user, dir);
        return EC_ACCESS_DENIED;
    }
    bool ok = initgroups(user, pw->pw_gid) == 0 && prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L) == 0 &&
              setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == 0 &&
              setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == 0 && keep_bind_capability();
    if (!ok) {
        *error_out = g_strdup_printf("cannot become user %s: %s", user, g_strerror(errno));
        return EC_ACCESS_DENIED;
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
    return EC_OK;
}

void process_block_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
}
