// The laws of the conversions, on made-up values; and, with files as arguments (.eml, .msg, .dat,
// .vcf, .pst), on each message in them:
//
//     message -> TNEF -> message   is the same
//     message -> .msg -> message   is the same
//     message -> mail -> message   is the same to who reads it: people, subject, texts, attachments
#include <stdio.h>
#include <string.h>

#include "admin/item_file.h"
#include "admin/pst_file.h"
#include "base/test.h"
#include "convert/body.h"
#include "convert/law_message.h"
#include "convert/loaded.h"
#include "convert/msg.h"
#include "convert/tnef.h"
#include "convert/vcard.h"
#include "formats/rtf_compressed.h"
#include "formats/rtf_text.h"
#include "formats/rtf_write.h"

// --- What a reader sees ---

static void put_text(GString *out, const char *name, const char *text) {
    g_string_append_printf(out, "%s: ", name);
    for (const char *p = text ? text : ""; *p; p++) // white space as it is shown
        if (!g_ascii_isspace(*p))
            g_string_append_c(out, *p);
        else if (out->str[out->len - 1] != ' ')
            g_string_append_c(out, ' ');
    while (out->str[out->len - 1] == ' ') // mail ends with a line end
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
}

// No text and an empty one look the same.
static void put_shown(GString *out, const char *name, const char *text) {
    gsize before = out->len, empty = before + strlen(name) + 2;
    put_text(out, name, text);
    if (out->len <= empty)
        g_string_truncate(out, before);
}

static void put_person(GString *out, const char *name, const struct bag *bag,
                       const struct person_tags *tags) {
    struct person p;
    if (!person_get(bag, tags, &p))
        return;
    g_auto(GStrv) words = g_strsplit(p.name && *p.name ? p.name : p.address, "\"", -1);
    g_autofree char *text = g_strjoinv("", words); // with quotes or without
    put_text(out, name, text);
}

static void put_body(GString *out, const struct message_value *m, proptag_t tag) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v;
    if (body_get(m->bag, NULL, arena, tag, &v) == EC_OK)
        put_shown(out, tag == PidTagBody ? "text" : "html", v.str);
}

static void put_view(GString *out, const struct message_value *m, unsigned depth) {
    put_text(out, "subject", bag_str(m->bag, PidTagSubject));
    put_person(out, "from", m->bag, &sent_representing_tags);
    for (int type = RECIPIENT_TO; type <= RECIPIENT_BCC; type++)
        for (guint i = 0; i < m->recipients->len; i++)
            if ((bag_long(m->recipients->pdata[i], PidTagRecipientType, 1) & 0xF) == type)
                put_person(out, "to", m->recipients->pdata[i], &recipient_tags);
    bool has_html = bag_get(m->bag, PROP_TAG(PROP_ID(PidTagHtml), PT_UNSPECIFIED)) ||
                    body_native(m->bag) == BODY_RTF;
    if (has_html)
        put_body(out, m, PidTagBodyHtml);
    else
        put_body(out, m, PidTagBody);
    for (guint i = 0; i < m->attachments->len; i++) {
        const struct attachment_value *a = m->attachments->pdata[i];
        if (a->embedded && depth < 5) {
            g_string_append(out, "message {\n");
            put_view(out, a->embedded, depth + 1);
            g_string_append(out, "}\n");
        } else if (a->data) {
            g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_MD5, a->data);
            put_text(out, "id", bag_str(a->bag, PidTagAttachContentId));
            put_text(out, "data", sum);
        }
    }
}

static char *view_of(const struct message_value *m) {
    GString *out = g_string_new(NULL);
    put_view(out, m, 0);
    return g_string_free(out, FALSE);
}

// --- The ways there and back ---

static struct message_value *by_tnef(const struct message_value *m) {
    g_autoptr(GBytes) bytes = NULL;
    struct message_value *back = NULL;
    gsize len;
    if (convert_message_to_tnef(m, NULL, TNEF_WHOLE, &bytes) != EC_OK)
        return NULL;
    const void *data = g_bytes_get_data(bytes, &len);
    return convert_tnef_to_message(data, len, &back) == EC_OK ? back : NULL;
}

static struct message_value *by_msg(const struct message_value *m) {
    g_autoptr(GBytes) bytes = NULL;
    struct message_value *back = NULL;
    gsize len;
    if (convert_message_to_msg(m, NULL, 0, &bytes) != EC_OK)
        return NULL;
    const void *data = g_bytes_get_data(bytes, &len);
    return convert_msg_to_message(data, len, &back) == EC_OK ? back : NULL;
}

