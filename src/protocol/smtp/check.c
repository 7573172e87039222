// Asking the policy about a message from a stranger, on a worker that is not the connection's: the
// DNS and rspamd may take seconds, and the connection waits without a thread. The job holds
// references to all it reads, so that a connection may go meanwhile.
#include <string.h>

#include "base/log.h"
#include "protocol/smtp/session.h"

struct smtp_check {
    int refs;    // atomic
    int is_done; // atomic
    struct arena *arena;
    struct smtp_service *service; // it outlives its net
    struct policy_message message;
    struct policy_verdict verdict;
    void (*wake)(void *ctx); // NULL: nobody is to be woken
    void (*unref)(void *ctx);
    void *ctx;
};

void smtp_check_unref(struct smtp_check *check) {
    if (!check || __atomic_sub_fetch(&check->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (check->unref)
        check->unref(check->ctx);
    g_bytes_unref(check->message.bytes);
    arena_free(check->arena);
    g_free(check);
}

bool smtp_check_is_done(const struct smtp_check *check) {
    return __atomic_load_n(&check->is_done, __ATOMIC_ACQUIRE);
}

const struct policy_verdict *smtp_check_verdict(const struct smtp_check *check) {
    return &check->verdict;
}

bool smtp_wants_check(const struct smtp_session *s) {
    const struct smtp_settings *settings = &s->service->settings;
    return settings->kind == SMTP_MX && settings->check && settings->policy && !s->who &&
           !net_networks_have(s->rules->limits.trusted, s->peer.address);
}

static void run(struct smtp_check *check) {
    const struct smtp_settings *settings = &check->service->settings;
    // With one reference nobody waits for it any more: the connection is gone.
    if (__atomic_load_n(&check->refs, __ATOMIC_ACQUIRE) > 1)
        settings->check(settings->policy, check->arena, &check->message, &check->verdict);
    __atomic_store_n(&check->is_done, 1, __ATOMIC_RELEASE);
    if (check->wake)
        check->wake(check->ctx);
    smtp_check_unref(check);
}

// On a worker: one check, then those that had to wait for a place.
static void run_all(void *data) {
    struct smtp_check *check = data;
    struct smtp_service *service = check->service;
    while (check) {
        run(check);
        pthread_mutex_lock(&service->lock);
        check = g_queue_pop_head(&service->checks);
        if (!check)
            service->n_checking--;
        pthread_mutex_unlock(&service->lock);
    }
}

// With the DNS down every check takes long: only so many hold a worker, the others wait their turn.
static void enqueue(struct smtp_check *check) {
    struct smtp_service *service = check->service;
    pthread_mutex_lock(&service->lock);
    bool has_place = service->n_checking < SMTP_CHECKS_MAX;
    if (has_place)
        service->n_checking++;
    else
        g_queue_push_tail(&service->checks, check);
    pthread_mutex_unlock(&service->lock);
    if (has_place)
        net_run(service->settings.net, run_all, check);
}

static struct policy_message copy_message(const struct smtp_session *s, struct arena *arena,
                                          GBytes *bytes) {
    const char **recipients = arena_alloc0(arena, s->recipients->len * sizeof *recipients);
    for (guint i = 0; i < s->recipients->len; i++)
        recipients[i] =
            arena_strdup(arena, g_array_index(s->recipients, struct queue_recipient, i).address);
    return (struct policy_message){
        .client = arena_strdup(arena, s->peer.address),
        .helo = arena_strdup(arena, s->helo),
        .sender = arena_strdup(arena, s->sender),
        .recipients = recipients,
        .n_recipients = s->recipients->len,
        .queue_id = arena_strdup(arena, s->queue_id),
        .bytes = g_bytes_new_from_bytes(bytes, s->received_len,
                                        g_bytes_get_size(bytes) - s->received_len),
    };
}

enum smtp_next smtp_check_start(struct smtp_session *s) {
    g_autoptr(GBytes) bytes = NULL;
    s->failed = queue_spool_read(s->spool, &bytes);
    if (s->failed != EC_OK)
        return smtp_check_done(s);
    struct smtp_check *check = g_new0(struct smtp_check, 1);
    check->refs = 2;
    check->service = s->service;
    check->arena = arena_new();
    check->message = copy_message(s, check->arena, bytes);
    check->verdict.scl = QUEUE_SCL_NONE;
    s->check = check;
    if (!s->wake || !s->service->settings.net) {
        run(check);
        return smtp_check_done(s);
    }
    check->wake = s->wake;
    check->unref = s->wake_unref;
    check->ctx = s->wake_ref(s->wake_ctx);
    enqueue(check);
    return SMTP_WAIT;
}
