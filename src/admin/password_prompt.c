// Reading secrets and confirmations from people.
#include "admin/password_prompt.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

void password_free(char *password) {
    if (!password)
        return;
    explicit_bzero(password, strlen(password));
    g_free(password);
}

static enum ec accept_password(char *line, char **out) {
    line[strcspn(line, "\r\n")] = '\0';
    size_t len = strlen(line);
    if (len == 0 || len > PASSWORD_MAX || !g_utf8_validate(line, -1, NULL))
        return EC_INVALID_PARAMETER;
    *out = g_strdup(line);
    return EC_OK;
}

// Byte by byte, so that what follows the line stays for others.
static bool read_line(int fd, char line[PASSWORD_MAX + 2]) {
    size_t len = 0;
    char c;
    ssize_t n;
    while ((n = read(fd, &c, 1)) == 1 && c != '\n')
        if (c == '\0' || len == PASSWORD_MAX + 1)
            return false;
        else
            line[len++] = c;
    line[len] = '\0';
    return n >= 0;
}

enum ec password_from_stdin(char **out) {
    char line[PASSWORD_MAX + 2];
    enum ec ec = read_line(0, line) ? accept_password(line, out) : EC_INVALID_PARAMETER;
    explicit_bzero(line, sizeof line);
    return ec;
}

static bool ask(int tty, const char *question, char line[PASSWORD_MAX + 2]) {
    return write(tty, question, strlen(question)) >= 0 && read_line(tty, line);
}

enum ec password_from_terminal(const char *whose, char **out) {
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios before, quiet;
    if (tty < 0 || tcgetattr(tty, &before) != 0) {
        if (tty >= 0)
            close(tty);
        return EC_NOT_FOUND;
    }
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    tcsetattr(tty, TCSAFLUSH, &quiet);
    char first[PASSWORD_MAX + 2], second[PASSWORD_MAX + 2];
    g_autofree char *question = g_strdup_printf("Password for %s: ", whose);
    bool ok = ask(tty, question, first) && ask(tty, "\nThe same again: ", second);
    tcsetattr(tty, TCSAFLUSH, &before);
    if (write(tty, "\n", 1) < 0)
        ok = false;
    close(tty);
    enum ec ec = !ok                          ? EC_INVALID_PARAMETER
                 : strcmp(first, second) != 0 ? EC_CANCEL
                                              : accept_password(first, out);
    explicit_bzero(first, sizeof first);
    explicit_bzero(second, sizeof second);
    return ec;
}

bool terminal_confirms(const char *question) {
    char line[PASSWORD_MAX + 2];
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0)
        return false;
    bool yes = ask(tty, question, line) && (strcmp(line, "yes") == 0 || strcmp(line, "y") == 0);
    close(tty);
    return yes;
}
