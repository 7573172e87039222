// Both endpoints, with an HTTP server and a session of remote operations played by the test: what
// is answered to which header, cookies in sequence, sessions of users, and notification waits.
#include <stdio.h>
#include <string.h>

#include "directory/dn.h"
#include "directory/test_directory.h"
#include "mapi/prop_wire.h"
#include "mapihttp/mapihttp_internal.h"

// --- The HTTP server played ---

struct http_waker {
    int refs;
    bool *woken;
};
struct http_request {
    const char *method, *path, *type, *id, *content_type, *info, *application;
    char *context, *sequence;
    const uint8_t *body;
    size_t body_len;
    struct principal *who;
    bool is_stopping;
    void *state;
    GHashTable *fields; // of the answer
    GPtrArray *cookies;
    GByteArray *out;
    size_t flushed; // bytes that were out before the end
    int64_t park_until;
    bool woken;
    struct http_waker *waker;
};

const char *http_method(const struct http_request *r) {
    return r->method;
}
const char *http_path(const struct http_request *r) {
    return r->path;
}
const char *http_header(const struct http_request *r, const char *name) {
    const struct {
        const char *name, *value;
    } fields[] = {{"X-RequestType", r->type},
                  {"X-RequestId", r->id},
                  {"Content-Type", r->content_type},
                  {"X-ClientInfo", r->info},
                  {"X-ClientApplication", r->application},
                  {"Host", "mail.example.test"}};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (g_ascii_strcasecmp(fields[i].name, name) == 0)
            return fields[i].value;
    return NULL;
}
const char *http_cookie(const struct http_request *r, const char *name) {
    return strcmp(name, "MapiContext") == 0 ? r->context : r->sequence;
}
const uint8_t *http_body(const struct http_request *r, size_t *len_out) {
    *len_out = r->body_len;
    return r->body;
}
struct principal *http_principal(const struct http_request *r) {
    return r->who;
}
bool http_is_tls(const struct http_request *r) {
    (void)r;
    return true;
}
uint64_t http_request_id(const struct http_request *r) {
    (void)r;
    return 7;
}
bool http_is_stopping(const struct http_request *r) {
    return r->is_stopping;
}
void http_set_state(struct http_request *r, void *state) {
    r->state = state;
}
void *http_state(const struct http_request *r) {
    return r->state;
}
void http_set_header(struct http_request *r, const char *name, const char *value) {
    g_assert_null(strpbrk(value, "\r\n"));
    g_assert_cmpuint(r->out->len, ==, 0);
    g_hash_table_replace(r->fields, g_strdup(name), g_strdup(value));
}
void http_add_header(struct http_request *r, const char *name, const char *value) {
    g_assert_cmpstr(name, ==, "Set-Cookie");
    g_ptr_array_add(r->cookies, g_strdup(value));
}
void http_write(struct http_request *r, const void *data, size_t len) {
    g_byte_array_append(r->out, data, (guint)len);
}
void http_write_str(struct http_request *r, const char *s) {
    http_write(r, s, strlen(s));
}
void http_flush(struct http_request *r) {
    r->flushed = r->out->len;
}
void http_park_until(struct http_request *r, int64_t monotonic_us) {
    r->park_until = monotonic_us;
}
struct http_waker *http_waker_ref(struct http_request *r) {
    if (!r->waker) {
        r->waker = g_new0(struct http_waker, 1);
        *r->waker = (struct http_waker){1, &r->woken};
    }
    r->waker->refs++;
    return r->waker;
}
void http_waker_unref(struct http_waker *w) {
    if (w && --w->refs == 0)
        g_free(w);
}
void http_wake(struct http_waker *w) {
    if (w->woken)
        *w->woken = true;
}
static const struct http_route *routes;
static void *routes_service;
void http_server_add(struct http_server *s, const struct http_route *added, void *service) {
    (void)s;
    routes = added;
    routes_service = service;
}

// --- The remote operations played ---

struct rop_session {
    bool has_events;
    void (*fn)(void *ctx);
    void *ctx;
    unsigned executed;
};
static unsigned rop_sessions;
static struct rop_session *last_rop;

