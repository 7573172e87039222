// Reads Outlook data files with libpff: the folder tree of the mailbox, and of each message all
// properties, recipients and attachments as they stand in its tables.
#include "admin/pst_file.h"

#include <libpff/features.h>
// Files are opened by their names; the header of its I/O library is not needed.
#undef LIBPFF_HAVE_BFIO
#include <libpff.h>
#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "mapi/code_page.h"
#include "mapi/prop_shape.h"
#include "mapi/props.h"

enum { METHOD_BY_VALUE = 1, METHOD_EMBEDDED = 5 };

struct pst_file {
    libpff_file_t *file;
    unsigned code_page; // of strings that are not in Unicode
};

static void free_item(libpff_item_t **item) {
    if (*item)
        libpff_item_free(item, NULL);
}
#define ITEM_AUTO __attribute__((cleanup(free_item))) libpff_item_t *

struct pst_file *pst_open(const char *path, char **error_out) {
    struct pst_file *pst = g_new0(struct pst_file, 1);
    libpff_error_t *error = NULL;
    int page = 0;
    if (libpff_file_initialize(&pst->file, &error) == 1 &&
        libpff_file_open(pst->file, path, LIBPFF_OPEN_READ, &error) == 1) {
        pst->code_page = libpff_file_get_ascii_codepage(pst->file, &page, NULL) == 1 && page > 0
                             ? (unsigned)page
                             : CODE_PAGE_WINDOWS_1252;
        return pst;
    }
    char text[512] = "not an Outlook data file";
    if (error)
        libpff_error_sprint(error, text, sizeof text);
    *error_out = g_strdup(text);
    libpff_error_free(&error);
    pst_close(pst);
    return NULL;
}

void pst_close(struct pst_file *pst) {
    if (!pst)
        return;
    if (pst->file) {
        libpff_file_close(pst->file, NULL);
        libpff_file_free(&pst->file, NULL);
    }
    g_free(pst);
}

// --- Values ---

// Of a fixed size: one after the other. Others: a count, where each begins, the bytes.
bool pst_multi_value(const void *data, size_t len, uint16_t type, uint32_t i, uint32_t *n_out,
                     const void **value_out, size_t *len_out) {
    struct wire_reader r = wire_reader(data, len);
    size_t size = prop_fixed_size(type);
    if (size > 0) {
        *n_out = (uint32_t)MIN(len / size, UINT32_MAX);
        wire_skip(&r, MIN((size_t)i * size, len));
        *value_out = wire_bytes(&r, size);
        *len_out = size;
        return i >= *n_out || wire_ok(&r);
    }
    uint32_t n = wire_u32(&r);
    if (!wire_ok(&r) || n > wire_left(&r) / 4)
        return false;
    *n_out = n;
    if (i >= n)
        return true;
    wire_skip(&r, (size_t)i * 4);
    size_t start = wire_u32(&r), end = i + 1 < n ? wire_u32(&r) : len;
    if (start > end || end > len)
        return false;
    *value_out = (const uint8_t *)data + start;
    *len_out = end - start;
    return true;
}

static const char *to_text(struct pst_file *pst, struct arena *arena, uint16_t type,
                           const void *data, size_t len) {
    if ((type & ~PT_MV) == PT_UNICODE)
        return text_from_utf16(arena, data, len & ~(size_t)1);
    return code_page_to_utf8(arena, pst->code_page, data, len);
}

static bool to_fixed(uint16_t type, const void *data, size_t len, struct prop_value *out) {
    struct wire_reader r = wire_reader(data, len);
    uint32_t bits32;
    uint64_t bits64;
    switch (type) {
    case PT_I2:
        out->i2 = (int16_t)wire_u16(&r);
        break;
    case PT_BOOLEAN:
        out->b = wire_u8(&r) != 0;
        break;
    case PT_LONG:
        out->l = (int32_t)wire_u32(&r);
        break;
    case PT_FLOAT:
        bits32 = wire_u32(&r);
        memcpy(&out->f, &bits32, sizeof bits32);
        break;
    case PT_DOUBLE:
    case PT_APPTIME:
        bits64 = wire_u64(&r);
        memcpy(&out->d, &bits64, sizeof bits64);
        break;
    case PT_I8:
    case PT_CURRENCY:
    case PT_SYSTIME:
        out->i8 = (int64_t)wire_u64(&r);
        break;
    case PT_CLSID:
        out->guid = wire_guid(&r);
        break;
    default:
        return false;
    }
    return wire_ok(&r);
}

