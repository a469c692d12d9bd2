/*
 * test_array.c: data files. Files made here byte by byte, and images made by libpng and libjpeg; every truncation of each must be
 * refused or read, never crash; what is written as .npy reads back.
 */
#include "source/array.h"
#include "support/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

typedef struct bytes {
    uint8_t data[8192];
    size_t size;
} bytes;

static void put(bytes *b, const void *data, size_t n) {
    assert_true(b->size + n <= sizeof b->data);
    memcpy(b->data + b->size, data, n);
    b->size += n;
}

static bytes npy(int major, const char *dict, const void *items, size_t n) {
    bytes b = {.size = 0};
    const size_t length = strlen(dict);
    put(&b, "\x93NUMPY", 6);
    put(&b, (uint8_t[]){(uint8_t)major, 0}, 2);
    put(&b, (uint8_t[]){(uint8_t)length, (uint8_t)(length >> 8), 0, 0}, major == 1 ? 2 : 4);
    put(&b, dict, length);
    put(&b, items, n);
    return b;
}

static lc_status read_all(const bytes *b, lc_array *array, lc_error *err) {
    lc_budget budget;
    lc_budget_init(&budget, &(lc_limits){.max_memory = 1 << 24});
    /* exact-size copy, so that a sanitizer sees any read past the end */
    uint8_t *exact = malloc(b->size ? b->size : 1);
    assert_non_null(exact);
    memcpy(exact, b->data, b->size);
    lc_status status = lc_array_read(exact, b->size, true, &budget, array, err);
    free(exact);
    return status;
}

static void truncate_everywhere(const bytes *whole) {
    bytes b = *whole;
    for (b.size = 0; b.size < whole->size; b.size++) {
        lc_array array = {0};
        lc_error err;
        if (read_all(&b, &array, &err) == LC_OK) lc_array_deinit(&array);
        else assert_true(err.message[0] != 0);
    }
}

static void check_floats(const bytes *b, const int32_t *dims, int32_t rank, const float *want) {
    lc_array a;
    lc_error err;
    if (read_all(b, &a, &err) != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(a.type, LC_FLOAT32);
    assert_int_equal(a.rank, rank);
    for (int32_t d = 0; d < rank; d++) assert_int_equal(a.dims[d], dims[d]);
    assert_memory_equal(a.data, want, a.size);
    lc_array_deinit(&a);
}

static void test_npy(void **unused) {
    (void)unused;
    const float m[] = {1, 2, 3, 4, 5, 6}, columns[] = {1, 4, 2, 5, 3, 6};
    const int32_t dims[] = {2, 3};
    bytes b = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n", m, sizeof m);
    check_floats(&b, dims, 2, m);
    truncate_everywhere(&b);
    b = npy(2, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n", columns, sizeof columns);
    check_floats(&b, dims, 2, m);
    b = npy(3, "{\"shape\": (2L, 3L), \"fortran_order\": False, \"descr\": \"<f4\"}", m, sizeof m);
    check_floats(&b, dims, 2, m);
    uint8_t swapped[sizeof m];
    for (size_t i = 0; i < sizeof m; i++) swapped[i] = ((const uint8_t *)m)[i - i % 4 + (3 - i % 4)];
    b = npy(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)}", swapped, sizeof swapped);
    check_floats(&b, dims, 2, m);
    b = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", m, 4);
    check_floats(&b, NULL, 0, m);
    b = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}", m, 0);
    check_floats(&b, (int32_t[]){0, 3}, 2, m);
}