enum ec rop_session_new(struct rop_service *s, struct principal *who,
                        const struct rop_connect *connect, struct rop_session **out) {
    struct guid guid;
    (void)s;
    if (!dn_guid(connect->user_dn, &guid))
        return EC_UNKNOWN_USER;
    if (!guid_equal(&guid, &who->guid))
        return EC_ACCESS_DENIED;
    g_assert_cmpuint(connect->code_page, ==, 1252);
    g_assert_cmpuint(connect->lcid_sort, ==, 0x409);
    g_assert_cmpuint(connect->lcid_string, ==, 0x407);
    *out = last_rop = g_new0(struct rop_session, 1);
    rop_sessions++;
    return EC_OK;
}
void rop_session_free(struct rop_session *s) {
    if (s)
        rop_sessions--;
    g_free(s);
}
const char *rop_session_display_name(const struct rop_session *s) {
    (void)s;
    return "Alice \303\204";
}
const char *rop_session_dn_prefix(const struct rop_session *s) {
    (void)s;
    return "/o=Example/";
}
enum ec rop_execute(struct rop_session *s, unsigned flags, const uint8_t *in, size_t in_len,
                    size_t max_out, struct arena *arena, const uint8_t **out, size_t *out_len) {
    s->executed++;
    if (in_len > 0 && in[0] == 0xEE)
        return EC_FORMAT_ERROR;
    g_assert_cmpuint(max_out, <=, 0x40000);
    *out = (const uint8_t *)arena_printf(arena, "%u:%.*s", flags, (int)in_len, (const char *)in);
    *out_len = strlen((const char *)*out);
    s->has_events = false;
    return EC_OK;
}
bool rop_session_has_events(struct rop_session *s) {
    return s->has_events;
}
void rop_session_watch(struct rop_session *s, void (*fn)(void *ctx), void *ctx) {
    s->fn = fn;
    s->ctx = ctx;
}

// --- The test's own ---

struct http_fixture {
    struct fixture f;
    struct guid alice, bob;
    struct principal *who[2];
    struct nspi_service *nspi;
    struct mapihttp *m;
};

static struct principal *principal_of(const struct guid *guid, const char *address) {
    struct principal *p = g_new0(struct principal, 1);
    *p = (struct principal){
        .refs = 1, .guid = *guid, .address = g_strdup(address), .display_name = g_strdup(address)};
    return p;
}

static void setup(struct http_fixture *h, gconstpointer data) {
    fixture_setup(&h->f, data);
    h->alice = add(&h->f, DIRECTORY_USER, "alice@example.test", "Alice");
    h->bob = add(&h->f, DIRECTORY_USER, "bob@example.test", "Bob");
    h->who[0] = principal_of(&h->alice, "alice@example.test");
    h->who[1] = principal_of(&h->bob, "bob@example.test");
    struct nspi_options nspi = {h->f.d, "Example", "mail.example.test"};
    assert_ok(nspi_service_new(&nspi, &h->nspi));
    struct mapihttp_options options = {.nspi = h->nspi,
                                       .directory = h->f.d,
                                       .hostname = "mail.example.test",
                                       .session_seconds = 600,
                                       .pending_seconds = 20,
                                       .max_sessions = 6,
                                       .max_user_sessions = 3};
    assert_ok(mapihttp_new(&options, &h->m));
    mapihttp_add(h->m, NULL);
}

static void teardown(struct http_fixture *h, gconstpointer data) {
    mapihttp_free(h->m);
    g_assert_cmpuint(rop_sessions, ==, 0);
    nspi_service_free(h->nspi);
    principal_unref(h->who[0]);
    principal_unref(h->who[1]);
    fixture_teardown(&h->f, data);
}

// A client: the cookies it was given, and its requests' counter.
struct client {
    struct http_fixture *h;
    unsigned who;
    const char *path;
    char *context, *sequence;
    unsigned counter;
};

static struct client client_of(struct http_fixture *h, unsigned who, const char *path) {
    return (struct client){.h = h, .who = who, .path = path};
}

static struct http_request *request_new(struct client *c, const char *type, GByteArray *body) {
    struct http_request *r = g_new0(struct http_request, 1);
    r->method = "POST";
    r->path = c->path;
    r->type = type;
    r->id = arena_printf(c->h->f.arena, "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:%u", ++c->counter);
    r->content_type = "application/mapi-http";
    r->info = "{2EF33C39-49C8-421C-B876-CDF7F2AC3AA0}:123";
    r->application = "Outlook/15.0.4420.1017";
    r->context = g_strdup(c->context);
    r->sequence = g_strdup(c->sequence);
    r->who = c->h->who[c->who];
    if (body) {
        r->body = arena_memdup(c->h->f.arena, body->data, body->len);
        r->body_len = body->len;
        g_byte_array_unref(body);
    }
    r->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    r->cookies = g_ptr_array_new_with_free_func(g_free);
    r->out = g_byte_array_new();
    return r;
}

