// Checksums of the pages of SQLite files: a file layer that stands between SQLite and the system.
//
// SQLite leaves the last PAGE_SUM_SIZE bytes of each page alone when a file was made so (byte 20 of
// its header); here they are filled when a page is written to the file, and compared when one is
// read. A wrong one is SQLITE_CORRUPT (SQLITE_IOERR_DATA would end the transaction). So a bit that
// flips anywhere in a file is found by the first who reads its page, at the cost of one hash a
// page: in WAL mode only checkpoints write to the file, each page once.
//
// What is in the WAL has SQLite's own checksums, which it compares when it recovers one. Files
// without room for sums (made before there were any) are read and written as they are; an upgrade
// makes them anew with room (lite_copy_compact). Another program that writes to a file leaves wrong
// sums: nothing but this server may.
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "db/limits.h"
#include "db/page_sum.h"
#include "db/sqlite_internal.h"

#define PAGE_MIN 512
#define PAGE_MAX 65536
#define HEADER_LEN 100
#define HEADER_PAGE_SIZE 16 // two bytes, big-endian; 1 means 65536
#define HEADER_RESERVED 20
#define WAL_HEADER_LEN 32
#define WAL_HEADER_SALT 16
#define WAL_FRAME_LEN 24 // before its page; begins with the page's number
#define WAL_FRAME_SALT 8
#define WAL_SALT_LEN 8

struct summed_file {
    sqlite3_file base;
    bool has_sums;
    bool is_trusted; // wrong sums are not told
    const char *path;
    // Behind it: the system's file.
};

static sqlite3_vfs *system_vfs;

static sqlite3_file *system_file(sqlite3_file *file) {
    return (sqlite3_file *)((struct summed_file *)file + 1);
}

static bool is_page(int len, sqlite3_int64 pos) {
    return len >= PAGE_MIN && len <= PAGE_MAX && (len & (len - 1)) == 0 && pos % len == 0;
}

static bool is_header(const uint8_t *data, int len) {
    return len >= HEADER_LEN && memcmp(data, "SQLite format 3", 16) == 0;
}

// --- Reading and writing ---

static int summed_read(sqlite3_file *file, void *data, int len, sqlite3_int64 pos) {
    struct summed_file *f = (struct summed_file *)file;
    sqlite3_file *system = system_file(file);
    int code = system->pMethods->xRead(system, data, len, pos);
    if (code != SQLITE_OK)
        return code;
    if (pos == 0 && is_header(data, len))
        f->has_sums = ((const uint8_t *)data)[HEADER_RESERVED] == PAGE_SUM_SIZE;
    if (!f->has_sums || f->is_trusted || !is_page(len, pos))
        return SQLITE_OK;
    uint64_t number = (uint64_t)(pos / len) + 1;
    if (page_sum_is_right(data, (size_t)len, number))
        return SQLITE_OK;
    sqlite3_log(SQLITE_CORRUPT, "page %lld of %s: its checksum is wrong", (long long)number,
                f->path);
    return SQLITE_CORRUPT;
}

static int summed_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 pos) {
    struct summed_file *f = (struct summed_file *)file;
    sqlite3_file *system = system_file(file);
    if (pos == 0 && is_header(data, len))
        f->has_sums = ((const uint8_t *)data)[HEADER_RESERVED] == PAGE_SUM_SIZE;
    if (!f->has_sums || !is_page(len, pos))
        return system->pMethods->xWrite(system, data, len, pos);
    // The page may be SQLite's cache, which other threads of the layer above never see, but which
    // is not ours to write to.
    static _Thread_local uint8_t *page;
    static _Thread_local int page_len;
    if (page_len < len) {
        static GPrivate owner = G_PRIVATE_INIT(g_free);
        page = g_malloc((size_t)len);
        page_len = len;
        g_private_replace(&owner, page);
    }
    memcpy(page, data, (size_t)len);
    page_sum_seal(page, (size_t)len, (uint64_t)(pos / len) + 1);
    return system->pMethods->xWrite(system, page, len, pos);
}

