/*
 * fuzz_flex.c: bytes are opened as the FlexBuffer map of a custom operator, and its values asked for by the names litec's own operators use
 * and some more, as every kind. Nothing is read outside the bytes, strings lie inside, and a broken map says why.
 */
#include "fuzz/fuzz.h"

#include "schema/flex.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"",
                                    "a",
                                    "k",
                                    "kk",
                                    "small",
                                    "wide",
                                    "unsigned",
                                    "huge",
                                    "real",
                                    "double",
                                    "yes",
                                    "nothing",
                                    "text",
                                    "empty",
                                    "far",
                                    "far_real",
                                    "list",
                                    "max_detections",
                                    "detections_per_class",
                                    "use_regular_nms",
                                    "nms_iou_threshold",
                                    "y_scale"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    lc_flex map;
    lc_error err;
    const lc_vec_u8 bytes = {data, (uint32_t)size};
    lc_error_clear(&err);
    if (size > UINT32_MAX) return 0;
    if (lc_flex_open(bytes, &map, &err) != LC_OK) {
        if (err.status != LC_INVALID || !err.message[0] || map.count) abort();
        return 0;
    }
    double sum = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sum += (double)lc_flex_int(&map, names[i], 1) + lc_flex_float(&map, names[i], 1) + (double)lc_flex_bool(&map, names[i], true);
        const lc_str s = lc_flex_string(&map, names[i], LC_STR("none"));
        for (size_t k = 0; k < s.size; k++) sum += (double)s.data[k];
        if (!lc_flex_has(&map, names[i]) && lc_flex_int(&map, names[i], 77) != 77) abort();
    }
    if (lc_flex_check(&map, &err) != LC_OK && !strstr(err.message, map.wrong)) abort();
    volatile double keep = sum;
    (void)keep;
    return 0;
}
