/*
 * checkpoint_v1.c: V1 checkpoints, which TensorFlow wrote before 0.12 and writes where it is asked to (Saver(write_version=V1)).
 *
 *   PREFIX, or PREFIX-00000-of-00002 ...     a table each:  ""                    │ SavedTensorSlices.meta: all variables in this file, and
 * slices 00 "weights" 01 ...   │ SavedTensorSlices.data: name, slice, TensorProto
 *
 * The idea: opening reads the block with the meta entry of each file and nothing else. A value is found by its slice's key, which reads its
 * block; there it stands as the packed numbers of a field of TensorProto, two messages deep. For floats and doubles that is their memory,
 * so they are borrowed from the map; TensorFlow writes integers as varints, which are decoded once. The messages around the numbers are
 * walked here, since reading them as structs would copy every value.
 *
 * Refuses: files of a sharded checkpoint that are missing, variables that two files describe differently, slices that are listed but not
 * there, records of another variable, more or fewer values than the slice has.
 *
 * Spec: tensorflow/core/util/saved_tensor_slice.proto, tensorflow/core/framework/tensor.proto.
 */
#include "source/ckpt_impl.h"

#include <stdlib.h>
#include <string.h>

#define BAD LC_CKPT_BAD
#define CHECKPOINT_VERSION 1 /* TF_CHECKPOINT_VERSION that we are readers of */

/* ---- what is in it ----------------------------------------------------------------------------------------------------- */

/* A variable as one file describes it. */
typedef struct listed {
    const lc_pb_SavedSliceMeta *meta;
    uint32_t file;
} listed;

typedef struct meta_reader {
    lc_ckpt *ckpt;
    lc_arena arena; /* messages, until they have been read */
    listed *list;
    size_t count, room;
} meta_reader;

static int compare(const void *a, const void *b) {
    const listed *x = a, *y = b;
    const int d = lc_str_compare(x->meta->name, y->meta->name);
    if (d) return d;
    if (x->file != y->file) return x->file < y->file ? -1 : 1;
    return (x->meta > y->meta) - (x->meta < y->meta); /* in the order of the file, which is that of the array */
}

static lc_status open_file(lc_ckpt *ckpt, uint32_t i, size_t *room, lc_error *err) {
    const lc_ckpt_place *p = &ckpt->place;
    const char *path = p->shards ? lc_arena_printf(ckpt->arena, "%s-%05u-of-%05u", p->prefix, i, p->shards) : p->prefix;
    if (!path || !lc_arena_grow(ckpt->arena, (void **)&ckpt->tables, room, (size_t)i + 1, sizeof *ckpt->tables))
        return lc_fail_memory(err, "list of files");
    const lc_status status = lc_ckpt_add_map(ckpt, i, i, path, err);
    if (status == LC_NOT_FOUND) {
        LC_SOURCE_FAIL(err, LC_NOT_FOUND, CKPT_SHARD, LC_NO_OFFSET, "%s: is missing", path);
        lc_error_hint(err, "the checkpoint is %u files %s-*-of-%05u: copy all of them", p->shards, p->prefix, p->shards);
    }
    LC_TRY(status);
    return lc_table_open(&ckpt->maps[i], path, ckpt->budget, ckpt->arena, &ckpt->tables[i], err);
}

static lc_status read_meta(meta_reader *r, uint32_t i, lc_error *err) {
    lc_ckpt *ckpt = r->ckpt;
    lc_table *t = &ckpt->tables[i];
    lc_str value;
    void *message;
    LC_TRY(lc_table_find(t, LC_STR(""), &value, err));
    if (!value.data)
        return BAD(CKPT_HEADER, LC_NO_OFFSET, "%s: does not begin with a list of its variables: it is no V1 checkpoint", t->path);
    const lc_status status = lc_pb_read(LC_PB_SavedTensorSlices, value.data, value.size, ckpt->budget, &r->arena, &message, err);
    if (status != LC_OK) lc_error_prefix(err, "%s", t->path);
    LC_TRY(status);
    const lc_pb_SavedTensorSliceMeta *meta = ((const lc_pb_SavedTensorSlices *)message)->meta;
    if (!meta) return BAD(CKPT_HEADER, LC_NO_OFFSET, "%s: its first entry lists no variables: it is no V1 checkpoint", t->path);
    LC_TRY(lc_ckpt_check_versions(t->path, meta->versions, CHECKPOINT_VERSION, err));
    if (!lc_arena_grow(&r->arena, (void **)&r->list, &r->room, r->count + meta->tensor.n, sizeof *r->list))
        return lc_fail_memory(err, "list of variables");
    for (uint32_t k = 0; k < meta->tensor.n; k++) r->list[r->count++] = (listed){&meta->tensor.data[k], i};
    return LC_OK;
}

