/*
 * proto_write.c: the walk over a struct, and the wire form of it.
 *
 * A message is written with its length in front, so the lengths are worked out first: one walk notes the size of each sub-message in the
 * order in which they come, a second one writes and takes them from there. Nothing is written twice or moved, and a tensor_content of
 * 400 MB goes from where it lies to the caller in one piece. Neither walk calls itself: depth costs heap, not stack.
 *
 * Stays true: equal structs give equal bytes. Repeated numbers are packed, as proto3 does; readers take both forms.
 */
#include "proto/proto_impl.h"

#include <string.h>

/* ---- the walk ------------------------------------------------------------------------------------------------------------ */

typedef struct lc_pb_frame {
    const lc_pb_desc *d;
    const uint8_t *message;
    const lc_pb_field *field; /* that holds it; NULL for the root */
    uint32_t row, index;      /* what comes next; index: element of a repeated message */
    size_t note;
} lc_pb_frame;

static bool push(lc_pb_walk *w, const lc_pb_desc *d, const void *message, const lc_pb_field *field) {
    if (w->depth == w->capacity) {
        size_t wider, bytes;
        if (!lc_mul_size(w->capacity ? w->capacity : 16, 2, &wider) || !lc_mul_size(wider, sizeof *w->frames, &bytes)) return false;
        lc_pb_frame *frames = lc_realloc(w->frames, bytes);
        if (!frames) return false;
        w->frames = frames;
        w->capacity = wider;
    }
    w->frames[w->depth++] = (lc_pb_frame){.d = d, .message = message, .field = field};
    return true;
}

void lc_pb_walk_begin(lc_pb_walk *w, lc_pb_id id, const void *message) {
    *w = (lc_pb_walk){0};
    w->failed = !push(w, &lc_pb_descs[id], message, NULL);
}

bool lc_pb_walk_end(lc_pb_walk *w) {
    const bool fine = !w->failed;
    lc_free(w->frames);
    *w = (lc_pb_walk){0};
    return fine;
}

/* Whether a field that is no message is there, and where its values are. */
static bool value_of(const lc_pb_frame *frame, const lc_pb_field *f, lc_pb_step *step) {
    const uint8_t *at = frame->message + f->offset;
    if (f->many) {
        const lc_pb_vec v = lc_pb_vec_get(at);
        step->values = v.data;
        step->n = v.n;
        return v.n != 0;
    }
    uint64_t has, number = 0;
    lc_str s;
    step->values = at;
    step->n = 1;
    memcpy(&has, frame->message, sizeof has);
    if (has >> (f - frame->d->fields) & 1) return true;
    if (lc_pb_kinds[f->kind].wire == LC_PB_LENGTH) {
        memcpy(&s, at, sizeof s);
        return s.data && s.size;
    }
    memcpy(&number, at, lc_pb_kinds[f->kind].size); /* by its bits: -0.0 is not zero */
    return number != 0;
}

/* The next message below this frame's; NULL when its field has no more. */
static const void *message_of(lc_pb_frame *frame, const lc_pb_field *f) {
    const uint8_t *at = frame->message + f->offset;
    if (f->many) {
        const lc_pb_vec v = lc_pb_vec_get(at);
        return frame->index < v.n ? (const uint8_t *)v.data + lc_pb_element_size(f) * frame->index++ : NULL;
    }
    const void *below;
    memcpy(&below, at, sizeof below);
    return frame->index++ == 0 ? below : NULL;
}

bool lc_pb_walk_next(lc_pb_walk *w, lc_pb_step *step) {
    while (w->depth && !w->failed) {
        lc_pb_frame *frame = &w->frames[w->depth - 1];
        step->depth = (uint32_t)(w->depth - 1);
        if (frame->row == frame->d->field_count) {
            w->depth--;
            step->move = LC_PB_LEAVE_MOVE;
            step->field = frame->field;
            step->note = &frame->note; /* still there: nothing is pushed before the caller has looked */
            if (w->depth == 0) return false;
            step->depth--;
            return true;
        }
        const lc_pb_field *f = &frame->d->fields[frame->row];
        step->field = f;
        if (f->kind != LC_PB_KIND_message) {
            frame->row++;
            step->move = LC_PB_VALUE_MOVE;
            if (value_of(frame, f, step)) return true;
            continue;
        }
        const void *below = message_of(frame, f);
        if (!below) {
            frame->row++;
            frame->index = 0;
            continue;
        }
        if (!push(w, &lc_pb_descs[f->sub], below, f)) {
            w->failed = true;
            return false;
        }
        step->move = LC_PB_ENTER_MOVE;
        step->note = &w->frames[w->depth - 1].note;
        return true;
    }
    return false;
}

