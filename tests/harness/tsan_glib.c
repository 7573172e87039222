// Tells ThreadSanitizer about GLib's synchronization. Debian's libglib is not instrumented and its
// mutexes are futexes of its own, so without this every lock through GLib is invisible and every
// datum behind one looks like a race. Preloaded (LD_PRELOAD) into the ThreadSanitizer build only:
// each function here marks the happens-before edge and calls the real one.
#define GLIB_DISABLE_DEPRECATION_WARNINGS
#include <dlfcn.h>
#include <glib.h>
#include <stdlib.h>

// Weak, so that the library can be preloaded into programs without ThreadSanitizer too.
void __tsan_acquire(void *addr) __attribute__((weak));
void __tsan_release(void *addr) __attribute__((weak));

static void acquire(volatile void *addr) {
    if (__tsan_acquire)
        __tsan_acquire((void *)addr);
}

static void release(volatile void *addr) {
    if (__tsan_release)
        __tsan_release((void *)addr);
}

// GLib's public headers wrap some of the names below as macros.
#undef g_once_init_enter
#undef g_once_init_leave

#define REAL(result, name, ...)                                                                    \
    static result (*real)(__VA_ARGS__);                                                            \
    if (!real && !(*(void **)&real = dlsym(RTLD_NEXT, #name)))                                     \
    abort()

#define LOCKS(type, lock, trylock, unlock)                                                         \
    void lock(type *m) {                                                                           \
        REAL(void, lock, type *);                                                                  \
        real(m);                                                                                   \
        acquire(m);                                                                                \
    }                                                                                              \
    gboolean trylock(type *m) {                                                                    \
        REAL(gboolean, trylock, type *);                                                           \
        gboolean got = real(m);                                                                    \
        if (got)                                                                                   \
            acquire(m);                                                                            \
        return got;                                                                                \
    }                                                                                              \
    void unlock(type *m) {                                                                         \
        release(m);                                                                                \
        REAL(void, unlock, type *);                                                                \
        real(m);                                                                                   \
    }

#undef g_mutex_lock
#undef g_mutex_trylock
#undef g_mutex_unlock
LOCKS(GMutex, g_mutex_lock, g_mutex_trylock, g_mutex_unlock)
LOCKS(GRecMutex, g_rec_mutex_lock, g_rec_mutex_trylock, g_rec_mutex_unlock)
LOCKS(GRWLock, g_rw_lock_writer_lock, g_rw_lock_writer_trylock, g_rw_lock_writer_unlock)
LOCKS(GRWLock, g_rw_lock_reader_lock, g_rw_lock_reader_trylock, g_rw_lock_reader_unlock)

void g_mutex_clear(GMutex *m) {
    acquire(m);
    REAL(void, g_mutex_clear, GMutex *);
    real(m);
}

// Waiting gives the mutex away and takes it back.
void g_cond_wait(GCond *cond, GMutex *m) {
    REAL(void, g_cond_wait, GCond *, GMutex *);
    release(m);
    real(cond, m);
    acquire(m);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *m, gint64 end_time) {
    REAL(gboolean, g_cond_wait_until, GCond *, GMutex *, gint64);
    release(m);
    gboolean woken = real(cond, m, end_time);
    acquire(m);
    return woken;
}

gboolean g_once_init_enter(volatile void *location) {
    REAL(gboolean, g_once_init_enter, volatile void *);
    gboolean first = real(location);
    acquire(location);
    return first;
}

void g_once_init_leave(volatile void *location, gsize result) {
    release(location);
    REAL(void, g_once_init_leave, volatile void *, gsize);
    real(location, result);
}

// The value handed through a queue or a pool, and everything written before it was pushed.
void g_async_queue_push(GAsyncQueue *queue, gpointer data) {
    release(queue);
    REAL(void, g_async_queue_push, GAsyncQueue *, gpointer);
    real(queue, data);
}

#define POPS(name)                                                                                 \
    gpointer name(GAsyncQueue *queue) {                                                            \
        REAL(gpointer, name, GAsyncQueue *);                                                       \
        gpointer data = real(queue);                                                               \
        acquire(queue);                                                                            \
        return data;                                                                               \
    }
POPS(g_async_queue_pop)
POPS(g_async_queue_try_pop)

gpointer g_async_queue_timeout_pop(GAsyncQueue *queue, guint64 timeout) {
    REAL(gpointer, g_async_queue_timeout_pop, GAsyncQueue *, guint64);
    gpointer data = real(queue, timeout);
    acquire(queue);
    return data;
}

// The last holder frees; it must have seen what the others did before they let go.
#define UNREFS(name, type)                                                                         \
    void name(type *object) {                                                                      \
        if (object) {                                                                              \
            release(object);                                                                       \
            acquire(object);                                                                       \
        }                                                                                          \
        REAL(void, name, type *);                                                                  \
        real(object);                                                                              \
    }
UNREFS(g_bytes_unref, GBytes)
UNREFS(g_ptr_array_unref, GPtrArray)
UNREFS(g_array_unref, GArray)
UNREFS(g_hash_table_unref, GHashTable)
UNREFS(g_date_time_unref, GDateTime)
UNREFS(g_time_zone_unref, GTimeZone)

#define DECREMENTS(name, type)                                                                     \
    gboolean name(type *count) {                                                                   \
        release(count);                                                                            \
        REAL(gboolean, name, type *);                                                              \
        gboolean last = real(count);                                                               \
        if (last)                                                                                  \
            acquire(count);                                                                        \
        return last;                                                                               \
    }
#undef g_atomic_ref_count_dec
DECREMENTS(g_atomic_ref_count_dec, gatomicrefcount)