/* One variable from the n files that have slices of it. */
static lc_status place_variable(lc_ckpt *ckpt, const listed *list, size_t n, lc_ckpt_variable *v, lc_error *err) {
    const char *path = ckpt->tables[list[0].file].path;
    lc_ckpt_entry *e = &v->entry;
    size_t slices = 0;
    LC_TRY(lc_ckpt_describe(ckpt, path, list[0].meta->name, list[0].meta->type, list[0].meta->shape, e, err));
    for (size_t i = 0; i < n; i++) {
        slices += list[i].meta->slice.n; /* checked: of what is in memory */
        if (list[i].meta->type != list[0].meta->type || !lc_ckpt_same_shape(list[i].meta->shape, e->rank, e->dims))
            return BAD(CKPT_NAME, LC_NO_OFFSET, "%s: variable '%.*s' has another type or shape than in %s", ckpt->tables[list[i].file].path,
                       LC_CKPT_SHOWN(e->name), path);
    }
    if (slices == 0 || slices > UINT32_MAX)
        return BAD(CKPT_SLICE, LC_NO_OFFSET, "%s: variable '%.*s' is stored in %zu slices", path, LC_CKPT_SHOWN(e->name), slices);
    e->slices = (uint32_t)slices;
    LC_TRY(lc_ckpt_make_pieces(ckpt, slices, &v->pieces, err));
    LC_TRY(lc_budget_memory(ckpt->budget, 2 * sizeof(int64_t) * (uint64_t)e->rank * slices, "the list of slices", err));
    lc_ckpt_piece *piece = v->pieces;
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < list[i].meta->slice.n; k++, piece++) {
            piece->file = list[i].file;
            LC_TRY(lc_ckpt_slice_read(ckpt, ckpt->tables[piece->file].path, e, &list[i].meta->slice.data[k], piece, err));
        }
    return LC_OK;
}

static lc_status place_all(meta_reader *r, lc_error *err) {
    lc_ckpt *ckpt = r->ckpt;
    size_t names = 0;
    if (r->count) qsort(r->list, r->count, sizeof *r->list, compare);
    for (size_t i = 0; i < r->count; i++) names += i == 0 || !lc_str_eq(r->list[i].meta->name, r->list[i - 1].meta->name);
    ckpt->variables = lc_arena_array(ckpt->arena, names, sizeof *ckpt->variables);
    if (!ckpt->variables) return lc_fail_memory(err, "list of variables");
    for (size_t i = 0, end; i < r->count; i = end) {
        for (end = i + 1; end < r->count && lc_str_eq(r->list[i].meta->name, r->list[end].meta->name);) end++;
        LC_TRY(place_variable(ckpt, r->list + i, end - i, &ckpt->variables[ckpt->count++], err));
    }
    return LC_OK;
}

