// Letters that Exchange has one right for are tied ([RFC 4314] 4): setting one sets both.
#include "protocol/imap/acl.h"

#include <string.h>

#include "mapi/rights.h"

// Any of the bits shows the letters; setting gives all of them. Read, insert and the like need the
// folder to be visible, which rights_complete adds for some of them and this table for the others.
static const struct {
    const char *letters;
    uint32_t bits;
} groups[] = {
    {"l", RIGHTS_VISIBLE},
    {"r", RIGHTS_READ_ANY},
    {"sw", RIGHTS_EDIT_ANY | RIGHTS_EDIT_OWNED},
    {"ip", RIGHTS_CREATE},
    {"k", RIGHTS_CREATE_SUBFOLDER},
    {"te", RIGHTS_DELETE_ANY | RIGHTS_DELETE_OWNED},
    {"xa", RIGHTS_OWNER},
};
const char acl_groups[] = "l r sw ip k te xa";
#define N_GROUPS (sizeof groups / sizeof *groups)

// The old letters of [RFC 2086], and what they stand for now.
static const struct {
    char old;
    const char *letters;
} old_letters[] = {{'c', "k"}, {'d', "te"}};

const char *acl_letters(struct arena *arena, uint32_t rights) {
    char *out = arena_alloc(arena, sizeof acl_groups);
    char *end = out;
    for (unsigned i = 0; i < N_GROUPS; i++)
        if (rights & groups[i].bits)
            end = stpcpy(end, groups[i].letters);
    *end = 0;
    return out;
}

// The groups that a letter is in, as bits; 0: none.
static uint32_t groups_of(char letter) {
    char text[2] = {letter, 0};
    const char *letters = text;
    for (unsigned i = 0; i < sizeof old_letters / sizeof *old_letters; i++)
        if (old_letters[i].old == letter)
            letters = old_letters[i].letters;
    uint32_t found = 0;
    for (unsigned i = 0; i < N_GROUPS; i++)
        if (strpbrk(letters, groups[i].letters))
            found |= 1u << i;
    return found;
}

bool acl_apply(uint32_t before, enum acl_mode mode, const char *letters, uint32_t *out) {
    uint32_t named = 0;
    for (const char *l = letters; *l; l++) {
        uint32_t found = groups_of(*l);
        if (!found)
            return false;
        named |= found;
    }
    uint32_t rights = before;
    for (unsigned i = 0; i < N_GROUPS; i++) {
        bool is_named = named & 1u << i, has = before & groups[i].bits;
        bool wanted = mode == ACL_SET   ? is_named
                      : mode == ACL_ADD ? has || is_named
                                        : has && !is_named;
        if (wanted != has)
            rights = wanted ? rights | groups[i].bits : rights & ~groups[i].bits;
    }
    *out = rights;
    return true;
}