static struct message_value *of_mail(const void *data, size_t len) {
    ARENA_AUTO arena = arena_new();
    struct message_value *read = NULL, *loaded = NULL;
    struct mime_message *mime = mime_scan(arena, data, len);
    if (convert_mime_to_message(mime, &read) != EC_OK)
        return NULL;
    struct convert_source source = convert_mime_source(mime);
    if (convert_load(read, &source, &loaded) != EC_OK)
        loaded = NULL;
    message_value_free(read);
    return loaded;
}

static struct message_value *by_mail(const struct message_value *m) {
    g_autoptr(GBytes) bytes = NULL;
    gsize len;
    if (convert_message_to_mime_as(m, NULL, true, CONVERT_INTERNET, &bytes) != EC_OK)
        return NULL;
    const void *data = g_bytes_get_data(bytes, &len);
    return of_mail(data, len);
}

// Only mail is the same as mail: others get lines about what they are.
static bool is_mail(const struct message_value *m) {
    const char *class = bag_str(m->bag, PidTagMessageClass);
    return !class || g_ascii_strcasecmp(class, "IPM.Note") == 0;
}

// The first property of the message itself that another lacks or has otherwise.
static char *difference(const char *way, const struct message_value *m,
                        const struct message_value *other) {
    for (unsigned i = 0; other && i < bag_count(m->bag); i++) {
        struct prop_value v = *bag_at(m->bag, i);
        proptag_t tag = v.tag;
        v.tag = same_tag(m, other, v.tag);
        const struct prop_value *o = v.tag ? bag_get(other->bag, v.tag) : NULL;
        if (!o || !prop_equal(&v, o))
            return g_strdup_printf("%s: %08x %s", way, tag, o ? "differs" : "is gone");
    }
    for (guint r = 0; other && r < MIN(m->recipients->len, other->recipients->len); r++)
        for (unsigned i = 0; i < bag_count(m->recipients->pdata[r]); i++) {
            const struct prop_value *v = bag_at(m->recipients->pdata[r], i);
            const struct prop_value *o = bag_get(other->recipients->pdata[r], v->tag);
            if (!PROP_IS_NAMED(v->tag) && (!o || !prop_equal(v, o)))
                return g_strdup_printf("%s: %08x of a recipient", way, v->tag);
        }
    for (guint r = 0; other && r < MIN(m->attachments->len, other->attachments->len); r++) {
        const struct attachment_value *a = m->attachments->pdata[r];
        const struct attachment_value *b = other->attachments->pdata[r];
        for (unsigned i = 0; i < bag_count(a->bag); i++) {
            const struct prop_value *v = bag_at(a->bag, i), *o = bag_get(b->bag, v->tag);
            if (!PROP_IS_NAMED(v->tag) && (!o || !prop_equal(v, o)))
                return g_strdup_printf("%s: %08x of an attachment", way, v->tag);
        }
        if (!a->data != !b->data || !a->embedded != !b->embedded)
            return g_strdup_printf("%s: the content of an attachment", way);
    }
    if (other && bag_count(m->bag) != bag_count(other->bag))
        return g_strdup_printf("%s: a property more", way);
    return g_strdup_printf("%s: a part", way);
}

// What of the laws does not hold; NULL: all hold.
static char *broken_law(const struct message_value *m) {
    struct message_value *tnef = by_tnef(m), *msg = by_msg(m), *mail = by_mail(m);
    char *why = NULL;
    if (!tnef || !same_messages(m, tnef))
        why = difference("TNEF", m, tnef);
    else if (!msg || !same_messages(m, msg))
        why = difference(".msg", m, msg);
    else if (!mail)
        why = g_strdup("mail");
    if (!why && is_mail(m)) {
        g_autofree char *before = view_of(m), *after = view_of(mail);
        if (strcmp(before, after) != 0)
            why = g_strdup_printf("mail:\n%.9000s=== became\n%.9000s", before, after);
    }
    message_value_free(tnef);
    message_value_free(msg);
    message_value_free(mail);
    return why;
}

// --- Files ---

struct run {
    unsigned n, n_broken;
    const char *file;
};

