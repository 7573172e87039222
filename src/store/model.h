// A plain model of a mailbox beside a real one, for the model tests: random steps are done to both
// and everything the store tells is compared.
#pragma once

#include "store/folder.h"
#include "store/message.h"
#include "store/store_fixture.h"

#define MODEL_MEMBERS 3
#define MODEL_KEYWORDS 4

struct model_message {
    uint64_t mid;
    uint32_t uid, flags;   // MSG_CLIENT_FLAGS, MSG_ASSOCIATED, MSG_SOFT_DELETED
    unsigned keywords;     // bits
    unsigned subject;      // a number, in which a word is (model_subject)
    uint64_t changed;      // the step that last changed it, its read state aside
    uint64_t read_changed; // the step that last changed its read state
};

struct model_folder {
    uint64_t fid, parent;
    char name[40];
    bool is_special, is_search;
    unsigned word;  // of a search folder: what it looks for
    uint64_t scope; // where, and all below
    uint32_t uid_next;
    GArray *messages;               // of struct model_message, in uid order
    uint32_t rights[MODEL_MEMBERS]; // 0: no entry
};

// A folder as it was at a change number: what changes_of_folder must lead from.
struct model_mark {
    uint64_t fid, since, step;
    GHashTable *mids; // then there, neither associated nor soft-deleted
};

struct model {
    struct fixture *f;
    GRand *rand;
    uint64_t step;
    unsigned next_subject;
    bool with_search; // search folders too (their updates take ids in the background)
    GPtrArray *folders;
    GPtrArray *marks;
};

struct model *model_new(struct fixture *f, uint32_t seed, bool with_search);
void model_free(struct model *m);
struct model_folder *model_folder(struct model *m, uint64_t fid);
bool model_is_below(struct model *m, uint64_t fid, uint64_t root); // or is it itself
void model_subject(unsigned subject, char *buf, size_t size);
int32_t model_importance(unsigned subject);
gint model_by_number(gconstpointer a, gconstpointer b); // for arrays of uint64_t
const char *model_word(unsigned n);
bool model_is_found(const struct model_message *message, unsigned word);
const char *model_keyword_text(unsigned keywords, char *buf, size_t size); // NULL: none
const char *model_member(unsigned i);

// One random change, done to the store and, when it succeeds, to the model. Fails the test when the
// store's result is not the expected one. (model_steps.c)
void model_step(struct model *m);

// Compares everything of one folder, or of all with the tree, the changes since the marks and the
// search folders. (model_compare.c)
void model_compare_folder(struct model *m, const struct model_folder *folder);
void model_compare(struct model *m);

// The views of a folder and of a search folder (what it is to have found, sorted).
// (model_views.c)
void model_compare_views(struct model *m, const struct model_folder *folder);
void model_compare_found(struct model *m, const struct model_folder *folder, const GArray *mids);

// Everything the store tells as one text: equal for equal mailboxes.
char *model_digest(struct fixture *f);