static const struct http_route *route_of(const struct http_request *r) {
    return strstr(r->path, "nspi") ? &routes[1] : &routes[0];
}

static enum http_next request_run(struct http_request *r) {
    return route_of(r)->run(r, routes_service);
}

static enum http_next request_resume(struct http_request *r) {
    r->woken = false;
    return route_of(r)->resume(r, routes_service);
}

// Ends a request; the client keeps the cookies.
static void request_end(struct client *c, struct http_request *r) {
    route_of(r)->close(r, routes_service);
    for (guint i = 0; i < r->cookies->len; i++) {
        const char *cookie = r->cookies->pdata[i];
        const char *value = strchr(cookie, '=') + 1;
        char **to = g_str_has_prefix(cookie, "MapiContext=") ? &c->context : &c->sequence;
        g_free(*to);
        *to = g_strndup(value, strcspn(value, ";"));
    }
    if (r->waker)
        r->waker->woken = NULL;
    http_waker_unref(r->waker);
    g_free(r->context);
    g_free(r->sequence);
    g_hash_table_destroy(r->fields);
    g_ptr_array_free(r->cookies, TRUE);
    g_byte_array_unref(r->out);
    g_free(r);
}

static int code_of(const struct http_request *r) {
    const char *code = g_hash_table_lookup(r->fields, "X-ResponseCode");
    g_assert_nonnull(code); // MS-OXCMAPIHTTP_R1301, MS-OXCMAPIHTTP_R1459
    return atoi(code);
}

// The body behind the meta-tags and additional headers.
static struct wire_reader body_of(const struct http_request *r) {
    const char *start = "PROCESSING\r\n";
    g_assert_cmpint(memcmp(r->out->data, start, strlen(start)), ==, 0); // MS-OXCMAPIHTTP_R1238
    const uint8_t *end = memmem(r->out->data, r->out->len, "\r\n\r\n", 4);
    const uint8_t *done = memmem(r->out->data, r->out->len, "DONE\r\n", 6);
    g_assert_true(done && end && done < end); // MS-OXCMAPIHTTP_R1244
    // MS-OXCMAPIHTTP_R2228
    g_assert_nonnull(memmem(done, (size_t)(end - done), "X-ElapsedTime: ", 15));
    g_assert_nonnull(memmem(done, (size_t)(end - done), "X-StartTime: ", 13));
    end += 4;
    return wire_reader(end, r->out->len - (size_t)(end - r->out->data));
}

// Sends, and gives X-ResponseCode; on success *body_out is the answer's (copied to the arena).
static int send_request(struct client *c, const char *type, GByteArray *body,
                        struct wire_reader *body_out) {
    struct http_request *r = request_new(c, type, body);
    g_assert_cmpint(request_run(r), ==, HTTP_DONE);
    int code = code_of(r);
    if (code == 0 && body_out) {
        struct wire_reader b = body_of(r);
        *body_out = wire_reader(arena_memdup(c->h->f.arena, b.data, b.len), b.len);
    }
    request_end(c, r);
    return code;
}

static GByteArray *connect_body(struct http_fixture *h, const struct guid *user) {
    struct wire_writer w = wire_writer(4096);
    wire_put_cstring(&w, user ? dn_of_guid(h->f.arena, "Example", user) : "/o=nobody");
    wire_put_u32(&w, 0);
    wire_put_u32(&w, 1252);
    wire_put_u32(&w, 0x409);
    wire_put_u32(&w, 0x407);
    wire_put_u32(&w, 0);
    return wire_writer_take(&w);
}

static GByteArray *execute_body(const char *rops) {
    struct wire_writer w = wire_writer(1 << 20);
    wire_put_u32(&w, 3);
    wire_put_u32(&w, (uint32_t)strlen(rops));
    wire_put_bytes(&w, rops, strlen(rops));
    wire_put_u32(&w, 0x10008);
    wire_put_u32(&w, 0);
    return wire_writer_take(&w);
}

static GByteArray *numbers(unsigned n) {
    static const uint8_t zero[64];
    return g_byte_array_append(g_byte_array_new(), zero, n * 4);
}

