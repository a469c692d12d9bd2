/*
 * tf_probe.c: see tf_probe.h. A protocol buffer does not say what it is, so we look whether its first fields are those of the message:
 *
 *   SavedModel    1 varint (schema version 1), 2 message (a MetaGraphDef)
 *   MetaGraphDef  1 message (versions, tags), 2 message (a GraphDef)
 *   GraphDef      1 message (a node: name, operator), ..., 2 library, 3 varint, 4 versions
 *
 * A message that is cut short is still recognised, so that the reader can say where it ends. In text the name of the first field tells.
 * A table ends with eight bytes of its own (LevelDB's magic number).
 */
#include "source/tf_probe.h"

#include <string.h>

/* ---- wire ---- */

typedef struct field {
    uint64_t number;
    unsigned wire;
    lc_cursor body; /* of a message or string, clipped to what is there */
    uint64_t value; /* of a varint */
} field;

static uint64_t varint(lc_cursor *c) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = lc_read_u8(c);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return v;
    }
    c->failed = true;
    return 0;
}

/* The next field; false at the end, or where no field can be. */
static bool next(lc_cursor *c, field *f) {
    if (c->failed || !lc_cursor_left(c)) return false;
    const uint64_t tag = varint(c);
    *f = (field){.number = tag >> 3, .wire = (unsigned)(tag & 7)};
    switch (f->wire) {
    case 0: f->value = varint(c); break;
    case 1: lc_cursor_skip(c, lc_cursor_left(c) < 8 ? lc_cursor_left(c) : 8); break;
    case 5: lc_cursor_skip(c, lc_cursor_left(c) < 4 ? lc_cursor_left(c) : 4); break;
    case 2: {
        const uint64_t size = varint(c);
        if (!c->failed) f->body = lc_cursor_take(c, size < lc_cursor_left(c) ? size : lc_cursor_left(c));
        break;
    }
    default: c->failed = true;
    }
    return !c->failed && f->number > 0 && f->number < 100;
}

/* All bytes are in [least, most]; none at all are not. */
static bool all_in(lc_cursor c, uint8_t least, uint8_t most) {
    if (!lc_cursor_left(&c)) return false;
    while (lc_cursor_left(&c)) {
        const uint8_t byte = lc_read_u8(&c);
        if (byte < least || byte > most) return false;
    }
    return true;
}

/* A NodeDef: a name and an operator, both text. */
static bool is_node(lc_cursor c) {
    bool name = false;
    for (field f; next(&c, &f);) {
        if (f.number == 1 && f.wire == 2) name = all_in(f.body, 0x20, 0x7e);
        else if (f.number == 2 && f.wire == 2) return name && all_in(f.body, '-', 'z');
        else return false;
    }
    return name; /* cut short */
}

static bool is_graph(lc_cursor c) {
    static const unsigned wires[] = {[1] = 2, [2] = 2, [3] = 0, [4] = 2, [5] = 2};
    field f;
    if (!next(&c, &f) || f.number > 5 || f.wire != wires[f.number]) return false;
    if (f.number == 1) return is_node(f.body);
    /* no nodes: a library, whose functions begin with a signature, or versions */
    field inner;
    if (f.number != 2) return (f.number == 3 && f.value < 1 << 20) || (f.number == 4 && next(&f.body, &inner) && inner.wire == 0);
    return next(&f.body, &inner) && inner.number <= 2 && inner.wire == 2 && !all_in(inner.body, 0x20, 0x7e);
}

/* What a MetaGraphDef begins with: versions and tags. The list of operators in it is what a node has its operator's name for. */
static bool is_meta_info(lc_cursor c) {
    unsigned seen = 0;
    for (field f; seen < 16 && next(&c, &f); seen++) {
        if (f.number > 8 || f.wire != (f.number == 7 ? 0 : 2)) return false;
        if (f.number == 2 && all_in(f.body, 0x20, 0x7e)) return false;
        if (f.number == 2) return true;
    }
    return true;
}

