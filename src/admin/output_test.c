// The two faces of an answer.
#include "admin/output.h"

#include "base/test.h"

struct capture {
    GString *out, *error;
    bool is_gone;
};

static bool take(void *ctx, enum output_stream stream, const void *data, size_t len) {
    struct capture *c = ctx;
    if (c->is_gone)
        return false;
    if (stream != OUTPUT_PROGRESS)
        g_string_append_len(stream == OUTPUT_OUT ? c->out : c->error, data, (gssize)len);
    return true;
}

static void list(struct output *out) {
    output_say(out, "a sentence");
    output_list_begin(out, "address:8 count tags");
    for (unsigned i = 0; i < 2; i++) {
        output_object_begin(out, NULL);
        output_string(out, "address", i ? "b\"\x1b[31m\n" : "a");
        output_string(out, "hidden", "h");
        output_number(out, "count", i);
        output_array_begin(out, "tags");
        output_string(out, NULL, "x");
        output_string(out, NULL, "y");
        output_array_end(out);
        output_bool(out, "ok", i == 0);
        output_time(out, "when", i ? filetime_from_unix(0) : 0);
        output_object_end(out);
    }
    output_list_end(out);
    output_error(out, EC_NOT_FOUND, "no \"x\"");
}

static void check(bool is_json, const char *expected, const char *expected_error) {
    struct capture c = {g_string_new(NULL), g_string_new(NULL), false};
    struct output *out = output_new(is_json, take, &c);
    list(out);
    output_free(out);
    g_assert_cmpstr(c.out->str, ==, expected);
    g_assert_cmpstr(c.error->str, ==, expected_error);
    g_string_free(c.out, TRUE);
    g_string_free(c.error, TRUE);
}

static void test_text(void) {
    check(false,
          "a sentence\n"
          "address   count  tags\n"
          "a         0  x, y\n"
          "b\"?[31m?  1  x, y\n",
          "bourse: no \"x\"\n");
}

static void test_json(void) {
    check(
        true,
        "[\n"
        "{\"address\": \"a\", \"hidden\": \"h\", \"count\": 0, \"tags\": [\"x\", \"y\"], \"ok\": "
        "true},\n"
        "{\"address\": \"b\\\"\\u001b[31m\\n\", \"hidden\": \"h\", \"count\": 1, \"tags\": [\"x\", "
        "\"y\"], \"ok\": false, \"when\": \"1970-01-01T00:00:00Z\"}\n"
        "]\n",
        "{\"error\": \"no \\\"x\\\"\", \"code\": \"EC_NOT_FOUND\"}\n");
}

static void test_reader_gone(void) {
    struct capture c = {g_string_new(NULL), g_string_new(NULL), true};
    struct output *out = output_new(false, take, &c);
    output_raw(out, "x", 1);
    g_assert_true(output_is_broken(out));
    list(out);
    output_free(out);
    g_assert_cmpuint(c.out->len, ==, 0);
    g_string_free(c.out, TRUE);
    g_string_free(c.error, TRUE);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/output/text", test_text);
    g_test_add_func("/output/json", test_json);
    g_test_add_func("/output/reader-gone", test_reader_gone);
    return g_test_run();
}