static void client_connect(struct client *c) {
    struct wire_reader body;
    const struct guid *user = &c->h->who[c->who]->guid;
    g_assert_cmpint(send_request(c, "Connect", connect_body(c->h, user), &body), ==, 0);
    g_assert_cmpuint(wire_u32(&body), ==, 0);
    g_assert_cmpuint(wire_u32(&body), ==, EC_OK);
    g_assert_nonnull(c->context); // MS-OXCMAPIHTTP_R1221
    g_assert_nonnull(c->sequence);
}

static void client_clear(struct client *c) {
    g_free(c->context);
    g_free(c->sequence);
}

// --- Tests ---

static void connecting(struct http_fixture *h, gconstpointer data) {
    struct client c = client_of(h, 0, "/mapi/emsmdb/");
    struct http_request *r = request_new(&c, "Connect", connect_body(h, &h->alice));
    g_assert_cmpint(request_run(r), ==, HTTP_DONE);
    g_assert_cmpint(code_of(r), ==, 0);
    const char *(*field)(GHashTable *, gconstpointer) = (void *)g_hash_table_lookup;
    // MS-OXCMAPIHTTP_R44, R2037, R2040, R156, R165, R158
    g_assert_cmpstr(field(r->fields, "Content-Type"), ==, "application/mapi-http");
    g_assert_cmpstr(field(r->fields, "X-RequestType"), ==, "Connect");
    g_assert_cmpstr(field(r->fields, "X-RequestId"), ==, r->id);
    g_assert_cmpstr(field(r->fields, "X-ClientInfo"), ==, r->info);
    g_assert_true(g_regex_match_simple("^Exchange/15\\.\\d\\d\\.\\d{4}\\.\\d{3}$",
                                       field(r->fields, "X-ServerApplication"), 0, 0));
    g_assert_cmpstr(field(r->fields, "X-PendingPeriod"), ==, "20000");
    g_assert_cmpstr(field(r->fields, "X-ExpirationInfo"), ==, "600000"); // R167
    g_assert_null(field(r->fields, "X-DeviceInfo"));                     // MS-OXCMAPIHTTP_R2050
    struct wire_reader b = body_of(r);
    g_assert_cmpuint(wire_u32(&b), ==, 0); // MS-OXCMAPIHTTP_R1349
    g_assert_cmpuint(wire_u32(&b), ==, 0);
    g_assert_cmpuint(wire_u32(&b), >, 0);
    wire_skip(&b, 8);
    g_assert_cmpstr(wire_cstring(&b), ==, "/o=Example/"); // MS-OXCMAPIHTTP_R215
    struct prop_wire form = PROP_WIRE_EXTENDED;
    // MS-OXCMAPIHTTP_R216
    g_assert_cmpstr(prop_wire_string(&b, &form, h->f.arena, true), ==, "Alice \303\204");
    struct aux_in aux;
    g_assert_true(aux_read(&b, h->f.arena, &aux)); // MS-OXCMAPIHTTP_R1352
    g_assert_cmpuint(wire_left(&b), ==, 0);
    request_end(&c, r);

    // Of nobody, and of somebody else: the operation's error.
    struct client d = client_of(h, 0, "/mapi/emsmdb/");
    g_assert_cmpint(send_request(&d, "Connect", connect_body(h, NULL), &b), ==, 0);
    wire_skip(&b, 4);
    g_assert_cmpuint(wire_u32(&b), ==, EC_UNKNOWN_USER);
    g_assert_cmpint(send_request(&d, "Connect", connect_body(h, &h->bob), &b), ==, 0);
    wire_skip(&b, 4);
    g_assert_cmpuint(wire_u32(&b), ==, (uint32_t)EC_ACCESS_DENIED);
    g_assert_null(d.context);
    client_clear(&c);
}

