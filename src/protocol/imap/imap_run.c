// Commands from beginning to end: find, check the state, run, go on, update, answer.
#include "protocol/imap/imap_notify.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_utf7.h"
#include "protocol/imap/imap_write.h"

void imap_cmd_free(struct imap_cmd *c) {
    if (!c)
        return;
    if (c->free_data)
        c->free_data(c);
    arena_free(c->arena); // the command itself is in it
}

// --- Answers ---

void imap_reply(struct imap_cmd *c, const char *reply, const char *text) {
    c->reply = reply;
    c->text = text;
}

void imap_reply_ok(struct imap_cmd *c) {
    imap_reply(c, "OK", c->is_uid ? "UID command completed" : "Completed");
}

void imap_reply_bad_args(struct imap_cmd *c) {
    imap_reply(c, "BAD", c->args.error ? c->args.error : "Invalid arguments");
}

bool imap_arg_end(struct imap_cmd *c) {
    if (imap_end(&c->args))
        return true;
    imap_reply_bad_args(c);
    return false;
}

static bool has_control(const char *name) {
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return true;
    return false;
}

const char *imap_canonical_name(struct arena *arena, const char *path) {
    bool is_inbox = g_ascii_strncasecmp(path, "INBOX", 5) == 0 && (path[5] == 0 || path[5] == '/');
    return is_inbox ? arena_printf(arena, "INBOX%s", path + 5) : path;
}

bool imap_arg_mailbox(struct imap_cmd *c, const char **out) {
    const char *name = imap_astring(&c->args, NULL);
    if (!name) {
        imap_reply_bad_args(c);
        return false;
    }
    const char *path =
        c->s->is_utf8 && g_utf8_validate(name, -1, NULL) ? name : imap_utf7_decode(c->arena, name);
    if (!path || has_control(path)) {
        imap_reply(c, "NO", "[CANNOT] Invalid mailbox name");
        return false;
    }
    *out = imap_canonical_name(c->arena, path);
    return true;
}

bool imap_arg_rows(struct imap_cmd *c, struct imap_rows *out) {
    struct imap_set set;
    if (!imap_parse_set(&c->args, &set)) {
        imap_reply_bad_args(c);
        return false;
    }
    if (!imap_resolve_set(c->arena, c->s->view, &set, c->is_uid, out)) {
        imap_reply(c, "BAD", "Invalid message sequence number");
        return false;
    }
    return true;
}

uint64_t *imap_row_mids(struct imap_cmd *c, const struct imap_rows *rows, unsigned *n_out) {
    uint64_t *mids = arena_alloc(c->arena, (rows->count + 1) * sizeof *mids);
    unsigned n = 0;
    for (unsigned r = 0; r < rows->n; r++)
        for (uint32_t i = rows->runs[r].first; i <= rows->runs[r].last; i++)
            mids[n++] = mailbox_view_row(c->s->view, i)->mid;
    *n_out = n;
    return mids;
}

// --- Running ---

static enum net_next too_many_bad(struct imap_session *s) {
    imap_puts(s, "* BYE Too many invalid commands\r\n");
    s->state = IMAP_LOGOUT;
    return NET_CLOSE;
}

enum net_next imap_bad_line(struct imap_session *s, const char *tag, const char *text) {
    imap_printf(s, "%s BAD %s\r\n", tag, text);
    return ++s->n_bad >= IMAP_MAX_BAD ? too_many_bad(s) : NET_READ;
}

static bool may_expunge(const struct imap_cmd *c) {
    return c->is_uid || !(c->command->flags & CMD_NO_EXPUNGE);
}

enum net_next imap_finish(struct imap_cmd *c) {
    struct imap_session *s = c->s;
    s->cmd = NULL;
    if (s->state == IMAP_SELECTED && !(c->command->flags & CMD_NO_SYNC)) {
        enum ec ec = imap_sync(s, c, may_expunge(c));
        if (ec == EC_NOT_FOUND || ec == EC_OBJECT_DELETED || ec == EC_ACCESS_DENIED) {
            imap_puts(s, ec == EC_ACCESS_DENIED
                             ? "* BYE [NOPERM] Selected mailbox may no longer be read\r\n"
                             : "* BYE [NONEXISTENT] Selected mailbox was deleted\r\n");
            c->next = NET_CLOSE;
        } else if (ec == EC_END_OF_SESSION) {
            imap_puts(s, IMAP_BYE_REPLACED);
            c->next = NET_CLOSE;
        }
    }
    if (!c->has_answered)
        imap_printf(s, "%s %s %s\r\n", c->tag, c->reply ? c->reply : "OK",
                    c->text ? c->text : "Done");
    enum net_next next = c->next;
    if (c->reply && strcmp(c->reply, "BAD") == 0) {
        if (++s->n_bad >= IMAP_MAX_BAD && next == NET_READ)
            next = too_many_bad(s);
    } else {
        s->n_bad = 0;
    }
    imap_cmd_free(c);
    return next == NET_READ && s->notify ? imap_notify_after(s) : next;
}

