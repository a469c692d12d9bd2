/*
 * test_augment.c: transformations of samples: what each makes of small pictures that are known, how often chance decides which way, and that
 * those that mix pixels give what Keras gives.
 */
#include "litec/pipeline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `count` equal samples of one input, through the transformations; batch of all of them. */
static lc_pipeline *open_equal(const lc_array *one, int32_t count, const lc_transform *map, lc_batch *b, uint64_t seed) {
    static uint8_t bytes[1 << 16];
    lc_array all = *one;
    lc_pipeline *p;
    lc_error err;
    assert_true((size_t)count * one->size <= sizeof bytes);
    for (int32_t i = 0; i < count; i++) memcpy(bytes + (size_t)i * one->size, one->data, one->size);
    memmove(all.dims + 1, all.dims, (size_t)all.rank * sizeof *all.dims);
    all.dims[0] = count;
    all.rank++;
    all.data = bytes;
    all.size = (size_t)count * one->size;
    const lc_pipeline_options o = {.batch = (uint32_t)count, .map = map, .seed = seed};
    if (lc_pipeline_from_arrays(&(lc_pipeline_arrays){.x = &all, .x_count = 1}, &o, &p, &err)) fail_msg("%s", err.message);
    if (lc_pipeline_next(p, b, &err)) fail_msg("%s", err.message);
    assert_int_equal(b->rows, count);
    return p;
}

static lc_array floats(const float *data, int32_t height, int32_t width, int32_t channels) {
    return (lc_array){.type = LC_FLOAT32,
                      .rank = channels ? 3 : 2,
                      .dims = {height, width, channels},
                      .data = (void *)(uintptr_t)data,
                      .size = (size_t)(height * width * (channels ? channels : 1)) * sizeof(float)};
}

static void expect(const lc_array *one, const lc_transform *map, const float *want, size_t count) {
    lc_batch b;
    lc_pipeline *p = open_equal(one, 1, map, &b, 0);
    assert_int_equal(b.x[0].type, LC_FLOAT32);
    assert_int_equal(b.x[0].size, count * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        const float got = ((const float *)b.x[0].data)[i];
        if (fabsf(got - want[i]) > 1e-5f) fail_msg("element %zu is %.7g, not %.7g", i, (double)got, (double)want[i]);
    }
    lc_pipeline_close(p);
}
#define EXPECT(one, want, ...) expect(one, (const lc_transform[]){__VA_ARGS__, {0}}, want, sizeof(want) / sizeof(float))

static const float six[6] = {0, 1, 2, 3, 4, 5}; /* 2 x 3 */