static int summed_control(sqlite3_file *file, int op, void *arg) {
    struct summed_file *f = (struct summed_file *)file;
    sqlite3_file *system = system_file(file);
    switch (op) {
    case LITE_SUMS_TRUST:
        f->is_trusted = arg == NULL || *(const int *)arg != 0;
        return SQLITE_OK;
    case LITE_SUMS_SET:
        f->has_sums = *(const int *)arg != 0;
        return SQLITE_OK;
    case LITE_SUMS_GET:
        *(int *)arg = f->has_sums;
        return SQLITE_OK;
    default:
        return system->pMethods->xFileControl(system, op, arg);
    }
}

static int summed_properties(sqlite3_file *file) {
    sqlite3_file *system = system_file(file);
    int properties = system->pMethods->xDeviceCharacteristics(system);
#ifdef SQLITE_IOCAP_SUBPAGE_READ
    properties &= ~SQLITE_IOCAP_SUBPAGE_READ; // parts of pages cannot be compared
#endif
    return properties;
}

// --- What passes through ---

static int summed_close(sqlite3_file *file) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xClose(system);
}

static int summed_truncate(sqlite3_file *file, sqlite3_int64 size) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xTruncate(system, size);
}

static int summed_sync(sqlite3_file *file, int flags) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xSync(system, flags);
}

static int summed_size(sqlite3_file *file, sqlite3_int64 *out) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xFileSize(system, out);
}

static int summed_lock(sqlite3_file *file, int level) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xLock(system, level);
}

static int summed_unlock(sqlite3_file *file, int level) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xUnlock(system, level);
}

static int summed_is_reserved(sqlite3_file *file, int *out) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xCheckReservedLock(system, out);
}

static int summed_sector(sqlite3_file *file) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xSectorSize(system);
}

static int summed_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xShmMap(system, page, size, extend, out);
}

static int summed_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xShmLock(system, offset, n, flags);
}

static void summed_shm_barrier(sqlite3_file *file) {
    sqlite3_file *system = system_file(file);
    system->pMethods->xShmBarrier(system);
}

static int summed_shm_unmap(sqlite3_file *file, int is_delete) {
    sqlite3_file *system = system_file(file);
    return system->pMethods->xShmUnmap(system, is_delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, // with shared memory, without mmap
    .xClose = summed_close,
    .xRead = summed_read,
    .xWrite = summed_write,
    .xTruncate = summed_truncate,
    .xSync = summed_sync,
    .xFileSize = summed_size,
    .xLock = summed_lock,
    .xUnlock = summed_unlock,
    .xCheckReservedLock = summed_is_reserved,
    .xFileControl = summed_control,
    .xSectorSize = summed_sector,
    .xDeviceCharacteristics = summed_properties,
    .xShmMap = summed_shm_map,
    .xShmLock = summed_shm_lock,
    .xShmBarrier = summed_shm_barrier,
    .xShmUnmap = summed_shm_unmap,
};

// --- Opening ---

static int summed_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                       int *flags_out) {
    (void)vfs;
    // The WAL, journals and temporary files are the system's alone.
    if (!(flags & SQLITE_OPEN_MAIN_DB))
        return system_vfs->xOpen(system_vfs, name, file, flags, flags_out);
    struct summed_file *f = (struct summed_file *)file;
    sqlite3_file *system = system_file(file);
    *f = (struct summed_file){.path = name};
    int code = system_vfs->xOpen(system_vfs, name, system, flags, flags_out);
    if (system->pMethods != NULL)
        f->base.pMethods = &methods;
    sqlite3_int64 size;
    // A new file gets sums (its first page may be the last one that is written); of an older one
    // the header is read before anything else.
    if (code == SQLITE_OK && system->pMethods->xFileSize(system, &size) == SQLITE_OK)
        f->has_sums = size == 0;
    return code;
}

static void register_layer(void) {
    static sqlite3_vfs layer;
    system_vfs = sqlite3_vfs_find(NULL);
    g_assert(system_vfs != NULL);
    layer = *system_vfs;
    layer.pNext = NULL;
    layer.zName = LITE_VFS;
    layer.szOsFile += (int)sizeof(struct summed_file);
    layer.xOpen = summed_open;
    g_assert(sqlite3_vfs_register(&layer, 0) == SQLITE_OK);
}

void lite_sums_register(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_layer);
}

// --- Connections ---

int lite_sums_begin(sqlite3 *handle) {
    sqlite3_file *file = NULL;
    sqlite3_int64 size;
    int reserved = PAGE_SUM_SIZE;
    int code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK)
        code = file->pMethods->xFileSize(file, &size);
    if (code == SQLITE_OK && size == 0)
        code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    return code;
}

