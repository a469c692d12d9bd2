/*
 * quantize.h: a quantisation in steps, for who makes several forms of one model: prepared once (optimised, run over the samples), then
 * written as often as wanted. quantize.c makes one form of it, budget.c looks for the best.
 */
#ifndef LC_API_QUANTIZE_H
#define LC_API_QUANTIZE_H

#include "api/api.h"
#include "quant/quant.h"

typedef struct lc_quant_source {
    lc_model *model; /* a fork of the caller's, optimised; all ranges are of its tensors */
    lc_ranges ranges;
    uint64_t samples; /* that the ranges come from */
    bool equalized;
    uint32_t pairs; /* of layers that were equalised */
} lc_quant_source;

/* Checks the options, optimises, equalises, calibrates. The source is empty after an error. */
lc_status lc_quant_prepare(lc_model *model, const lc_quantize_options *options, lc_quant_source *source, lc_error *err);
void lc_quant_source_deinit(lc_quant_source *source); /* a zeroed one is fine */
/* One form: of the options the scheme, the recipe and how weights are rounded count. Nothing at all may change: did tells. Caller owns *to. */
lc_status lc_quant_make(const lc_quant_source *source, const lc_quantize_options *options, lc_quant_report *did, lc_model **to,
                        lc_error *err);
/* The form that is handed out: lc_quant_make, an error when nothing changed or only_integer does not hold, and the report (NULL: not wanted). */
lc_status lc_quant_finish(const lc_quant_source *source, const lc_quantize_options *options, lc_model **to, lc_quantize_report **report,
                          lc_error *err);
/* Frees what sessions of the model left to be used again: weights packed for their kernels. No session may be open. */
void lc_quant_forget(lc_model *model);
lc_status lc_quant_file_size(const lc_model *model, uint64_t *size, lc_error *err);

/* How far an output of one model is from that of another, in sums over samples. */
typedef struct lc_output_error {
    char name[256];
    double signal, noise, most; /* sums of squares; the largest difference */
    float step;                 /* of the other's integer that the output is, or is made from; 0: none */
    uint64_t wrong;             /* NaN, infinity in one of them */
} lc_output_error;

void lc_output_error_add(lc_output_error *error, const lc_tensor_view *right, const lc_tensor_view *other);
/* Signal to noise of the values that are finite; INFINITY: no error. */
double lc_output_error_db(const lc_output_error *error);
/* Both models on the same data, `batches` of it at most; outputs lie in `arena`. */
lc_status lc_quant_compare(lc_model *from, lc_model *to, lc_data *data, uint64_t batches, int32_t threads, lc_arena *arena,
                           lc_output_error **outputs, size_t *count, lc_error *err);

#endif
