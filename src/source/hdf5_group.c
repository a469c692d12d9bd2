/*
 * hdf5_group.c: the links of a group, of all three ways in which HDF5 stores them.
 *
 *   symbol table (old groups)   B-tree v1 ──▶ SNOD nodes ──▶ names in a local heap
 *   compact (new, few links)    one link message a link in the object header
 *   dense (new, many links)     B-tree v2 ──▶ link messages in a fractal heap
 *
 * The idea: all three end in one array of links, sorted by name, made when the group is first asked for anything. Lookup is
 * a binary search, so a model with thousands of layers stays n log n.
 *
 * Stays true: names are not empty, hold no NUL, no '/', and are unique in their group. The number of links over all groups
 * is bounded by the file's size (lc_h5_count), so trees that lead in a circle end.
 *
 * Refuses: soft links, external links and user-defined links, when somebody follows them. They can name other files, or
 * nothing, or themselves; Keras writes none and refuses them too.
 *
 * Spec: HDF5 File Format Specification Version 3.0, sections III.A.1, III.B to III.D, IV.A.2.c, IV.A.2.g, IV.A.2.r.
 */
#include "source/hdf5_impl.h"

#include <stdlib.h>
#include <string.h>

static lc_status add_link(lc_h5 *h5, lc_h5_object *group, lc_h5_link link, lc_error *err) {
    LC_TRY(lc_h5_count(h5, 1, err));
    if (!link.name.size || memchr(link.name.data, 0, link.name.size) || memchr(link.name.data, '/', link.name.size))
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_LINK, LC_NO_OFFSET, "'%s' has a link whose name is empty or has a NUL or a '/' in it",
                              group->path);
    void *items = group->links;
    if (!lc_arena_grow(h5->arena, &items, &group->link_capacity, group->link_count + 1, sizeof *group->links))
        return lc_fail_memory(err, "HDF5 links");
    group->links = items;
    group->links[group->link_count++] = link;
    return LC_OK;
}

/* ---- symbol table groups ---- */

/* Names lie in the heap's data segment, which is a window of its own: offsets count from its start. */
static lc_status open_names(lc_h5 *h5, uint64_t address, lc_cursor *names, lc_error *err) {
    lc_cursor c;
    uint64_t left = lc_cursor_left(&h5->file);
    LC_TRY(lc_h5_signed_block(h5, address, address < left ? left - address : 4, "HEAP", &c, err));
    uint8_t version = lc_read_u8(&c);
    lc_cursor_skip(&c, 3);
    uint64_t size = lc_h5_length(h5, &c);
    lc_h5_length(h5, &c); /* free list: not walked */
    uint64_t data = lc_h5_offset(h5, &c);
    if (c.failed || version != 0) return LC_H5_BAD(h5, &c, H5_HEAP, "a local heap's header is malformed");
    return lc_h5_block(h5, data, size, "local heap", names, err);
}

static lc_status read_symbols(lc_h5 *h5, lc_h5_object *group, uint64_t address, const lc_cursor *names, lc_error *err) {
    lc_cursor c;
    uint64_t left = lc_cursor_left(&h5->file);
    LC_TRY(lc_h5_signed_block(h5, address, address < left ? left - address : 4, "SNOD", &c, err));
    uint8_t version = lc_read_u8(&c);
    lc_cursor_skip(&c, 1);
    uint16_t count = lc_read_u16(&c);
    if (c.failed || version != 1) return LC_H5_BAD(h5, &c, H5_LINK, "a symbol table node is malformed");
    for (uint16_t i = 0; i < count; i++) {
        uint64_t name_at = lc_h5_offset(h5, &c), object = lc_h5_offset(h5, &c);
        uint32_t cache = lc_read_u32(&c);
        lc_cursor_skip(&c, 20);
        size_t heap_left = lc_cursor_left(names), length;
        lc_cursor n = *names;
        lc_cursor_skip(&n, name_at);
        const char *name = name_at < heap_left ? lc_read_cstr(&n, &length) : NULL;
        if (c.failed || !name) return LC_H5_BAD(h5, &c, H5_LINK, "a symbol table entry of '%s' has no name", group->path);
        lc_h5_link link = {{name, length}, object, cache == 2 ? LC_H5_SOFT : LC_H5_HARD};
        LC_TRY(add_link(h5, group, link, err));
    }
    return LC_OK;
}