static void headers(struct http_fixture *h, gconstpointer data) {
    struct client c = client_of(h, 0, "/mapi/emsmdb");
    static const struct {
        const char *method, *type, *id, *content_type, *info, *application;
        int code;
    } cases[] = {
        {"GET", "PING", "{a}:1", "application/mapi-http", NULL, NULL, 2},
        {"POST", NULL, "{a}:1", "application/mapi-http", NULL, NULL, 7},
        {"POST", "PING", NULL, "application/mapi-http", NULL, NULL, 7},
        {"POST", "PING", "{a}:1", NULL, NULL, NULL, 7},
        {"POST", "PING", "{a}", "application/mapi-http", NULL, NULL, 4},
        {"POST", "PING", "{a}:x", "application/mapi-http", NULL, NULL, 4},
        {"POST", "PING", "{a}:1", "text/xml", NULL, NULL, 4},
        {"POST", "PING", "{a}:1", "application/mapi-httpx", NULL, NULL, 4},
        {"POST", "PING", "{a}:1", "application/mapi-http", "a\033b", NULL, 4},
        {"POST", "PING", "{a}:1", "application/mapi-http", "a:1", "Outlook/15.0", 4},
        {"POST", "Fly", "{a}:1", "application/mapi-http", NULL, NULL, 5},
        {"POST", "Bind", "{a}:1", "application/mapi-http", NULL, NULL, 5},
        {"POST", "PING", "{a}:1", "application/mapi-http; charset=x", "a:1", "X/1.2.3.4", 0},
        {"POST", "ping", "a:1", "Application/MAPI-HTTP", NULL, NULL, 0},
        {"POST", "Execute", "a:1", "application/octet-stream", NULL, NULL, 13},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct http_request *r = request_new(&c, cases[i].type, NULL);
        r->method = cases[i].method;
        r->id = cases[i].id;
        r->content_type = cases[i].content_type;
        r->info = cases[i].info;
        r->application = cases[i].application;
        g_assert_cmpint(request_run(r), ==, HTTP_DONE);
        g_assert_cmpint(code_of(r), ==, cases[i].code);
        // MS-OXCMAPIHTTP_R2038, MS-OXCMAPIHTTP_R56
        if (cases[i].code != 0) {
            g_assert_cmpstr(g_hash_table_lookup(r->fields, "Content-Type"), ==, "text/html");
            g_assert_cmpuint(r->out->len, >, 0);
        } else {
            struct wire_reader b = body_of(r);
            g_assert_cmpuint(b.len, ==, 0); // MS-OXCMAPIHTTP_R1249
        }
        request_end(&c, r);
    }
    struct http_request *r = request_new(&c, "PING", NULL);
    r->path = "/mapi/emsmdb/deeper";
    g_assert_cmpint(request_run(r), ==, HTTP_DONE);
    g_assert_cmpint(code_of(r), ==, 3);
    request_end(&c, r);
    r = request_new(&c, "Execute", numbers(1));
    r->body_len = 2 << 20; // never read
    g_assert_cmpint(request_run(r), ==, HTTP_DONE);
    g_assert_cmpint(code_of(r), ==, 9);
    request_end(&c, r);
    r = request_new(&c, "PING", NULL);
    r->who = NULL;
    g_assert_cmpint(request_run(r), ==, HTTP_DONE);
    g_assert_cmpint(code_of(r), ==, 8);
    request_end(&c, r);
    r = request_new(&c, "PING", NULL);
    r->is_stopping = true;
    g_assert_cmpint(request_run(r), ==, HTTP_DONE);
    g_assert_cmpint(code_of(r), ==, 18);
    request_end(&c, r);
}

static void executing(struct http_fixture *h, gconstpointer data) {
    struct client c = client_of(h, 0, "/mapi/emsmdb/");
    struct wire_reader b;
    client_connect(&c);
    g_autofree char *first = g_strdup(c.sequence);
    g_assert_cmpint(send_request(&c, "Execute", execute_body("rops"), &b), ==, 0);
    g_assert_cmpuint(wire_u32(&b), ==, 0); // MS-OXCMAPIHTTP_R1356
    g_assert_cmpuint(wire_u32(&b), ==, 0);
    g_assert_cmpuint(wire_u32(&b), ==, 0); // MS-OXCMAPIHTTP_R1358
    g_assert_cmpuint(wire_u32(&b), ==, 6); // MS-OXCMAPIHTTP_R1360
    g_assert_cmpmem(wire_bytes(&b, 6), 6, "3:rops", 6);
    g_assert_cmpuint(wire_u32(&b), ==, 0);
    g_assert_cmpuint(wire_left(&b), ==, 0);
    g_assert_cmpstr(first, !=, c.sequence);
    // A malformed body is refused, and does the session no harm.
    g_assert_cmpint(send_request(&c, "Execute", numbers(2), NULL), ==, 12);
    g_assert_cmpint(send_request(&c, "Execute", execute_body("\xEE"), &b), ==, 0);
    wire_skip(&b, 4);
    g_assert_cmpuint(wire_u32(&b), ==, (uint32_t)EC_FORMAT_ERROR);
    // An old sequence (MS-OXCMAPIHTTP_R1228), then the right one again.
    g_autofree char *good = c.sequence;
    c.sequence = g_steal_pointer(&first);
    g_assert_cmpint(send_request(&c, "Execute", execute_body("x"), NULL), ==, 15);
    g_free(c.sequence);
    c.sequence = NULL;
    g_assert_cmpint(send_request(&c, "Execute", execute_body("x"), NULL), ==, 13);
    c.sequence = g_strdup(good);
    g_assert_cmpint(send_request(&c, "Execute", execute_body("x"), NULL), ==, 0);
    client_clear(&c);
}

