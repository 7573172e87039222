// The pass over one mailbox, and over all of them at night.
#include "mailbox/retention.h"

#include "base/log.h"
#include "mailbox/archive.h"
#include "mailbox/retention_internal.h"

// --- One mailbox ---

enum ec pass_save(struct mailbox_pass *p, struct mbox_tx *tx) {
    return mbox_set_pass(tx, PASS_NIGHTLY, &p->state);
}

static enum ec read_state(struct mailbox_pass *p) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(p->mbox, &tx));
    return mbox_get_pass(tx, PASS_NIGHTLY, &p->state);
}

static bool has_owner(struct mailbox_service *s, const struct guid *mailbox) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *owner;
    struct guid guid;
    if (!s->directory)
        return false;
    return directory_find_guid(s->directory, arena, mailbox, &owner) == EC_OK ||
           mailbox_archive_owner(s, mailbox, &guid) == EC_OK;
}

enum ec pass_open(struct mailbox_service *s, const struct guid *mailbox, struct mailbox_pass *out) {
    struct guid archive;
    *out =
        (struct mailbox_pass){.service = s, .options = mailbox_options_of(s), .arena = arena_new()};
    enum ec ec = store_open_mailbox(s->store, mailbox, &out->mbox);
    if (ec == EC_OK && mailbox_archive_of(s, mailbox, &archive) == EC_OK)
        ec = store_open_mailbox(s->store, &archive, &out->archive);
    // Public folders age by rules of their own.
    if (ec == EC_OK && has_owner(s, mailbox))
        ec = directory_retention_tags(s->directory, out->arena, &out->tags);
    if (ec == EC_OK)
        ec = read_state(out);
    if (ec == EC_OK)
        ec = pass_list_folders(out);
    if (ec == EC_OK)
        ec = pass_note_policies(out, NULL);
    if (ec != EC_OK) {
        pass_close(out);
        return ec;
    }
    out->last_finished = out->state.finished;
    if (out->state.started == 0 || out->state.finished != 0)
        out->state = (struct mbox_pass){.started = clock_now(), .warned = out->state.warned};
    return EC_OK;
}

void pass_close(struct mailbox_pass *p) {
    mbox_unref(p->mbox);
    mbox_unref(p->archive);
    arena_free(p->arena);
    *p = (struct mailbox_pass){0};
}

static void log_end(const struct mailbox_pass *p) {
    ARENA_AUTO arena = arena_new();
    char guid[GUID_STRING_SIZE];
    guid_format(mbox_guid(p->mbox), guid);
    const struct mbox_pass *s = &p->state;
    log_event(LOG_LEVEL_INFO, "mailbox.pass", "mailbox", guid, "seen",
              arena_printf(arena, "%" G_GUINT64_FORMAT, (guint64)s->n_seen), "deleted",
              arena_printf(arena, "%" G_GUINT64_FORMAT, (guint64)s->n_deleted), "purged",
              arena_printf(arena, "%" G_GUINT64_FORMAT, (guint64)s->n_purged), "archived",
              arena_printf(arena, "%" G_GUINT64_FORMAT, (guint64)s->n_archived),
              p->is_archive_full ? "archive" : NULL, "full", NULL);
}

static enum ec save_end(struct mbox_tx *tx, void *ctx) {
    struct mailbox_pass *p = ctx;
    p->state.step = STEP_END;
    p->state.finished = MAX(clock_now(), p->state.started);
    return pass_save(p, tx);
}

enum ec pass_slice(struct mailbox_pass *p, bool *done_out) {
    *done_out = false;
    switch (p->state.step) {
    case STEP_RETENTION:
        if (p->n_folders > 0)
            return pass_retention_slice(p);
        p->state.step = STEP_PURGE;
        return EC_OK;
    case STEP_PURGE:
        return pass_purge_slice(p);
    case STEP_QUOTA:
        EC_TRY(pass_warn(p));
        p->state.step = STEP_END;
        return EC_OK;
    default:
        EC_TRY(mbox_write(p->mbox, save_end, p));
        log_end(p);
        *done_out = true;
        return EC_OK;
    }
}

enum ec mailbox_retention_run(struct mailbox_service *s, const struct guid *mailbox,
                              struct retention_result *out) {
    struct mailbox_pass p;
    bool is_done = false;
    EC_TRY(pass_open(s, mailbox, &p));
    filetime_t warned = p.state.warned;
    enum ec ec = EC_OK;
    while (ec == EC_OK && !is_done)
        ec = pass_slice(&p, &is_done);
    *out = (struct retention_result){.n_seen = p.state.n_seen,
                                     .n_deleted = p.state.n_deleted,
                                     .n_purged = p.state.n_purged,
                                     .n_archived = p.state.n_archived,
                                     .was_warned = p.state.warned != warned};
    pass_close(&p);
    return ec;
}

