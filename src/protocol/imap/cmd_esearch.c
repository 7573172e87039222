// ESEARCH: one search of many folders ([RFC 7377] MULTISEARCH).
//
// The folders of the user's own mailbox are searched one after the other, each as if it were
// selected, and each that has something found gets a response of its own.
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"
#include "protocol/imap/notify_parse.h"
#include "protocol/imap/search_command.h"

struct multi_search {
    struct imap_cmd *c;
    struct notify_groups sources; // none: the selected folder
    struct search_command command;
    size_t keys; // where they begin
};

static bool parse_sources(struct multi_search *m) {
    struct imap_parser *p = &m->c->args;
    if (!imap_accept_word(p, "IN"))
        return true;
    if (!imap_space(p) || !imap_expect(p, '('))
        return false;
    do {
        if (m->sources.n == IMAP_MAX_NOTIFY_GROUPS)
            return imap_fail(p, "Too many mailbox filters");
        struct notify_group *g = &m->sources.items[m->sources.n++];
        if (!notify_parse_filter(m->c, g))
            return false;
        if (g->filter == FILTER_SELECTED_DELAYED)
            return imap_fail(p, "SELECTED-DELAYED is no source");
    } while (imap_accept(p, ' '));
    return imap_expect(p, ')') && imap_space(p);
}

static bool is_selected(const struct imap_session *s, uint64_t fid) {
    return s->view && s->selected == s->mailbox && mailbox_view_fid(s->view) == fid;
}

static bool is_source(const struct multi_search *m, const struct mailbox_folder *f) {
    const struct imap_session *s = m->c->s;
    if (m->sources.n == 0)
        return is_selected(s, f->fid);
    for (unsigned i = 0; i < m->sources.n; i++) {
        const struct notify_group *g = &m->sources.items[i];
        if (g->filter == FILTER_SELECTED ? is_selected(s, f->fid)
                                         : notify_group_has(g, f->path, f->is_subscribed))
            return true;
    }
    return false;
}

// The folder stands in for the selected one while its keys are read and its messages looked at.
// False: the reply is set.
static bool search_in(struct multi_search *m, const struct mailbox_folder *f,
                      struct mailbox_view *view) {
    struct imap_cmd *c = m->c;
    g_autoptr(GArray) found = NULL;
    c->s->view = view;
    c->s->selected = c->s->mailbox;
    c->args.pos = m->keys;
    if (!search_command_parse(c, false, &m->command))
        return false;
    enum ec ec = search_command_run(c, &m->command, &found);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return false;
    }
    m->command.ret.mailbox = f->path;
    m->command.ret.uid_validity = mailbox_view_uid_validity(view);
    if (found->len > 0)
        search_put_extended(c, found, &m->command.ret, m->command.program.has_modseq);
    return true;
}

static void search_all(struct multi_search *m) {
    struct imap_session *s = m->c->s;
    struct mailbox_folder_list list;
    struct mailbox_view *selected_view = s->view;
    struct mailbox *selected = s->selected;
    bool was_uid_only = s->is_uid_only, goes_on = true;
    enum ec ec = mailbox_list_folders(s->mailbox, m->c->arena, &list);
    s->is_uid_only = m->c->is_uid = true; // numbers of messages mean nothing here
    for (unsigned i = 0; ec == EC_OK && goes_on && i < list.n; i++) {
        const struct mailbox_folder *f = &list.items[i];
        struct mailbox_view *view = NULL;
        s->view = selected_view;
        s->selected = selected;
        if (!is_source(m, f) || !(f->rights & RIGHTS_READ_ANY))
            continue;
        if (mailbox_view_open(s->mailbox, f->fid, &view) == EC_OK)
            goes_on = search_in(m, f, view);
        mailbox_view_free(view);
    }
    s->view = selected_view;
    s->selected = selected;
    s->is_uid_only = was_uid_only;
    if (goes_on)
        imap_reply_ec(m->c, ec);
}

void cmd_esearch(struct imap_cmd *c) {
    struct multi_search *m = arena_alloc0(c->arena, sizeof *m);
    const unsigned of_one = RETURN_SAVE | RETURN_UPDATE | RETURN_CONTEXT;
    m->c = c;
    bool ok = parse_sources(m) && search_return_parse(&c->args, &m->command.ret);
    if (ok && (m->command.ret.what & of_one))
        ok = imap_fail(&c->args, "SAVE, UPDATE and CONTEXT are for the selected mailbox");
    if (!m->command.ret.is_given)
        m->command.ret.what = RETURN_ALL;
    m->keys = c->args.pos;
    if (!ok && !c->reply)
        imap_reply_bad_args(c);
    else if (ok && m->sources.n == 0 && c->s->state != IMAP_SELECTED)
        imap_reply(c, "BAD", "No mailbox selected");
    else if (ok)
        search_all(m);
    notify_groups_clear(&m->sources);
}
