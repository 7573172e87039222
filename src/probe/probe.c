// The scenarios, step by step: Autodiscover, the address book, logon, the inbox, sending, and being
// told of what comes in ([MS-OXPROTO] 2.5.2, 2.5.4, 2.5.5, 2.5.8).
#include "probe/probe.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <string.h>

#include "mapi/prop_wire.h"
#include "mapi/props.h"
#include "mapi/row.h"
#include "probe/probe_internal.h"

#define HANDLES 8
enum handle { H_LOGON, H_FOLDER, H_TABLE, H_MESSAGE, H_NOTIFY };
enum rop {
    ROP_OPEN_FOLDER = 0x02,
    ROP_CONTENTS_TABLE = 0x05,
    ROP_CREATE_MESSAGE = 0x06,
    ROP_SET_PROPERTIES = 0x0A,
    ROP_MODIFY_RECIPIENTS = 0x0E,
    ROP_SET_COLUMNS = 0x12,
    ROP_QUERY_ROWS = 0x15,
    ROP_NOTIFICATION = 0x29,
    ROP_NOTIFY = 0x2A,
    ROP_SUBMIT = 0x32,
    ROP_LOGON = 0xFE,
};
enum folder { FOLDER_OUTBOX = 5, FOLDER_INBOX = 4, FOLDERS = 13 };

// What the scenarios after the logon share.
struct mailbox_probe {
    struct probe *p;
    struct session session;
    uint32_t handles[HANDLES];
    uint64_t folders[FOLDERS];
};

bool probe_step(struct probe *p, bool is_ok, const char *what, const char *format, ...) {
    va_list args;
    va_start(args, format);
    g_autofree char *why = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *line =
        is_ok ? g_strdup_printf("ok    %s", what) : g_strdup_printf("FAIL  %s: %s", what, why);
    p->options->print(p->options->ctx, line);
    p->failed += !is_ok;
    return is_ok;
}

// --- The address book ---

static void put_stat(struct wire_writer *w) {
    static const uint32_t stat[9] = {0, 0, 0, 0, 0, 0, 1252, 0x409, 0x409};
    wire_put_u8(w, 0xFF);
    for (unsigned i = 0; i < G_N_ELEMENTS(stat); i++)
        wire_put_u32(w, stat[i]);
}

static bool call(struct session *s, const char *type, struct wire_writer *w,
                 struct wire_reader *out, const char *what) {
    GByteArray *body = wire_writer_take(w);
    uint32_t error = 0;
    const char *why = "";
    bool is_ok = session_call(s, type, body->data, body->len, out, &error, &why);
    g_byte_array_unref(body);
    // NspiUnbind has 1 for success.
    bool is_good = is_ok && (error == 0 || (error == 1 && strcmp(type, "Unbind") == 0));
    if (!is_ok)
        return probe_step(s->p, false, what, "%s", why);
    return probe_step(s->p, is_good, what, "ErrorCode 0x%08X", error);
}

static void read_resolved(struct session *s, struct wire_reader *r) {
    wire_skip(r, 4); // code page
    bool has_ids = wire_u8(r);
    uint32_t n = has_ids ? wire_u32(r) : 0;
    uint32_t result = n == 1 ? wire_u32(r) : 99;
    probe_step(s->p, wire_ok(r) && result == 2, "the address book finds the user",
               result == 1 ? "the address is ambiguous" : "the address is not found");
}

static void probe_book(struct probe *p) {
    struct session s;
    struct wire_reader r;
    struct prop_wire form = PROP_WIRE_EXTENDED;
    struct wire_writer w = wire_writer(4096);
    session_init(&s, p, p->nspi_url);
    wire_put_u32(&w, 0);
    put_stat(&w);
    wire_put_u32(&w, 0);
    if (call(&s, "Bind", &w, &r, "the address book is bound")) {
        wire_put_u32(&w, 0);
        put_stat(&w);
        wire_put_u8(&w, 0);
        wire_put_u8(&w, 0xFF);
        wire_put_u32(&w, 1);
        prop_wire_put_string(&w, &form, true, arena_printf(p->arena, "=SMTP:%s", p->address));
        wire_put_u32(&w, 0);
        if (call(&s, "ResolveNames", &w, &r, "names are resolved"))
            read_resolved(&s, &r);
        wire_put_u32(&w, 4);
        put_stat(&w);
        wire_put_u8(&w, 0);
        wire_put_u32(&w, 0);
        call(&s, "GetSpecialTable", &w, &r, "the address lists are told");
        wire_put_u32(&w, 0);
        wire_put_u32(&w, 0);
        call(&s, "Unbind", &w, &r, "the address book is unbound");
    }
    session_clear(&s);
}

