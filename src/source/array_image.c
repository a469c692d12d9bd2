/*
 * array_image.c: .png and .jpg to uint8 [height, width, 1 or 3], by libpng and libjpeg, and an image to a model's input.
 *
 * Both libraries report errors by a callback that must not return: setjmp brings it back here, and what may be live at that time
 * sits in one struct made before setjmp. Sizes are charged to the budget before a row is decoded. Grey stays one
 * channel; palettes and 16 bits become 8-bit RGB or grey; alpha is laid over white, as browsers and viewers show it.
 */
#include "source/array.h"
#include "source/rules.h"

#include <math.h>
#include <setjmp.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

/* ---- png ----------------------------------------------------------------------------------------------------- */

typedef struct png_job {
    jmp_buf back;
    char message[200];
    lc_cursor in;
    png_structp png;
    png_infop info;
    lc_array made;
    png_bytep row; /* one row with alpha */
    bool memory;   /* it was an allocation that failed */
} png_job;

static void png_fails(png_structp png, png_const_charp message) {
    png_job *job = png_get_error_ptr(png);
    snprintf(job->message, sizeof job->message, "%s", message);
    longjmp(job->back, 1);
}
static void png_warns(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}
static void png_reads(png_structp png, png_bytep to, size_t size) {
    png_job *job = png_get_io_ptr(png);
    const uint8_t *from = lc_read_bytes(&job->in, size);
    if (!from) png_error(png, "the file is cut short");
    memcpy(to, from, size);
}
static void *png_allocs(png_structp png, png_alloc_size_t size) {
    png_job *job = png_get_mem_ptr(png);
    void *p = lc_malloc(size);
    if (!p) job->memory = true;
    return p;
}
static void png_frees(png_structp png, void *p) {
    (void)png;
    lc_free(p);
}

static void over_white(const png_byte *from, uint8_t *to, size_t width, size_t channels) {
    for (size_t x = 0; x < width; x++) {
        const unsigned alpha = from[x * (channels + 1) + channels];
        for (size_t c = 0; c < channels; c++)
            to[x * channels + c] = (uint8_t)((from[x * (channels + 1) + c] * alpha + 255u * (255u - alpha) + 127u) / 255u);
    }
}

/* Between setjmp and the end; jumps out on any error of libpng. */
static lc_status png_decode(png_job *job, lc_budget *budget, lc_error *err) {
    png_set_read_fn(job->png, job, png_reads);
    png_set_user_limits(job->png, 1u << 20, 1u << 20);
    png_set_chunk_malloc_max(job->png, (png_alloc_size_t)64 << 20);
    png_read_info(job->png, job->info);
    png_set_expand(job->png);
    png_set_strip_16(job->png);
    png_set_packing(job->png);
    const int passes = png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
    const png_uint_32 width = png_get_image_width(job->png, job->info), height = png_get_image_height(job->png, job->info);
    const png_byte all = png_get_channels(job->png, job->info);
    const bool alpha = all == 2 || all == 4;
    const size_t channels = all < 3 ? 1 : 3;
    LC_TRY(lc_array_make(&job->made, LC_UINT8, (int32_t[]){(int32_t)height, (int32_t)width, (int32_t)channels}, 3, budget, err));
    uint8_t *pixels = job->made.data;
    if (alpha) {
        lc_array whole;
        LC_TRY(lc_array_make(&whole, LC_UINT8, (int32_t[]){(int32_t)height, (int32_t)width, all}, 3, budget, err));
        job->row = whole.data; /* interlaced images need all rows at once, and the others lose nothing by it */
        for (int pass = 0; pass < passes; pass++)
            for (png_uint_32 y = 0; y < height; y++) png_read_row(job->png, job->row + (size_t)y * width * all, NULL);
        for (png_uint_32 y = 0; y < height; y++)
            over_white(job->row + (size_t)y * width * all, pixels + (size_t)y * width * channels, width, channels);
    } else {
        for (int pass = 0; pass < passes; pass++)
            for (png_uint_32 y = 0; y < height; y++) png_read_row(job->png, pixels + (size_t)y * width * channels, NULL);
    }
    png_read_end(job->png, NULL);
    return LC_OK;
}