static void test_npy_refused(void **unused) {
    (void)unused;
    static const char *const dicts[] = {
        "",
        "{",
        "{}",
        "not a dict",
        "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<U5', 'fortran_order': False, 'shape': (2, 3)}", /* 120 bytes of text; there are 24 */
        "{'descr': '<U', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '|S-1', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '|S5x', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '|S99999999999999999999', 'fortran_order': False, 'shape': (0,)}",
        "{'descr': '|S2147483648', 'fortran_order': False, 'shape': (0,)}",
        "{'descr': '<U536870912', 'fortran_order': False, 'shape': (0,)}",
        "{'descr': '|S2147483647', 'fortran_order': False, 'shape': (2147483647, 2147483647, 8)}",
        "{'descr': '|S0', 'fortran_order': False, 'shape': (2147483647, 2147483647)}", /* no bytes, but strings */
        "{'descr': '|S0', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}", /* more than the data */
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
    };
    const float m[6] = {0};
    for (size_t i = 0; i < sizeof dicts / sizeof *dicts; i++) {
        bytes b = npy(1, dicts[i], m, sizeof m);
        lc_array a = {0};
        lc_error err;
        if (read_all(&b, &a, &err) == LC_OK) fail_msg("accepted %s", dicts[i]);
        assert_true(err.message[0] != 0);
    }
    bytes b = npy(9, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", m, sizeof m);
    lc_array a;
    assert_int_equal(read_all(&b, &a, NULL), LC_UNSUPPORTED);
    /* declared far beyond the limit: refused before anything is allocated */
    b = npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2000000000,)}", m, sizeof m);
    assert_int_equal(read_all(&b, &a, NULL), LC_LIMIT);
}

/* ---- text ---------------------------------------------------------------------------------------------------- */

static lc_tensor_view view_of(const lc_array *a) {
    lc_tensor_view v = {.type = a->type, .rank = a->rank, .data = a->data, .size = a->size};
    memcpy(v.dims, a->dims, sizeof a->dims);
    return v;
}