static bool is_text(uint16_t type) {
    return type == PT_UNICODE || type == PT_STRING8;
}

static bool to_single(struct pst_file *pst, struct arena *arena, uint16_t type, const void *data,
                      size_t len, struct prop_value *out) {
    if (is_text(type)) {
        out->str = to_text(pst, arena, type, data, len);
        return true;
    }
    if (type == PT_BINARY) {
        out->bin = (struct prop_bin){(uint32_t)len, data};
        return true;
    }
    return to_fixed(type, data, len, out);
}

static bool to_many(struct pst_file *pst, struct arena *arena, uint16_t type, const void *data,
                    size_t len, struct prop_value *out) {
    const void *value = NULL;
    size_t value_len = 0;
    uint32_t n;
    uint16_t single = type & ~PT_MV;
    size_t size = is_text(single)       ? sizeof(const char *)
                  : single == PT_BINARY ? sizeof(struct prop_bin)
                                        : prop_fixed_size(single);
    if (size == 0 || single == PT_BOOLEAN || single == PT_ERROR ||
        !pst_multi_value(data, len, single, 0, &n, &value, &value_len) || n == 0)
        return false;
    uint8_t *values = arena_alloc(arena, n * size); // each takes four bytes of `data` or its size
    for (uint32_t i = 0; i < n; i++) {
        struct prop_value one = {0};
        if (!pst_multi_value(data, len, single, i, &n, &value, &value_len) ||
            !to_single(pst, arena, single, value, value_len, &one))
            return false;
        memcpy(values + i * size, prop_fixed_const(&one), size);
    }
    out->mv.n = n;
    out->mv.i8 = (const int64_t *)(void *)values;
    return true;
}

// --- Properties ---

static bool name_of(struct arena *arena, libpff_name_to_id_map_entry_t *entry,
                    struct prop_name *out) {
    uint8_t kind;
    uint32_t number;
    size_t size;
    if (libpff_name_to_id_map_entry_get_guid(entry, out->set.bytes, sizeof out->set.bytes, NULL) !=
            1 ||
        libpff_name_to_id_map_entry_get_type(entry, &kind, NULL) != 1)
        return false;
    if (kind == LIBPFF_NAME_TO_ID_MAP_ENTRY_TYPE_NUMERIC) {
        if (libpff_name_to_id_map_entry_get_number(entry, &number, NULL) != 1)
            return false;
        *out = prop_name_lid(&out->set, number);
        return true;
    }
    if (libpff_name_to_id_map_entry_get_utf8_string_size(entry, &size, NULL) != 1 || size == 0 ||
        size > 1024)
        return false;
    char *text = arena_alloc0(arena, size + 1);
    if (libpff_name_to_id_map_entry_get_utf8_string(entry, (uint8_t *)text, size, NULL) != 1)
        return false;
    struct guid set = out->set;
    *out = prop_name_string(&set, text_clean(arena, text, strlen(text), NULL));
    return true;
}

// The property's id in `m`; 0: a named one whose name is not known.
static uint16_t id_of(struct arena *arena, struct message_value *m, libpff_record_entry_t *entry,
                      uint32_t id) {
    libpff_name_to_id_map_entry_t *mapped = NULL;
    struct prop_name name;
    int found = libpff_record_entry_get_name_to_id_map_entry(entry, &mapped, NULL);
    if (found != 1 || !mapped)
        return id < 0x8000 ? (uint16_t)id : 0;
    if (!name_of(arena, mapped, &name))
        return 0;
    uint16_t fixed = named_fixed_id(&name);
    return fixed ? fixed : message_value_local_name(m, &name);
}