lc_status lc_array_read_png(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err) {
    png_job job = {.in = lc_cursor_make(data, size)};
    job.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &job, png_fails, png_warns, &job, png_allocs, png_frees);
    if (!job.png) return lc_fail_memory(err, "png");
    lc_status status;
    if (!(job.info = png_create_info_struct(job.png))) {
        status = lc_fail_memory(err, "png");
    } else if (setjmp(job.back) == 0) {
        status = png_decode(&job, budget, err);
    } else if (job.memory) {
        status = lc_fail_memory(err, "png");
    } else {
        status = LC_SOURCE_FAIL(err, LC_INVALID, PNG, lc_cursor_at(&job.in), "not a readable PNG: %s", job.message);
    }
    png_destroy_read_struct(&job.png, &job.info, NULL);
    lc_free(job.row);
    if (status == LC_OK) *array = job.made;
    else lc_array_deinit(&job.made);
    return status;
}

/* ---- jpeg ---------------------------------------------------------------------------------------------------- */

typedef struct jpeg_job {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf back;
    char message[JMSG_LENGTH_MAX];
    lc_array made;
} jpeg_job;

static void jpeg_fails(j_common_ptr jpeg) {
    jpeg_job *job = jpeg->client_data;
    jpeg->err->format_message(jpeg, job->message);
    longjmp(job->back, 1);
}
/* Warnings (corrupt data that libjpeg would paper over with grey) are errors here: a wrong picture is worse than none. */
static void jpeg_warns(j_common_ptr jpeg, int level) {
    if (level < 0) jpeg_fails(jpeg);
}

static lc_status jpeg_decode(jpeg_job *job, const void *data, size_t size, lc_budget *budget, lc_error *err) {
    jpeg_create_decompress(&job->jpeg);
    jpeg_mem_src(&job->jpeg, data, size);
    jpeg_read_header(&job->jpeg, TRUE);
    if (job->jpeg.jpeg_color_space == JCS_CMYK || job->jpeg.jpeg_color_space == JCS_YCCK) {
        lc_status status = lc_fail(err, LC_UNSUPPORTED, "a CMYK JPEG");
        lc_error_hint(err, "save it as RGB");
        return status;
    }
    job->jpeg.out_color_space = job->jpeg.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    const size_t channels = job->jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3;
    const int32_t dims[] = {(int32_t)job->jpeg.image_height, (int32_t)job->jpeg.image_width, (int32_t)channels};
    LC_TRY(lc_array_make(&job->made, LC_UINT8, dims, 3, budget, err));
    /* A progressive JPEG is held whole as coefficients: two bytes a sample. */
    if (job->jpeg.progressive_mode) LC_TRY(lc_budget_memory(budget, (uint64_t)job->made.size, "the image's coefficients", err));
    jpeg_start_decompress(&job->jpeg);
    while (job->jpeg.output_scanline < job->jpeg.output_height) {
        JSAMPROW row = (JSAMPROW)job->made.data + (size_t)job->jpeg.output_scanline * (size_t)dims[1] * channels;
        jpeg_read_scanlines(&job->jpeg, &row, 1);
    }
    jpeg_finish_decompress(&job->jpeg);
    return LC_OK;
}

lc_status lc_array_read_jpeg(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err) {
    jpeg_job *job = lc_calloc(1, sizeof *job);
    if (!job) return lc_fail_memory(err, "jpeg");
    job->jpeg.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = jpeg_fails;
    job->errors.emit_message = jpeg_warns;
    job->jpeg.client_data = job;
    lc_status status;
    if (setjmp(job->back) == 0) status = jpeg_decode(job, data, size, budget, err);
    else status = lc_fail(err, LC_INVALID, "not a readable JPEG: %s", job->message);
    jpeg_destroy_decompress(&job->jpeg);
    if (status == LC_OK) *array = job->made;
    else lc_array_deinit(&job->made);
    lc_free(job);
    return status;
}

/* ---- to a model's input -------------------------------------------------------------------------------------- */

/* Weights of the source pixels that make destination pixel i: a triangle as wide as the scale when shrinking (antialiasing), of
 * one pixel when growing (bilinear), at half-pixel centres: what tf.image.resize(antialias=True) does. */
typedef struct tap {
    int32_t first, count;
    float *weights;
} tap;

