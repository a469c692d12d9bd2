/*
 * ckpt_slice.c: parts of a variable: boxes [start, start + length) in each dimension.
 *
 * A partitioned variable of TensorFlow 1 is stored as one value a partition, under a key made of the variable's name and the box. Keys sort
 * like what they are made of ("ordered code"): numbers begin with their length, strings end with 00 01 and have 00 and ff escaped:
 *
 *     number 0 │ name │ rank │ start, length of dimension 0 │ ...        a length of -1 is all of the dimension
 *
 * Putting a variable together copies each part where it belongs; a bit for each element of the result says that it has come, so parts that
 * overlap are found when the second one arrives, and parts that are missing by counting. That takes a thirty-second part of the memory of
 * floats, and a time that a file cannot make longer than its elements.
 *
 * Spec: tensorflow/core/util/saved_tensor_slice_util.h and tensor_slice.h; tensorflow/core/lib/strings/ordered_code.h.
 */
#include "source/ckpt_impl.h"

#include <string.h>

#define BAD LC_CKPT_BAD

/* ---- where a slice lies ------------------------------------------------------------------------------------------------ */

lc_status lc_ckpt_slice_read(lc_ckpt *ckpt, const char *path, const lc_ckpt_entry *entry, const lc_pb_TensorSliceProto *slice,
                             lc_ckpt_piece *piece, lc_error *err) {
    const size_t rank = (size_t)entry->rank;
    if (slice->extent.n != rank)
        return BAD(CKPT_SLICE, LC_NO_OFFSET, "%s: a slice of variable '%.*s' has %u dimensions, the variable has %zu", path,
                   LC_CKPT_SHOWN(entry->name), slice->extent.n, rank);
    int64_t *numbers = lc_arena_array(ckpt->arena, rank, 2 * sizeof *numbers);
    if (!numbers) return lc_fail_memory(err, "slices");
    piece->start = numbers;
    piece->length = numbers + rank;
    for (size_t d = 0; d < rank; d++) {
        const lc_pb_TensorSliceProto_Extent *e = &slice->extent.data[d];
        const bool all = !lc_pb_has(e, TensorSliceProto_Extent, length);
        numbers[d] = e->start;
        numbers[rank + d] = all ? -1 : e->length;
        if (e->start < 0 ||
            (all ? e->start != 0 : e->length < 0 || !lc_range_ok((uint64_t)e->start, (uint64_t)e->length, (uint64_t)entry->dims[d])))
            return BAD(CKPT_SLICE, LC_NO_OFFSET, "%s: a slice of variable '%.*s' is [%lld, %lld + %lld) in dimension %zu, which has %lld",
                       path, LC_CKPT_SHOWN(entry->name), (long long)e->start, (long long)e->start, (long long)e->length, d,
                       (long long)entry->dims[d]);
    }
    return LC_OK;
}

static void count_box(int32_t rank, lc_ckpt_box *box) {
    box->elements = 1;
    for (int32_t d = 0; d < rank; d++)
        box->elements *= (uint64_t)box->length[d]; /* checked: at most those of the variable, which are counted */
}

void lc_ckpt_piece_box(const lc_ckpt_entry *entry, const lc_ckpt_piece *piece, lc_ckpt_box *box) {
    for (int32_t d = 0; d < entry->rank; d++) {
        const bool all = !piece->length || piece->length[d] < 0;
        box->start[d] = all ? 0 : piece->start[d];
        box->length[d] = all ? entry->dims[d] : piece->length[d];
    }
    count_box(entry->rank, box);
}

/* ---- keys -------------------------------------------------------------------------------------------------------------- */

static void put_bytes(lc_text *key, const uint8_t *bytes, size_t n) { lc_text_add_n(key, (const char *)bytes, n); }

/* How many bytes follow, then these, highest first. */
static void put_number(lc_text *key, uint64_t v) {
    uint8_t bytes[9];
    size_t at = sizeof bytes;
    for (; v; v >>= 8) bytes[--at] = (uint8_t)v;
    bytes[at - 1] = (uint8_t)(sizeof bytes - at);
    put_bytes(key, bytes + at - 1, sizeof bytes - at + 1);
}