/* ---- sizes ------------------------------------------------------------------------------------------------------------------ */

static uint64_t tag_of(const lc_pb_field *f, bool packed) {
    return (uint64_t)f->number << 3 | (packed ? LC_PB_LENGTH : lc_pb_kinds[f->kind].wire);
}

/* What stands on the wire for number i of a field with variable length. Negative int32 and enums are ten bytes long. */
static uint64_t varint_of(const lc_pb_field *f, const void *values, uint32_t i) {
    const uint8_t *at = (const uint8_t *)values + (size_t)lc_pb_kinds[f->kind].size * i;
    int64_t v;
    int32_t v32;
    if (f->kind == LC_PB_KIND_bool) return *at != 0;
    if (lc_pb_kinds[f->kind].size == 8) {
        memcpy(&v, at, 8);
        return f->kind == LC_PB_KIND_sint64 ? (uint64_t)v << 1 ^ (uint64_t)(v < 0 ? -1 : 0) : (uint64_t)v;
    }
    memcpy(&v32, at, 4);
    if (f->kind == LC_PB_KIND_uint32) return (uint32_t)v32;
    if (f->kind == LC_PB_KIND_sint32) return (uint32_t)((uint32_t)v32 << 1 ^ (uint32_t)(v32 < 0 ? -1 : 0));
    return (uint64_t)(int64_t)v32;
}

static uint64_t packed_size(const lc_pb_field *f, const void *values, uint32_t n) {
    if (lc_pb_kinds[f->kind].wire != LC_PB_VARINT) return (uint64_t)lc_pb_kinds[f->kind].size * n;
    uint64_t size = 0;
    for (uint32_t i = 0; i < n; i++) size += lc_pb_varint_size(varint_of(f, values, i));
    return size;
}

static lc_str string_of(const void *values, uint32_t i) {
    lc_str s;
    memcpy(&s, (const uint8_t *)values + sizeof s * i, sizeof s);
    return s.data ? s : LC_STR("");
}

static uint64_t values_size(const lc_pb_step *s) {
    const lc_pb_field *f = s->field;
    const bool packed = f->many && lc_pb_packs(f);
    const uint64_t tag = lc_pb_varint_size(tag_of(f, packed));
    if (lc_pb_packs(f)) {
        const uint64_t size = packed_size(f, s->values, s->n);
        return tag + (packed ? lc_pb_varint_size(size) : 0) + size;
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        const uint64_t size = string_of(s->values, i).size;
        sum += tag + lc_pb_varint_size(size) + size;
    }
    return sum;
}

/* Sizes of all messages below the root, in the order they are entered. */
typedef struct sizes {
    uint64_t *each;
    size_t n, capacity;
    uint64_t whole;
} sizes;

static bool add_size(sizes *z, uint64_t v) {
    if (z->n == z->capacity) {
        size_t wider, bytes;
        if (!lc_mul_size(z->capacity ? z->capacity : 64, 2, &wider) || !lc_mul_size(wider, sizeof *z->each, &bytes)) return false;
        uint64_t *each = lc_realloc(z->each, bytes);
        if (!each) return false;
        z->each = each;
        z->capacity = wider;
    }
    z->each[z->n++] = v;
    return true;
}

static bool measure(lc_pb_id id, const void *message, sizes *z) {
    lc_pb_walk w;
    lc_pb_step s;
    *z = (sizes){0};
    lc_pb_walk_begin(&w, id, message);
    while (lc_pb_walk_next(&w, &s)) {
        if (s.move == LC_PB_VALUE_MOVE) {
            z->whole += values_size(&s);
        } else if (s.move == LC_PB_ENTER_MOVE) { /* until it is left, its entry says where it began */
            z->whole += lc_pb_varint_size(tag_of(s.field, false));
            *s.note = z->n;
            if (!add_size(z, z->whole)) {
                lc_pb_walk_end(&w);
                return false;
            }
        } else {
            z->each[*s.note] = z->whole - z->each[*s.note];
            z->whole += lc_pb_varint_size(z->each[*s.note]);
        }
    }
    return lc_pb_walk_end(&w);
}

/* ---- bytes -------------------------------------------------------------------------------------------------------------------- */