static lc_status walk_names(lc_h5 *h5, lc_h5_object *group, uint64_t address, int level, const lc_cursor *names, lc_error *err) {
    lc_cursor c;
    uint8_t stored;
    uint16_t count;
    LC_TRY(lc_h5_tree1_node(h5, address, 0, level, &c, &stored, &count, err));
    for (uint16_t i = 0; i < count; i++) {
        lc_h5_length(h5, &c); /* key: where the name before the child begins */
        uint64_t child = lc_h5_offset(h5, &c);
        if (c.failed) return LC_H5_BAD(h5, &c, H5_BTREE, "a group's B-tree node is cut short");
        if (stored) LC_TRY(walk_names(h5, group, child, stored - 1, names, err));
        else LC_TRY(read_symbols(h5, group, child, names, err));
    }
    return LC_OK;
}

/* ---- link messages ---- */

static lc_status parse_link(lc_h5 *h5, lc_h5_object *group, lc_cursor *c, lc_error *err) {
    uint8_t version = lc_read_u8(c), flags = lc_read_u8(c), type = flags & 0x08 ? lc_read_u8(c) : 0;
    if (flags & 0x04) lc_read_u64(c); /* creation order */
    if (flags & 0x10) lc_read_u8(c);  /* character set */
    uint64_t length = lc_read_uint(c, 1u << (flags & 3));
    const uint8_t *name = lc_read_bytes(c, length);
    lc_h5_link link = {.address = LC_H5_NOWHERE,
                       .kind = type == 0    ? LC_H5_HARD
                               : type == 1  ? LC_H5_SOFT
                               : type == 64 ? LC_H5_EXTERNAL
                                            : LC_H5_USER};
    if (name) link.name = (lc_str){(const char *)name, (size_t)length};
    if (link.kind == LC_H5_HARD) link.address = lc_h5_offset(h5, c);
    if (c->failed || version != 1) return LC_H5_BAD(h5, c, H5_LINK, "a link of '%s' is malformed", group->path);
    return add_link(h5, group, link, err);
}

typedef struct dense_links {
    lc_h5_object *group;
    lc_h5_heap heap;
} dense_links;

static lc_status visit_link(lc_h5 *h5, void *user, lc_cursor *record, lc_error *err) {
    dense_links *d = user;
    lc_cursor_skip(record, 4); /* hash of the name */
    lc_cursor link;
    LC_TRY(lc_h5_heap_get(h5, &d->heap, record, &link, err));
    return parse_link(h5, d->group, &link, err);
}

static lc_status read_dense(lc_h5 *h5, lc_h5_object *group, lc_cursor c, lc_error *err) {
    uint8_t version = lc_read_u8(&c), flags = lc_read_u8(&c);
    if (flags & 0x01) lc_read_u64(&c); /* highest creation order */
    uint64_t heap = lc_h5_offset(h5, &c), tree = lc_h5_offset(h5, &c);
    if (c.failed || version != 0) return LC_H5_BAD(h5, &c, H5_LINK, "the link information of '%s' is malformed", group->path);
    if (heap == LC_H5_NOWHERE) return LC_OK; /* all links are compact */
    dense_links d = {.group = group};
    LC_TRY(lc_h5_heap_open(h5, heap, &d.heap, err));
    return lc_h5_tree2(h5, tree, 5, visit_link, &d, err);
}

/* ---- the group ---- */