/* n bytes hold 7 n bits: the first n bits, 1 ... 1 0 for a number from 0 on, 0 ... 0 1 for one below, tell sign and n. */
static void put_signed(lc_text *key, int64_t v) {
    uint8_t bytes[10];
    size_t n = 1;
    while (n < sizeof bytes && (v < -((int64_t)1 << (7 * n - 1)) || v >= (int64_t)1 << (7 * n - 1))) n++;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[sizeof bytes - 1 - i] = i < 8 ? (uint8_t)((uint64_t)v >> 8 * i) : v < 0 ? 255 : 0;
    uint8_t *first = bytes + sizeof bytes - n;
    for (size_t i = 0; i < n; i++) first[i / 8] ^= (uint8_t)(0x80 >> i % 8);
    put_bytes(key, first, n);
}

void lc_ckpt_slice_key(const lc_ckpt_entry *entry, const lc_ckpt_piece *piece, lc_text *key) {
    put_number(key, 0);
    for (size_t i = 0, begin = 0; i <= entry->name.size; i++) {
        const bool end = i == entry->name.size;
        const unsigned char c = end ? 0 : (unsigned char)entry->name.data[i];
        if (!end && c != 0 && c != 255) continue;
        lc_text_add_n(key, entry->name.data + begin, i - begin);
        lc_text_add_n(key, end ? "\0\1" : c ? "\377\0" : "\0\377", 2);
        begin = i + 1;
    }
    put_number(key, (uint64_t)entry->rank);
    for (int32_t d = 0; d < entry->rank; d++) {
        put_signed(key, piece->start[d]);
        put_signed(key, piece->length[d]);
    }
}

/* ---- specs ------------------------------------------------------------------------------------------------------------- */

/* A number from 0 to 2^63 - 1 at *at. */
static bool read_number(lc_str s, size_t *at, int64_t *v) {
    const size_t begin = *at;
    *v = 0;
    for (; *at < s.size && s.data[*at] >= '0' && s.data[*at] <= '9'; ++*at)
        if (!lc_mul_i64(*v, 10, v) || !lc_add_i64(*v, s.data[*at] - '0', v)) return false;
    return *at > begin;
}
static bool read_char(lc_str s, size_t *at, char c) {
    if (*at >= s.size || s.data[*at] != c) return false;
    ++*at;
    return true;
}

/* "10 20 0,5:-": a number a dimension, then start,length or - for each. */
static bool read_spec(const lc_ckpt_entry *entry, lc_str spec, int64_t *dims, lc_ckpt_box *box) {
    size_t at = 0;
    for (int32_t d = 0; d < entry->rank; d++)
        if (!read_number(spec, &at, &dims[d]) || !read_char(spec, &at, ' ')) return false;
    for (int32_t d = 0; d < entry->rank; d++) {
        if (d && !read_char(spec, &at, ':')) return false;
        box->start[d] = 0;
        box->length[d] = entry->dims[d];
        if (read_char(spec, &at, '-')) continue;
        if (!read_number(spec, &at, &box->start[d]) || !read_char(spec, &at, ',') || !read_number(spec, &at, &box->length[d])) return false;
    }
    return at == spec.size;
}

lc_status lc_ckpt_spec_read(const lc_ckpt_entry *entry, lc_str spec, lc_ckpt_box *box, lc_error *err) {
    int64_t dims[LC_CKPT_MAX_RANK];
    if (spec.size == 0) {
        lc_ckpt_piece_box(entry, &(lc_ckpt_piece){0}, box);
        return LC_OK;
    }
    if (entry->rank == 0 || !read_spec(entry, spec, dims, box)) {
        LC_SOURCE_FAIL(err, LC_INVALID, CKPT_SPEC, LC_NO_OFFSET, "'%.*s' is no slice of variable '%.*s', which has %d dimensions",
                       LC_CKPT_SHOWN(spec), LC_CKPT_SHOWN(entry->name), entry->rank);
        lc_error_hint(
            err,
            "a slice is the variable's shape, a space, and start,length (or - for all) of each dimension, with : between: 10 20 0,5:-");
        return LC_INVALID;
    }
    for (int32_t d = 0; d < entry->rank; d++)
        if (dims[d] != entry->dims[d] || !lc_range_ok((uint64_t)box->start[d], (uint64_t)box->length[d], (uint64_t)entry->dims[d])) {
            LC_SOURCE_FAIL(err, LC_INVALID, CKPT_SPEC, LC_NO_OFFSET,
                           "slice '%.*s' does not fit variable '%.*s': dimension %d of it is %lld", LC_CKPT_SHOWN(spec),
                           LC_CKPT_SHOWN(entry->name), d, (long long)entry->dims[d]);
            lc_error_hint(err, "the graph and the checkpoint are not of the same model, or not of the same state of it");
            return LC_INVALID;
        }
    count_box(entry->rank, box);
    return LC_OK;
}