// What .msg files say for themselves.
static void forget_support(struct message_value *m) {
    bag_remove(m->bag, PidTagStoreSupportMask);
    for (guint i = 0; i < m->attachments->len; i++) {
        struct attachment_value *a = m->attachments->pdata[i];
        bag_remove(a->bag, PidTagStoreSupportMask);
        if (a->embedded)
            forget_support(a->embedded);
    }
}

static void check_one(struct run *run, const char *what, const struct message_value *message) {
    struct message_value *m = NULL;
    if (convert_load(message, NULL, &m) != EC_OK)
        return;
    forget_support(m);
    g_autofree char *why = broken_law(m);
    message_value_free(m);
    run->n++;
    if (!why)
        return;
    run->n_broken++;
    printf("# %s%s: %s\n", run->file, what, why);
}

static void pst_folder(void *ctx, const char *path, const char *container_class) {
}

static void pst_message(void *ctx, const struct message_value *m, bool is_associated,
                        unsigned number) {
    g_autofree char *what = g_strdup_printf(", message %u", number);
    if (m)
        check_one(ctx, what, m);
}

static bool pst_is_stopped(void *ctx) {
    return false;
}

static void check_pst(struct run *run) {
    g_autofree char *error = NULL;
    struct pst_file *pst = pst_open(run->file, &error);
    if (!pst) {
        printf("# %s: %s\n", run->file, error);
        run->n_broken++;
        return;
    }
    const struct pst_visitor visitor = {run, pst_folder, pst_message, pst_is_stopped};
    pst_walk(pst, &visitor);
    pst_close(pst);
}

static void check_item(struct run *run) {
    g_autofree char *data = NULL;
    gsize len;
    struct item_file file;
    enum item_format format = item_format_of_file(run->file);
    if (!g_file_get_contents(run->file, &data, &len, NULL) ||
        item_file_open(format == ITEM_UNKNOWN ? ITEM_EML : format, data, len, &file) != EC_OK) {
        printf("# %s: cannot be read\n", run->file);
        run->n_broken++;
        return;
    }
    struct message_value *m = NULL;
    if (convert_load(file.first, file.source.read ? &file.source : NULL, &m) == EC_OK)
        check_one(run, "", m);
    message_value_free(m);
    item_file_close(&file);
}

static int check_files(int n, char **files) {
    struct run run = {0};
    for (int i = 0; i < n; i++) {
        run.file = files[i];
        if (g_str_has_suffix(files[i], ".pst") || g_str_has_suffix(files[i], ".ost"))
            check_pst(&run);
        else
            check_item(&run);
    }
    printf("%u messages, %u broken\n", run.n, run.n_broken);
    return run.n_broken ? 1 : 0;
}

// --- Made-up values ---

static const char *make_markup(struct choices *c, struct arena *arena) {
    static const char *const pieces[] = {"<p>",
                                         "</p>",
                                         "<b>x</b>",
                                         "text ",
                                         "&amp;",
                                         "&eacute;",
                                         "\r\n",
                                         "<br>",
                                         "{\\}",
                                         "<!-- c -->",
                                         "\xc3\xa9",
                                         "<td a=\"{b}\">",
                                         "\t",
                                         "\xf0\x9f\x98\x80",
                                         "<body>",
                                         "<head><title>t</title></head>",
                                         "<style>p{}\r\n</style>",
                                         "<",
                                         "\\'41",
                                         "<a href='\\x'>"};
    GString *s = g_string_new(NULL);
    for (unsigned n = choose(c, 40); n > 0; n--)
        g_string_append(s, pieces[choose(c, G_N_ELEMENTS(pieces))]);
    char *out = arena_strdup(arena, s->str);
    g_string_free(s, TRUE);
    return out;
}

// [MS-OXRTFEX] 3.1.4: what was put into RTF comes out.
static bool html_comes_out(struct choices *c) {
    ARENA_AUTO arena = arena_new();
    const char *html = make_markup(c, arena);
    g_autoptr(GBytes) rtf = rtf_from_html(html, strlen(html));
    gsize len;
    const void *data = g_bytes_get_data(rtf, &len);
    return strcmp(rtf_to_html(arena, data, len, 1 << 20, NULL), html) == 0;
}

