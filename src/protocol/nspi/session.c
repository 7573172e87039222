// The address book's service and its sessions (NspiBind, NspiUnbind).
#include "base/result.h"
#include "mapi/code_page.h"
#include "protocol/nspi/nspi_internal.h"

enum ec nspi_service_new(const struct nspi_options *options, struct nspi_service **out) {
    struct nspi_service *s = g_new0(struct nspi_service, 1);
    s->directory = options->directory;
    s->organization = g_strdup(options->organization);
    s->hostname = g_strdup(options->hostname);
    s->guid = guid_new();
    mid_map_init(&s->mids);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->build_lock, NULL);
    *out = s;
    return EC_OK;
}

void nspi_service_free(struct nspi_service *s) {
    if (!s)
        return;
    book_unref(s->book);
    mid_map_clear(&s->mids);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->build_lock);
    g_free(s->organization);
    g_free(s->hostname);
    g_free(s);
}

const struct guid *nspi_service_guid(const struct nspi_service *s) {
    return &s->guid;
}

static bool is_code_page(uint32_t code_page) {
    return code_page == NSPI_CODE_PAGE_UNICODE || code_page == NSPI_CODE_PAGE_TELETEX ||
           code_page_charset(code_page) != NULL;
}

enum ec nspi_bind(struct nspi_service *s, struct principal *who, uint32_t flags,
                  const struct nspi_stat *stat, struct nspi_session **out) {
    if (who->is_anonymous || flags & NSPI_ANONYMOUS_LOGIN)
        return EC_LOGON_FAILED;
    if (stat && !is_code_page(stat->code_page))
        return EC_INVALID_CODEPAGE;
    struct nspi_session *session = g_new0(struct nspi_session, 1);
    session->service = s;
    session->who = principal_ref(who);
    session->code_page = stat ? stat->code_page : NSPI_CODE_PAGE_UNICODE;
    *out = session;
    return EC_OK;
}

void nspi_unbind(struct nspi_session *s) {
    if (!s)
        return;
    book_unref(s->book);
    principal_unref(s->who);
    g_free(s);
}