int lc_h5_compare(lc_str a, lc_str b) {
    size_t n = a.size < b.size ? a.size : b.size;
    int order = n ? memcmp(a.data, b.data, n) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_links(const void *a, const void *b) {
    return lc_h5_compare(((const lc_h5_link *)a)->name, ((const lc_h5_link *)b)->name);
}

bool lc_h5_is_group(const lc_h5_object *object) {
    return lc_h5_find_message(object, LC_H5_MSG_SYMBOLS) || lc_h5_find_message(object, LC_H5_MSG_LINK_INFO) ||
           lc_h5_find_message(object, LC_H5_MSG_LINK);
}

bool lc_h5_is_dataset(const lc_h5_object *object) { return lc_h5_find_message(object, LC_H5_MSG_LAYOUT) && !lc_h5_is_group(object); }

static lc_status read_links(lc_h5 *h5, lc_h5_object *group, lc_error *err) {
    for (size_t i = 0; i < group->message_count; i++) {
        const lc_h5_message *m = &group->messages[i];
        lc_cursor c = m->body;
        if (m->type == LC_H5_MSG_LINK) LC_TRY(parse_link(h5, group, &c, err));
        if (m->type == LC_H5_MSG_LINK_INFO) LC_TRY(read_dense(h5, group, c, err));
        if (m->type == LC_H5_MSG_SYMBOLS) {
            lc_cursor names;
            uint64_t tree = lc_h5_offset(h5, &c), heap = lc_h5_offset(h5, &c);
            if (c.failed) return LC_H5_BAD(h5, &c, H5_LINK, "the symbol table message of '%s' is cut short", group->path);
            LC_TRY(open_names(h5, heap, &names, err));
            LC_TRY(walk_names(h5, group, tree, -1, &names, err));
        }
    }
    if (group->link_count) qsort(group->links, group->link_count, sizeof *group->links, compare_links);
    for (size_t i = 1; i < group->link_count; i++)
        if (compare_links(&group->links[i - 1], &group->links[i]) == 0)
            return LC_SOURCE_FAIL(err, LC_INVALID, H5_LINK, LC_NO_OFFSET, "'%s' has two links named '%.*s'", group->path,
                                  (int)(group->links[i].name.size < 100 ? group->links[i].name.size : 100), group->links[i].name.data);
    return LC_OK;
}

lc_status lc_h5_links(lc_h5 *h5, lc_h5_object *group, const lc_h5_link **links, size_t *count, lc_error *err) {
    if (!lc_h5_is_group(group))
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_LINK, LC_NO_OFFSET, "'%s' is a dataset, a group is expected", group->path);
    if (!group->links_read) {
        group->link_count = 0;
        LC_TRY(read_links(h5, group, err));
        group->links_read = true;
    }
    *links = group->links;
    *count = group->link_count;
    return LC_OK;
}

lc_status lc_h5_follow(lc_h5 *h5, lc_h5_object *group, const lc_h5_link *link, lc_h5_object **object, lc_error *err) {
    if (link->kind == LC_H5_HARD) return lc_h5_object_at(h5, link->address, group, link->name, object, err);
    static const char *const kinds[] = {"a hard link", "a soft link", "an external link", "a user-defined link"};
    LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_LINK, LC_NO_OFFSET, "'%s%s%.*s' is %s, which is never followed", group->path,
                   group->path[1] ? "/" : "", (int)(link->name.size < 100 ? link->name.size : 100), link->name.data, kinds[link->kind]);
    lc_error_hint(err, "a model file must hold its weights itself: save it again with model.save(...)");
    return LC_UNSUPPORTED;
}

lc_status lc_h5_find(lc_h5 *h5, lc_h5_object *group, lc_str path, lc_h5_object **object, lc_error *err) {
    *object = NULL;
    lc_h5_object *at = group;
    size_t i = 0;
    while (i < path.size) {
        const char *slash = memchr(path.data + i, '/', path.size - i);
        lc_str part = {path.data + i, slash ? (size_t)(slash - path.data) - i : path.size - i};
        i += part.size + 1;
        if (!part.size) continue; /* as in a path of a file system, // is / */
        const lc_h5_link *links;
        size_t count;
        LC_TRY(lc_h5_links(h5, at, &links, &count, err));
        lc_h5_link key = {.name = part};
        const lc_h5_link *link = count ? bsearch(&key, links, count, sizeof *links, compare_links) : NULL;
        if (!link) return LC_OK;
        LC_TRY(lc_h5_follow(h5, at, link, &at, err));
    }
    *object = at;
    return LC_OK;
}

lc_status lc_h5_get(lc_h5 *h5, lc_h5_object *group, lc_str path, lc_h5_object **object, lc_error *err) {
    LC_TRY(lc_h5_find(h5, group, path, object, err));
    if (*object) return LC_OK;
    return LC_SOURCE_FAIL(err, LC_NOT_FOUND, H5_MISSING, LC_NO_OFFSET, "'%s' has no '%.*s'", group->path,
                          (int)(path.size < 200 ? path.size : 200), path.data);
}
