// Compressed connections: answers and questions of all sizes, bombs, nonsense, and the rest in
// which a silent one needs no memory.
#include <zlib.h>

#include "net/echo_test.h"

struct packer {
    struct client *client;
    z_stream out, in;
    uint8_t raw[4096];
};

static struct packer *packer_new(struct client *client) {
    struct packer *p = g_new0(struct packer, 1);
    p->client = client;
    g_assert_cmpint(deflateInit2(&p->out, 6, Z_DEFLATED, -15, 8, 0), ==, Z_OK);
    g_assert_cmpint(inflateInit2(&p->in, -15), ==, Z_OK);
    return p;
}

static void packer_free(struct packer *p) {
    deflateEnd(&p->out);
    inflateEnd(&p->in);
    g_free(p);
}

static GByteArray *pack(z_stream *z, const void *data, size_t len, int flush) {
    GByteArray *out = g_byte_array_new();
    uint8_t piece[8192];
    z->next_in = (z_const Bytef *)(uintptr_t)data;
    z->avail_in = (uInt)len;
    do {
        z->next_out = piece;
        z->avail_out = sizeof piece;
        deflate(z, flush);
        g_byte_array_append(out, piece, (guint)(sizeof piece - z->avail_out));
    } while (z->avail_out == 0);
    return out;
}

static void packer_send(struct packer *p, const char *text, size_t len) {
    GByteArray *packed = pack(&p->out, text, len, Z_SYNC_FLUSH);
    client_send_bytes(p->client, packed->data, packed->len);
    g_byte_array_unref(packed);
}

// A byte of the answer, -1 at the end.
static int packer_byte(struct packer *p) {
    uint8_t c;
    for (;;) {
        p->in.next_out = &c;
        p->in.avail_out = 1;
        int result = inflate(&p->in, Z_SYNC_FLUSH);
        if (p->in.avail_out == 0)
            return c;
        g_assert_true(result == Z_OK || result == Z_BUF_ERROR);
        ssize_t n = client_read(p->client, p->raw, sizeof p->raw);
        if (n <= 0)
            return -1;
        p->in.next_in = p->raw;
        p->in.avail_in = (uInt)n;
    }
}

static char *packer_line(struct packer *p) {
    GString *line = g_string_new(NULL);
    int c;
    while ((c = packer_byte(p)) >= 0 && c != '\n')
        g_string_append_c(line, (char)c);
    return g_string_free(line, FALSE);
}

#define packer_expect(p, expected)                                                                 \
    do {                                                                                           \
        g_autofree char *line_ = packer_line(p);                                                   \
        g_assert_cmpstr(line_, ==, expected);                                                      \
    } while (0)

struct packed {
    struct server *server;
    struct client *client;
    struct packer *p;
};

static struct packed packed_new(void) {
    struct packed t = {.server = server_new(NULL)};
    t.client = client_new(t.server);
    client_expect(t.client, "HELLO");
    client_send(t.client, "DEFLATE\n");
    client_expect(t.client, "OK");
    t.p = packer_new(t.client);
    return t;
}

static void packed_free(struct packed *t) {
    packer_free(t->p);
    client_free(t->client);
    server_free(t->server);
}

static void test_echo(void) {
    struct packed t = packed_new();
    packer_send(t.p, "ECHO one\nEC", 11);
    packer_expect(t.p, "one");
    packer_send(t.p, "HO two\nDEFLATE\n", 15);
    packer_expect(t.p, "two");
    packer_expect(t.p, "NO");
    packer_send(t.p, "STARTTLS\n", 9);
    packer_expect(t.p, "GO");
    packer_expect(t.p, "NO");
    packer_send(t.p, "WATCH\n", 6);
    packer_expect(t.p, "OK");
    net_conn_wake(t.server->service.watched);
    packer_expect(t.p, "WOKE");
    packer_send(t.p, "QUIT\n", 5);
    packer_expect(t.p, "BYE");
    g_assert_cmpint(packer_byte(t.p), ==, -1);
    packed_free(&t);
}

static void test_bytewise(void) {
    struct packed t = packed_new();
    GByteArray *packed = pack(&t.p->out, "ECHO a\nECHO b\n", 14, Z_SYNC_FLUSH);
    for (guint i = 0; i < packed->len; i++) {
        client_send_bytes(t.client, packed->data + i, 1);
        g_usleep(1000);
    }
    g_byte_array_unref(packed);
    packer_expect(t.p, "a");
    packer_expect(t.p, "b");
    packed_free(&t);
}

static void expect_zeros(struct packer *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        g_assert_cmpint(packer_byte(p), ==, 0);
    g_assert_cmpint(packer_byte(p), ==, '\n');
}

static void test_long_answers(void) {
    struct packed t = packed_new();
    packer_send(t.p, "BIG 3000000\nREF 2000000\nECHO x\n", 31);
    expect_zeros(t.p, 3000000);
    expect_zeros(t.p, 2000000);
    packer_expect(t.p, "x");
    struct net_stats stats;
    net_stats(t.server->net, &stats);
    g_assert_cmpuint(stats.bytes_out, <, 100000); // it went over the wire compressed
    packed_free(&t);
}

