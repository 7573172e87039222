// Log lines: formatted into one buffer and written with one call, so that lines never mix.
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define LOG_VALUE_MAX 200
#define LOG_NUMBERS 8

static _Atomic int min_level = LOG_LEVEL_WARNING;
static _Atomic bool to_journal;

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const int level_priorities[] = {7, 6, 4, 3};

bool log_level_parse(const char *text, enum log_level *out) {
    for (unsigned i = 0; i < G_N_ELEMENTS(level_names); i++)
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

// systemd sets JOURNAL_STREAM to the device and inode of the stderr it connected.
static bool stderr_is_journal(void) {
    const char *stream = g_getenv("JOURNAL_STREAM");
    unsigned long long dev, ino;
    struct stat st;
    return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(2, &st) == 0 &&
           st.st_dev == dev && st.st_ino == ino;
}

void log_setup(enum log_level level, const char *target) {
    min_level = (int)level;
    to_journal =
        strcmp(target, "journal") == 0 || (strcmp(target, "auto") == 0 && stderr_is_journal());
}

static void append_value(GString *line, const char *value) {
    size_t len = strnlen(value, LOG_VALUE_MAX);
    bool plain = len > 0;
    for (size_t i = 0; i < len && plain; i++)
        plain = g_ascii_isgraph(value[i]) && value[i] != '"' && value[i] != '\\';
    if (plain) {
        g_string_append_len(line, value, (gssize)len);
        return;
    }
    g_string_append_c(line, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c == '"' || c == '\\')
            g_string_append_printf(line, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            g_string_append_printf(line, "\\x%02x", c);
        else
            g_string_append_c(line, (char)c);
    }
    g_string_append_c(line, '"');
}

static void write_journal(enum log_level level, const char *event, const char *text) {
    sd_journal_send("PRIORITY=%d", level_priorities[level], "MESSAGE=%s", text, "BOURSE_EVENT=%s",
                    event, "SYSLOG_IDENTIFIER=bourse", NULL);
}

static void write_stderr(enum log_level level, const char *text) {
    struct timespec now;
    struct tm tm;
    char stamp[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
    g_autofree char *line = g_strdup_printf("%s.%03ldZ %s %s\n", stamp, now.tv_nsec / 1000000,
                                            level_names[level], text);
    if (write(2, line, strlen(line)) < 0) // nowhere left to say so
        return;
}

void log_event(enum log_level level, const char *event, ...) {
    if ((int)level < atomic_load_explicit(&min_level, memory_order_relaxed))
        return;
    g_autoptr(GString) line = g_string_new(event);
    va_list args;
    va_start(args, event);
    for (const char *key; (key = va_arg(args, const char *));) {
        const char *value = va_arg(args, const char *);
        if (!value)
            continue;
        g_string_append_printf(line, " %s=", key);
        append_value(line, value);
    }
    va_end(args);
    if (atomic_load(&to_journal))
        write_journal(level, event, line->str);
    else
        write_stderr(level, line->str);
}

static char *number_buffer(void) {
    static _Thread_local char buffers[LOG_NUMBERS][24];
    static _Thread_local unsigned next;
    return buffers[next++ % LOG_NUMBERS];
}

const char *log_u64(uint64_t v) {
    char *b = number_buffer();
    snprintf(b, 24, "%" G_GUINT64_FORMAT, (guint64)v);
    return b;
}

const char *log_i64(int64_t v) {
    char *b = number_buffer();
    snprintf(b, 24, "%" G_GINT64_FORMAT, (gint64)v);
    return b;
}