bool lite_sums_are_on(sqlite3 *handle) {
    int is_on = 0;
    sqlite3_file_control(handle, "main", LITE_SUMS_GET, &is_on);
    return is_on;
}

// --- Looking through a whole file ---

// A checkpoint may be writing the page just now: then it is right a moment later.
static bool is_right_again(sqlite3_file *system, uint8_t *page, int len, sqlite3_int64 number) {
    for (unsigned i = 0; i < LITE_SUMS_TRIES; i++) {
        if (system->pMethods->xRead(system, page, len, (number - 1) * len) == SQLITE_OK &&
            page_sum_is_right(page, (size_t)len, (uint64_t)number))
            return true;
        g_usleep(1000);
    }
    return false;
}

// Pages of which the WAL has a newer state are not read from the file any more.
static void drop_superseded(const char *path, int len, GArray *bad) {
    g_autofree char *name = g_strconcat(path, "-wal", NULL);
    uint8_t header[WAL_HEADER_LEN], frame[WAL_FRAME_LEN];
    // No lock is on the WAL that closing it could drop: they are all on the shared memory.
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    off_t pos = sizeof header;
    bool is_there = fd >= 0 && pread(fd, header, sizeof header, 0) == (ssize_t)sizeof header;
    for (; is_there && pread(fd, frame, sizeof frame, pos) == (ssize_t)sizeof frame;
         pos += (off_t)sizeof frame + len) {
        if (memcmp(header + WAL_HEADER_SALT, frame + WAL_FRAME_SALT, WAL_SALT_LEN) != 0)
            break; // of an earlier round
        sqlite3_int64 page = (sqlite3_int64)((uint32_t)frame[0] << 24 | (uint32_t)frame[1] << 16 |
                                             (uint32_t)frame[2] << 8 | frame[3]);
        for (guint i = bad->len; i-- > 0;)
            if (g_array_index(bad, sqlite3_int64, i) == page)
                g_array_remove_index(bad, i);
    }
    if (fd >= 0)
        close(fd);
}

static int page_size_of(const uint8_t *header) {
    int size = header[HEADER_PAGE_SIZE] << 8 | header[HEADER_PAGE_SIZE + 1];
    return size == 1 ? PAGE_MAX : size;
}

// Whether the header denies checksums that are there.
static bool is_denied(sqlite3_file *system, const uint8_t *header, int len) {
    g_autofree uint8_t *page = g_malloc((size_t)len);
    if (header[HEADER_RESERVED] == PAGE_SUM_SIZE ||
        system->pMethods->xRead(system, page, len, 0) != SQLITE_OK)
        return false;
    page[HEADER_RESERVED] = PAGE_SUM_SIZE;
    return page_sum_is_right(page, (size_t)len, 1);
}

int lite_sums_verify(sqlite3 *handle, GArray *bad) {
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    uint8_t header[HEADER_LEN];
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        file->pMethods != &methods)
        return SQLITE_OK;
    sqlite3_file *system = system_file(file);
    int code = system->pMethods->xFileSize(system, &size);
    if (code != SQLITE_OK || size < HEADER_LEN)
        return code;
    code = system->pMethods->xRead(system, header, sizeof header, 0);
    int len = page_size_of(header);
    if (code != SQLITE_OK || !is_header(header, sizeof header) || !is_page(len, 0))
        return code;
    if (header[HEADER_RESERVED] != PAGE_SUM_SIZE) {
        sqlite3_int64 first = 1;
        if (is_denied(system, header, len))
            g_array_append_val(bad, first);
        return SQLITE_OK;
    }
    g_autofree uint8_t *page = g_malloc((size_t)len);
    for (sqlite3_int64 n = 1; n <= size / len && bad->len < LITE_SUMS_TOLD; n++) {
        code = system->pMethods->xRead(system, page, len, (n - 1) * len);
        bool is_read = code == SQLITE_OK;
        if (is_read && page_sum_is_right(page, (size_t)len, (uint64_t)n))
            continue;
        if (!is_read || !is_right_again(system, page, len, n))
            g_array_append_val(bad, n);
    }
    if (bad->len > 0)
        drop_superseded(((struct summed_file *)file)->path, len, bad);
    return SQLITE_OK;
}
