// Base subjects: the table of RFC 5256's rules, and what must not take long.
#include "formats/base_subject.h"

#include <string.h>

#include "base/test.h"

static void test_rules(void) {
    static const struct {
        const char *subject, *base;
        bool is_reply;
    } cases[] = {
        {"", "", false},
        {"plain", "plain", false},
        {"  two\t words \r\n more ", "two words more", false},
        {"Re: plain", "plain", true},
        {"RE : plain", "plain", true},
        {"re[2]: plain", "plain", true},
        {"Fw: plain", "plain", true},
        {"FWD: plain", "plain", true},
        {"Re: Re: Fwd: plain", "plain", true},
        {"plain (fwd)", "plain", true},
        {"plain (fwd) (FWD) ", "plain", true},
        {"[list] plain", "plain", false},
        {"[list] Re: plain", "plain", true},
        {"Re: [list] plain", "plain", true},
        {"[a] [b] Re: [c] plain", "plain", true},
        {"[only]", "[only]", false},
        {"Re: [only]", "[only]", true},
        {"[Fwd: plain]", "plain", true},
        {"[Fwd: Re: [list] plain (fwd)]", "plain", true},
        {"[fwd: [fwd: plain]]", "plain", true},
        {"[a [b] plain", "[a [b] plain", false},
        {"Reply: no prefix", "Reply: no prefix", false},
        {"Re:", "", true},
        {"Re: (fwd)", "", true},
        {"[fwd:]", "", true},
        {"Grüße [x]", "Grüße [x]", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        bool is_reply;
        const char *got = base_subject(arena, cases[i].subject, &is_reply);
        if (strcmp(got, cases[i].base) != 0 || is_reply != cases[i].is_reply)
            g_error("\"%s\" gave \"%s\" (%d)", cases[i].subject, got, is_reply);
    }
}

static void test_long(void) {
    static const char *const pieces[] = {"[a]", "Re:", "[Fwd:", "(fwd)", "\xc3\xa9", "[", " "};
    for (unsigned i = 0; i < G_N_ELEMENTS(pieces); i++) {
        ARENA_AUTO arena = arena_new();
        g_autoptr(GString) s = g_string_new(NULL);
        for (unsigned k = 0; k < 100000; k++)
            g_string_append(s, pieces[i]);
        const char *base = base_subject(arena, s->str, NULL);
        g_assert_cmpuint(strlen(base), <=, BASE_SUBJECT_MAX);
        g_assert_true(g_utf8_validate(base, -1, NULL));
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base_subject/rules", test_rules);
    g_test_add_func("/base_subject/long", test_long);
    return g_test_run();
}
