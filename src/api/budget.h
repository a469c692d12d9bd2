/*
 * budget.h: what the files of lc_model_quantize_budget share.
 *
 *   budget.c         the order: the whole scheme, the mildest one, then what lies between them
 *   budget_unit.c    the layers one can choose for, and their choices as the text of a recipe
 *   budget_step.c    what each choice costs, and the order in which layers give way
 *   budget_score.c   scores: on samples kept in memory for the search, on all of them for the last word
 *   budget_text.c    the table
 */
#ifndef LC_API_BUDGET_H
#define LC_API_BUDGET_H

#include "api/quantize.h"

#define LC_BUD_SCHEMES 6
#define LC_BUD_MOST_NOISE 1e30 /* stands for infinite noise: so much is enough, and can be taken away again */

/* Operators that get one scheme: those of a layer, or one, and what only moves their result about (a reshape). */
typedef struct lc_bud_unit {
    const char *name;
    const char **patterns; /* of a recipe */
    size_t pattern_count, pattern_capacity;
    uint64_t weights;             /* elements of constants that a scheme can make smaller */
    bool int16;                   /* all of its operators have a form with int16 activations */
    double noise[LC_BUD_SCHEMES]; /* relative to the outputs, with this unit alone in a scheme; -1: not measured */
    lc_scheme scheme;             /* as chosen now */
} lc_bud_unit;

/* A unit gives way to a milder scheme. */
typedef struct lc_bud_step {
    uint32_t unit;
    lc_scheme scheme;
    double gain; /* noise less per byte more */
} lc_bud_step;

/* Samples that stay in memory, and what the float model makes of them. */
typedef struct lc_bud_batch {
    uint32_t samples;
    size_t eval, at; /* of which data, and the how many-th of it */
    lc_tensor_view *inputs, *outputs;
    int64_t *labels; /* NULL: none */
} lc_bud_batch;

typedef struct lc_bud_score {
    uint64_t samples;                           /* all of them */
    uint64_t judged, right, float_right, agree; /* of the signature that loses most; float_right: of the float model */
    double db, noise;                           /* of the worst output; noise over signal, of all outputs */
} lc_bud_score;

/* The output of a signature that is judged. */
typedef struct lc_bud_judged {
    int32_t output;
    bool probabilities; /* of one output for two classes: else logits */
} lc_bud_judged;

/* A recipe that was tried. */
typedef struct lc_bud_tried {
    lc_tradeoff_row row;
    lc_scheme *schemes; /* of the units */
    bool whole;         /* on all samples */
    size_t order;       /* in which it was tried */
} lc_bud_tried;

typedef struct lc_bud_job {
    const lc_quant_source *source;
    const lc_quantize_options *options;
    const lc_tradeoff_options *budget;
    lc_arena *arena; /* of the result */
    lc_arena kept;   /* of the samples */
    lc_error *err;
    lc_score kind;
    int32_t threads;
    double whole_db, kept_db; /* LC_SCORE_SNR: of float16 weights, on all samples and on those kept */
    lc_bud_unit *units;
    size_t unit_count, unit_capacity;
    lc_bud_step *steps;
    size_t step_count, step_capacity;
    lc_bud_batch *batches;
    size_t batch_count, batch_capacity;
    lc_bud_judged *judged; /* [budget->eval_count] */
    lc_tradeoff *result;
    lc_bud_tried *tried;
    size_t tried_count, tried_capacity;
} lc_bud_job;

/* ---- budget_unit.c ---- */
lc_status lc_bud_find_units(lc_bud_job *j);
/* The units' schemes as a recipe, the caller's own choices last. Caller frees *text with lc_free. otherwise: the scheme of all else. */
lc_status lc_bud_recipe(const lc_bud_job *j, lc_scheme otherwise, char **text);
/* A recipe for one unit in a scheme, all else float. */
lc_status lc_bud_recipe_of(const lc_bud_job *j, const lc_bud_unit *unit, lc_scheme scheme, char **text);

/* ---- budget_step.c ---- */
/* The scheme in which a unit loses least. */
lc_scheme lc_bud_mildest(const lc_bud_job *j, const lc_bud_unit *unit);
/* Measures, and puts the steps in order. */
lc_status lc_bud_find_steps(lc_bud_job *j);

/* ---- budget_score.c ---- */
/* Keeps samples from all over the data. */
lc_status lc_bud_keep(lc_bud_job *j, uint64_t samples);
/* On every n-th batch of those kept. */
lc_status lc_bud_score_kept(const lc_bud_job *j, lc_model *model, size_t every, lc_bud_score *score);
lc_status lc_bud_score_whole(lc_bud_job *j, lc_model *model, lc_bud_score *score);
/* The score, and how far it is under the reference: of the samples kept, or of all. */
void lc_bud_grade(const lc_bud_job *j, const lc_bud_score *score, bool whole, double *value, double *drop);

void lc_bud_progress(const lc_bud_job *j, const char *stage, uint64_t done, uint64_t all);

#endif