/* Reads b, which holds these strings (of these lengths) in a shape of this rank. */
static void check_text(const bytes *b, int32_t rank, const char *const *want, const size_t *lengths, size_t n) {
    lc_array a;
    lc_error err;
    if (read_all(b, &a, &err) != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(a.type, LC_STRING);
    assert_int_equal(a.rank, rank);
    const lc_tensor_view v = view_of(&a);
    for (size_t i = 0; i < n; i++) {
        size_t length;
        const char *s = lc_tensor_string(&v, i, &length);
        assert_non_null(s);
        assert_int_equal(length, lengths[i]);
        assert_memory_equal(s, want[i], length);
    }
    assert_null(lc_tensor_string(&v, n, NULL));
    lc_array_deinit(&a);
}

/* Characters as NumPy stores them, padded with zeros to `width`. */
static size_t wide(uint8_t *to, const uint32_t *characters, size_t n, size_t width, bool big) {
    for (size_t i = 0; i < width; i++)
        for (size_t k = 0; k < 4; k++) to[4 * i + k] = (uint8_t)((i < n ? characters[i] : 0) >> 8 * (big ? 3 - k : k));
    return 4 * width;
}

static void test_npy_text(void **unused) {
    (void)unused;
    /* bytes: padding goes, zeros between stay, what is no UTF-8 too */
    static const char *const plain[] = {"one", "", "\xff\0x"};
    bytes b = npy(1, "{'descr': '|S4', 'fortran_order': False, 'shape': (3,), }\n", "one\0\0\0\0\0\xff\0x\0", 12);
    check_text(&b, 1, plain, (size_t[]){3, 0, 3}, 3);
    truncate_everywhere(&b);
    b = npy(1, "{'descr': '|S4', 'fortran_order': True, 'shape': (2, 2), }\n", "a\0\0\0bb\0\0ccc\0dddd", 16);
    check_text(&b, 2, (const char *const[]){"a", "ccc", "bb", "dddd"}, (size_t[]){1, 3, 2, 4}, 4);
    b = npy(1, "{'descr': '|S5', 'fortran_order': False, 'shape': ()}\n", "hello", 5);
    check_text(&b, 0, (const char *const[]){"hello"}, (size_t[]){5}, 1);
    b = npy(1, "{'descr': '<U1', 'fortran_order': False, 'shape': (0,)}\n", "", 0);
    check_text(&b, 1, NULL, NULL, 0);
    b = npy(1, "{'descr': '|S0', 'fortran_order': False, 'shape': (2,)}\n", "", 0);
    check_text(&b, 1, (const char *const[]){"", ""}, (size_t[]){0, 0}, 2);
    /* characters of one to four bytes of UTF-8, a zero between, in both byte orders */
    static const uint32_t text[] = {'e', 0xe9, 0x20ac, 0, 0x1d11e}, last[] = {0x10ffff};
    static const char *const utf8[] = {"e\xc3\xa9\xe2\x82\xac\0\xf0\x9d\x84\x9e", "\xf4\x8f\xbf\xbf", ""};
    for (int big = 0; big < 2; big++) {
        uint8_t items[3 * 24];
        size_t n = wide(items, text, 5, 6, big);
        n += wide(items + n, last, 1, 6, big);
        n += wide(items + n, NULL, 0, 6, big);
        b = npy(1,
                big ? "{'descr': '>U6', 'fortran_order': False, 'shape': (3,)}" : "{'descr': '<U6', 'fortran_order': False, 'shape': (3,)}",
                items, n);
        check_text(&b, 1, utf8, (size_t[]){11, 4, 0}, 3);
        truncate_everywhere(&b);
    }
    static const uint32_t none[] = {0x110000, 0xd800, 0xdfff, 0xffffffff};
    for (size_t i = 0; i < 4; i++) {
        uint8_t items[4];
        lc_array a;
        lc_error err;
        wide(items, &none[i], 1, 1, false);
        b = npy(1, "{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}", items, 4);
        assert_int_equal(read_all(&b, &a, &err), LC_INVALID);
        assert_string_equal(err.rule, "NPY-TEXT");
    }
}

static void test_save_text(void **unused) {
    (void)unused;
    lc_error err;
    lc_array back;
    char folder[] = "/tmp/litec_array_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.npy", folder);
    static uint32_t buffer[] = {3, 20, 23, 23, 28, 0, 0}; /* "one", "", "f\0nf!" */
    memcpy(buffer + 5, "onef\0nf!", 8);
    const lc_array a = {.type = LC_STRING, .rank = 2, .dims = {3, 1}, .data = buffer, .size = sizeof buffer};
    if (lc_array_save_npy(&a, path, &err) != LC_OK) fail_msg("%s", err.message);
    FILE *f = fopen(path, "rb");
    char file[200];
    assert_int_equal(fread(file, 1, sizeof file, f), 128 + 3 * 5);
    fclose(f);
    assert_non_null(strstr(file + 10, "{'descr': '|S5', 'fortran_order': False, 'shape': (3, 1), }"));
    assert_memory_equal(file + 128, "one\0\0\0\0\0\0\0f\0nf!", 15);
    assert_int_equal(lc_array_load(path, NULL, &back, &err), LC_OK);
    assert_int_equal(back.size, sizeof buffer);
    assert_memory_equal(back.data, buffer, sizeof buffer);
    lc_array_deinit(&back);
    /* nothing at all; and padding is not written without end: one long string among many */
    const lc_array none = {.type = LC_STRING, .rank = 1, .dims = {0}};
    assert_int_equal(lc_array_save_npy(&none, path, &err), LC_OK);
    assert_int_equal(lc_array_load(path, NULL, &back, &err), LC_OK);
    assert_true(back.type == LC_STRING && back.dims[0] == 0);
    lc_array_deinit(&back);
    unlink(path);
    enum { MANY = 50000 };
    const size_t size = (MANY + 2) * 4 + MANY;
    uint32_t *long_one = calloc(1, size);
    assert_non_null(long_one);
    long_one[0] = MANY;
    long_one[1] = (MANY + 2) * 4;
    for (size_t i = 2; i < MANY + 2; i++) long_one[i] = (uint32_t)size;
    const lc_array padded = {.type = LC_STRING, .rank = 1, .dims = {MANY}, .data = long_one, .size = size};
    assert_int_equal(lc_array_save_npy(&padded, path, &err), LC_LIMIT);
    assert_int_not_equal(access(path, F_OK), 0);
    free(long_one);
    buffer[2] = 30; /* behind the buffer */
    assert_int_equal(lc_array_save_npy(&a, path, &err), LC_ARGUMENT);
    rmdir(folder);
}

