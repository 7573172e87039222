// The steps of [RFC 5256] 2.1 on a run of bytes that gets shorter from both sides.
#include "formats/base_subject.h"

#include <string.h>

struct text {
    const char *p, *end;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p, const char *end) {
    while (p < end && is_blank(*p))
        p++;
    return p;
}

static bool begins_with(const struct text *t, const char *lower) {
    size_t len = strlen(lower);
    return (size_t)(t->end - t->p) >= len && g_ascii_strncasecmp(t->p, lower, len) == 0;
}

// subj-blob: "[...]" and blanks. NULL: none here.
static const char *skip_blob(const char *p, const char *end) {
    if (p >= end || *p != '[')
        return NULL;
    for (p++; p < end && *p != ']'; p++)
        if (*p == '[')
            return NULL;
    return p < end ? skip_blanks(p + 1, end) : NULL;
}

// subj-refwd: "re", "fw" or "fwd", a blob perhaps, a colon. NULL: none here.
static const char *skip_refwd(const char *p, const char *end) {
    struct text t = {p, end};
    if (begins_with(&t, "fwd"))
        p += 3;
    else if (begins_with(&t, "re") || begins_with(&t, "fw"))
        p += 2;
    else
        return NULL;
    p = skip_blanks(p, end);
    const char *blob = skip_blob(p, end);
    p = blob ? blob : p;
    return p < end && *p == ':' ? p + 1 : NULL;
}

// Step 2: blanks and "(fwd)" at the end.
static void strip_trailers(struct text *t, bool *is_reply) {
    for (;;) {
        if (t->end > t->p && is_blank(t->end[-1])) {
            t->end--;
        } else if (t->end - t->p >= 5 && g_ascii_strncasecmp(t->end - 5, "(fwd)", 5) == 0) {
            t->end -= 5;
            *is_reply = true;
        } else {
            return;
        }
    }
}

// Step 3: blanks, and blobs that lead to a "Re:".
static bool strip_leader(struct text *t, bool *is_reply) {
    if (t->p < t->end && is_blank(*t->p)) {
        t->p++;
        return true;
    }
    const char *p = t->p, *blob;
    while ((blob = skip_blob(p, t->end)) != NULL)
        p = blob;
    p = skip_refwd(p, t->end);
    if (!p)
        return false;
    t->p = p;
    *is_reply = true;
    return true;
}

// Step 4: a blob, unless it is all there is.
static bool strip_blob(struct text *t) {
    const char *p = skip_blob(t->p, t->end);
    if (!p || p == t->end)
        return false;
    t->p = p;
    return true;
}

// Step 6: "[fwd: ...]".
static bool strip_forwarded(struct text *t, bool *is_reply) {
    if (!begins_with(t, "[fwd:") || t->end - t->p < 6 || t->end[-1] != ']')
        return false;
    t->p += 5;
    t->end--;
    *is_reply = true;
    return true;
}

// Step 1: every run of white space is one blank.
static struct text squeeze(struct arena *arena, const char *subject) {
    size_t len = strnlen(subject, BASE_SUBJECT_MAX);
    if (len == BASE_SUBJECT_MAX)
        while (len > 0 && ((unsigned char)subject[len] & 0xc0) == 0x80)
            len--; // not inside a character
    char *out = arena_alloc(arena, len + 1), *end = out;
    for (size_t i = 0; i < len; i++) {
        char c = subject[i];
        bool is_space = is_blank(c) || c == '\r' || c == '\n';
        if (!is_space)
            *end++ = c;
        else if (end == out || end[-1] != ' ')
            *end++ = ' ';
    }
    *end = 0;
    return (struct text){out, end};
}

const char *base_subject(struct arena *arena, const char *subject, bool *is_reply_out) {
    struct text t = squeeze(arena, subject);
    bool is_reply = false, goes_on;
    do {
        strip_trailers(&t, &is_reply);
        do {
            while (strip_leader(&t, &is_reply))
                ;
        } while (strip_blob(&t));
        goes_on = strip_forwarded(&t, &is_reply);
    } while (goes_on);
    if (is_reply_out)
        *is_reply_out = is_reply;
    return arena_strndup(arena, t.p, (size_t)(t.end - t.p));
}