// A property whose bytes are read; false: it is none that is kept.
static bool read_entry(struct pst_file *pst, struct arena *arena, struct message_value *m,
                       libpff_record_entry_t *entry, struct bag *bag) {
    uint32_t id, type;
    size_t len = 0;
    if (libpff_record_entry_get_entry_type(entry, &id, NULL) != 1 ||
        libpff_record_entry_get_value_type(entry, &type, NULL) != 1 ||
        id == PROP_ID(PidTagAttachDataBinary) || id > 0xFFFF || type > 0xFFFF ||
        libpff_record_entry_get_data_size(entry, &len, NULL) != 1 || len > BAG_MAX_BYTES)
        return false;
    uint8_t *data = arena_alloc0(arena, len + 1);
    if (len > 0 && libpff_record_entry_get_data(entry, data, len, NULL) != 1)
        return false;
    struct prop_value v = {0};
    uint16_t t = (uint16_t)type;
    if (!(t & PT_MV ? to_many(pst, arena, t, data, len, &v)
                    : to_single(pst, arena, t, data, len, &v)))
        return false;
    uint16_t own = id_of(arena, m, entry, id);
    if (own == 0)
        return false;
    if ((t & ~PT_MV) == PT_STRING8)
        t = (uint16_t)(PT_UNICODE | (t & PT_MV));
    v.tag = PROP_TAG(own, t);
    return bag_set(bag, &v) == EC_OK;
}

static void read_set(struct pst_file *pst, struct message_value *m, libpff_item_t *item, int index,
                     struct bag *bag) {
    ARENA_AUTO arena = arena_new();
    libpff_record_set_t *set = NULL;
    int n = 0;
    if (libpff_item_get_record_set_by_index(item, index, &set, NULL) != 1)
        return;
    if (libpff_record_set_get_number_of_entries(set, &n, NULL) != 1)
        n = 0;
    for (int i = 0; i < n; i++) {
        libpff_record_entry_t *entry = NULL;
        if (libpff_record_set_get_entry_by_index(set, i, &entry, NULL) != 1)
            continue;
        read_entry(pst, arena, m, entry, bag);
        libpff_record_entry_free(&entry, NULL);
    }
    libpff_record_set_free(&set, NULL);
}

// --- Messages ---

static struct message_value *read_message(struct pst_file *pst, libpff_item_t *item,
                                          unsigned depth);

static void read_recipients(struct pst_file *pst, libpff_item_t *item, struct message_value *m) {
    ITEM_AUTO recipients = NULL;
    int n = 0;
    if (libpff_message_get_recipients(item, &recipients, NULL) != 1 ||
        libpff_item_get_number_of_record_sets(recipients, &n, NULL) != 1)
        return;
    for (int i = 0; i < n; i++) {
        struct bag *bag = bag_new();
        read_set(pst, m, recipients, i, bag);
        bag_remove(bag, PidTagRowid);
        g_ptr_array_add(m->recipients, bag);
    }
}

static GBytes *read_data(libpff_item_t *attachment) {
    size64_t size = 0;
    if (libpff_attachment_get_data_size(attachment, &size, NULL) != 1 || size > PST_ATTACHMENT_MAX)
        return NULL;
    GByteArray *bytes = g_byte_array_new();
    uint8_t buffer[16384];
    while (bytes->len < size) {
        ssize_t n = libpff_attachment_data_read_buffer(attachment, buffer, sizeof buffer, NULL);
        if (n <= 0)
            break;
        g_byte_array_append(bytes, buffer, (guint)n);
    }
    return g_byte_array_free_to_bytes(bytes);
}