static void test_idx_and_gzip(void **unused) {
    (void)unused;
    bytes b = {.size = 0};
    put(&b,
        "\0\0\x08\x02\0\0\0\x02\0\0\0\x03"
        "abcdef",
        18);
    lc_array a;
    lc_error err;
    assert_int_equal(read_all(&b, &a, &err), LC_OK);
    assert_int_equal(a.type, LC_UINT8);
    assert_int_equal(a.dims[1], 3);
    assert_memory_equal(a.data, "abcdef", 6);
    lc_array_deinit(&a);
    truncate_everywhere(&b);

    bytes wide = {.size = 0};
    put(&wide, "\0\0\x0B\x01\0\0\0\x02\x01\x02\x03\x04", 12);
    assert_int_equal(read_all(&wide, &a, &err), LC_OK);
    assert_int_equal(((const int16_t *)a.data)[0], 0x0102);
    assert_int_equal(((const int16_t *)a.data)[1], 0x0304);
    lc_array_deinit(&a);

    bytes z = {.size = 0};
    z_stream s = {0};
    assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    s.next_in = b.data;
    s.avail_in = (uInt)b.size;
    s.next_out = z.data;
    s.avail_out = sizeof z.data;
    assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
    z.size = sizeof z.data - s.avail_out;
    deflateEnd(&s);
    assert_int_equal(read_all(&z, &a, &err), LC_OK);
    assert_memory_equal(a.data, "abcdef", 6);
    lc_array_deinit(&a);
    truncate_everywhere(&z);
    z.data[z.size - 5] ^= 1; /* the checksum */
    assert_int_equal(read_all(&z, &a, &err), LC_INVALID);

    /* 20 MB in 20 KB: a budget of 4 MB stops it, whether it is no data file at all or comes behind a small array */
    static uint8_t filler[1 << 20];
    memset(filler, 'x', sizeof filler);
    for (int behind = 0; behind < 2; behind++) {
        static uint8_t bomb[1 << 16];
        memset(&s, 0, sizeof s);
        assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
        s.next_out = bomb;
        s.avail_out = sizeof bomb;
        s.next_in = b.data;
        s.avail_in = behind ? (uInt)b.size : 0;
        for (int i = 0; i < 20; i++) {
            if (i > 0 || !behind) {
                s.next_in = filler;
                s.avail_in = sizeof filler;
            }
            deflate(&s, i == 19 ? Z_FINISH : Z_NO_FLUSH);
        }
        lc_budget budget;
        lc_budget_init(&budget, &(lc_limits){.max_memory = 1 << 22});
        assert_int_equal(lc_array_read(bomb, sizeof bomb - s.avail_out, true, &budget, &a, &err), LC_LIMIT);
        deflateEnd(&s);
    }
}

/* More elements than the first step of inflating gives, with a few bytes behind them: as from the file that is not packed. */
static void test_large_idx_in_gzip(void **unused) {
    (void)unused;
    enum { COUNT = 150000 };
    static uint8_t plain[8 + 2 * COUNT + 5] = "\0\0\x0B\x01\0\x02\x49\xf0", packed[sizeof plain + 1000];
    for (size_t i = 8; i < sizeof plain; i++) plain[i] = (uint8_t)(i * i >> 7);
    z_stream s = {.next_in = plain, .avail_in = sizeof plain, .next_out = packed, .avail_out = sizeof packed};
    assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
    const size_t size = s.total_out;
    deflateEnd(&s);
    lc_budget budget;
    lc_budget_init(&budget, NULL);
    lc_array a, b;
    lc_error err;
    assert_int_equal(lc_array_read(plain, sizeof plain, true, &budget, &a, &err), LC_OK);
    assert_int_equal(lc_array_read(packed, size, true, &budget, &b, &err), LC_OK);
    assert_int_equal(a.size, 2 * COUNT);
    assert_int_equal(((const int16_t *)a.data)[COUNT - 1], (int16_t)(plain[8 + 2 * COUNT - 2] << 8 | plain[8 + 2 * COUNT - 1]));
    assert_int_equal(b.size, a.size);
    assert_memory_equal(a.data, b.data, a.size);
    lc_array_deinit(&a);
    lc_array_deinit(&b);
    for (size_t cut = 1; cut < size; cut += 4999) assert_int_equal(lc_array_read(packed, size - cut, true, &budget, &b, &err), LC_INVALID);
    packed[size - 6] ^= 1; /* the checksum */
    assert_int_equal(lc_array_read(packed, size, true, &budget, &b, &err), LC_INVALID);
}

