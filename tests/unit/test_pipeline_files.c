/*
 * test_pipeline_files.c: files as samples for training: what each kind gives, names, labels, what is left out and what is refused.
 */
#include "litec/pipeline.h"

#include "support/data_files.h"
#include "support/fault.h"
#include "support/records.h"

#include <sys/stat.h>
#include <unistd.h>

#define SEVEN LC_TEST_DIR "/../examples/digits/seven.png" /* 28 x 28, grey */
#define FILES(...) \
    (const char *const[]) { __VA_ARGS__, NULL }

static lc_pipeline *open_or_fail(lc_pipeline_files files, lc_pipeline_options o) {
    lc_pipeline *p;
    lc_error err;
    if (lc_pipeline_from_files(&files, &o, &p, &err)) fail_msg("%s (%s)", err.message, err.hint);
    return p;
}

static void next_or_fail(lc_pipeline *p, lc_batch *b) {
    lc_error err;
    if (lc_pipeline_next(p, b, &err)) fail_msg("%s (%s)", err.message, err.hint);
}

/* Opening, or an epoch, fails: message and hint hold these texts. */
static void expect_failure(lc_pipeline_files files, lc_pipeline_options o, lc_status want, const char *message, const char *hint) {
    lc_pipeline *p;
    lc_batch b = {.rows = 1};
    lc_error err = {0};
    lc_status status = lc_pipeline_from_files(&files, &o, &p, &err);
    if (status) assert_null(p);
    while (status == LC_OK && b.rows) status = lc_pipeline_next(p, &b, &err);
    lc_pipeline_close(p);
    if (status != want || !strstr(err.message, message) || !strstr(err.hint, hint) || !err.hint[0])
        fail_msg("wanted %s, \"%s\", \"%s\"; got %s, \"%s\", \"%s\"", lc_status_name(want), message, hint, lc_status_name(status),
                 err.message, err.hint);
}

static float value_of(const lc_array *a, size_t i) {
    return a->type == LC_FLOAT32 ? ((const float *)a->data)[i]
           : a->type == LC_INT32 ? (float)((const int32_t *)a->data)[i]
           : a->type == LC_UINT8 ? (float)((const uint8_t *)a->data)[i]
                                 : -999;
}

/* All rows of an epoch are those of `values` ([samples][width]), in the order of lc_batch.of; *rows says how many came. */
static void expect_rows(lc_pipeline *p, bool targets, const float *values, size_t width, uint32_t count) {
    lc_batch b;
    uint32_t rows = 0;
    for (next_or_fail(p, &b); b.rows; next_or_fail(p, &b))
        for (uint32_t r = 0; r < b.rows; r++, rows++)
            for (size_t k = 0; k < width; k++) {
                const float got = value_of(targets ? &b.y[0] : &b.x[0], r * width + k), want = values[b.of[r] * width + k];
                if (got != want) fail_msg("sample %d, element %zu is %g, not %g", (int)b.of[r], k, (double)got, (double)want);
            }
    assert_int_equal(rows, count);
}

/* ---- arrays -------------------------------------------------------------------------------------------------------------------- */

static const float grid[6] = {1, 2, 3, 4, 5, 6};
static const float numbers[3] = {7, 8, 9};