#define BUFFER 8192
#define ALONE 1024 /* bytes that are worth a call of their own */

typedef struct writer {
    lc_status (*write)(void *user, const void *data, size_t size, lc_error *err);
    void *user;
    lc_error *err;
    size_t filled;
    uint8_t buffer[BUFFER];
} writer;

static lc_status flush(writer *w) {
    const size_t n = w->filled;
    w->filled = 0;
    return n ? w->write(w->user, w->buffer, n, w->err) : LC_OK;
}

static lc_status put(writer *w, const void *data, size_t size) {
    if (size > BUFFER - w->filled || size >= ALONE) LC_TRY(flush(w));
    if (size >= ALONE) return w->write(w->user, data, size, w->err);
    if (size) memcpy(w->buffer + w->filled, data, size);
    w->filled += size;
    return LC_OK;
}

static lc_status put_varint(writer *w, uint64_t v) {
    if (BUFFER - w->filled < 10) LC_TRY(flush(w));
    w->filled += lc_pb_put_varint(w->buffer + w->filled, v);
    return LC_OK;
}

static lc_status put_values(writer *w, const lc_pb_step *s) {
    const lc_pb_field *f = s->field;
    const bool packed = f->many && lc_pb_packs(f);
    if (lc_pb_packs(f)) {
        LC_TRY(put_varint(w, tag_of(f, packed)));
        if (packed) LC_TRY(put_varint(w, packed_size(f, s->values, s->n)));
        if (lc_pb_kinds[f->kind].wire != LC_PB_VARINT) return put(w, s->values, (size_t)lc_pb_kinds[f->kind].size * s->n);
        for (uint32_t i = 0; i < s->n; i++) LC_TRY(put_varint(w, varint_of(f, s->values, i)));
        return LC_OK;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        const lc_str string = string_of(s->values, i);
        LC_TRY(put_varint(w, tag_of(f, false)));
        LC_TRY(put_varint(w, string.size));
        LC_TRY(put(w, string.data, string.size));
    }
    return LC_OK;
}

static lc_status put_message(writer *w, lc_pb_walk *walk, const sizes *z) {
    lc_pb_step s;
    size_t next = 0;
    while (lc_pb_walk_next(walk, &s)) {
        if (s.move == LC_PB_VALUE_MOVE) {
            LC_TRY(put_values(w, &s));
        } else if (s.move == LC_PB_ENTER_MOVE) {
            LC_TRY(put_varint(w, tag_of(s.field, false)));
            LC_TRY(put_varint(w, z->each[next++]));
        }
    }
    return flush(w);
}

lc_status lc_pb_write_to(lc_pb_id id, const void *message, lc_status (*write)(void *user, const void *data, size_t size, lc_error *err),
                         void *user, lc_error *err) {
    if ((unsigned)id >= LC_PB_COUNT) return lc_fail(err, LC_ARGUMENT, "no protocol buffer has number %d", (int)id);
    writer w = {.write = write, .user = user, .err = err};
    lc_pb_walk walk;
    sizes z;
    lc_status status;
    if (measure(id, message, &z)) {
        lc_pb_walk_begin(&walk, id, message);
        status = put_message(&w, &walk, &z);
        if (!lc_pb_walk_end(&walk) && status == LC_OK) status = lc_fail_memory(err, lc_pb_name(id));
    } else {
        status = lc_fail_memory(err, lc_pb_name(id));
    }
    lc_free(z.each);
    return status;
}

lc_status lc_pb_size(lc_pb_id id, const void *message, uint64_t *size, lc_error *err) {
    *size = 0;
    if ((unsigned)id >= LC_PB_COUNT) return lc_fail(err, LC_ARGUMENT, "no protocol buffer has number %d", (int)id);
    sizes z;
    const bool fine = measure(id, message, &z);
    if (fine) *size = z.whole;
    lc_free(z.each);
    return fine ? LC_OK : lc_fail_memory(err, lc_pb_name(id));
}

static lc_status add_to_text(void *user, const void *data, size_t size, lc_error *err) {
    lc_text *out = user;
    lc_text_add_n(out, data, size);
    return out->failed ? lc_fail_memory(err, "protocol buffer") : LC_OK;
}

void lc_pb_write(lc_pb_id id, const void *message, lc_text *out) {
    if (lc_pb_write_to(id, message, add_to_text, out, NULL) != LC_OK) out->failed = true;
}