static void read_attachment(struct pst_file *pst, libpff_item_t *item, int index, unsigned depth,
                            struct message_value *m) {
    ITEM_AUTO attachment = NULL;
    int type = 0;
    if (libpff_message_get_attachment(item, index, &attachment, NULL) != 1)
        return;
    struct attachment_value *a = attachment_value_new();
    g_ptr_array_add(m->attachments, a);
    read_set(pst, m, attachment, 0, a->bag);
    bag_remove(a->bag, PidTagAttachNumber);
    if (libpff_attachment_get_type(attachment, &type, NULL) != 1)
        type = LIBPFF_ATTACHMENT_TYPE_UNDEFINED;
    if (type == LIBPFF_ATTACHMENT_TYPE_ITEM && depth < PST_MESSAGE_DEPTH) {
        ITEM_AUTO inner = NULL;
        if (libpff_attachment_get_item(attachment, &inner, NULL) == 1)
            a->embedded = read_message(pst, inner, depth + 1);
    } else if (type == LIBPFF_ATTACHMENT_TYPE_DATA) {
        a->data = read_data(attachment);
    }
    if (!bag_get(a->bag, PidTagAttachMethod))
        bag_set_long(a->bag, PidTagAttachMethod, a->embedded ? METHOD_EMBEDDED : METHOD_BY_VALUE);
}

// A subject begins with a mark and how long its prefix is, counted from one ([MS-PST] 2.5.3.1.1.1).
static void split_subject(struct bag *bag) {
    const char *marked = bag_str(bag, PidTagSubject);
    if (!marked || marked[0] != 1 || !marked[1])
        return;
    ARENA_AUTO arena = arena_new();
    const char *subject = arena_strdup(arena, g_utf8_next_char(marked + 1)), *rest = subject;
    for (gunichar n = g_utf8_get_char(marked + 1); n > 1 && *rest; n--)
        rest = g_utf8_next_char(rest);
    bag_set_str(bag, PidTagSubject, subject);
    bag_set_str(bag, PidTagSubjectPrefix, arena_strndup(arena, subject, (size_t)(rest - subject)));
    bag_set_str(bag, PidTagNormalizedSubject, rest);
}

static struct message_value *read_message(struct pst_file *pst, libpff_item_t *item,
                                          unsigned depth) {
    struct message_value *m = message_value_new();
    int n = 0;
    read_set(pst, m, item, 0, m->bag);
    split_subject(m->bag);
    read_recipients(pst, item, m);
    if (libpff_message_get_number_of_attachments(item, &n, NULL) != 1)
        n = 0;
    for (int i = 0; i < n; i++)
        read_attachment(pst, item, i, depth, m);
    return m;
}

// --- Folders ---

struct walk {
    struct pst_file *pst;
    const struct pst_visitor *visitor; // NULL: only count
    unsigned n_messages;
};

// A folder's own properties.
static struct bag *folder_bag(struct pst_file *pst, libpff_item_t *folder) {
    struct message_value *m = message_value_new();
    struct bag *bag = bag_new();
    read_set(pst, m, folder, 0, bag);
    message_value_free(m);
    return bag;
}

static bool is_stopped(const struct walk *w) {
    return w->visitor && w->visitor->is_stopped(w->visitor->ctx);
}

static void walk_messages(struct walk *w, libpff_item_t *folder, bool is_associated) {
    int n = 0;
    if (is_associated)
        libpff_folder_get_number_of_sub_associated_contents(folder, &n, NULL);
    else
        libpff_folder_get_number_of_sub_messages(folder, &n, NULL);
    if (!w->visitor) {
        w->n_messages += n > 0 ? (unsigned)n : 0;
        return;
    }
    for (int i = 0; i < n && !is_stopped(w); i++) {
        ITEM_AUTO item = NULL;
        int got = is_associated ? libpff_folder_get_sub_associated_content(folder, i, &item, NULL)
                                : libpff_folder_get_sub_message(folder, i, &item, NULL);
        struct message_value *m = got == 1 ? read_message(w->pst, item, 0) : NULL;
        if (m && bag_count(m->bag) == 0)
            g_clear_pointer(&m, message_value_free);
        w->visitor->message(w->visitor->ctx, m, is_associated, ++w->n_messages);
        message_value_free(m);
    }
}