// Far more than the buffers take, in a few kilobytes: every unit is run, in order, and a client
// that does not read stops being read.
static void test_bomb(void) {
    struct packed t = packed_new();
    GString *all = g_string_new(NULL);
    unsigned n = 50000;
    for (unsigned i = 0; i < n; i++)
        g_string_append(all, "WHATEVER\n");
    packer_send(t.p, all->str, all->len);
    for (unsigned i = 0; i < n; i++) {
        char line[5];
        for (unsigned k = 0; k < 5; k++)
            line[k] = (char)packer_byte(t.p);
        g_assert_cmpmem(line, 5, "WHAT\n", 5);
    }
    g_assert_cmpuint(t.server->service.units, ==, n + 1);
    g_string_free(all, TRUE);
    packed_free(&t);
}

// One line of a gigabyte would be: the protocol's limit ends it when the first kilobyte is there.
static void test_endless_line(void) {
    struct packed t = packed_new();
    g_autofree char *line = g_strnfill(5 * 1024 * 1024, 'x');
    packer_send(t.p, line, 5 * 1024 * 1024);
    packer_expect(t.p, "TOOLONG");
    g_assert_cmpint(packer_byte(t.p), ==, -1);
    packed_free(&t);
}

static void test_nonsense(void) {
    struct packed t = packed_new();
    client_send(t.client, "\xff\xff\n"); // a block of no known type
    g_assert_cmpint(packer_byte(t.p), ==, -1);
    packed_free(&t);
    t = packed_new(); // the peer says that it sends no more
    GByteArray *last = pack(&t.p->out, "ECHO last\n", 10, Z_FINISH);
    client_send_bytes(t.client, last->data, last->len);
    g_byte_array_unref(last);
    packer_expect(t.p, "last");
    g_assert_cmpint(packer_byte(t.p), ==, -1);
    packed_free(&t);
}

// A connection without a socket: what the loop and the workers do with it, step by step.
static void test_rest(void) {
    struct net net = {.rest_seconds = 0};
    struct net_conn conn = {.net = &net, .proto = &echo_proto};
    z_stream out = {0}, in = {0};
    g_assert_cmpint(deflateInit2(&out, 6, Z_DEFLATED, -15, 8, 0), ==, Z_OK);
    g_assert_cmpint(inflateInit2(&in, -15), ==, Z_OK);
    assert_ok(net_conn_start_deflate(&conn));
    assert_ec(net_conn_start_deflate(&conn), EC_NOT_SUPPORTED);
    g_assert_cmpint(net_deflate_rest_at(&conn), ==, INT64_MAX); // nothing was made yet
    static const char text[] = "a line with words that come again and again\n";
    size_t first = 0;
    for (int round = 0; round < 5; round++) {
        GByteArray *packed = pack(&out, text, sizeof text - 1, Z_SYNC_FLUSH);
        if (round == 0)
            first = packed->len;
        else // what it says refers to what was said before the rest
            g_assert_cmpuint(packed->len, <, first / 2);
        g_assert_cmpint(net_deflate_expand(&conn, packed->data, packed->len, 1000), ==,
                        sizeof text - 1);
        g_assert_cmpmem(conn.in.data + conn.in.start, conn.in.len, text, sizeof text - 1);
        net_input_clear(&conn.in);
        g_byte_array_unref(packed);

        net_output_append(&conn.out, text, sizeof text - 1);
        net_deflate_fill(&conn);
        g_assert_cmpuint(conn.out.pending, ==, 0);
        size_t len;
        char got[200];
        const uint8_t *wire = net_output_head(net_conn_wire(&conn), &len);
        in.next_in = (z_const Bytef *)(uintptr_t)wire;
        in.avail_in = (uInt)len;
        in.next_out = (Bytef *)got;
        in.avail_out = sizeof got;
        g_assert_cmpint(inflate(&in, Z_SYNC_FLUSH), ==, Z_OK);
        g_assert_cmpmem(got, sizeof got - in.avail_out, text, sizeof text - 1);
        net_output_clear(net_conn_wire(&conn));

        g_assert_cmpint(net_deflate_rest_at(&conn), <, INT64_MAX);
        net_deflate_rest(&conn);
        g_assert_cmpint(net_deflate_rest_at(&conn), ==, INT64_MAX); // both are gone
    }
    // In the middle of something there is no rest.
    GByteArray *packed = pack(&out, text, sizeof text - 1, Z_SYNC_FLUSH);
    net_deflate_expand(&conn, packed->data, 2, 1000);
    net_deflate_rest(&conn);
    g_assert_cmpint(net_deflate_rest_at(&conn), <, INT64_MAX);
    net_deflate_expand(&conn, packed->data + 2, packed->len - 2, 5);
    g_assert_cmpuint(conn.in.len, ==, 5);
    g_assert_true(net_deflate_holds(&conn));
    net_deflate_rest(&conn);
    g_assert_cmpint(net_deflate_rest_at(&conn), <, INT64_MAX);
    net_deflate_expand(&conn, NULL, 0, 1000);
    g_assert_cmpuint(conn.in.len, ==, sizeof text - 1);
    g_assert_false(net_deflate_holds(&conn));
    g_byte_array_unref(packed);
    net_input_clear(&conn.in);
    net_deflate_free(conn.deflate);
    deflateEnd(&out);
    inflateEnd(&in);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/deflate/echo", test_echo);
    g_test_add_func("/deflate/bytewise", test_bytewise);
    g_test_add_func("/deflate/long-answers", test_long_answers);
    g_test_add_func("/deflate/bomb", test_bomb);
    g_test_add_func("/deflate/endless-line", test_endless_line);
    g_test_add_func("/deflate/nonsense", test_nonsense);
    g_test_add_func("/deflate/rest", test_rest);
    return g_test_run();
}