static void test_numbers(void **state) {
    (void)state;
    const lc_array grey = floats(six, 2, 3, 0), three = floats(six, 2, 1, 3);
    const uint8_t bytes[3] = {0, 51, 255};
    const lc_array pixels = {.type = LC_UINT8, .rank = 1, .dims = {3}, .data = (void *)(uintptr_t)bytes, .size = 3};
    const float mean[3] = {1, 2, 3}, std[3] = {2, 4, 8}, half = 2.5f, one = 1;
    const float scaled[3] = {-1, -0.6f, 1}, by_channel[6] = {-0.5f, -0.25f, -0.125f, 1, 0.5f, 0.25f};
    const float by_one[6] = {-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f};
    EXPECT(&pixels, scaled, LC_MAP_SCALE(2 / 255.0, .offset = -1));
    EXPECT(&three, by_channel, LC_MAP_NORMALIZE(mean, std, 3));
    EXPECT(&grey, by_one, LC_MAP_NORMALIZE(&half, &one, 1));
    const lc_transform shapes[] = {LC_MAP_RESHAPE(3, 2, 1), LC_MAP_RESHAPE(-1), LC_MAP_RESHAPE(2, -1, 3), LC_MAP_RESHAPE(4, -1),
                                   LC_MAP_RESHAPE(7)};
    const int32_t dims[3][4] = {{1, 3, 2, 1}, {1, 6}, {1, 2, 1, 3}}, ranks[3] = {4, 2, 4};
    for (int i = 0; i < 5; i++) {
        const lc_transform map[] = {shapes[i], {0}};
        lc_error err;
        lc_pipeline *p;
        lc_array whole = floats(six, 2, 3, 0);
        whole.rank = 3, whole.dims[0] = 1, whole.dims[1] = 2, whole.dims[2] = 3;
        const lc_status status =
            lc_pipeline_from_arrays(&(lc_pipeline_arrays){.x = &whole, .x_count = 1}, &(lc_pipeline_options){.map = map}, &p, &err);
        assert_int_equal(status, i < 3 ? LC_OK : LC_INVALID);
        if (status) assert_non_null(strstr(err.hint, i == 3 ? "6 elements, the shape [4,?]" : "6 elements, the shape [7]"));
        lc_batch b;
        if (status) continue;
        assert_int_equal(lc_pipeline_next(p, &b, &err), LC_OK);
        assert_int_equal(b.x[0].rank, ranks[i]);
        assert_memory_equal(b.x[0].dims, dims[i], (size_t)ranks[i] * 4);
        assert_memory_equal(b.x[0].data, six, sizeof six);
        lc_pipeline_close(p);
    }
    /* Cut towards zero, and kept in the range of the type. */
    const float odd[6] = {-300, -1.9f, 0.9f, 127.5f, 300, 1e20f};
    const lc_array row = floats(odd, 1, 6, 0);
    lc_batch b;
    const lc_transform to_int8[] = {LC_MAP_CAST(LC_INT8), {0}}, to_uint8[] = {LC_MAP_CAST(LC_UINT8), {0}},
                       to_int64[] = {LC_MAP_CAST(LC_INT64), {0}};
    lc_pipeline *p = open_equal(&row, 1, to_int8, &b, 0);
    assert_memory_equal(b.x[0].data, ((int8_t[]){-128, -1, 0, 127, 127, 127}), 6);
    lc_pipeline_close(p);
    p = open_equal(&row, 1, to_uint8, &b, 0);
    assert_memory_equal(b.x[0].data, ((uint8_t[]){0, 0, 0, 127, 255, 255}), 6);
    lc_pipeline_close(p);
    p = open_equal(&row, 1, to_int64, &b, 0);
    assert_true(((const int64_t *)b.x[0].data)[5] > (int64_t)1 << 62);
    lc_pipeline_close(p);
}

static void test_resize(void **state) {
    (void)state;
    const lc_array grey = floats(six, 2, 3, 0), colour = floats(six, 1, 2, 3);
    /* tf.image.resize of the same */
    const float larger[24] = {0,     0.25f, 0.75f, 1.25f, 1.75f, 2,     0.75f, 1,     1.5f,  2,     2.5f,  2.75f,
                              2.25f, 2.5f,  3,     3.5f,  4,     4.25f, 3,     3.25f, 3.75f, 4.25f, 4.75f, 5};
    const float smaller[2] = {1.75f, 3.25f}, colours[6] = {0, 1, 2, 3, 4, 5}, middle[3] = {1.5f, 2.5f, 3.5f};
    EXPECT(&grey, larger, LC_MAP_RESIZE(4, 6));
    EXPECT(&grey, smaller, LC_MAP_RESIZE(1, 2));
    EXPECT(&colour, colours, LC_MAP_RESIZE(1, 2));
    EXPECT(&colour, middle, LC_MAP_RESIZE(1, 1));
}