static bool is_meta_graph(lc_cursor c) {
    field f;
    if (!next(&c, &f) || f.wire != 2) return false;
    if (f.number == 1) {
        if (is_node(f.body) || !is_meta_info(f.body)) return false;
        return !next(&c, &f) || (f.wire == 2 && f.number != 1); /* Keras's metadata is a list of messages */
    }
    return f.number == 2 && is_graph(f.body);
}

static bool is_saved_model(lc_cursor c) {
    field f;
    if (!next(&c, &f)) return false;
    if (f.number == 1 && f.wire == 0) {
        if (f.value != 1 || !next(&c, &f)) return false;
    }
    return f.number == 2 && f.wire == 2 && is_meta_graph(f.body);
}

/* ---- text ---- */

static bool is_space(uint8_t b) { return b == ' ' || b == '\t' || b == '\r' || b == '\n'; }

static lc_tf_content probe_text(lc_cursor c) {
    static const struct {
        const char *name;
        lc_tf_content content;
    } first[] = {
        {"node", LC_TF_GRAPH},
        {"library", LC_TF_GRAPH},
        {"versions", LC_TF_GRAPH},
        {"version", LC_TF_GRAPH},
        {"meta_info_def", LC_TF_META_GRAPH},
        {"graph_def", LC_TF_META_GRAPH},
        {"saver_def", LC_TF_META_GRAPH},
        {"collection_def", LC_TF_META_GRAPH},
        {"signature_def", LC_TF_META_GRAPH},
        {"asset_file_def", LC_TF_META_GRAPH},
        {"object_graph_def", LC_TF_META_GRAPH},
        {"saved_model_schema_version", LC_TF_SAVED_MODEL},
        {"meta_graphs", LC_TF_SAVED_MODEL},
        {"model_checkpoint_path", LC_TF_STATE},
        {"all_model_checkpoint_paths", LC_TF_STATE},
    };
    uint8_t b = lc_read_u8(&c);
    if (b == 0xEF && lc_cursor_left(&c) > 2) { /* the mark that some editors put in front of UTF-8 */
        lc_cursor_skip(&c, 2);
        b = lc_read_u8(&c);
    }
    while (!c.failed && (is_space(b) || b == '#')) {
        if (b == '#')
            while (!c.failed && b != '\n') b = lc_read_u8(&c);
        b = lc_read_u8(&c);
    }
    char name[32];
    size_t n = 0;
    while (!c.failed && ((b >= 'a' && b <= 'z') || b == '_') && n + 1 < sizeof name) {
        name[n++] = (char)b;
        b = lc_read_u8(&c);
    }
    name[n] = 0;
    while (!c.failed && is_space(b)) b = lc_read_u8(&c);
    if (c.failed || (b != '{' && b != '<' && b != ':')) return LC_TF_NOT;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        if (strcmp(name, first[i].name) == 0) return first[i].content;
    return LC_TF_NOT;
}

/* ---- all ---- */

static bool is_table(const void *data, size_t size) {
    static const uint8_t magic[8] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    lc_cursor c = lc_cursor_make(data, size);
    if (size < 48) return false; /* the footer */
    lc_cursor_seek(&c, size - sizeof magic);
    const uint8_t *end = lc_read_bytes(&c, sizeof magic);
    return end && memcmp(end, magic, sizeof magic) == 0;
}

lc_tf_content lc_tf_probe(const void *data, size_t size, bool *text) {
    const lc_cursor c = lc_cursor_make(data, size);
    *text = false;
    if (is_table(data, size)) return LC_TF_TABLE;
    if (is_saved_model(c)) return LC_TF_SAVED_MODEL;
    if (is_meta_graph(c)) return LC_TF_META_GRAPH;
    if (is_graph(c)) return LC_TF_GRAPH;
    *text = true;
    return probe_text(c);
}
