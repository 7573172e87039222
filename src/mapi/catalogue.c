// Looking up properties in the generated catalogue: binary searches over its indexes.
#include "mapi/catalogue.h"

#include <glib.h>
#include <string.h>

#include "mapi/catalogue_internal.h"

// What a search looks for; a comparison reads the fields it needs.
struct key {
    const char *text;
    proptag_t tag;
    const struct guid *set;
    uint32_t lid;
};
typedef int key_compare(const struct key *key, const struct catalogue_property *p);

static int compare_name(const struct key *key, const struct catalogue_property *p) {
    return strcmp(key->text, p->name);
}

static int compare_tag(const struct key *key, const struct catalogue_property *p) {
    return key->tag < p->tag ? -1 : key->tag > p->tag;
}

static int compare_lid(const struct key *key, const struct catalogue_property *p) {
    int c = guid_compare(key->set, p->set);
    return c ? c : key->lid < p->lid ? -1 : key->lid > p->lid;
}

static int compare_string(const struct key *key, const struct catalogue_property *p) {
    int c = guid_compare(key->set, p->set);
    return c ? c : strcmp(key->text, p->string);
}

// Position in the index of the first property that is not less than the key.
static unsigned lower_bound(const uint16_t *index, unsigned n, const struct key *key,
                            key_compare *compare) {
    unsigned low = 0;
    while (low < n) {
        unsigned mid = (low + n) / 2;
        if (compare(key, &catalogue_table[index[mid]]) > 0)
            low = mid + 1;
        else
            n = mid;
    }
    return low;
}

static const struct catalogue_property *find(const uint16_t *index, unsigned n,
                                             const struct key *key, key_compare *compare) {
    unsigned i = lower_bound(index, n, key, compare);
    if (i == n || compare(key, &catalogue_table[index[i]]) != 0)
        return NULL;
    return &catalogue_table[index[i]];
}

static const struct catalogue_property *find_tag(const uint16_t *index, unsigned n, proptag_t tag) {
    const struct catalogue_property *p = find(index, n, &(struct key){.tag = tag}, compare_tag);
    if (p)
        return p;
    unsigned i =
        lower_bound(index, n, &(struct key){.tag = PROP_TAG(PROP_ID(tag), 0)}, compare_tag);
    p = i < n ? &catalogue_table[index[i]] : NULL;
    return p && PROP_ID(p->tag) == PROP_ID(tag) ? p : NULL;
}

const struct catalogue_property *catalogue_by_tag(proptag_t tag) {
    return find_tag(catalogue_index_tag, catalogue_n_tag, tag);
}

const struct catalogue_property *catalogue_by_address_book_tag(proptag_t tag) {
    if (!PROP_IS_NAMED(tag))
        return catalogue_by_tag(tag);
    return find_tag(catalogue_index_address_book, catalogue_n_address_book, tag);
}

const struct catalogue_property *catalogue_by_name(const char *name) {
    return find(catalogue_index_name, catalogue_n_name, &(struct key){.text = name}, compare_name);
}

const struct catalogue_property *catalogue_by_lid(const struct guid *set, uint32_t lid) {
    return find(catalogue_index_lid, catalogue_n_lid, &(struct key){.set = set, .lid = lid},
                compare_lid);
}

const struct catalogue_property *catalogue_by_string(const struct guid *set, const char *string) {
    g_autofree char *lower = NULL;
    if (guid_equal(set, &PS_INTERNET_HEADERS)) {
        lower = g_ascii_strdown(string, -1);
        string = lower;
    }
    return find(catalogue_index_string, catalogue_n_string,
                &(struct key){.set = set, .text = string}, compare_string);
}

const struct catalogue_property *catalogue_all(unsigned *n_out) {
    *n_out = catalogue_n_table;
    return catalogue_table;
}