static void one_at_a_time(struct http_fixture *h, gconstpointer data) {
    // A request that has not been closed still runs.
    struct client c = client_of(h, 0, "/mapi/emsmdb/");
    client_connect(&c);
    struct http_request *r = request_new(&c, "Execute", execute_body("a"));
    g_assert_cmpint(request_run(r), ==, HTTP_DONE);
    g_free(c.sequence);
    const char *cookie = r->cookies->pdata[1];
    c.sequence = g_strndup(strchr(cookie, '=') + 1, SEQUENCE_LEN);
    g_assert_cmpint(send_request(&c, "Execute", execute_body("b"), NULL), ==, 15);
    request_end(&c, r);
    g_assert_cmpint(send_request(&c, "Execute", execute_body("b"), NULL), ==, 0);
    client_clear(&c);
}

static void sessions_of_users(struct http_fixture *h, gconstpointer data) {
    struct client c = client_of(h, 0, "/mapi/emsmdb/"), d = client_of(h, 1, "/mapi/emsmdb/");
    client_connect(&c);
    client_connect(&d);
    struct client thief = client_of(h, 1, "/mapi/emsmdb/");
    thief.context = g_strdup(c.context);
    thief.sequence = g_strdup(c.sequence);
    // MS-OXCMAPIHTTP_R1225
    g_assert_cmpint(send_request(&thief, "Execute", execute_body("x"), NULL), ==, 10);
    g_assert_cmpint(send_request(&thief, "Disconnect", numbers(1), NULL), ==, 10);
    thief.path = "/mapi/nspi";
    g_assert_cmpint(send_request(&thief, "Unbind", numbers(2), NULL), ==, 10);
    // Nor does a Connect with a stolen cookie end the session.
    thief.path = "/mapi/emsmdb";
    client_connect(&thief);
    g_assert_cmpint(send_request(&c, "Execute", execute_body("x"), NULL), ==, 0);
    g_free(thief.context);
    thief.context = g_strdup("not a cookie"); // MS-OXCMAPIHTTP_R142
    g_assert_cmpint(send_request(&thief, "Execute", execute_body("x"), NULL), ==, 6);
    client_clear(&c);
    client_clear(&d);
    client_clear(&thief);
}

static void reconnecting(struct http_fixture *h, gconstpointer data) {
    struct client c = client_of(h, 0, "/mapi/emsmdb/");
    client_connect(&c);
    struct client old = client_of(h, 0, "/mapi/emsmdb/");
    old.context = g_strdup(c.context);
    old.sequence = g_strdup(c.sequence);
    g_free(c.sequence); // MS-OXCMAPIHTTP_R1279, MS-OXCMAPIHTTP_R1329
    c.sequence = g_strdup("anything");
    client_connect(&c);
    g_assert_cmpstr(c.context, !=, old.context); // MS-OXCMAPIHTTP_R1278
    g_assert_cmpuint(rop_sessions, ==, 1);       // MS-OXCMAPIHTTP_R1277
    g_assert_cmpint(send_request(&old, "Execute", execute_body("x"), NULL), ==, 10);
    // Disconnect: its answer has the cookies still, which are good for nothing then.
    struct http_request *r = request_new(&c, "Disconnect", numbers(1));
    g_assert_cmpint(request_run(r), ==, HTTP_DONE);
    g_assert_cmpint(code_of(r), ==, 0);
    g_assert_cmpuint(r->cookies->len, ==, 2); // MS-OXCMAPIHTTP_R1255
    struct wire_reader b = body_of(r);
    g_assert_cmpuint(wire_u32(&b), ==, 0); // MS-OXCMAPIHTTP_R1363
    g_assert_cmpuint(wire_u32(&b), ==, 0);
    request_end(&c, r);
    g_assert_cmpuint(rop_sessions, ==, 0); // MS-OXCMAPIHTTP_R2233
    // MS-OXCMAPIHTTP_R1253, MS-OXCMAPIHTTP_R2236
    g_assert_cmpint(send_request(&c, "Execute", execute_body("x"), NULL), ==, 10);
    client_clear(&c);
    client_clear(&old);
}

