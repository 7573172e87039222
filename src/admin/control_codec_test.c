// Frames, there and back, whole and cut.
#include "admin/control_codec.h"

#include <sys/socket.h>
#include <unistd.h>

#include "admin/control_channel.h"
#include "base/test.h"

static void test_request(void) {
    ARENA_AUTO arena = arena_new();
    const char *items[] = {"/srv/mail", "alice@example.test"};
    struct argument_option options[] = {{"name", "Alice"}, {"yes", NULL}, {"notes", ""}};
    struct control_request in = {.command = "user add",
                                 .password = "geheim",
                                 .is_terminal = true,
                                 .arguments = {.items = items,
                                               .n = 2,
                                               .options = options,
                                               .n_options = 3,
                                               .is_json = true}},
                           out;
    struct wire_writer w = wire_writer(FRAME_MAX);
    assert_ok(control_encode_request(&in, &w));
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    assert_ok(control_decode_request(bytes->data, bytes->len, arena, &out));
    g_assert_cmpstr(out.command, ==, "user add");
    g_assert_cmpstr(out.password, ==, "geheim");
    g_assert_true(out.is_terminal && out.arguments.is_json);
    g_assert_cmpuint(out.arguments.n, ==, 2);
    g_assert_cmpstr(out.arguments.items[1], ==, "alice@example.test");
    g_assert_cmpstr(arguments_option(&out.arguments, "name"), ==, "Alice");
    g_assert_cmpstr(arguments_option(&out.arguments, "notes"), ==, "");
    g_assert_true(arguments_has(&out.arguments, "yes"));
    // Every cut is refused, and so is a rest.
    for (guint len = 1; len < bytes->len; len++)
        assert_ec(control_decode_request(bytes->data, len, arena, &out), EC_FORMAT_ERROR);
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    assert_ec(control_decode_request(bytes->data, bytes->len, arena, &out), EC_FORMAT_ERROR);
    bytes->data[0] = CONTROL_VERSION + 1;
    assert_ec(control_decode_request(bytes->data, bytes->len, arena, &out), EC_VERSION);
}

static void test_huge_count(void) {
    ARENA_AUTO arena = arena_new();
    static const uint8_t bytes[] = {CONTROL_VERSION, 'x', 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    struct control_request out;
    assert_ec(control_decode_request(bytes, sizeof bytes, arena, &out), EC_FORMAT_ERROR);
}

static void test_too_long_request(void) {
    g_autofree char *word = g_strnfill(FRAME_MAX, 'x');
    const char *items[] = {word};
    struct control_request in = {.command = "status", .arguments = {.items = items, .n = 1}};
    struct wire_writer w = wire_writer(FRAME_MAX);
    assert_ec(control_encode_request(&in, &w), EC_NOT_ENOUGH_RESOURCES);
    wire_writer_clear(&w);
}

static void test_message(void) {
    ARENA_AUTO arena = arena_new();
    struct control_message in = {7, 5, 133000000000000000, 1u << 31, "$Forwarded Work"}, out;
    struct wire_writer w = wire_writer(FRAME_MAX);
    control_encode_message(&in, &w);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    assert_ok(control_decode_message(bytes->data, bytes->len, arena, &out));
    g_assert_cmpuint(out.uid, ==, 7);
    g_assert_cmpuint(out.size, ==, 1u << 31);
    g_assert_cmpstr(out.keywords, ==, "$Forwarded Work");
    for (guint len = 0; len < bytes->len; len++)
        assert_ec(control_decode_message(bytes->data, len, arena, &out), EC_FORMAT_ERROR);
}

static void test_frames(void) {
    static const uint8_t whole[] = {0, 0, 0, 2, 'O', 'h', 'i', 0};
    static const uint8_t unknown[] = {0, 0, 0, 2, '?', 'h', 'i'};
    static const uint8_t huge[] = {0x7f, 0, 0, 0, 'O'};
    struct frame frame;
    size_t used;
    for (size_t len = 0; len < 7; len++)
        assert_ec(frame_parse(whole, len, &frame, &used), EC_BUSY);
    assert_ok(frame_parse(whole, sizeof whole, &frame, &used));
    g_assert_cmpuint(used, ==, 7);
    g_assert_cmpmem(frame.data, frame.len, "hi", 2);
    assert_ec(frame_parse(unknown, sizeof unknown, &frame, &used), EC_FORMAT_ERROR);
    assert_ec(frame_parse(huge, sizeof huge, &frame, &used), EC_FORMAT_ERROR);
}

static void *send_many(void *data) {
    struct channel *channel = data;
    g_autofree char *text = g_strnfill(FRAME_MAX, 'y');
    for (unsigned i = 0; i <= 20; i++)
        assert_ok(channel_send(channel, FRAME_OUT, text, i * (FRAME_MAX / 20)));
    channel_free(channel);
    return NULL;
}

static void test_channel(void) {
    int pair[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    GThread *thread = g_thread_new("sender", send_many, channel_new(pair[0]));
    struct channel *channel = channel_new(pair[1]);
    struct frame frame;
    for (unsigned i = 0; i <= 20; i++) {
        assert_ok(channel_receive(channel, &frame));
        g_assert_cmpuint(frame.len, ==, i * (FRAME_MAX / 20));
        g_assert_true(frame.len == 0 || frame.data[frame.len - 1] == 'y');
    }
    assert_ec(channel_receive(channel, &frame), EC_END_OF_SESSION);
    g_thread_join(thread);
    channel_free(channel);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/control/request", test_request);
    g_test_add_func("/control/huge-count", test_huge_count);
    g_test_add_func("/control/too-long-request", test_too_long_request);
    g_test_add_func("/control/message", test_message);
    g_test_add_func("/control/frames", test_frames);
    g_test_add_func("/control/channel", test_channel);
    return g_test_run();
}
