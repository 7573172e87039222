// Putting the checks together to one verdict.
#include "policy/policy.h"

#include <pthread.h>
#include <string.h>

#include "base/log.h"
#include "policy/dkim_sign.h"
#include "policy/results.h"
#include "policy/rspamd.h"
#include "policy/score.h"

#define CHECK_SECONDS 60 // for everything that asks the DNS

struct policy {
    struct dns *dns;
    char *hostname, *keys_dir, *trusted_sealers;
    bool enforces_dmarc, rspamd_fail_closed;
    struct rspamd *rspamd;

    pthread_mutex_t lock; // of the pointer below
    struct policy_keys *keys;
};

enum ec policy_new(const struct policy_options *options, struct policy **out) {
    struct policy *p = g_new0(struct policy, 1);
    p->dns = options->dns;
    p->hostname = g_strdup(options->hostname ? options->hostname : "localhost");
    p->keys_dir = g_strdup(options->keys_dir);
    p->trusted_sealers = g_strdup(options->trusted_sealers);
    p->enforces_dmarc = options->enforces_dmarc;
    p->rspamd_fail_closed = options->rspamd_fail_closed;
    if (options->rspamd_url && *options->rspamd_url)
        p->rspamd = rspamd_new(options->rspamd_url, options->rspamd_timeout_ms);
    pthread_mutex_init(&p->lock, NULL);
    enum ec ec = policy_keys_load(p->keys_dir, &p->keys);
    if (ec != EC_OK) {
        policy_free(p);
        return ec;
    }
    *out = p;
    return EC_OK;
}

void policy_free(struct policy *p) {
    if (!p)
        return;
    rspamd_free(p->rspamd);
    policy_keys_unref(p->keys);
    pthread_mutex_destroy(&p->lock);
    g_free(p->hostname);
    g_free(p->keys_dir);
    g_free(p->trusted_sealers);
    g_free(p);
}

enum ec policy_reload(struct policy *p) {
    struct policy_keys *keys, *old;
    EC_TRY(policy_keys_load(p->keys_dir, &keys));
    pthread_mutex_lock(&p->lock);
    old = p->keys;
    p->keys = keys;
    pthread_mutex_unlock(&p->lock);
    policy_keys_unref(old);
    return EC_OK;
}

// --- Checking ---

static void find_out(struct policy *p, struct arena *arena, const struct policy_message *message,
                     const struct mail_fields *fields, struct policy_findings *f) {
    struct resolver resolver = {
        .dns = p->dns, .deadline = g_get_monotonic_time() + CHECK_SECONDS * G_USEC_PER_SEC};
    struct spf_question question = {.client = message->client,
                                    .helo = message->helo,
                                    .sender = message->sender,
                                    .hostname = p->hostname};
    *f = (struct policy_findings){.mail_from = message->sender, .helo = message->helo};
    spf_check(&resolver, arena, &question, &f->spf);
    f->dkim = dkim_verify(&resolver, arena, fields, &f->n_dkim);
    arc_check(&resolver, arena, fields, &f->arc);
    dmarc_check(&resolver, arena, fields, &f->spf, f->dkim, f->n_dkim, &f->dmarc);
    f->is_vouched_for = f->dmarc.status == DMARC_FAIL && arc_vouches(&f->arc, p->trusted_sealers);
}

static void refuse(struct policy_verdict *out, enum policy_action action, const char *status,
                   const char *text) {
    out->action = action;
    out->status = status;
    out->text = text;
}

static void decide_dmarc(const struct policy *p, struct arena *arena,
                         const struct policy_findings *f, struct policy_verdict *out) {
    if (p->enforces_dmarc && f->dmarc.status == DMARC_FAIL && !f->is_vouched_for &&
        f->dmarc.requested == DMARC_POLICY_REJECT)
        refuse(out, POLICY_REJECT, "5.7.26",
               arena_printf(arena, "%s asks to reject mail that it does not authenticate (DMARC)",
                            f->dmarc.domain));
}

// True: `answer` is there.
static bool ask_rspamd(struct policy *p, const struct policy_message *message,
                       struct rspamd_answer *answer, struct policy_verdict *out) {
    if (!p->rspamd)
        return false;
    if (rspamd_ask(p->rspamd, message, answer) != EC_OK) {
        if (p->rspamd_fail_closed)
            refuse(out, POLICY_DEFER, "4.7.0", "The spam filter does not answer, try again later");
        return false;
    }
    if (answer->action == RSPAMD_REJECT)
        refuse(out, POLICY_REJECT, "5.7.1", "This message looks like spam");
    else if (answer->action == RSPAMD_SOFT_REJECT)
        refuse(out, POLICY_DEFER, "4.7.1", "Try again later");
    return true;
}

static void log_verdict(const struct policy_message *message, const struct policy_findings *f,
                        const struct policy_verdict *v) {
    static const char *const actions[] = {"accept", "reject", "defer"};
    log_event(LOG_LEVEL_INFO, "policy.verdict", "queue", message->queue_id, "action",
              actions[v->action], "scl", log_i64(v->scl), "pcl", log_i64(v->pcl), "spf",
              f ? spf_result_text(f->spf.result) : NULL, "dmarc",
              f ? dmarc_status_text(f->dmarc.status) : NULL, "from", f ? f->dmarc.domain : NULL,
              NULL);
}

void policy_check(struct policy *p, struct arena *arena, const struct policy_message *message,
                  struct policy_verdict *out) {
    struct mail_fields fields;
    struct policy_findings findings;
    struct rspamd_answer answer;
    gsize len;
    const char *bytes = g_bytes_get_data(message->bytes, &len);
    *out = (struct policy_verdict){.status = "2.0.0", .text = "", .fields = ""};
    bool is_checked = p->dns && mail_fields_read(arena, bytes ? bytes : "", len, &fields);
    if (is_checked) {
        find_out(p, arena, message, &fields, &findings);
        decide_dmarc(p, arena, &findings, out);
    }
    bool has_answer = out->action == POLICY_ACCEPT && ask_rspamd(p, message, &answer, out);
    struct score score =
        score_message(is_checked ? &findings : NULL, has_answer ? &answer : NULL, false);
    out->scl = score.scl;
    out->pcl = score.pcl;
    if (p->dns) {
        g_autoptr(GString) text = g_string_new(NULL);
        results_put(p->hostname, is_checked ? &findings : NULL, text);
        out->fields = arena_strdup(arena, text->str);
    }
    log_verdict(message, is_checked ? &findings : NULL, out);
}

// --- Signing ---

enum ec policy_sign(struct policy *p, const char *domain, GBytes *message, char **fields_out) {
    pthread_mutex_lock(&p->lock);
    struct policy_keys *keys = policy_keys_ref(p->keys);
    pthread_mutex_unlock(&p->lock);
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) out = g_string_new(NULL);
    unsigned n;
    const struct policy_key *own = policy_keys_of(keys, domain, &n);
    enum ec ec = EC_OK;
    struct mail_fields fields;
    gsize len;
    const char *bytes = g_bytes_get_data(message, &len);
    if (n > 0 && !mail_fields_read(arena, bytes ? bytes : "", len, &fields))
        n = 0; // what nobody would check needs no signature
    for (unsigned i = 0; i < n && ec == EC_OK; i++)
        ec = dkim_sign(arena, &fields, &own[i], out);
    policy_keys_unref(keys);
    if (ec == EC_OK)
        *fields_out = g_string_free(g_steal_pointer(&out), FALSE);
    return ec;
}