static void test_crop(void **state) {
    (void)state;
    float picture[25];
    for (int i = 0; i < 25; i++) picture[i] = (float)i;
    const lc_array grey = floats(picture, 5, 5, 1);
    const float middle[9] = {6, 7, 8, 11, 12, 13, 16, 17, 18};
    EXPECT(&grey, middle, LC_MAP_CENTER_CROP(3, 3));
    /* Every corner of 3 x 2 in 5 x 5 comes: 3 * 4 of them. */
    const lc_transform map[] = {LC_MAP_CROP(3, 2), {0}};
    uint32_t counts[25] = {0}, kinds = 0;
    lc_batch b;
    lc_pipeline *p = open_equal(&grey, 600, map, &b, 1);
    for (uint32_t r = 0; r < b.rows; r++) {
        const float *x = (const float *)b.x[0].data + r * 6;
        const int corner = (int)x[0];
        for (int i = 0; i < 6; i++) assert_int_equal((int)x[i], corner + i / 2 * 5 + i % 2);
        assert_true(corner % 5 <= 3 && corner / 5 <= 2);
        counts[corner]++;
    }
    for (int i = 0; i < 25; i++) kinds += counts[i] >= 25; /* 50 expected */
    assert_int_equal(kinds, 12);
    lc_pipeline_close(p);
}