static lc_status make_taps(int32_t in, int32_t out, lc_arena *arena, tap **taps, lc_error *err) {
    const double scale = (double)in / out, reach = scale > 1 ? scale : 1;
    tap *list = lc_arena_array(arena, (size_t)out, sizeof *list);
    if (!list) return lc_fail_memory(err, "image");
    for (int32_t i = 0; i < out; i++) {
        const double centre = (i + 0.5) * scale;
        int32_t first = (int32_t)floor(centre - reach), last = (int32_t)ceil(centre + reach);
        if (first < 0) first = 0;
        if (last > in) last = in;
        list[i] = (tap){first, last - first, lc_arena_array(arena, (size_t)(last - first), sizeof(float))};
        if (!list[i].weights) return lc_fail_memory(err, "image");
        double sum = 0;
        for (int32_t k = first; k < last; k++) {
            const double w = 1 - fabs(k + 0.5 - centre) / reach;
            if (w > 0) sum += w;
        }
        for (int32_t k = first; k < last; k++) {
            const double w = 1 - fabs(k + 0.5 - centre) / reach;
            list[i].weights[k - first] = w > 0 ? (float)(w / sum) : 0;
        }
    }
    *taps = list;
    return LC_OK;
}

/* [h, w, c] of bytes to [height, width, c] of floats in 0..255: columns first, then rows. */
static lc_status resize(const lc_array *image, int32_t height, int32_t width, lc_arena *arena, float **out, lc_error *err) {
    const int32_t h = image->dims[0], w = image->dims[1], c = image->dims[2];
    tap *across, *down;
    LC_TRY(make_taps(w, width, arena, &across, err));
    LC_TRY(make_taps(h, height, arena, &down, err));
    float *wide = lc_arena_array(arena, (size_t)h * (size_t)width, (size_t)c * sizeof *wide);
    float *result = lc_arena_array(arena, (size_t)height * (size_t)width, (size_t)c * sizeof *result);
    if (!wide || !result) return lc_fail_memory(err, "image");
    const uint8_t *pixels = image->data;
    for (int32_t y = 0; y < h; y++)
        for (int32_t x = 0; x < width; x++)
            for (int32_t k = 0; k < across[x].count; k++)
                for (int32_t ch = 0; ch < c; ch++)
                    wide[((size_t)y * (size_t)width + (size_t)x) * (size_t)c + (size_t)ch] +=
                        across[x].weights[k] * pixels[((size_t)y * (size_t)w + (size_t)(across[x].first + k)) * (size_t)c + (size_t)ch];
    const size_t row = (size_t)width * (size_t)c;
    for (int32_t y = 0; y < height; y++)
        for (int32_t k = 0; k < down[y].count; k++)
            for (size_t i = 0; i < row; i++)
                result[(size_t)y * row + i] += down[y].weights[k] * wide[(size_t)(down[y].first + k) * row + i];
    *out = result;
    return LC_OK;
}

lc_status lc_image_to_input(const lc_array *image, int32_t height, int32_t width, int32_t channels, const lc_preprocess *how, lc_array *out,
                            lc_error *err) {
    static const lc_preprocess to_one = {0};
    if (!how) how = &to_one;
    *out = (lc_array){0};
    if (image->type != LC_UINT8 || image->rank != 3 || (image->dims[2] != 1 && image->dims[2] != 3) || image->dims[0] < 1 ||
        image->dims[1] < 1)
        return lc_fail(err, LC_ARGUMENT, "an image is uint8 [height, width, 1 or 3]");
    if (height < 1 || width < 1 || (channels != 1 && channels != 3))
        return lc_fail(err, LC_UNSUPPORTED, "the input is %d x %d with %d channels; an image fits 1 or 3 channels", (int)height, (int)width,
                       (int)channels);
    lc_budget budget;
    lc_budget_init(&budget, NULL);
    lc_array made;
    LC_TRY(lc_array_make(&made, LC_FLOAT32, (int32_t[]){1, height, width, channels}, 4, &budget, err));
    lc_arena arena = {0};
    float *scaled = NULL, *to = made.data;
    lc_status status = resize(image, height, width, &arena, &scaled, err);
    if (status != LC_OK) {
        lc_arena_deinit(&arena);
        lc_array_deinit(&made);
        return status;
    }
    const float scale = how->scale != 0 ? how->scale : 1 / 255.0f;
    const int32_t c = image->dims[2];
    for (size_t i = 0; i < (size_t)height * (size_t)width; i++) {
        const float *from = scaled + i * (size_t)c;
        for (int32_t ch = 0; ch < channels; ch++) {
            const float v = c == channels ? from[ch] : c == 1 ? from[0] : 0.299f * from[0] + 0.587f * from[1] + 0.114f * from[2];
            to[how->bgr ? channels - 1 - ch : ch] = (v * scale - how->mean[ch]) / (how->std[ch] != 0 ? how->std[ch] : 1);
        }
        to += channels;
    }
    lc_arena_deinit(&arena);
    *out = made;
    return LC_OK;
}
