/*
 * source.c: which format a file has, told by its content and never by its name: HDF5 files named .keras and .keras zips named
 * .h5 are common in people's repositories.
 *
 * When no format fits, the error says what the bytes look like and what to do with such a file, since a wrong file is the most
 * common mistake of all: a picture, a web page saved in place of a model, a pointer of Git LFS, a model of another framework.
 */
#include "source/source.h"

#include <string.h>

#define LC_SOURCE(name) extern const lc_source lc_source_##name;
#include "source/sources.def"
#undef LC_SOURCE

const lc_source *const lc_sources[] = {
#define LC_SOURCE(name) &lc_source_##name,
#include "source/sources.def"
#undef LC_SOURCE
    NULL,
};

const char *const lc_source_rule_ids[LC_SOURCE_RULE_COUNT] = {
#define LC_SOURCE_RULE(NAME, id, text) id,
#include "source/rules.def"
};

#define READS "litec reads Keras .h5 and .keras files, SavedModels and graphs of TensorFlow, and .tflite"

/* What files that are no models begin with. */
typedef struct look {
    const char *bytes;
    size_t size, at; /* `size` bytes at offset `at` */
    const char *what, *hint;
} look;

#define MODEL_HINT "give the model instead: " READS
#define UNPACK_HINT "unpack it first and give the model inside: " READS
static const look looks[] = {
    {"\211PNG\r\n\032\n", 8, 0, "a PNG picture", MODEL_HINT},
    {"\377\330\377", 3, 0, "a JPEG picture", MODEL_HINT},
    {"GIF8", 4, 0, "a GIF picture", MODEL_HINT},
    {"BM", 2, 0, "a BMP picture", MODEL_HINT},
    {"\223NUMPY", 6, 0, "a NumPy array (.npy)",
     "it is data, not a model: give it to --input, --data or --representative, and a model here"},
    {"\037\213", 2, 0, "a gzip file", UNPACK_HINT},
    {"\3757zXZ", 6, 0, "an xz file", UNPACK_HINT},
    {"BZh", 3, 0, "a bzip2 file", UNPACK_HINT},
    {"\050\265\057\375", 4, 0, "a zstd file", UNPACK_HINT},
    {"7z\274\257\047\034", 6, 0, "a 7z archive", UNPACK_HINT},
    {"Rar!", 4, 0, "a RAR archive", UNPACK_HINT},
    {"ustar", 5, 257, "a tar archive", UNPACK_HINT},
    {"\177ELF", 4, 0, "a program or library (ELF)", MODEL_HINT},
    {"MZ", 2, 0, "a Windows program", MODEL_HINT},
    {"%PDF", 4, 0, "a PDF document", MODEL_HINT},
    {"GGUF", 4, 0, "a GGUF model (llama.cpp)", READS ": export the model from Keras"},
    {"TFL", 3, 4, "a .tflite file of another schema version",
     "convert the model again with a converter that writes schema version 3 (TFL3)"},
    {"version https://git-lfs", 23, 0, "a pointer of Git LFS, not the file itself", "fetch the file it stands for: git lfs pull"},
    {"<!DOCTYPE", 9, 0, "a web page", "the download gave a page in place of the file: download the file itself (its raw link)"},
    {"<html", 5, 0, "a web page", "the download gave a page in place of the file: download the file itself (its raw link)"},
    {"\200\002", 2, 0, "a Python pickle (perhaps an old PyTorch model)", READS ": export the model from Keras"},
    {"\200\003", 2, 0, "a Python pickle", READS ": export the model from Keras"},
    {"\200\004", 2, 0, "a Python pickle", READS ": export the model from Keras"},
    {"\200\005", 2, 0, "a Python pickle", READS ": export the model from Keras"},
};

/* A protobuf message that begins with field 1 as a small number, then field 2 as text: ONNX's ir_version and producer. */
static bool looks_onnx(const uint8_t *p, size_t n) { return n > 4 && p[0] == 0x08 && p[1] >= 2 && p[1] < 32 && p[2] == 0x12 && p[3] < 64; }
static bool looks_text(const uint8_t *p, size_t n) {
    size_t odd = 0;
    for (size_t i = 0; i < n; i++) odd += (p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t') || p[i] == 0x7F;
    return n > 0 && odd == 0;
}

static bool all_zero(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i]) return false;
    return true;
}

static lc_status refuse(lc_error *err, const char *what, const char *hint) {
    LC_SOURCE_FAIL(err, LC_INVALID, SOURCE, LC_NO_OFFSET, "not a model that litec reads: it looks like %s", what);
    lc_error_hint(err, "%s", hint);
    return LC_INVALID;
}

static void describe(const lc_map *map, lc_error *err) {
    lc_cursor c = lc_cursor_make(map->data, map->size);
    size_t n = map->size < 512 ? map->size : 512;
    const uint8_t *p = lc_read_bytes(&c, n);
    if (!p || !n) {
        refuse(err, "an empty file", "it was probably not written to the end: copy or export it again");
        return;
    }
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        const look *l = &looks[i];
        if (lc_range_ok(l->at, l->size, n) && memcmp(p + l->at, l->bytes, l->size) == 0) {
            refuse(err, l->what, l->hint);
            return;
        }
    }
    size_t space = 0;
    while (space < n && (p[space] == ' ' || p[space] == '\n' || p[space] == '\r' || p[space] == '\t')) space++;
    if (all_zero(p, n)) {
        refuse(err, "a file of zeros", "it was probably not written to the end: copy or export it again");
    } else if (looks_onnx(p, n)) {
        refuse(err, "an ONNX model", READS ": export the model from Keras");
    } else if (n > 9 && p[8] == '{' && p[9] == '"' && all_zero(p + 5, 3)) {
        refuse(err, "a safetensors file", "it holds weights only: " READS);
    } else if (space < n && (p[space] == '{' || p[space] == '[') && looks_text(p, n)) {
        refuse(err, "JSON text", "a configuration without weights is not enough: save the whole model with model.save(...)");
    } else if (looks_text(p, n)) {
        refuse(err, "a text file", MODEL_HINT);
    } else {
        LC_SOURCE_FAIL(err, LC_INVALID, SOURCE, LC_NO_OFFSET, "not a model that litec reads: its content is of no known format");
        lc_error_hint(err, READS "; check that the file is complete and not encrypted");
    }
}

const lc_source *lc_source_find(const lc_map *map, lc_error *err) {
    for (size_t i = 0; lc_sources[i]; i++)
        if (lc_sources[i]->probe(map)) return lc_sources[i];
    describe(map, err);
    return NULL;
}