/* Plain and packed, C and Fortran order, in any order and in order: the same samples. */
static void test_arrays(void **state) {
    (void)state;
    const float fortran[6] = {1, 3, 5, 2, 4, 6};
    const int64_t y[3] = {7, 8, 9};
    lc_text c = {0}, f = {0};
    npy_bytes(&c, "<f4", "3, 2", false, grid, sizeof grid);
    npy_bytes(&f, "<f4", "3, 2", true, fortran, sizeof fortran);
    const char *paths[4];
    paths[0] = write_text("c.npy", &c);
    paths[1] = write_text("f.npy", &f);
    paths[2] = write_gzip("c.npy.gz", c.data, c.size);
    paths[3] = write_gzip("f.npy.gz", f.data, f.size);
    const char *labels = write_npy("y.npy", "<i8", "3,", y, sizeof y);
    for (int i = 0; i < 4; i++)
        for (int shuffled = 0; shuffled < 2; shuffled++) {
            lc_pipeline *p = open_or_fail((lc_pipeline_files){.x = FILES(paths[i]), .y = FILES(labels)},
                                          (lc_pipeline_options){.batch = 2, .shuffle = shuffled});
            assert_int_equal(lc_pipeline_part(p, 0).rank, 2);
            assert_int_equal(lc_pipeline_part(p, 1).type, LC_INT32);
            assert_int_equal(lc_pipeline_part(p, 1).rank, 1);
            expect_rows(p, false, grid, 2, 3);
            expect_rows(p, true, numbers, 1, 3);
            lc_pipeline_close(p);
        }
    /* One dimension is in both orders, and packed it is not held whole. */
    lc_text line = {0};
    npy_bytes(&line, "<i8", "3,", true, y, sizeof y);
    lc_pipeline *packed = open_or_fail((lc_pipeline_files){.x = FILES(paths[1]), .y = FILES(write_gzip("y.npy.gz", line.data, line.size))},
                                       (lc_pipeline_options){.batch = 2});
    expect_rows(packed, true, numbers, 1, 3);
    lc_pipeline_close(packed);
    lc_text_deinit(&line);
    lc_text_deinit(&f);

    /* The archive that Keras has for MNIST: x_train, y_train, x_test, y_test. */
    for (int deflated = 0; deflated < 2; deflated++) {
        const uint8_t test[2] = {1, 2}, train[3] = {2, 0, 1};
        const float classes[3] = {2, 0, 1};
        lc_text t[3] = {{0}, {0}, {0}};
        zip_maker z = {0};
        npy_bytes(&t[0], "<f4", "2, 2", false, grid, 16);
        npy_bytes(&t[1], "|u1", "2,", false, test, 2);
        npy_bytes(&t[2], "|u1", "3,", false, train, 3);
        zip_add(&z, "x_test.npy", &t[0], deflated);
        zip_add(&z, "y_test.npy", &t[1], deflated);
        zip_add(&z, "x_train.npy", &c, deflated);
        zip_add(&z, "y_train.npy", &t[2], deflated);
        const char *path = zip_write(&z, "mnist.npz");
        char named[300];
        snprintf(named, sizeof named, "x_test=%s", path);
        for (int i = 0; i < 2; i++) {
            lc_pipeline *p = open_or_fail((lc_pipeline_files){.x = FILES(i ? named : path)}, (lc_pipeline_options){.classes = 3});
            assert_int_equal(lc_pipeline_samples(p), i ? 2 : 3);
            if (i) assert_string_equal(lc_pipeline_part_name(p, 0), "x_test");
            else assert_null(lc_pipeline_part_name(p, 0));
            expect_rows(p, false, grid, 2, i ? 2 : 3);
            expect_rows(p, true, i ? (const float[]){1, 2} : classes, 1, i ? 2 : 3);
            lc_pipeline_close(p);
        }
        for (int i = 0; i < 3; i++) lc_text_deinit(&t[i]);
    }
    lc_text_deinit(&c);

    /* Pictures stay bytes; a file of weights. */
    lc_text idx = {0};
    idx_bytes(&idx, 3);
    const char *pictures = write_gzip("p.idx.gz", idx.data, idx.size), *weights = write_npy("w.npy", "<f4", "3, 1", numbers, 12);
    lc_pipeline *p = open_or_fail((lc_pipeline_files){.x = FILES(pictures), .weights = weights}, (lc_pipeline_options){.batch = 4});
    lc_batch b;
    next_or_fail(p, &b);
    assert_int_equal(b.rows, 3);
    assert_int_equal(b.x[0].type, LC_UINT8);
    assert_int_equal(b.x[0].rank, 3);
    assert_int_equal(((const uint8_t *)b.x[0].data)[17], 85);
    assert_memory_equal(b.weight, numbers, 12);
    assert_int_equal(lc_pipeline_y_count(p), 0);
    assert_null(b.y);
    lc_pipeline_close(p);
    lc_text_deinit(&idx);
    expect_failure((lc_pipeline_files){.x = FILES(paths[0]), .weights = paths[0]}, (lc_pipeline_options){0}, LC_INVALID, "not a weight",
                   "float32[samples]");
    expect_failure((lc_pipeline_files){.x = FILES(paths[0]), .y = FILES(write_npy("two.npy", "<i8", "2,", y, 16))},
                   (lc_pipeline_options){0}, LC_INVALID, "two.npy has 2", "equally many");
    const int64_t wide[3] = {1, 2, (int64_t)1 << 40};
    expect_failure((lc_pipeline_files){.x = FILES(paths[0]), .y = FILES(write_npy("wide.npy", "<i8", "3,", wide, 24))},
                   (lc_pipeline_options){0}, LC_INVALID, "wider than 32 bits", "float32");
    const float bad[6] = {1, 2, 3, 4, 1 / 0.0f, 6};
    expect_failure((lc_pipeline_files){.x = FILES(write_npy("inf.npy", "<f4", "3, 2", bad, 24))}, (lc_pipeline_options){0}, LC_INVALID,
                   "inf.npy): input 0 holds NaN or infinity", "skip_corrupt");
    expect_failure((lc_pipeline_files){.x = FILES(write_npy("none.npy", "<f4", "0, 2", bad, 0))}, (lc_pipeline_options){0}, LC_INVALID,
                   "empty", "sample");
    expect_failure((lc_pipeline_files){.x = FILES("no/such/file")}, (lc_pipeline_options){0}, LC_NOT_FOUND, "no/such/file", "");
    expect_failure((lc_pipeline_files){.x = FILES(write_npy("text.npy", "<U2", "1,", "a\0\0\0b\0\0\0", 8))}, (lc_pipeline_options){0},
                   LC_UNSUPPORTED, "string", "numbers");
}