// --- The mailbox ---

static bool connect_mailbox(struct mailbox_probe *m) {
    struct wire_writer w = wire_writer(4096);
    struct wire_reader r;
    session_init(&m->session, m->p, m->p->emsmdb_url);
    wire_put_cstring(&w, m->p->dn);
    wire_put_u32(&w, 0);
    wire_put_u32(&w, 1252);
    wire_put_u32(&w, 0x409);
    wire_put_u32(&w, 0x409);
    wire_put_u32(&w, 0);
    return call(&m->session, "Connect", &w, &r, "the mailbox server is connected");
}

// Runs the buffer and reads the head of one response. True: its ReturnValue is 0.
static bool run(struct mailbox_probe *m, struct wire_writer *w, enum rop rop,
                struct wire_reader *out, const char *what) {
    const char *why = "";
    if (!session_rops(&m->session, w, m->handles, HANDLES, out, &why))
        return probe_step(m->p, false, what, "%s", why);
    uint8_t id = wire_u8(out);
    wire_skip(out, 1);
    uint32_t value = wire_u32(out);
    return probe_step(m->p, wire_ok(out) && id == rop && value == 0, what,
                      "ROP 0x%02X, ReturnValue 0x%08X", id, value);
}

static void put_rop(struct wire_writer *w, enum rop rop, enum handle in) {
    wire_put_u8(w, (uint8_t)rop);
    wire_put_u8(w, 0); // LogonId
    wire_put_u8(w, (uint8_t)in);
}

static bool logon(struct mailbox_probe *m) {
    struct wire_writer w = wire_writer(4096);
    struct wire_reader r;
    memset(m->handles, 0xff, sizeof m->handles);
    put_rop(&w, ROP_LOGON, H_LOGON);
    wire_put_u8(&w, 1);           // private
    wire_put_u32(&w, 0x0100000C); // USE_PER_MDB_REPLID_MAPPING, TAKE_OWNERSHIP, HOME_LOGON
    wire_put_u32(&w, 0);
    wire_put_u16(&w, (uint16_t)(strlen(m->p->dn) + 1));
    wire_put_cstring(&w, m->p->dn);
    if (!run(m, &w, ROP_LOGON, &r, "the mailbox is logged on to"))
        return false;
    wire_skip(&r, 1);
    for (unsigned i = 0; i < FOLDERS; i++)
        m->folders[i] = wire_u64(&r);
    return probe_step(m->p, wire_ok(&r) && m->folders[FOLDER_INBOX] != 0,
                      "the logon tells the special folders", "there is no inbox among them");
}

static bool open_folder(struct mailbox_probe *m, enum folder folder, const char *what) {
    struct wire_writer w = wire_writer(256);
    struct wire_reader r;
    put_rop(&w, ROP_OPEN_FOLDER, H_LOGON);
    wire_put_u8(&w, H_FOLDER);
    wire_put_u64(&w, m->folders[folder]);
    wire_put_u8(&w, 0);
    return run(m, &w, ROP_OPEN_FOLDER, &r, what);
}

// Reads the newest subjects of the open folder. `*found` says whether `subject` is one of them.
static bool read_folder(struct mailbox_probe *m, const char *subject, bool *found) {
    static const proptag_t tags[] = {PidTagSubject};
    static const struct columns columns = {1, tags};
    struct wire_writer w = wire_writer(256);
    struct wire_reader r;
    *found = false;
    put_rop(&w, ROP_CONTENTS_TABLE, H_FOLDER);
    wire_put_u8(&w, H_TABLE);
    wire_put_u8(&w, 0);
    if (!run(m, &w, ROP_CONTENTS_TABLE, &r, "the folder's contents are opened"))
        return false;
    put_rop(&w, ROP_SET_COLUMNS, H_TABLE);
    wire_put_u8(&w, 0);
    columns_put(&w, &columns);
    if (!run(m, &w, ROP_SET_COLUMNS, &r, "columns are chosen"))
        return false;
    put_rop(&w, ROP_QUERY_ROWS, H_TABLE);
    wire_put_u8(&w, 0);
    wire_put_u8(&w, 1);
    wire_put_u16(&w, 200);
    if (!run(m, &w, ROP_QUERY_ROWS, &r, "messages are listed"))
        return false;
    wire_skip(&r, 1);
    unsigned n = wire_u16(&r);
    for (unsigned i = 0; i < n && wire_ok(&r); i++) {
        struct prop_value *row = row_read(&r, &PROP_WIRE_ROP, m->p->arena, &columns);
        if (row && row[0].tag == PidTagSubject && strcmp(row[0].str, subject) == 0)
            *found = true;
    }
    return probe_step(m->p, wire_ok(&r), "the rows are well formed", "row data is malformed");
}

