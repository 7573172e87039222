// Runs a fuzz target once over each file of the folders (or files) named on the command line, so
// that every corpus is replayed by an ordinary test run without libFuzzer.
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replay(const char *path) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    if (dir) {
        unsigned n = 0;
        for (const char *name; (name = g_dir_read_name(dir));) {
            g_autofree char *child = g_build_filename(path, name, NULL);
            n += replay(child);
        }
        return n;
    }
    g_autofree char *data = NULL;
    gsize len = 0;
    if (!g_file_get_contents(path, &data, &len, NULL)) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    // A copy of exactly the length, so that the sanitizer sees a read past the end.
    uint8_t *copy = g_memdup2(len ? data : "", len ? len : 1);
    LLVMFuzzerTestOneInput(copy, len);
    g_free(copy);
    return 1;
}

int main(int argc, char **argv) {
    unsigned n = 0;
    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    printf("%u inputs replayed\n", n);
    return n == 0;
}