/* ---- tables -------------------------------------------------------------------------------------------------------------------- */

static void test_csv(void **state) {
    (void)state;
    const float classes[3] = {1, 0, 1}, price[3] = {0.5f, 1.5f, 2.5f}, size[3] = {1, 3, 5}, age[3] = {2, 4, 6};
    const char *labelled = write_string("l.csv", "a,b,label\n1,2,dog\n3,4,cat\n5,6,dog\n");
    lc_pipeline *p = open_or_fail((lc_pipeline_files){.x = FILES(labelled)}, (lc_pipeline_options){.classes = 2});
    expect_rows(p, false, grid, 2, 3);
    expect_rows(p, true, classes, 1, 3);
    assert_string_equal(lc_pipeline_class(p, 1), "dog");
    assert_null(lc_pipeline_class(p, 2));
    lc_pipeline_close(p);

    /* A column that is to be predicted is none of the input, and it need not be a class. */
    const char *houses = write_string("houses.csv", "size,price,age\n1,0.5,2\n3,1.5,4\n5,2.5,6\n");
    char target[300], one[300], two[300];
    snprintf(target, sizeof target, "price=%s", houses);
    p = open_or_fail((lc_pipeline_files){.x = FILES(houses), .y = FILES(target)}, (lc_pipeline_options){0});
    assert_int_equal(lc_pipeline_part(p, 1).type, LC_FLOAT32);
    assert_string_equal(lc_pipeline_part_name(p, 1), "price");
    expect_rows(p, false, grid, 2, 3);
    expect_rows(p, true, price, 1, 3);
    lc_pipeline_close(p);
    snprintf(one, sizeof one, "size=%s", houses);
    snprintf(two, sizeof two, "age=%s", houses);
    p = open_or_fail((lc_pipeline_files){.x = FILES(one, two), .y = FILES(target)}, (lc_pipeline_options){0});
    assert_int_equal(lc_pipeline_x_count(p), 2);
    lc_batch b;
    next_or_fail(p, &b);
    for (int i = 0; i < 3; i++) {
        assert_true(value_of(&b.x[0], (size_t)i) == size[i]);
        assert_true(value_of(&b.x[1], (size_t)i) == age[i]);
    }
    lc_pipeline_close(p);
    snprintf(target, sizeof target, "cost=%s", houses);
    expect_failure((lc_pipeline_files){.x = FILES(houses), .y = FILES(target)}, (lc_pipeline_options){0}, LC_INVALID,
                   "there is no column \"cost\" for the label", "the columns are: size, price, age");

    /* Labels in a text of their own; a bad row is named, or left out. */
    const char *names = write_string("names.txt", "dog\ncat\ndog\n"), *plain = write_string("plain.csv", "1,2\n3,oops\n5,6\n");
    expect_failure((lc_pipeline_files){.x = FILES(plain), .y = FILES(names)}, (lc_pipeline_options){0}, LC_INVALID, "line 2", "numbers");
    p = open_or_fail((lc_pipeline_files){.x = FILES(plain), .y = FILES(names)}, (lc_pipeline_options){.skip_corrupt = true});
    expect_rows(p, false, grid, 2, 2);
    const char *last;
    assert_int_equal(lc_pipeline_skipped(p, &last), 1);
    assert_non_null(strstr(last, "oops"));
    expect_rows(p, true, classes, 1, 2);
    lc_pipeline_close(p);
    expect_failure((lc_pipeline_files){.x = FILES(labelled)}, (lc_pipeline_options){.classes = 1}, LC_INVALID, "label 1 is out of range",
                   "labels count from 0");
    /* A row is too short, the first one too. */
    const char *torn[2] = {write_string("torn.csv", "a,b,label\n1\n3,4,cat\n5,6,dog\n"),
                           write_string("torn2.csv", "a,b,label\n1,2,cat\n3,4,dog,7\n5,6,dog\n")};
    const float left[2][3] = {{9, 0, 1}, {0, 9, 1}};
    for (int i = 0; i < 2; i++) {
        expect_failure((lc_pipeline_files){.x = FILES(torn[i])}, (lc_pipeline_options){0}, LC_INVALID, "fields", "quotes");
        p = open_or_fail((lc_pipeline_files){.x = FILES(torn[i])}, (lc_pipeline_options){.skip_corrupt = true});
        assert_int_equal(lc_pipeline_samples(p), 3);
        expect_rows(p, false, grid, 2, 2);
        expect_rows(p, true, left[i], 1, 2);
        lc_pipeline_close(p);
    }
    /* Packed bytes that are damaged lead nowhere, whatever the option. */
    lc_text rows = {0};
    for (int i = 0; i < 3000; i++) lc_text_printf(&rows, "%d,%d,cat\n", i * 7919 % 10007, i * i % 9973);
    const char *packed = write_gzip("rows.csv.gz", rows.data, rows.size);
    lc_map map;
    lc_error err;
    assert_int_equal(lc_map_open(&map, packed, NULL, &err), LC_OK);
    lc_text_deinit(&rows);
    lc_text_add_n(&rows, (const char *)map.data, map.size / 2);
    lc_map_close(&map);
    expect_failure((lc_pipeline_files){.x = FILES(write_text("half.csv.gz", &rows))}, (lc_pipeline_options){.skip_corrupt = true},
                   LC_INVALID, "damaged or cut short", "again");
    lc_text_deinit(&rows);
    /* Two files without names: each is an input. */
    p = open_or_fail((lc_pipeline_files){.x = FILES(houses, write_string("more.csv", "7\n8\n9\n"))}, (lc_pipeline_options){0});
    assert_int_equal(lc_pipeline_part(p, 0).dims[1], 3);
    next_or_fail(p, &b);
    assert_memory_equal(b.x[1].data, numbers, sizeof numbers);
    lc_pipeline_close(p);
    /* Numbers to be predicted, one a line or several. */
    const float halves[3] = {0.5f, 1, 2.5f};
    p = open_or_fail((lc_pipeline_files){.x = FILES(houses), .y = FILES(write_string("halves.txt", "0.5\n1\n2.5\n"))},
                     (lc_pipeline_options){0});
    assert_int_equal(lc_pipeline_part(p, 1).type, LC_FLOAT32);
    expect_rows(p, true, halves, 1, 3);
    lc_pipeline_close(p);
    p = open_or_fail((lc_pipeline_files){.x = FILES(houses), .y = FILES(write_string("pairs.csv", "p,q\n1,2\n3,4\n5,6\n"))},
                     (lc_pipeline_options){0});
    expect_rows(p, true, grid, 2, 3);
    lc_pipeline_close(p);
    expect_failure((lc_pipeline_files){.x = FILES(write_string("only.csv", "label\n1\n2\n"))}, (lc_pipeline_options){0}, LC_INVALID,
                   "holds nothing", "beside the labels");
    expect_failure((lc_pipeline_files){.x = FILES(write_string("real.csv", "a,label\n1,0.5\n2,1\n"))}, (lc_pipeline_options){0}, LC_INVALID,
                   "no whole one", "NAME=FILE");
    /* Rows of pixels become pictures. */
    p = open_or_fail((lc_pipeline_files){.x = FILES(labelled), .height = 1, .width = 2, .channels = 1}, (lc_pipeline_options){0});
    assert_int_equal(lc_pipeline_part(p, 0).rank, 4);
    expect_rows(p, false, grid, 2, 3);
    lc_pipeline_close(p);
}