static void test_flip(void **state) {
    (void)state;
    const uint8_t pixels[6] = {0, 1, 2, 3, 4, 5};
    const lc_array bytes = {.type = LC_UINT8, .rank = 3, .dims = {2, 3, 1}, .data = (void *)(uintptr_t)pixels, .size = 6};
    const uint8_t ways[4][6] = {{0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {3, 4, 5, 0, 1, 2}, {5, 4, 3, 2, 1, 0}};
    const lc_transform maps[3][2] = {{LC_MAP_FLIP(.horizontal = true), {0}},
                                     {LC_MAP_FLIP(.vertical = true), {0}},
                                     {LC_MAP_FLIP(.horizontal = true, .vertical = true), {0}}};
    for (int m = 0; m < 3; m++) {
        uint32_t counts[4] = {0};
        lc_batch b;
        lc_pipeline *p = open_equal(&bytes, 400, maps[m], &b, 7);
        assert_int_equal(b.x[0].type, LC_UINT8);
        for (uint32_t r = 0; r < b.rows; r++) {
            int way = 0;
            while (way < 4 && memcmp((const uint8_t *)b.x[0].data + r * 6, ways[way], 6) != 0) way++;
            assert_in_range(way, 0, 3);
            counts[way]++;
        }
        for (int way = 0; way < 4; way++) {
            const bool comes = !((way & 1) && m == 1) && !((way & 2) && m == 0);
            if (comes) assert_in_range(counts[way], m == 2 ? 65 : 160, m == 2 ? 135 : 240);
            else assert_int_equal(counts[way], 0);
        }
        lc_pipeline_close(p);
    }
    const lc_array colour = {.type = LC_UINT8, .rank = 3, .dims = {1, 2, 3}, .data = (void *)(uintptr_t)pixels, .size = 6};
    lc_batch b;
    lc_pipeline *p = open_equal(&colour, 20, maps[0], &b, 7);
    bool turned = false;
    for (uint32_t r = 0; r < b.rows; r++)
        turned = turned || !memcmp((const uint8_t *)b.x[0].data + r * 6, (uint8_t[]){3, 4, 5, 0, 1, 2}, 6);
    assert_true(turned);
    lc_pipeline_close(p);
}

/* A picture whose value grows evenly is, wherever it is looked up between its pixels, the value at that place: so the place can be read off. */
static void test_warp(void **state) {
    (void)state;
    enum { N = 9 };
    float picture[N * N * 2];
    for (int i = 0; i < N * N; i++) picture[2 * i] = (float)(i % N), picture[2 * i + 1] = (float)(i / N); /* x, y */
    const lc_array places = floats(picture, N, N, 2);
    const struct {
        lc_transform map[2];
        double most;
    } cases[] = {
        {{LC_MAP_ROTATE(20), {0}}, 20 * 3.14159265358979 / 180},
        {{LC_MAP_ZOOM(0.2), {0}}, 0.2},
        {{LC_MAP_TRANSLATE(0.1, 0.2), {0}}, 0.2 * N},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double low = 0, high = 0;
        lc_batch b;
        lc_pipeline *p = open_equal(&places, 90, cases[k].map, &b, 3);
        for (uint32_t r = 0; r < b.rows; r++) {
            const float *at = (const float *)b.x[0].data + r * N * N * 2, *centre = at + (4 * N + 4) * 2, *right = centre + 4;
            const double cx = (double)centre[0], cy = (double)centre[1], dx = (double)(right[0] - centre[0]) / 2,
                         dy = (double)(right[1] - centre[1]) / 2;
            double amount;
            if (k == 2) { /* moved: pixels come from the left when it goes to the right */
                amount = 4 - cx;
                assert_true(fabs(dx - 1) < 1e-4 && fabs(dy) < 1e-4 && fabs(4 - cy) <= 0.1 * N + 1e-4);
            } else {
                assert_true(fabs(cx - 4) < 1e-4 && fabs(cy - 4) < 1e-4); /* the centre stays */
                amount = k == 0 ? atan2(dy, dx) : dx - 1;
                if (k == 0) assert_true(fabs(hypot(dx, dy) - 1) < 1e-4);
                else assert_true(fabs(dy) < 1e-4);
            }
            low = amount < low ? amount : low;
            high = amount > high ? amount : high;
        }
        assert_true(high <= cases[k].most + 1e-4 && low >= -cases[k].most - 1e-4);
        assert_true(high > cases[k].most * 0.8 && low < -cases[k].most * 0.8); /* all of the range is used */
        lc_pipeline_close(p);
    }
}

/* What is beyond the edge, by a picture of one row that is moved. */
static void test_fill(void **state) {
    (void)state;
    const float row[4] = {1, 2, 3, 4};
    const lc_array picture = floats(row, 1, 4, 1);
    const float beyond[4][8] = {{4, 3, 2, 1, 1, 2, 3, 4}, {1, 1, 1, 1, 1, 2, 3, 4}, {1, 2, 3, 4, 1, 2, 3, 4}, {0, 0, 0, 0, 1, 2, 3, 4}};
    for (lc_fill fill = LC_FILL_REFLECT; fill <= LC_FILL_CONSTANT; fill++) {
        const lc_transform map[] = {LC_MAP_TRANSLATE(0, 1, .fill = fill, .fill_value = 0), {0}};
        lc_batch b;
        int right = 0;
        lc_pipeline *p = open_equal(&picture, 60, map, &b, 5);
        for (uint32_t r = 0; r < b.rows; r++) {
            const float *x = (const float *)b.x[0].data + r * 4;
            /* Moved to the right by s: pixel i is what lies at 4 - s + i of the row above. s is found by the last pixel, 4 - s + 1 ... */
            const double s = fill == LC_FILL_CONSTANT || fill == LC_FILL_NEAREST ? 4 - (double)x[3] : -1;
            if (s < 1e-6 || s > 2.9 || x[0] > 1) continue; /* to the left, or nearly out of sight */
            right++;
            for (int i = 0; i < 4; i++) {
                const double place = 4 - s + i;
                const int at = (int)floor(place);
                const double part = place - at,
                             want = (double)beyond[fill][at] * (1 - part) + (at < 7 ? (double)beyond[fill][at + 1] * part : 0);
                if (fabs((double)x[i] - want) > 1e-4)
                    fail_msg("fill %d, moved by %g: pixel %d is %g, not %g", fill, s, i, (double)x[i], want);
            }
        }
        if (fill == LC_FILL_CONSTANT || fill == LC_FILL_NEAREST) assert_true(right > 10);
        lc_pipeline_close(p);
    }
    /* Reflected and wrapped rows hold no values but those of the row. */
    for (lc_fill fill = LC_FILL_REFLECT; fill <= LC_FILL_WRAP; fill += 2) {
        const lc_transform map[] = {LC_MAP_TRANSLATE(0, 1, .fill = fill), {0}};
        lc_batch b;
        lc_pipeline *p = open_equal(&picture, 60, map, &b, 5);
        for (uint32_t r = 0; r < b.rows; r++) {
            const float *x = (const float *)b.x[0].data + r * 4;
            float sum = 0;
            for (int i = 0; i < 4; i++) {
                assert_true(x[i] >= 1 && x[i] <= 4);
                sum += x[i];
            }
            if (fill == LC_FILL_WRAP) assert_true(fabsf(sum - 10) < 1e-4f); /* nothing is lost */
        }
        lc_pipeline_close(p);
    }
}

static void test_light(void **state) {
    (void)state;
    const float grey[4] = {0.2f, 0.4f, 0.6f, 0.8f};
    const lc_array picture = floats(grey, 2, 2, 1);
    const lc_transform brighter[] = {LC_MAP_BRIGHTNESS(0.5, .range = 1), {0}}, sharper[] = {LC_MAP_CONTRAST(0.5), {0}};
    lc_batch b;
    bool up = false, down = false;
    lc_pipeline *p = open_equal(&picture, 50, brighter, &b, 2);
    for (uint32_t r = 0; r < b.rows; r++) {
        const float *x = (const float *)b.x[0].data + r * 4, by = x[1] > 0 && x[1] < 1 ? x[1] - 0.4f : x[2] - 0.6f;
        assert_true(fabsf(by) <= 0.5f);
        for (int i = 0; i < 4; i++) {
            const float v = grey[i] + by, want = v < 0 ? 0 : v > 1 ? 1 : v;
            assert_true(fabsf(x[i] - want) < 1e-5f);
        }
        up = up || by > 0.3f;
        down = down || by < -0.3f;
    }
    assert_true(up && down);
    lc_pipeline_close(p);
    p = open_equal(&picture, 50, sharper, &b, 2);
    for (uint32_t r = 0; r < b.rows; r++) {
        const float *x = (const float *)b.x[0].data + r * 4, by = (x[3] - x[0]) / 0.6f;
        assert_true(by > 0.499f && by < 1.501f);
        for (int i = 0; i < 4; i++) assert_true(fabsf(x[i] - ((grey[i] - 0.5f) * by + 0.5f)) < 1e-5f);
    }
    lc_pipeline_close(p);
}

/* Each sample has numbers of its own, and each epoch others. */
static void test_chance(void **state) {
    (void)state;
    const float zero[1] = {0};
    const lc_array one = floats(zero, 1, 1, 0);
    const lc_transform map[] = {LC_MAP_BRIGHTNESS(1, .range = 1000), {0}};
    lc_batch b;
    lc_error err;
    lc_pipeline *p = open_equal(&one, 40, map, &b, 9);
    float first[40];
    memcpy(first, b.x[0].data, sizeof first);
    int equal = 0;
    for (int i = 0; i < 40; i++)
        for (int k = 0; k < i; k++) equal += first[i] == first[k] && first[i] != 0;
    assert_int_equal(equal, 0);
    assert_int_equal(lc_pipeline_next(p, &b, &err), LC_OK);
    assert_int_equal(lc_pipeline_next(p, &b, &err), LC_OK);
    assert_memory_not_equal(first, b.x[0].data, sizeof first);
    assert_int_equal(lc_pipeline_seek(p, NULL, &err), LC_OK);
    assert_int_equal(lc_pipeline_next(p, &b, &err), LC_OK);
    assert_memory_equal(first, b.x[0].data, sizeof first);
    lc_pipeline_close(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_resize), cmocka_unit_test(test_crop),  cmocka_unit_test(test_flip),
        cmocka_unit_test(test_warp),    cmocka_unit_test(test_fill),   cmocka_unit_test(test_light), cmocka_unit_test(test_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