// --- All of them ---

struct retention_passes {
    struct mailbox_service *service;
    GArray *queue; // of struct guid; from `next` on
    guint next;
    filetime_t due; // of the night the queue is for
    struct mailbox_pass pass;
    bool has_pass;
};

struct retention_passes *retention_passes_new(struct mailbox_service *s) {
    struct retention_passes *p = g_new0(struct retention_passes, 1);
    p->service = s;
    return p;
}

void retention_passes_free(struct retention_passes *p) {
    if (!p)
        return;
    if (p->has_pass)
        pass_close(&p->pass);
    g_clear_pointer(&p->queue, g_array_unref);
    g_free(p);
}

// The last time it was `minutes` after midnight here.
static filetime_t last_night(uint32_t minutes) {
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(filetime_to_unix(clock_now()));
    if (!now)
        return 0;
    g_autoptr(GDateTime) today = g_date_time_new_local(
        g_date_time_get_year(now), g_date_time_get_month(now), g_date_time_get_day_of_month(now),
        (int)minutes / 60, (int)minutes % 60, 0);
    if (!today)
        return 0; // an hour that the clocks leap over: the night before counts on
    if (g_date_time_compare(today, now) <= 0)
        return filetime_from_unix(g_date_time_to_unix(today));
    g_autoptr(GDateTime) yesterday = g_date_time_add_days(today, -1);
    return filetime_from_unix(g_date_time_to_unix(yesterday));
}

static enum ec created(struct mbox *mbox, filetime_t *out) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct mbox_info info;
    EC_TRY(mbox_read(mbox, &tx));
    EC_TRY(mbox_get_info(tx, arena, &info));
    *out = info.created;
    return EC_OK;
}

// Whether this mailbox had its pass this night already, or did not exist yet.
static bool is_served(const struct retention_passes *p) {
    filetime_t since = 0;
    if (p->pass.last_finished >= p->due)
        return true;
    return created(p->pass.mbox, &since) == EC_OK && since > p->due;
}

static void end_pass(struct retention_passes *p) {
    pass_close(&p->pass);
    p->has_pass = false;
}

static void next_mailbox(struct retention_passes *p) {
    const struct guid *guid = &g_array_index(p->queue, struct guid, p->next++);
    struct mailbox_pass *pass = &p->pass;
    char text[GUID_STRING_SIZE];
    enum ec ec = pass_open(p->service, guid, pass);
    if (ec == EC_NOT_FOUND)
        return; // deleted meanwhile
    if (ec != EC_OK) {
        guid_format(guid, text);
        log_event(LOG_LEVEL_WARNING, "mailbox.pass_failed", "mailbox", text, "error", ec_text(ec),
                  NULL);
        return;
    }
    p->has_pass = true;
    if (is_served(p))
        end_pass(p);
}

static void do_slice(struct retention_passes *p) {
    bool is_done = false;
    char text[GUID_STRING_SIZE];
    enum ec ec = pass_slice(&p->pass, &is_done);
    if (ec != EC_OK) { // goes on next night from where it stands
        guid_format(mbox_guid(p->pass.mbox), text);
        log_event(LOG_LEVEL_WARNING, "mailbox.pass_failed", "mailbox", text, "error", ec_text(ec),
                  NULL);
    }
    if (ec != EC_OK || is_done)
        end_pass(p);
}

bool retention_passes_step(struct retention_passes *p, unsigned milliseconds) {
    struct mailbox_options options = mailbox_options_of(p->service);
    gint64 until = g_get_monotonic_time() + (gint64)milliseconds * 1000;
    if (!p->queue) {
        filetime_t due = options.nightly == MAILBOX_NEVER ? 0 : last_night(options.nightly);
        if (due == 0 || due <= p->due)
            return false;
        p->due = due;
        p->next = 0;
        if (store_list_mailboxes(p->service->store, &p->queue) != EC_OK)
            return false;
    }
    do {
        if (p->has_pass)
            do_slice(p);
        else if (p->next < p->queue->len)
            next_mailbox(p);
        else {
            g_clear_pointer(&p->queue, g_array_unref);
            return false;
        }
    } while (g_get_monotonic_time() < until);
    return true;
}
