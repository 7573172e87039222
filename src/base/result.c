// Names and phrases of the result codes, from the one list in result.h.
#include "base/result.h"

static const struct {
    uint32_t code;
    const char *name;
    const char *text;
} codes[] = {
#define X(name, value, text) {value, #name, text},
    EC_LIST(X)
#undef X
};

const char *ec_text(enum ec ec) {
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == (uint32_t)ec)
            return codes[i].text;
    return "an unknown failure";
}

const char *ec_name(enum ec ec) {
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == (uint32_t)ec)
            return codes[i].name;
    return "EC_UNKNOWN";
}