/* ---- images -------------------------------------------------------------------------------------------------- */

static void png_out(png_structp p, png_bytep data, size_t n) { put(png_get_io_ptr(p), data, n); }
static void png_flush_nothing(png_structp p) { (void)p; }

static bytes make_png(int color, int depth, int interlace, int32_t w, int32_t h) {
    bytes b = {.size = 0};
    png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(p);
    png_set_write_fn(p, &b, png_out, png_flush_nothing);
    png_set_IHDR(p, info, (png_uint_32)w, (png_uint_32)h, depth, color, interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_color palette[2] = {{10, 20, 30}, {200, 100, 50}};
    if (color == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(p, info, palette, 2);
    png_write_info(p, info);
    static png_byte rows[16][256];
    png_bytep pointers[16];
    for (int32_t y = 0; y < h; y++) {
        pointers[y] = rows[y];
        for (size_t x = 0; x < sizeof rows[0]; x++)
            rows[y][x] = color == PNG_COLOR_TYPE_PALETTE ? (png_byte)(x & 1) : (png_byte)(x * 7 + (size_t)y);
    }
    png_write_image(p, pointers);
    png_write_end(p, NULL);
    png_destroy_write_struct(&p, &info);
    return b;
}

static void test_png(void **unused) {
    (void)unused;
    static const struct {
        int color, depth, channels;
    } kinds[] = {{PNG_COLOR_TYPE_GRAY, 8, 1},       {PNG_COLOR_TYPE_GRAY, 16, 1},  {PNG_COLOR_TYPE_GRAY, 1, 1},
                 {PNG_COLOR_TYPE_RGB, 8, 3},        {PNG_COLOR_TYPE_RGB, 16, 3},   {PNG_COLOR_TYPE_RGBA, 8, 3},
                 {PNG_COLOR_TYPE_GRAY_ALPHA, 8, 1}, {PNG_COLOR_TYPE_PALETTE, 8, 3}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (int interlace = 0; interlace < 2; interlace++) {
            bytes b = make_png(kinds[i].color, kinds[i].depth, interlace ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 9, 5);
            lc_array a;
            lc_error err;
            if (read_all(&b, &a, &err) != LC_OK) fail_msg("%s", err.message);
            assert_int_equal(a.type, LC_UINT8);
            assert_int_equal(a.dims[0], 5);
            assert_int_equal(a.dims[1], 9);
            assert_int_equal(a.dims[2], kinds[i].channels);
            const uint8_t *p = a.data;
            if (kinds[i].color == PNG_COLOR_TYPE_RGB && kinds[i].depth == 8) assert_int_equal(p[(3 * 9 + 2) * 3 + 1], 7 * 7 + 3);
            if (kinds[i].color == PNG_COLOR_TYPE_PALETTE) assert_int_equal(p[3], 200);
            /* transparent pixels show white: pixel 0 of row 0 of RGBA has alpha 21 over 0, 7, 14 */
            if (kinds[i].color == PNG_COLOR_TYPE_RGBA) assert_int_equal(p[0], 255 - 21);
            lc_array_deinit(&a);
            truncate_everywhere(&b);
        }
    }
}

static bytes make_jpeg(int channels, int32_t w, int32_t h, uint8_t value) {
    bytes b = {.size = 0};
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long size = 0;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &data, &size);
    c.image_width = (JDIMENSION)w;
    c.image_height = (JDIMENSION)h;
    c.input_components = channels;
    c.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&c);
    jpeg_start_compress(&c, TRUE);
    uint8_t row[256];
    memset(row, value, sizeof row);
    JSAMPROW rows = row;
    for (int32_t y = 0; y < h; y++) jpeg_write_scanlines(&c, &rows, 1);
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    put(&b, data, size);
    free(data);
    return b;
}