/* A column by its place; halves become float32. */
static void test_columns(void **state) {
    (void)state;
    const uint16_t halves[3] = {0x3c00, 0xc000, 0x3800}; /* 1, -2, 0.5 */
    const float as_real[3] = {1, -2, 0.5f}, seven[3] = {7, 8, 9};
    const char *table = write_string("digits.csv", "7,1,2\n8,3,4\n9,5,6\n");
    char first[400], beyond[400];
    lc_text bytes = {0};
    snprintf(first, sizeof first, "0=%s", table);
    snprintf(beyond, sizeof beyond, "3=%s", table);
    lc_pipeline *p = open_or_fail((lc_pipeline_files){.x = FILES(table), .y = FILES(first)}, (lc_pipeline_options){.batch = 2});
    expect_rows(p, false, grid, 2, 3);
    expect_rows(p, true, seven, 1, 3);
    lc_pipeline_close(p);
    expect_failure((lc_pipeline_files){.x = FILES(table), .y = FILES(beyond)}, (lc_pipeline_options){0}, LC_INVALID,
                   "there is no column \"3\" for the label", "0 to 2");
    npy_bytes(&bytes, "<f2", "3,", false, halves, sizeof halves);
    const char *half = write_text("half.npy", &bytes);
    p = open_or_fail((lc_pipeline_files){.x = FILES(half), .y = FILES(half)}, (lc_pipeline_options){.batch = 2});
    expect_rows(p, false, as_real, 1, 3);
    expect_rows(p, true, as_real, 1, 3);
    lc_pipeline_close(p);
    lc_text_deinit(&bytes);
}