static void limits(struct http_fixture *h, gconstpointer data) {
    struct client c[4], d[4];
    for (unsigned i = 0; i < 4; i++) {
        c[i] = client_of(h, 0, "/mapi/emsmdb/");
        client_connect(&c[i]);
        d[i] = client_of(h, 1, "/mapi/emsmdb/");
        client_connect(&d[i]);
    }
    g_assert_cmpuint(rop_sessions, ==, 6); // three a user: each one's first has ended
    g_assert_cmpint(send_request(&c[0], "Execute", execute_body("x"), NULL), ==, 10);
    g_assert_cmpint(send_request(&c[3], "Execute", execute_body("x"), NULL), ==, 0);
    // When all are busy there is no room for another.
    struct http_request *r[3];
    for (unsigned i = 0; i < 3; i++) {
        r[i] = request_new(&c[i + 1], "Execute", execute_body("x"));
        request_run(r[i]);
    }
    struct wire_reader b;
    struct client more = client_of(h, 0, "/mapi/emsmdb/");
    g_assert_cmpint(send_request(&more, "Connect", connect_body(h, &h->alice), &b), ==, 0);
    wire_skip(&b, 4);
    g_assert_cmpuint(wire_u32(&b), ==, EC_SERVER_BUSY);
    for (unsigned i = 0; i < 3; i++)
        request_end(&c[i + 1], r[i]);
    // Idle sessions end; one that is waited on does not (MS-OXCMAPIHTTP_R1285, R1260).
    struct http_request *wait = request_new(&c[2], "NotificationWait", numbers(2));
    g_assert_cmpint(request_run(wait), ==, HTTP_PARK);
    h->m->contexts.idle_us = -1;
    mapihttp_expire(h->m);
    g_assert_cmpuint(rop_sessions, ==, 1);
    request_end(&c[2], wait);
    struct mapihttp_stats stats;
    mapihttp_stats(h->m, &stats);
    g_assert_cmpuint(stats.sessions, ==, 1);
    g_assert_cmpuint(stats.failures, >, 0);
    for (unsigned i = 0; i < 4; i++) {
        client_clear(&c[i]);
        client_clear(&d[i]);
    }
}

static void expect_event(struct http_request *r, unsigned expected) {
    struct wire_reader b = body_of(r);
    g_assert_cmpuint(wire_u32(&b), ==, 0); // MS-OXCMAPIHTTP_R1369
    g_assert_cmpuint(wire_u32(&b), ==, 0);
    g_assert_cmpuint(wire_u32(&b), ==, expected); // MS-OXCMAPIHTTP_R1371, R1372
    g_assert_cmpuint(wire_u32(&b), ==, 0);
    g_assert_cmpuint(wire_left(&b), ==, 0);
}

static void waiting(struct http_fixture *h, gconstpointer data) {
    struct client c = client_of(h, 0, "/mapi/emsmdb/");
    client_connect(&c);
    struct rop_session *rop = last_rop;
    struct http_request *r = request_new(&c, "NotificationWait", numbers(2));
    g_assert_cmpint(request_run(r), ==, HTTP_PARK);
    g_assert_cmpuint(r->flushed, ==, strlen("PROCESSING\r\n")); // MS-OXCMAPIHTTP_R2227
    g_assert_cmpint(r->park_until, >, g_get_monotonic_time());
    // Other requests go on meanwhile.
    g_assert_cmpint(send_request(&c, "Execute", execute_body("x"), NULL), ==, 0);
    // A wake without an event, and a sign of life when it is time (MS-OXCMAPIHTTP_R1240).
    g_assert_cmpint(request_resume(r), ==, HTTP_PARK);
    g_assert_null(memmem(r->out->data, r->out->len, "PENDING", 7));
    struct exchange *x = r->state;
    x->pending_us = 0;
    g_assert_cmpint(request_resume(r), ==, HTTP_PARK);
    g_assert_nonnull(memmem(r->out->data, r->out->len, "PENDING\r\n", 9));
    // MS-OXCMAPIHTTP_R1258
    rop->has_events = true;
    rop->fn(rop->ctx);
    g_assert_true(r->woken);
    g_assert_cmpint(request_resume(r), ==, HTTP_DONE);
    expect_event(r, 1);
    request_end(&c, r);
    // Events that are there already are told at once.
    r = request_new(&c, "NotificationWait", numbers(2));
    g_assert_cmpint(request_run(r), ==, HTTP_DONE);
    expect_event(r, 1);
    request_end(&c, r);
    rop->has_events = false;
    // The time is over (MS-OXCMAPIHTTP_R1259).
    r = request_new(&c, "NotificationWait", numbers(2));
    g_assert_cmpint(request_run(r), ==, HTTP_PARK);
    x = r->state;
    x->wait_until_us = 0;
    g_assert_cmpint(request_resume(r), ==, HTTP_DONE);
    expect_event(r, 0);
    request_end(&c, r);
    // A second one ends the first.
    r = request_new(&c, "NotificationWait", numbers(2));
    g_assert_cmpint(request_run(r), ==, HTTP_PARK);
    struct http_request *second = request_new(&c, "NotificationWait", numbers(2));
    g_assert_cmpint(request_run(second), ==, HTTP_PARK);
    g_assert_true(r->woken);
    g_assert_cmpint(request_resume(r), ==, HTTP_DONE);
    expect_event(r, 0);
    request_end(&c, r);
    // The session ends under it: the answer fails after all (MS-OXCMAPIHTTP_R2229).
    g_assert_cmpint(send_request(&c, "Disconnect", numbers(1), NULL), ==, 0);
    g_assert_true(second->woken);
    g_assert_cmpint(request_resume(second), ==, HTTP_DONE);
    g_assert_nonnull(memmem(second->out->data, second->out->len, "X-ResponseCode: 10\r\n", 20));
    g_assert_cmpuint(rop_sessions, ==, 1);
    request_end(&c, second);
    g_assert_cmpuint(rop_sessions, ==, 0);
    client_clear(&c);
}