static void test_jpeg(void **unused) {
    (void)unused;
    for (int channels = 1; channels <= 3; channels += 2) {
        bytes b = make_jpeg(channels, 17, 11, 130);
        lc_array a;
        lc_error err;
        if (read_all(&b, &a, &err) != LC_OK) fail_msg("%s", err.message);
        assert_int_equal(a.dims[0], 11);
        assert_int_equal(a.dims[1], 17);
        assert_int_equal(a.dims[2], channels);
        assert_true(abs(((const uint8_t *)a.data)[40] - 130) <= 2);
        lc_array_deinit(&a);
        truncate_everywhere(&b);
    }
    bytes cmyk = make_jpeg(4, 8, 8, 9);
    lc_array a;
    assert_int_equal(read_all(&cmyk, &a, NULL), LC_UNSUPPORTED);
}

static void test_image_to_input(void **unused) {
    (void)unused;
    lc_error err;
    uint8_t pixels[] = {0, 100, 200, 50, 150, 250};
    const lc_preprocess half = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}};
    lc_array rgb = {.type = LC_UINT8, .rank = 3, .dims = {1, 2, 3}, .data = pixels, .size = 6}, out;
    assert_int_equal(lc_image_to_input(&rgb, 1, 2, 3, &half, &out, &err), LC_OK);
    assert_int_equal(out.rank, 4);
    for (int i = 0; i < 6; i++) assert_float_equal(((const float *)out.data)[i], ((float)pixels[i] / 255.0f - 0.5f) / 0.5f, 1e-6);
    lc_array_deinit(&out);
    assert_int_equal(lc_image_to_input(&rgb, 1, 2, 1, NULL, &out, &err), LC_OK); /* grey of RGB */
    assert_float_equal(((const float *)out.data)[0], (0.587f * 100 + 0.114f * 200) / 255.0f, 1e-6);
    lc_array_deinit(&out);
    /* a ramp stays a ramp: shrinking averages, growing interpolates, a constant stays constant at every size */
    uint8_t ramp[64];
    for (int i = 0; i < 64; i++) ramp[i] = (uint8_t)(4 * (i % 8));
    lc_array grey = {.type = LC_UINT8, .rank = 3, .dims = {8, 8, 1}, .data = ramp, .size = 64};
    assert_int_equal(lc_image_to_input(&grey, 4, 4, 3, NULL, &out, &err), LC_OK);
    assert_float_equal(((const float *)out.data)[3 * 1], 10.0f / 255.0f, 1e-6);
    lc_array_deinit(&out);
    memset(ramp, 77, sizeof ramp);
    for (int32_t n = 1; n < 40; n += 3) {
        assert_int_equal(lc_image_to_input(&grey, n, 2 * n, 1, NULL, &out, &err), LC_OK);
        for (size_t i = 0; i < out.size / 4; i++) assert_float_equal(((const float *)out.data)[i], 77.0f / 255.0f, 1e-6);
        lc_array_deinit(&out);
    }
    assert_int_equal(lc_image_to_input(&grey, 0, 4, 1, NULL, &out, &err), LC_UNSUPPORTED);
    assert_int_equal(lc_image_to_input(&grey, 4, 4, 2, NULL, &out, &err), LC_UNSUPPORTED);
}