/* ---- copying ----------------------------------------------------------------------------------------------------------- */

/* Elements that one step in each dimension passes over. Of a box that has elements. */
static void strides(int32_t rank, const lc_ckpt_box *box, uint64_t *stride) {
    uint64_t below = 1;
    for (int32_t d = rank; d-- > 0;) {
        stride[d] = below;
        below *= (uint64_t)box->length[d];
    }
}

bool lc_ckpt_box_touches(int32_t rank, const lc_ckpt_box *a, const lc_ckpt_box *b) {
    bool touch = a->elements > 0 && b->elements > 0;
    for (int32_t d = 0; d < rank && touch; d++)
        touch = a->start[d] < b->start[d] + b->length[d] && b->start[d] < a->start[d] + a->length[d];
    return touch;
}

bool lc_ckpt_box_inside(int32_t rank, const lc_ckpt_box *wanted, const lc_ckpt_box *piece, uint64_t *at) {
    uint64_t stride[LC_CKPT_MAX_RANK];
    bool single = true; /* so far one index in each dimension: what follows may be a part of its dimension */
    *at = 0;
    if (wanted->elements == 0 || piece->elements == 0) return false;
    strides(rank, piece, stride);
    for (int32_t d = 0; d < rank; d++) {
        const int64_t from = wanted->start[d] - piece->start[d];
        if (from < 0 || wanted->length[d] > piece->length[d] - from) return false;
        if (!single && wanted->length[d] != piece->length[d]) return false;
        single = single && wanted->length[d] == 1;
        *at += (uint64_t)from * stride[d];
    }
    return true;
}

/* Sets n bits from `at` on; false when one was set. */
static bool mark(uint8_t *done, uint64_t at, uint64_t n) {
    for (; n && at % 8; at++, n--) {
        const uint8_t bit = (uint8_t)(1u << at % 8);
        if (done[at / 8] & bit) return false;
        done[at / 8] |= bit;
    }
    const size_t whole = (size_t)(n / 8);
    uint8_t *bytes = done + at / 8;
    for (size_t i = 0; i < whole; i++)
        if (bytes[i]) return false;
    memset(bytes, 255, whole);
    const uint8_t rest = (uint8_t)((1u << n % 8) - 1);
    if (!rest) return true;
    if (bytes[whole] & rest) return false;
    bytes[whole] |= rest;
    return true;
}

bool lc_ckpt_box_copy(int32_t rank, size_t element_size, const lc_ckpt_box *piece, const uint8_t *from, const lc_ckpt_box *wanted,
                      uint8_t *to, uint8_t *done, uint64_t *elements) {
    uint64_t in_stride[LC_CKPT_MAX_RANK], out_stride[LC_CKPT_MAX_RANK], in = 0, out = 0, run = 1;
    int64_t count[LC_CKPT_MAX_RANK], index[LC_CKPT_MAX_RANK];
    if (!lc_ckpt_box_touches(rank, piece, wanted)) return true;
    strides(rank, piece, in_stride);
    strides(rank, wanted, out_stride);
    for (int32_t d = 0; d < rank; d++) {
        const int64_t piece_end = piece->start[d] + piece->length[d], wanted_end = wanted->start[d] + wanted->length[d];
        const int64_t first = piece->start[d] > wanted->start[d] ? piece->start[d] : wanted->start[d];
        count[d] = (piece_end < wanted_end ? piece_end : wanted_end) - first;
        in += (uint64_t)(first - piece->start[d]) * in_stride[d];
        out += (uint64_t)(first - wanted->start[d]) * out_stride[d];
        index[d] = 0;
    }
    int32_t outer = rank; /* dimensions before it are stepped through, the rest is one run */
    for (bool whole = true; whole && outer > 0;) {
        outer--;
        run *= (uint64_t)count[outer];
        whole = count[outer] == piece->length[outer] && count[outer] == wanted->length[outer];
    }
    for (;;) {
        if (!mark(done, out, run)) return false;
        memcpy(to + out * element_size, from + in * element_size, (size_t)run * element_size);
        *elements += run;
        int32_t d = outer;
        for (; d-- > 0;) {
            in += in_stride[d];
            out += out_stride[d];
            if (++index[d] < count[d]) break;
            in -= in_stride[d] * (uint64_t)count[d];
            out -= out_stride[d] * (uint64_t)count[d];
            index[d] = 0;
        }
        if (d < 0) return true;
    }
}