static void test_records(void **state) {
    (void)state;
    lc_text t = {0};
    size_t at[5];
    for (int64_t i = 0; i < 4; i++) {
        at[i] = t.size;
        record_example(&t, RECORD_FLOATS("x", (float)(2 * i + 1), (float)(2 * i + 2)), RECORD_INTS("label", i % 2));
    }
    const float values[8] = {1, 2, 3, 4, 5, 6, 7, 8}, classes[4] = {0, 1, 0, 1};
    char named[300];
    const char *path = write_text("a.tfrecord", &t);
    lc_pipeline *p = open_or_fail((lc_pipeline_files){.x = FILES(path)}, (lc_pipeline_options){.shuffle = true, .buffer = 2, .batch = 3});
    expect_rows(p, false, values, 2, 4);
    expect_rows(p, true, classes, 1, 4);
    lc_pipeline_close(p);
    snprintf(named, sizeof named, "label=%s", path);
    p = open_or_fail((lc_pipeline_files){.x = FILES(path), .y = FILES(named)}, (lc_pipeline_options){0});
    assert_int_equal(lc_pipeline_part(p, 1).type, LC_INT32);
    expect_rows(p, true, classes, 1, 4);
    lc_pipeline_close(p);
    /* A record is damaged: named, or left out, the first one too. */
    for (int k = 0; k < 4; k += 2) {
        t.data[at[k] + 20] ^= 1;
        path = write_text("bad.tfrecord", &t);
        t.data[at[k] + 20] ^= 1;
        char text[40];
        snprintf(text, sizeof text, "record %d has a wrong checksum", k);
        expect_failure((lc_pipeline_files){.x = FILES(path)}, (lc_pipeline_options){0}, LC_INVALID, text, "again");
        p = open_or_fail((lc_pipeline_files){.x = FILES(path)}, (lc_pipeline_options){.skip_corrupt = true});
        assert_int_equal(lc_pipeline_samples(p), 4);
        expect_rows(p, false, values, 2, 3);
        expect_rows(p, true, classes, 1, 3);
        lc_pipeline_close(p);
    }
    /* A label that is missing is no damage: the sample would get another's. */
    lc_text some = {0};
    record_example(&some, RECORD_FLOATS("x", 1, 2), RECORD_INTS("label", 1));
    record_example(&some, RECORD_FLOATS("x", 3, 4), RECORD_NONE);
    expect_failure((lc_pipeline_files){.x = FILES(write_text("some.tfrecord", &some))}, (lc_pipeline_options){.skip_corrupt = true},
                   LC_INVALID, "in some records only", "one form");
    lc_text_deinit(&some);
    /* A length that is wrong leads nowhere, whatever the option. */
    t.data[at[2]] ^= 1;
    expect_failure((lc_pipeline_files){.x = FILES(write_text("cut.tfrecord", &t))}, (lc_pipeline_options){.skip_corrupt = true}, LC_INVALID,
                   "record 2 has a length with a wrong checksum", "again");
    lc_text_deinit(&t);
}