static void probe_inbox(struct mailbox_probe *m) {
    bool unused;
    if (open_folder(m, FOLDER_INBOX, "the inbox is opened"))
        read_folder(m, "", &unused);
}

static void put_message(struct mailbox_probe *m, struct wire_writer *w, const char *subject) {
    struct prop_value values[] = {prop_str(PidTagSubject, subject),
                                  prop_str(PidTagMessageClass, "IPM.Note"),
                                  prop_str(PidTagBody, "Sent by bourse probe.")};
    struct wire_writer list = wire_writer(4096);
    wire_put_u16(&list, G_N_ELEMENTS(values));
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        prop_wire_put_tagged(&list, &PROP_WIRE_ROP, &values[i]);
    GByteArray *bytes = wire_writer_take(&list);
    put_rop(w, ROP_SET_PROPERTIES, H_MESSAGE);
    wire_put_u16(w, (uint16_t)bytes->len);
    wire_put_bytes(w, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    (void)m;
}

// One recipient: an Internet address with a name, in Unicode ([MS-OXCDATA] 2.8.3.2).
static void put_recipient(struct mailbox_probe *m, struct wire_writer *w) {
    struct wire_writer row = wire_writer(4096);
    wire_put_u16(&row, 0x0200 | 0x0010 | 0x0008 | 0x0003);
    prop_wire_put_string(&row, &PROP_WIRE_ROP, true, m->p->address);
    prop_wire_put_string(&row, &PROP_WIRE_ROP, true, m->p->address);
    wire_put_u16(&row, 0); // further columns
    wire_put_u8(&row, 0);
    GByteArray *bytes = wire_writer_take(&row);
    put_rop(w, ROP_MODIFY_RECIPIENTS, H_MESSAGE);
    wire_put_u16(w, 0);
    wire_put_u16(w, 1);
    wire_put_u32(w, 0);
    wire_put_u8(w, 1); // To
    wire_put_u16(w, (uint16_t)bytes->len);
    wire_put_bytes(w, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}

// `is_told_out`: whether the answer to the submission told of an event already (RopNotify comes in
// any answer when an event is there by then).
static bool send_message(struct mailbox_probe *m, const char *subject, bool *is_told_out) {
    struct wire_writer w = wire_writer(8192);
    struct wire_reader r;
    put_rop(&w, ROP_CREATE_MESSAGE, H_LOGON);
    wire_put_u8(&w, H_MESSAGE);
    wire_put_u16(&w, 0x0FFF);
    wire_put_u64(&w, m->folders[FOLDER_OUTBOX]);
    wire_put_u8(&w, 0);
    if (!run(m, &w, ROP_CREATE_MESSAGE, &r, "a message is created"))
        return false;
    put_message(m, &w, subject);
    if (!run(m, &w, ROP_SET_PROPERTIES, &r, "its properties are set"))
        return false;
    put_recipient(m, &w);
    if (!run(m, &w, ROP_MODIFY_RECIPIENTS, &r, "its recipient is set"))
        return false;
    put_rop(&w, ROP_SUBMIT, H_MESSAGE);
    wire_put_u8(&w, 0);
    if (!run(m, &w, ROP_SUBMIT, &r, "it is submitted"))
        return false;
    *is_told_out = wire_left(&r) > 0 && wire_u8(&r) == ROP_NOTIFY;
    return true;
}

static const char *new_subject(struct probe *p) {
    struct guid guid = guid_new();
    char text[GUID_STRING_SIZE];
    guid_format(&guid, text);
    return arena_printf(p->arena, "Probe %s", text);
}

// Waits until a message with the subject is in the inbox; each round is told as one step at the
// end.
static void await_message(struct mailbox_probe *m, const char *subject) {
    bool found = false;
    for (unsigned i = 0; i < 30 && !found; i++) {
        unsigned failed = m->p->failed;
        if (i > 0)
            g_usleep(G_USEC_PER_SEC);
        if (!open_folder(m, FOLDER_INBOX, "the inbox is opened") ||
            !read_folder(m, subject, &found) || m->p->failed != failed)
            break;
    }
    probe_step(m->p, found, "what was sent has come in", "it is not in the inbox after 30 s");
}

static void probe_send(struct mailbox_probe *m) {
    const char *subject = new_subject(m->p);
    bool is_told;
    if (send_message(m, subject, &is_told))
        await_message(m, subject);
}

static void probe_notify(struct mailbox_probe *m) {
    struct wire_writer w = wire_writer(256);
    struct wire_reader r;
    uint32_t error;
    const char *why = "";
    bool is_told = false;
    put_rop(&w, ROP_NOTIFICATION, H_LOGON);
    wire_put_u8(&w, H_NOTIFY);
    wire_put_u16(&w, 0x0002); // NewMail
    wire_put_u8(&w, 0);       // not the whole store
    wire_put_u64(&w, m->folders[FOLDER_INBOX]);
    wire_put_u64(&w, 0);
    if (!run(m, &w, ROP_NOTIFICATION, &r, "notifications are asked for") ||
        !send_message(m, new_subject(m->p), &is_told))
        return;
    if (is_told) {
        probe_step(m->p, true, "new mail is told", "%s", "");
        return;
    }
    static const uint8_t body[8];
    bool is_ok = session_call(&m->session, "NotificationWait", body, sizeof body, &r, &error, &why);
    probe_step(m->p, is_ok && error == 0 && wire_u32(&r) == 1, "new mail is told", "%s",
               *why ? why : "no event came");
}

// --- All together ---

const struct probe_scenario probe_scenarios[] = {
    {"discover", "Autodiscover alone"},
    {"addressbook", "bind the address book, resolve a name, list the address lists"},
    {"logon", "connect to the mailbox and log on"},
    {"inbox", "list the messages of the inbox"},
    {"send", "send oneself a message and see it come in"},
    {"notify", "be told of a message that comes in"},
    {0},
};

static bool wants(const struct probe *p, const char *name) {
    return strcmp(p->options->scenario, "all") == 0 || strcmp(p->options->scenario, name) == 0;
}

static void probe_mailbox(struct probe *p) {
    struct mailbox_probe m = {.p = p};
    struct wire_writer w = wire_writer(64);
    struct wire_reader r;
    if (connect_mailbox(&m)) {
        if (logon(&m)) {
            if (wants(p, "inbox"))
                probe_inbox(&m);
            if (wants(p, "send"))
                probe_send(&m);
            if (wants(p, "notify"))
                probe_notify(&m);
        }
        wire_put_u32(&w, 0);
        call(&m.session, "Disconnect", &w, &r, "the session is ended");
    }
    session_clear(&m.session);
}

static bool find_base(struct probe *p) {
    const struct probe_options *o = p->options;
    const char *at = strchr(o->target, '@');
    bool is_url = g_str_has_prefix(o->target, "https://") || g_str_has_prefix(o->target, "http://");
    if (is_url) {
        size_t host = (size_t)(strstr(o->target, "//") + 2 - o->target);
        p->base = arena_strndup(p->arena, o->target, host + strcspn(o->target + host, "/?#"));
        p->address = o->user;
        return probe_step(p, p->address && strchr(p->address, '@'), "the user's address is known",
                          "name it with --user, beside a URL");
    }
    if (at)
        p->base = arena_printf(p->arena, "https://autodiscover.%s", at + 1);
    p->address = o->target;
    return probe_step(p, at != NULL, "the target is an address or a URL", "%s is neither",
                      o->target);
}

unsigned probe_run(const struct probe_options *options) {
    ARENA_AUTO arena = arena_new();
    struct probe p = {.options = options, .arena = arena};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (find_base(&p) && discover(&p)) {
        if (wants(&p, "addressbook"))
            probe_book(&p);
        if (wants(&p, "logon") || wants(&p, "inbox") || wants(&p, "send") || wants(&p, "notify"))
            probe_mailbox(&p);
    }
    return p.failed;
}