static void address_book(struct http_fixture *h, gconstpointer data) {
    struct client c = client_of(h, 0, "/mapi/nspi/");
    struct wire_reader b;
    g_assert_cmpint(send_request(&c, "QueryColumns", numbers(3), NULL), ==, 13);
    struct wire_writer w = wire_writer(256);
    struct nspi_stat stat = {.code_page = 1252};
    wire_put_u32(&w, 0);
    nspi_wire_put_stat(&w, true, &stat);
    wire_put_u32(&w, 0);
    g_assert_cmpint(send_request(&c, "Bind", wire_writer_take(&w), &b), ==, 0);
    g_assert_cmpuint(wire_u32(&b), ==, 0); // MS-OXCMAPIHTTP_R347
    g_assert_cmpuint(wire_u32(&b), ==, 0);
    struct guid guid = wire_guid(&b); // MS-OXCMAPIHTTP_R349
    g_assert_true(guid_equal(&guid, nspi_service_guid(h->nspi)));
    g_assert_cmpint(send_request(&c, "QueryColumns", numbers(3), &b), ==, 0);
    g_assert_cmpint(send_request(&c, "QueryColumns", numbers(1), NULL), ==, 12);
    g_assert_cmpint(send_request(&c, "Execute", execute_body("x"), NULL), ==, 5);
    struct prop_wire form = PROP_WIRE_EXTENDED;
    wire_put_u32(&w, 0);
    prop_wire_put_string(&w, &form, true, "/o=x");
    wire_put_u32(&w, 0);
    g_assert_cmpint(send_request(&c, "GetMailboxUrl", wire_writer_take(&w), &b), ==, 0);
    wire_skip(&b, 8);
    const char *url = prop_wire_string(&b, &form, h->f.arena, true);
    g_assert_true(g_str_has_prefix(url, "https://mail.example.test/mapi/emsmdb/?MailboxId="));
    g_assert_true(g_str_has_suffix(url, "@example.test"));
    g_assert_cmpint(send_request(&c, "Unbind", numbers(2), &b), ==, 0);
    wire_skip(&b, 4);
    g_assert_cmpuint(wire_u32(&b), ==, 1); // MS-OXNSPI_R712
    g_assert_cmpint(send_request(&c, "Unbind", numbers(2), NULL), ==, 10);
    client_clear(&c);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define HTTP_TEST(name, test)                                                                      \
    g_test_add("/mapihttp/" name, struct http_fixture, NULL, setup, test, teardown)
    HTTP_TEST("connecting", connecting);
    HTTP_TEST("headers", headers);
    HTTP_TEST("executing", executing);
    HTTP_TEST("one at a time", one_at_a_time);
    HTTP_TEST("sessions of users", sessions_of_users);
    HTTP_TEST("reconnecting", reconnecting);
    HTTP_TEST("limits", limits);
    HTTP_TEST("waiting", waiting);
    HTTP_TEST("address book", address_book);
    return g_test_run();
}