/* ---- pictures ------------------------------------------------------------------------------------------------------------------ */

static const char *make_pictures(void) {
    static const char *const folders[] = {"pets", "pets/cat", "pets/dog"};
    static const char *const names[] = {"pets/cat/1.png", "pets/cat/2.png", "pets/dog/1.png", "pets/dog/2.png"};
    for (int i = 0; i < 3; i++) mkdir(ckpt_folder_path(&ckpt_test_folder, folders[i]), 0700);
    for (int i = 0; i < 4; i++) copy_file(SEVEN, ckpt_folder_path(&ckpt_test_folder, names[i]));
    return ckpt_folder_path(&ckpt_test_folder, folders[0]);
}

static void remove_pictures(void) {
    const char *const names[] = {"pets/cat/1.png", "pets/cat/2.png", "pets/dog/1.png", "pets/dog/2.png"};
    for (int i = 0; i < 4; i++) unlink(ckpt_folder_path(&ckpt_test_folder, names[i]));
    rmdir(ckpt_folder_path(&ckpt_test_folder, "pets/cat"));
    rmdir(ckpt_folder_path(&ckpt_test_folder, "pets/dog"));
}

static void test_pictures(void **state) {
    (void)state;
    const char *top = make_pictures();
    const float classes[4] = {0, 0, 1, 1};
    for (int32_t threads = 1; threads <= 3; threads += 2)
        for (int cache = 0; cache < 2; cache++) {
            lc_pipeline *p =
                open_or_fail((lc_pipeline_files){.x = FILES(top), .height = 28, .width = 28, .channels = 1},
                             (lc_pipeline_options){.batch = 3, .threads = threads, .prefetch = 2, .shuffle = true, .cache = cache});
            lc_array image;
            lc_error err;
            lc_batch b;
            assert_int_equal(lc_array_load(SEVEN, NULL, &image, &err), LC_OK);
            next_or_fail(p, &b);
            assert_int_equal(b.x[0].type, LC_FLOAT32);
            assert_int_equal(b.x[0].size, 3 * image.size * 4);
            for (size_t i = 0; i < image.size; i++) assert_true(value_of(&b.x[0], i) == (float)((const uint8_t *)image.data)[i]);
            lc_array_deinit(&image);
            next_or_fail(p, &b);
            next_or_fail(p, &b);
            assert_int_equal(b.rows, 0);
            expect_rows(p, true, classes, 1, 4);
            assert_string_equal(lc_pipeline_class(p, 0), "cat");
            lc_pipeline_close(p);
        }
    lc_pipeline *p = open_or_fail((lc_pipeline_files){.x = FILES(top)}, (lc_pipeline_options){0});
    const lc_array big = lc_pipeline_part(p, 0);
    assert_true(big.dims[1] == 256 && big.dims[2] == 256 && big.dims[3] == 3); /* as Keras's image_dataset_from_directory */
    lc_pipeline_close(p);
    /* The last fraction of files that are sorted by class would be one class. */
    p = open_or_fail((lc_pipeline_files){.x = FILES(top)},
                     (lc_pipeline_options){.split = LC_SPLIT_VALIDATION, .validation_split = 0.5, .split_shuffled = true, .seed = 1});
    assert_int_equal(lc_pipeline_samples(p), 2);
    lc_pipeline_close(p);

    write_string("pets/dog/1.png", "\x89PNG\r\n\x1a\n");
    expect_failure((lc_pipeline_files){.x = FILES(top)}, (lc_pipeline_options){.threads = 2, .prefetch = 1}, LC_INVALID, "dog/1.png",
                   "viewer");
    p = open_or_fail((lc_pipeline_files){.x = FILES(top), .height = 8, .width = 8},
                     (lc_pipeline_options){.skip_corrupt = true, .threads = 2});
    for (int epoch = 0; epoch < 2; epoch++) {
        lc_batch b;
        const char *last;
        next_or_fail(p, &b);
        assert_int_equal(b.rows, 3);
        for (int i = 0; i < 3; i++) assert_int_equal(value_of(&b.y[0], (size_t)i), b.of[i] / 2);
        assert_int_equal(lc_pipeline_skipped(p, &last), epoch + 1);
        assert_non_null(strstr(last, "dog/1.png"));
        next_or_fail(p, &b);
        assert_int_equal(b.rows, 0);
    }
    lc_pipeline_close(p);
    /* The first one, and one of a kind that is not read. */
    write_string("pets/cat/1.png", "no picture");
    write_string("pets/dog/1.png", "GIF89a");
    rename(ckpt_folder_path(&ckpt_test_folder, "pets/dog/1.png"), ckpt_folder_path(&ckpt_test_folder, "pets/dog/1.gif"));
    expect_failure((lc_pipeline_files){.x = FILES(top)}, (lc_pipeline_options){0}, LC_UNSUPPORTED, "1.gif", ".png");
    p = open_or_fail((lc_pipeline_files){.x = FILES(top), .height = 8, .width = 8}, (lc_pipeline_options){.skip_corrupt = true});
    lc_batch b;
    next_or_fail(p, &b);
    assert_int_equal(b.rows, 2);
    assert_int_equal(lc_pipeline_skipped(p, NULL), 2);
    lc_pipeline_close(p);
    unlink(ckpt_folder_path(&ckpt_test_folder, "pets/dog/1.gif"));
    expect_failure((lc_pipeline_files){.x = FILES(top), .channels = 2}, (lc_pipeline_options){0}, LC_ARGUMENT, "2 channels", "1 or 3");
    remove_pictures();
}

