/*
 * tf_names.c: see tf_names.h. The table is at least twice as large as what it holds, so a search is short; equal hashes are told apart by
 * the names themselves.
 */
#include "lower/tf_names.h"

#include <string.h>

bool lc_names_init(lc_names *names, lc_arena *arena, uint32_t capacity) {
    uint32_t size = 16;
    while (size < capacity * (uint64_t)2 && size < UINT32_C(1) << 31) size *= 2;
    *names = (lc_names){.mask = size - 1};
    names->keys = lc_arena_array(arena, capacity ? capacity : 1, sizeof *names->keys);
    names->slots = lc_arena_array(arena, size, sizeof *names->slots);
    return names->keys && names->slots;
}

static uint32_t slot_of(const lc_names *names, lc_str name) {
    uint32_t at = (uint32_t)lc_hash(name.data, name.size, 0) & names->mask;
    while (names->slots[at] && !lc_str_eq(names->keys[names->slots[at] - 1], name)) at = (at + 1) & names->mask;
    return at;
}

int32_t lc_names_add(lc_names *names, lc_str name, int32_t *first) {
    const uint32_t at = slot_of(names, name);
    if (names->slots[at]) {
        if (first) *first = names->slots[at] - 1;
        return -1;
    }
    names->keys[names->count] = name;
    names->slots[at] = (int32_t)++names->count;
    return (int32_t)names->count - 1;
}

int32_t lc_names_find(const lc_names *names, lc_str name) {
    if (!names->slots) return -1;
    return names->slots[slot_of(names, name)] - 1;
}

const char *lc_names_nearest(const lc_names *names, lc_str name, char *text, size_t size) {
    enum { LOOK = 2000 }; /* a hint is not worth more */
    char word[200];
    if (name.size >= sizeof word || !size) return NULL;
    memcpy(word, name.data, name.size);
    word[name.size] = 0;
    text[0] = 0;
    for (uint32_t from = 0; from < names->count && from < LOOK; from++) {
        char other[200];
        const lc_str key = names->keys[from];
        if (key.size >= sizeof other || key.size >= size) continue;
        memcpy(other, key.data, key.size);
        other[key.size] = 0;
        /* the better of the best so far and this one */
        const char *pair[3] = {text[0] ? text : other, other, NULL};
        const char *best = lc_nearest(word, pair);
        if (best == other) memcpy(text, other, key.size + 1);
    }
    return text[0] ? text : NULL;
}