// Runs steps until the command is done or enough output waits.
static enum net_next run_steps(struct imap_cmd *c) {
    while (!c->step(c))
        if (imap_output_is_full(c->s))
            return NET_MORE;
    return imap_finish(c);
}

enum net_next imap_continue(struct imap_session *s) {
    return s->cmd && s->cmd->step ? run_steps(s->cmd) : NET_READ;
}

static unsigned state_flag(enum imap_state state) {
    switch (state) {
    case IMAP_AUTHENTICATED:
        return CMD_AUTH;
    case IMAP_SELECTED:
        return CMD_SELECTED;
    default:
        return CMD_NOT_AUTH;
    }
}

static const char *wrong_state(enum imap_state state) {
    return state == IMAP_NOT_AUTHENTICATED ? "Please log in first"
           : state == IMAP_SELECTED        ? "Already logged in"
                                           : "No mailbox selected";
}

// The command's name at the parser; "UID x" sets is_uid.
static const struct imap_command *parse_name(struct imap_cmd *c) {
    struct imap_parser *p = &c->args;
    const char *name = imap_atom(p);
    if (!name)
        return NULL;
    if (g_ascii_strcasecmp(name, "UID") == 0) {
        if (!imap_space(p) || !(name = imap_atom(p)))
            return NULL;
        c->is_uid = true;
    }
    const struct imap_command *command = imap_find_command(name, strlen(name));
    return command && c->is_uid && !(command->flags & CMD_UID) ? NULL : command;
}

static void run_function(struct imap_cmd *c) {
    const struct imap_command *command = c->command;
    if (!(command->flags & state_flag(c->s->state))) {
        bool is_late = c->s->state != IMAP_NOT_AUTHENTICATED && (command->flags & CMD_NOT_AUTH);
        imap_reply(c, "BAD", is_late ? "Already logged in" : wrong_state(c->s->state));
        return;
    }
    if (c->s->is_uid_only && !c->is_uid && (command->flags & CMD_UID) &&
        !(command->flags & CMD_UID_ONLY_ARGS)) {
        imap_reply(c, "BAD", "[UIDREQUIRED] Message numbers are off");
        return;
    }
    bool no_args =
        (command->flags & CMD_NO_ARGS) || (!c->is_uid && (command->flags & CMD_UID_ONLY_ARGS));
    if (no_args ? !imap_end(&c->args) : !imap_at_end(&c->args) && !imap_space(&c->args)) {
        imap_reply_bad_args(c);
        return;
    }
    command->run(c);
}

enum net_next imap_run_line(struct imap_session *s, const char *data, size_t len,
                            const struct imap_spooled *spooled, unsigned n_spooled) {
    if (len > 0 && data[len - 1] == '\n')
        len--;
    if (len > 0 && data[len - 1] == '\r')
        len--;
    struct arena *arena = arena_new();
    struct imap_cmd *c = arena_alloc0(arena, sizeof *c);
    c->s = s;
    c->arena = arena;
    c->next = NET_READ;
    c->args = (struct imap_parser){.arena = arena,
                                   .data = data,
                                   .len = len,
                                   .spooled = spooled,
                                   .n_spooled = n_spooled,
                                   .saved = s->saved};
    c->tag = imap_tag(&c->args);
    enum net_next next;
    if (!c->tag || !imap_space(&c->args) || !(c->command = parse_name(c))) {
        const char *text = !c->tag ? "Invalid tag" : "Unknown or missing command";
        next = imap_bad_line(s, c->tag ? c->tag : "*", text);
        imap_cmd_free(c);
        return next;
    }
    run_function(c);
    s->cmd = c;
    if (c->is_waiting)
        return c->next;
    return c->step && !c->reply ? run_steps(c) : imap_finish(c);
}