lc_status lc_ckpt_open_v1(lc_ckpt *ckpt, lc_error *err) {
    meta_reader r = {.ckpt = ckpt};
    const uint32_t files = ckpt->place.shards ? ckpt->place.shards : 1;
    size_t room = 0;
    lc_status status = LC_OK;
    for (uint32_t i = 0; i < files && status == LC_OK; i++) {
        status = open_file(ckpt, i, &room, err);
        if (status == LC_OK) status = read_meta(&r, i, err);
    }
    if (status == LC_OK) status = place_all(&r, err);
    lc_arena_deinit(&r.arena);
    return status;
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

/* Which field of TensorProto has the values of a type, and how: bytes of one number that stands as it is, 0 for varints. */
typedef struct value_form {
    lc_dtype type;
    uint8_t field, fixed;
} value_form;
static const value_form forms[] = {
    {LC_FLOAT32, 5, 4},   {LC_FLOAT64, 6, 8}, {LC_COMPLEX64, 9, 4}, {LC_COMPLEX128, 12, 8}, {LC_INT32, 7, 0}, {LC_INT16, 7, 0},
    {LC_INT8, 7, 0},      {LC_UINT16, 7, 0},  {LC_UINT8, 7, 0},     {LC_INT64, 10, 0},      {LC_BOOL, 11, 0}, {LC_FLOAT16, 13, 0},
    {LC_BFLOAT16, 13, 0}, {LC_UINT32, 16, 0}, {LC_UINT64, 17, 0},   {LC_STRING, 8, 0},
};

/* One field of a message in its wire form. */
typedef struct field {
    uint64_t number;
    unsigned wire;   /* 0 varint, 1 and 5: 8 and 4 bytes, 2: counted bytes */
    lc_cursor bytes; /* of the value without its count */
} field;

static bool next_field(lc_cursor *c, field *f) {
    const uint64_t tag = lc_read_varint(c);
    f->number = tag >> 3;
    f->wire = tag & 7;
    const lc_cursor begin = *c;
    if (f->wire == 0) {
        lc_read_varint(c);
        f->bytes = lc_cursor_window(&begin, lc_cursor_at(&begin), lc_cursor_at(c) - lc_cursor_at(&begin));
    } else {
        const uint64_t size = f->wire == 1 ? 8 : f->wire == 5 ? 4 : lc_read_varint(c);
        f->bytes = lc_cursor_take(c, size);
    }
    return !c->failed && f->number && (f->wire < 3 || f->wire == 5); /* groups are nothing that TensorFlow has here */
}

/* The only field `number` of a message. */
static bool only_field(lc_cursor message, uint64_t number, lc_cursor *bytes) {
    size_t found = 0;
    for (field f; lc_cursor_left(&message);) {
        if (!next_field(&message, &f)) return false;
        if (f.number != number) continue;
        *bytes = f.bytes;
        found++;
        if (f.wire != 2) return false;
    }
    return found == 1;
}

static lc_status take_memory(lc_ckpt *ckpt, uint64_t bytes, uint8_t **to, lc_error *err) {
    size_t size;
    LC_TRY(lc_budget_memory(ckpt->budget, bytes, "a variable", err));
    *to = lc_u64_to_size(bytes, &size) ? lc_arena_data(ckpt->arena, size) : NULL;
    return *to ? LC_OK : lc_fail_memory(err, "variable");
}

/* The numbers of `elements` values of `each` bytes, from the runs and the single ones in a TensorProto. NULL in *wrong: they are there. */
static lc_status read_numbers(lc_ckpt *ckpt, lc_cursor tensor, const value_form *form, uint64_t elements, uint32_t each,
                              lc_ckpt_piece *piece, const char **wrong, lc_error *err) {
    const uint64_t bytes = elements * each; /* checked: at most those of the variable */
    const unsigned width = form->fixed ? form->fixed : each;
    uint64_t stored = 0, done = 0;
    lc_cursor again = tensor;
    *wrong = "is malformed";
    for (field f; lc_cursor_left(&again);) {
        if (!next_field(&again, &f)) return LC_OK;
        if (f.number != form->field) continue;
        const uint64_t size = lc_cursor_left(&f.bytes);
        if (form->fixed ? size % width != 0 || f.wire == 0 : f.wire != 0 && f.wire != 2) return LC_OK;
        if (form->fixed && size == bytes && f.wire == 2 && lc_cursor_left(&again) == 0 &&
            stored == 0) { /* all in one run, as it is written */
            piece->data = lc_read_bytes(&f.bytes, size);
            piece->size = (size_t)size;
            *wrong = NULL;
            return LC_OK;
        }
        stored += size; /* checked: of bytes in memory */
    }
    *wrong = "has another number of values than the slice";
    if (form->fixed ? stored != bytes : stored < elements) return LC_OK; /* a varint is at least a byte */
    uint8_t *to;
    LC_TRY(take_memory(ckpt, bytes, &to, err));
    for (field f; lc_cursor_left(&tensor);) {
        if (!next_field(&tensor, &f)) return LC_OK;
        while (f.number == form->field && lc_cursor_left(&f.bytes)) {
            const uint64_t v = form->fixed ? lc_read_uint(&f.bytes, width) : lc_read_varint(&f.bytes);
            if (f.bytes.failed || done == bytes) return LC_OK;
            for (unsigned i = 0; i < width; i++) to[done + i] = (uint8_t)(v >> 8 * i);
            done += width;
        }
    }
    if (done != bytes) return LC_OK;
    piece->data = to;
    piece->size = (size_t)bytes;
    *wrong = NULL;
    return LC_OK;
}

static lc_status read_strings(lc_ckpt *ckpt, const lc_ckpt_entry *e, lc_cursor tensor, const value_form *form, uint64_t elements,
                              lc_ckpt_piece *piece, const char **wrong, lc_error *err) {
    lc_arena arena = {0};
    lc_cursor again = tensor;
    uint64_t n = 0;
    *wrong = "is malformed";
    for (field f; lc_cursor_left(&again);) {
        if (!next_field(&again, &f)) return LC_OK;
        n += f.number == form->field && f.wire == 2;
    }
    *wrong = "has another number of values than the slice";
    if (n != elements) return LC_OK;
    LC_TRY(lc_budget_memory(ckpt->budget, n * sizeof(lc_str), "the strings of a checkpoint", err)); /* checked: one a field */
    lc_str *strings = lc_arena_array(&arena, (size_t)n, sizeof *strings);
    lc_status status = strings ? LC_OK : lc_fail_memory(err, "strings of a checkpoint");
    uint64_t done = 0;
    for (field f; status == LC_OK && lc_cursor_left(&tensor) && next_field(&tensor, &f) && done < n;)
        if (f.number == form->field && f.wire == 2) {
            const size_t size = lc_cursor_left(&f.bytes);
            strings[done++] = (lc_str){(const char *)lc_read_bytes(&f.bytes, size), size};
        }
    if (status == LC_OK) status = lc_ckpt_make_strings(ckpt, e->name, strings, (size_t)done, &piece->data, &piece->size, err);
    lc_arena_deinit(&arena);
    *wrong = NULL;
    return status;
}

static lc_status find_record(lc_ckpt *ckpt, const lc_ckpt_entry *e, lc_ckpt_piece *piece, lc_str *value, lc_error *err) {
    lc_table *t = &ckpt->tables[piece->file];
    lc_text key = {0};
    lc_ckpt_slice_key(e, piece, &key);
    const lc_status status =
        key.failed ? lc_fail_memory(err, "key of a slice") : lc_table_find(t, (lc_str){key.data, key.size}, value, err);
    lc_text_deinit(&key);
    LC_TRY(status);
    if (!value->data)
        return BAD(CKPT_SLICE, LC_NO_OFFSET, "%s: variable '%.*s' is listed, but a slice of it is not there", t->path,
                   LC_CKPT_SHOWN(e->name));
    return LC_OK;
}

lc_status lc_ckpt_read_v1(lc_ckpt *ckpt, const lc_ckpt_entry *e, lc_ckpt_piece *piece, lc_error *err) {
    const char *path = ckpt->tables[piece->file].path, *wrong = "is malformed";
    lc_cursor slice, name, tensor;
    lc_ckpt_box box;
    lc_str value;
    LC_TRY(find_record(ckpt, e, piece, &value, err));
    const value_form *form = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].type == e->type) form = &forms[i];
    if (!form) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, CKPT_TYPE, LC_NO_OFFSET, "%s: variable '%.*s' is of type %s, which V1 checkpoints do not have",
                       path, LC_CKPT_SHOWN(e->name), lc_pb_data_type_text(e->data_type));
        lc_error_hint(err, "save it as a V2 checkpoint: tf.train.Saver(write_version=tf.train.SaverDef.V2)");
        return LC_UNSUPPORTED;
    }
    lc_ckpt_piece_box(e, piece, &box);
    if (only_field(lc_cursor_make(value.data, value.size), 2, &slice) && only_field(slice, 3, &tensor) && only_field(slice, 1, &name)) {
        const size_t size = lc_cursor_left(&name);
        wrong = "is another variable's";
        if (lc_str_eq((lc_str){(const char *)lc_read_bytes(&name, size), size}, e->name))
            LC_TRY(e->type == LC_STRING
                       ? read_strings(ckpt, e, tensor, form, box.elements, piece, &wrong, err)
                       : read_numbers(ckpt, tensor, form, box.elements, lc_ckpt_element_size(e->data_type), piece, &wrong, err));
    }
    if (!wrong) return LC_OK;
    return BAD(CKPT_RECORD, LC_NO_OFFSET, "%s: the record of variable '%.*s' %s", path, LC_CKPT_SHOWN(e->name), wrong);
}