/* Against keras.applications.<module>.preprocess_input of [[[0, 100, 200]]] (Keras 3.15). */
static void test_preprocess(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        float want[3];
    } cases[] = {
        {"mobilenet_v2", {-1, -0.2156862616539001f, 0.5686274766921997f}},
        {"xception", {-1, -0.2156862616539001f, 0.5686274766921997f}},
        {"densenet", {-2.117903950689112f, -0.285014f, 1.6813945f}},
        {"resnet50", {96.061f, -16.779f, -123.68f}},
        {"vgg16", {96.061f, -16.779f, -123.68f}},
        {"efficientnet", {0, 100, 200}},
    };
    uint8_t pixels[] = {0, 100, 200};
    lc_array rgb = {.type = LC_UINT8, .rank = 3, .dims = {1, 1, 3}, .data = pixels, .size = 3}, out;
    lc_error err;
    lc_preprocess how;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(lc_preprocess_named(cases[i].name, &how, &err), LC_OK);
        assert_int_equal(lc_image_to_input(&rgb, 1, 1, 3, &how, &out, &err), LC_OK);
        for (int c = 0; c < 3; c++) assert_float_equal(((const float *)out.data)[c], cases[i].want[c], 1e-4);
        lc_array_deinit(&out);
    }
    assert_int_equal(lc_preprocess_named("mobilenet_v9", &how, &err), LC_NOT_FOUND);
    assert_non_null(strstr(err.message, "mobilenet_v9"));
    assert_non_null(strstr(err.hint, "mobilenet_v3, nasnet"));
}

static void test_save(void **unused) {
    (void)unused;
    lc_error err;
    char folder[] = "/tmp/litec_array_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.npy", folder);
    static const lc_dtype types[] = {LC_FLOAT32, LC_FLOAT16, LC_INT8, LC_UINT8,   LC_INT16,
                                     LC_INT32,   LC_INT64,   LC_BOOL, LC_FLOAT64, LC_COMPLEX64};
    uint8_t data[6 * 16];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i & 1);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (int32_t rank = 0; rank <= 2; rank++) {
            const size_t n = rank == 0 ? 1 : rank == 1 ? 2 : 6;
            const lc_array a = {.type = types[i], .rank = rank, .dims = {2, 3}, .data = data, .size = n * lc_dtype_bits(types[i]) / 8};
            lc_array back;
            if (lc_array_save_npy(&a, path, &err) != LC_OK) fail_msg("%s", err.message);
            if (lc_array_load(path, NULL, &back, &err) != LC_OK) fail_msg("%s", err.message);
            assert_int_equal(back.type, a.type);
            assert_int_equal(back.rank, a.rank);
            assert_int_equal(back.size, a.size);
            assert_memory_equal(back.data, data, a.size);
            lc_array_deinit(&back);
        }
    }
    const lc_array odd = {.type = LC_BFLOAT16, .rank = 0, .data = data, .size = 2};
    assert_int_equal(lc_array_save_npy(&odd, path, &err), LC_UNSUPPORTED);
    unlink(path);
    rmdir(folder);
}

static lc_status load_png_and_scale(void *b, lc_error *err) {
    lc_array image, input;
    LC_TRY(read_all(b, &image, err));
    lc_status status = lc_image_to_input(&image, 7, 7, 3, NULL, &input, err);
    lc_array_deinit(&image);
    if (status == LC_OK) lc_array_deinit(&input);
    return status;
}

static lc_status load_text(void *b, lc_error *err) {
    lc_array text;
    LC_TRY(read_all(b, &text, err));
    lc_array_deinit(&text);
    return LC_OK;
}

static void test_allocation_failures(void **unused) {
    (void)unused;
    bytes text = npy(1, "{'descr': '<U1', 'fortran_order': False, 'shape': (2,)}", "a\0\0\0b\0\0\0", 8);
    fault_check(load_text, &text, NULL);
    bytes b = make_png(PNG_COLOR_TYPE_RGBA, 8, PNG_INTERLACE_ADAM7, 9, 5);
    fault_check(load_png_and_scale, &b, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy),        cmocka_unit_test(test_npy_refused),  cmocka_unit_test(test_npy_text),
        cmocka_unit_test(test_save_text),  cmocka_unit_test(test_idx_and_gzip), cmocka_unit_test(test_large_idx_in_gzip),
        cmocka_unit_test(test_png),        cmocka_unit_test(test_jpeg),         cmocka_unit_test(test_image_to_input),
        cmocka_unit_test(test_preprocess), cmocka_unit_test(test_save),         cmocka_unit_test(test_allocation_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