/* ---- memory ------------------------------------------------------------------------------------------------------------------------ */

typedef struct life {
    lc_pipeline_files files;
    lc_pipeline_options o;
} life;

static lc_status live(void *arg, lc_error *err) {
    const life *l = arg;
    lc_pipeline *p;
    lc_batch b = {.rows = 1};
    LC_TRY(lc_pipeline_from_files(&l->files, &l->o, &p, err));
    lc_status status = LC_OK;
    while (status == LC_OK && b.rows) status = lc_pipeline_next(p, &b, err);
    lc_pipeline_close(p);
    return status;
}

static void test_out_of_memory(void **state) {
    (void)state;
    lc_text t = {0};
    record_example(&t, RECORD_FLOATS("x", 1, 2), RECORD_INTS("label", 1));
    record_example(&t, RECORD_FLOATS("x", 3, 4), RECORD_INTS("label", 0));
    const char *top = make_pictures(), *records = write_text("a.tfrecord", &t);
    const char *table = write_string("l.csv", "a,b,label\n1,2,dog\n3,4,cat\n5,6,dog\n");
    life lives[] = {
        {{.x = FILES(top), .height = 4, .width = 4}, {.batch = 3, .shuffle = true, .threads = 1}},
        {{.x = FILES(table)}, {.batch = 2, .shuffle = true, .buffer = 2, .threads = 1}},
        {{.x = FILES(records)}, {.cache = true, .threads = 1, .skip_corrupt = true}},
    };
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) fault_check(live, &lives[i], NULL);
    remove_pictures();
    lc_text_deinit(&t);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, ckpt_test_folder_make, ckpt_test_folder_clean)

int main(void) {
    const struct CMUnitTest tests[] = {CASE(test_arrays),  CASE(test_csv),      CASE(test_columns),
                                       CASE(test_records), CASE(test_pictures), CASE(test_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
