// SPF: may this client send for that domain? ([RFC 7208])
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "policy/resolver.h"

enum spf_result { // as in Authentication-Results
    SPF_NONE,
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR,
    SPF_PERMERROR,
};
const char *spf_result_text(enum spf_result result);

struct spf_question {
    const char *client; // address of the peer
    const char *helo;
    const char *sender;   // "" for the null sender: postmaster at helo is checked then
    const char *hostname; // ours, for %{r}
};
struct spf_answer {
    enum spf_result result;
    const char *domain;      // that was checked
    const char *explanation; // of a fail, by the domain's owner; printable ASCII; NULL: none
};
void spf_check(const struct resolver *dns, struct arena *arena, const struct spf_question *question,
               struct spf_answer *out);