// "/" in a name is written as another character in paths.
static char *path_name(const char *name) {
    g_auto(GStrv) parts = g_strsplit(name && *name ? name : "?", "/", -1);
    return g_strjoinv("\xE2\x88\x95", parts);
}

static void walk_folder(struct walk *w, libpff_item_t *folder, const char *path, unsigned depth) {
    int n = 0;
    if (w->visitor) {
        struct bag *bag = folder_bag(w->pst, folder);
        const char *class = bag_str(bag, PidTagContainerClass);
        w->visitor->folder(w->visitor->ctx, path, class ? class : "");
        bag_free(bag);
    }
    walk_messages(w, folder, false);
    walk_messages(w, folder, true);
    if (depth >= PST_FOLDER_DEPTH || libpff_folder_get_number_of_sub_folders(folder, &n, NULL) != 1)
        return;
    for (int i = 0; i < n && !is_stopped(w); i++) {
        ITEM_AUTO sub = NULL;
        if (libpff_folder_get_sub_folder(folder, i, &sub, NULL) != 1)
            continue;
        struct bag *bag = folder_bag(w->pst, sub);
        g_autofree char *name = path_name(bag_str(bag, PidTagDisplayName));
        bag_free(bag);
        g_autofree char *below = *path ? g_strconcat(path, "/", name, NULL) : g_strdup(name);
        walk_folder(w, sub, below, depth + 1);
    }
}

// The folder that clients show as the top: the store names it; false: it does not, or there is
// none.
static bool find_top(struct pst_file *pst, libpff_item_t **out) {
    ITEM_AUTO store = NULL;
    if (libpff_file_get_message_store(pst->file, &store, NULL) != 1)
        return false;
    struct bag *bag = folder_bag(pst, store);
    struct prop_bin id = bag_bytes(bag, PidTagIpmSubtreeEntryId);
    uint32_t node = 0;
    if (id.len >= 24) { // the last four bytes of the entry id ([MS-PST] 2.4.3.2)
        struct wire_reader r = wire_reader(id.data + 20, 4);
        node = wire_u32(&r);
    }
    bag_free(bag);
    return node && libpff_file_get_item_by_identifier(pst->file, node, out, NULL) == 1;
}

// A cached mailbox (.ost) names no top: it is called so, somewhere below the root.
static bool find_named_top(struct pst_file *pst, libpff_item_t *folder, unsigned depth,
                           libpff_item_t **out) {
    int n = 0;
    if (libpff_folder_get_number_of_sub_folders(folder, &n, NULL) != 1)
        return false;
    for (int i = 0; i < n; i++) {
        ITEM_AUTO sub = NULL;
        if (libpff_folder_get_sub_folder(folder, i, &sub, NULL) != 1)
            continue;
        struct bag *bag = folder_bag(pst, sub);
        const char *name = bag_str(bag, PidTagDisplayName);
        int n_below = 0; // that of the public folders is called the same, and is empty
        bool is_top = name && strcmp(name, "IPM_SUBTREE") == 0 &&
                      libpff_folder_get_number_of_sub_folders(sub, &n_below, NULL) == 1 &&
                      n_below > 0;
        bag_free(bag);
        if (is_top) {
            *out = g_steal_pointer(&sub);
            return true;
        }
        if (depth < 1 && find_named_top(pst, sub, depth + 1, out))
            return true;
    }
    return false;
}

static void walk_all(struct walk *w) {
    ITEM_AUTO top = NULL;
    ITEM_AUTO root = NULL;
    if (find_top(w->pst, &top)) {
        walk_folder(w, top, "", 0);
    } else if (libpff_file_get_root_folder(w->pst->file, &root, NULL) == 1) {
        bool is_found = find_named_top(w->pst, root, 0, &top);
        walk_folder(w, is_found ? top : root, "", 0);
    }
}

unsigned pst_count(struct pst_file *pst) {
    struct walk w = {.pst = pst};
    walk_all(&w);
    return w.n_messages;
}

void pst_walk(struct pst_file *pst, const struct pst_visitor *visitor) {
    struct walk w = {.pst = pst, .visitor = visitor};
    walk_all(&w);
}