static bool text_comes_out(struct choices *c) {
    ARENA_AUTO arena = arena_new();
    const char *text = make_markup(c, arena);
    g_autoptr(GBytes) rtf = rtf_from_text(text, strlen(text));
    gsize len;
    const void *data = g_bytes_get_data(rtf, &len);
    return rtf_source(data, len) == RTF_FROM_TEXT &&
           strcmp(rtf_to_text(arena, data, len, "\r\n", 1 << 20, NULL), text) == 0;
}

static bool bytes_come_out(struct choices *c) {
    g_autoptr(GByteArray) made = g_byte_array_new();
    for (unsigned n = choose(c, 60); n > 0; n--) {
        uint8_t byte = (uint8_t)choose(c, 256);
        for (unsigned times = 1 + choose(c, 300); times > 0; times--)
            g_byte_array_append(made, &byte, 1);
    }
    g_autoptr(GBytes) packed = rtf_compress(made->data, made->len), back = NULL;
    return rtf_decompress(g_bytes_get_data(packed, NULL), g_bytes_get_size(packed), made->len,
                          &back) == EC_OK &&
           g_bytes_get_size(back) == made->len &&
           (made->len == 0 || memcmp(g_bytes_get_data(back, NULL), made->data, made->len) == 0);
}

static const char *make_name(struct choices *c) {
    static const char *const names[] = {"Ann",       "Bee, Ann",     "M\xc3\xbcller",
                                        "\"q\" (c)", "\xe6\x97\xa5", "a@b",
                                        "x;y",       "=?utf-8?q?a?="};
    return names[choose(c, G_N_ELEMENTS(names))];
}

// Mail as people write it.
static struct message_value *make_mail(struct choices *c, unsigned depth) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m = message_value_new();
    struct person from = {make_name(c), "SMTP", "ann@e.example", NULL};
    person_set(m->bag, &sent_representing_tags, &from);
    person_set(m->bag, &sender_tags, &from);
    bag_set_str(m->bag, PidTagMessageClass, "IPM.Note");
    bag_set_str(m->bag, PidTagSubject, make_name(c));
    for (unsigned n = choose(c, 4); n > 0; n--) {
        struct person to = {make_name(c), "SMTP", arena_printf(arena, "p%u@e.example", n), NULL};
        struct bag *bag = bag_new();
        person_set(bag, &recipient_tags, &to);
        bag_set_long(bag, PidTagRecipientType, (int32_t)choose(c, 3) + 1);
        g_ptr_array_add(m->recipients, bag);
    }
    if (choose(c, 2)) {
        const char *html = make_markup(c, arena);
        bag_set_bytes(m->bag, PidTagHtml, html, strlen(html));
        bag_set_long(m->bag, PidTagInternetCodepage, 65001);
    } else {
        bag_set_str(m->bag, PidTagBody, make_markup(c, arena));
    }
    for (unsigned n = choose(c, 4); n > 0; n--) {
        struct attachment_value *a = attachment_value_new();
        int method = ATTACH_BY_VALUE;
        if (depth > 0 && choose(c, 4) == 3) {
            method = ATTACH_EMBEDDED;
            a->embedded = make_mail(c, depth - 1);
        } else {
            struct prop_bin data = make_bytes(c, arena);
            a->data = g_bytes_new(data.data, data.len);
            bag_set_str(a->bag, PidTagAttachLongFilename,
                        arena_printf(arena, "f%u.%s", n, choose(c, 2) ? "pdf" : "bin"));
            if (choose(c, 3) == 0)
                bag_set_str(a->bag, PidTagAttachContentId, arena_printf(arena, "id%u@x", n));
        }
        bag_set_long(a->bag, PidTagAttachMethod, method);
        g_ptr_array_add(m->attachments, a);
    }
    return m;
}

static bool laws_hold(struct choices *c) {
    struct message_value *m = make_mail(c, 2);
    g_autofree char *why = broken_law(m);
    message_value_free(m);
    if (why)
        g_test_message("%s", why);
    return !why;
}

static void test_rtf(void) {
    law_check("HTML that was put into RTF comes out", html_comes_out, 500, 60);
    law_check("text that was put into RTF comes out", text_comes_out, 500, 60);
    law_check("what was compressed comes out", bytes_come_out, 200, 200);
}

static void test_mail(void) {
    law_check("mail is the same by every way", laws_hold, 100, 300);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    if (argc > 1)
        return check_files(argc - 1, argv + 1);
    g_test_add_func("/conversions/rtf", test_rtf);
    g_test_add_func("/conversions/mail", test_mail);
    return g_test_run();
}
