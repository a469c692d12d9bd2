/*
 * doc_tables.c: prints the pages of docs/ that are tables of the code, so that they cannot drift from it: the tests docs_ops,
 * docs_layers, docs_tensorflow, docs_rules and docs_quantised compare.
 *
 *     for page in ops layers tensorflow rules quantised; do build/release/tests/doc_tables $page > docs/$page.md; done
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANY = -1 };

static void made_from(const char *title, const char *source) {
    printf("# %s\n\n<!-- made by tools/doc_tables.c from %s; do not edit -->\n\n", title, source);
}

static void range(char text[32], int least, int most) {
    if (most == ANY) snprintf(text, 32, "%d or more", least);
    else if (least == most) snprintf(text, 32, "%d", least);
    else snprintf(text, 32, "%d to %d", least, most);
}

static const char *mark(const char *word) { return strcmp(word, "no") == 0 ? "" : "yes"; }

/* ---- operators --------------------------------------------------------------------------------------------------- */

typedef struct op_row {
    const char *name, *family, *infer, *kernel, *fast;
    int code, version, in_min, in_max, out_min, out_max;
} op_row;

static const op_row ops[] = {
#define LC_OP(ID, code_, family_, options, version_, in_min_, in_max_, out_min_, out_max_, absent, infer_, kernel_, fast_, flags) \
    {#ID, #family_, #infer_, #kernel_, #fast_, code_, version_, in_min_, in_max_, out_min_, out_max_},
#include "ops/ops.def"
};
#define OP_COUNT (sizeof ops / sizeof *ops)

static void print_ops(void) {
    size_t runs = 0, fast = 0;
    for (size_t i = 0; i < OP_COUNT; i++) {
        runs += *mark(ops[i].kernel) != 0;
        fast += *mark(ops[i].fast) != 0;
    }
    made_from("Operators", "src/ops/ops.def");
    printf("litec reads, checks, prints and writes models with any of the %zu builtin operators of the `.tflite` schema, in any\n",
           OP_COUNT);
    printf("version. It runs the %zu whose row says so today; %zu of them have SIMD kernels as well. *Version* is the highest one\n", runs,
           fast);
    printf("that LiteRT registers (0: none). *Shapes* says whether litec knows the rule for the shape of the output. *Files* is the\n");
    printf(
        "name that finds an operator's rule, kernels and tests in every folder. On which types each is tested: [types.md](types.md).\n\n");
    printf("| code | operator | inputs | outputs | version | shapes | runs | SIMD | files |\n|---:|---|---|---|---:|---|---|---|---|\n");
    for (size_t i = 0; i < OP_COUNT; i++) {
        const op_row *r = &ops[i];
        char in[32], out[32];
        range(in, r->in_min, r->in_max);
        range(out, r->out_min, r->out_max);
        printf("| %d | %s | %s | %s | %d | %s | %s | %s | `%s_*` |\n", r->code, r->name, in, out, r->version, mark(r->infer),
               mark(r->kernel), mark(r->fast), r->family);
    }
}

/* ---- Keras layers ------------------------------------------------------------------------------------------------- */

typedef struct layer_row {
    const char *name, *function, *activation;
    int in_min, in_max;
} layer_row;

static const layer_row layers[] = {
#define LC_LAYER(class, function, in_min, in_max, activation, mask) {#class, #function, #activation, in_min, in_max},
#include "lower/keras.def"
};
#define LAYER_COUNT (sizeof layers / sizeof *layers)

/* Layers that hand their input on when a model runs. */
static int in_training_only(const char *function) {
    if (strcmp(function, "identity") == 0 || strstr(function, "dropout") || strncmp(function, "gaussian_", 9) == 0) return 1;
    return strncmp(function, "random_", 7) == 0 && strcmp(function, "random_crop") != 0;
}

static void print_layers(void) {
    made_from("Keras layers", "src/lower/keras.def");
    printf("The layer classes that `litec convert` knows, in models of Keras 2 and Keras 3, beside `InputLayer` and nested models\n");
    printf("(`Sequential`, `Functional`, `Model`). Any other layer is an error that names it, or with `--allow-custom-ops` a custom\n");
    printf("operator that keeps the layer's configuration and weights. *Inputs* counts tensors. A layer with *as activation* may also\n");
    printf("stand where Keras takes an activation.\n\n| layer | inputs | as activation | what it becomes |\n|---|---|---|---|\n");
    for (size_t i = 0; i < LAYER_COUNT; i++) {
        const layer_row *r = &layers[i];
        char in[32];
        range(in, r->in_min, r->in_max);
        if (in_training_only(r->function))
            printf("| %s | %s | %s | nothing: it works in training only |\n", r->name, in, mark(r->activation));
        else printf("| %s | %s | %s | `lc_lower_%s` |\n", r->name, in, mark(r->activation), r->function);
    }
}

/* ---- rules of the .tflite format and of source files ---------------------------------------------------------------- */

typedef struct rule_row {
    const char *id, *text;
} rule_row;

static const rule_row structure[] = {
#define LC_FB_RULE(NAME, id, text) {id, text},
#include "schema/fb_rules.def"
};
static const rule_row meaning[] = {
#define LC_RULE(ID, advice, text) {#ID, text},
#include "runtime/rules.def"
};

static const rule_row sources[] = {
#define LC_SOURCE_RULE(NAME, id, text) {id, text},
#include "source/rules.def"
#define LC_PB_RULE(NAME, id, text) {id, text},
#include "proto/proto_rules.def"
};

static void print_rules(void) {
    made_from("Rules", "src/schema/fb_rules.def, src/runtime/rules.def, src/source/rules.def and src/proto/proto_rules.def");
    printf("`litec verify` and every other command check a `.tflite` file by these rules before anything is read from it. A file that\n");
    printf("breaks one is refused with the rule's id in brackets and the byte where it is broken. Each rule has a bad file and a good\n");
    printf("twin in the tests.\n\n## .tflite, structure: what is wrong\n\n| id | |\n|---|---|\n");
    for (size_t i = 0; i < sizeof structure / sizeof *structure; i++) printf("| %s | %s |\n", structure[i].id, structure[i].text);
    printf("\n## .tflite, meaning: what must hold\n\n| id | |\n|---|---|\n");
    for (size_t i = 0; i < sizeof meaning / sizeof *meaning; i++) {
        printf("| TFL-");
        for (const char *p = meaning[i].id; *p; p++) putchar(*p == '_' ? '-' : *p);
        printf(" | %s |\n", meaning[i].text);
    }
    printf("\n## Source and data files: what must hold\n\n");
    printf("Keras files and what they are made of (HDF5, zip, JSON), TensorFlow's (protocol buffers, checkpoints), and data given to a\n");
    printf("model. What a single layer must be is said with the layer's name.\n\n| id | |\n|---|---|\n");
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) printf("| %s | %s |\n", sources[i].id, sources[i].text);
}

/* ---- integer operators --------------------------------------------------------------------------------------------- */

static void print_quantised(void) {
    static const struct {
        const char *name, *scales, *int16, *weights, *axis, *bias;
    } rows[] = {
#define LC_QUANT(op, scales, int16, weights, axis, bias) {#op, #scales, #int16, #weights, #axis, #bias},
#include "ops/quant.def"
    };
    static const char *const words[][2] = {{"FREE", "each its own"},
                                           {"SAME", "the output has the input's"},
                                           {"FIXED", "the output's is fixed"},
                                           {"NONE", "the output is no number"},
                                           {"ANY", "any: it looks at no value"},
                                           {"CELL", "int16 state, int8 else"},
                                           {"ZERO", "the input's, zero point 0"},
                                           {"STATE", "one for the variable"}};
    static const char *const ours[] = {"ARG_MIN", "DYNAMIC_UPDATE_SLICE", "ELU", "RELU_0_TO_1", "SELECT_V2"};
    const size_t n = sizeof rows / sizeof *rows, more = sizeof ours / sizeof *ours;
    made_from("Integer operators", "src/ops/quant.def");
    printf(
        "What `--quantize int8` and `--quantize int16x8` make integer ones of: the %zu operators that the official quantiser knows, and %zu\n",
        n - more, more);
    printf("more that LiteRT runs (*official* is empty). Everything between them is an integer, too. *Scales*: what the quantisation\n");
    printf(
        "specification asks of scale and zero point. *Weights*: the input that holds constant int8 weights, with a scale for each slice of\n");
    printf("dimension *axis*; *bias*: the input that holds the bias, int32, beside int16 int64.\n\n");
    printf("Some others become these: DIV by a constant is MUL; SQUARED_DIFFERENCE under int16x8 is SUB and MUL; ZEROS_LIKE is SUB;\n");
    printf(
        "UNIDIRECTIONAL_SEQUENCE_RNN is a loop of them with `--int8-only`. Recurrent cells without an integer form, and those in a form that\n");
    printf(
        "has none, keep float activations and get int8 weights. What else stays float is listed with the reason when a model is quantised.\n\n");
    printf("| operator | official | int8 | int16x8 | scales | weights | axis | bias |\n|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        const char *scales = "", *official = "yes";
        const char *const columns[] = {rows[i].weights, rows[i].axis, rows[i].bias};
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            if (strcmp(words[k][0], rows[i].scales) == 0) scales = words[k][1];
        for (size_t k = 0; k < more; k++)
            if (strcmp(ours[k], rows[i].name) == 0) official = "";
        printf("| %s | %s | yes | %s | %s |", rows[i].name, official, mark(rows[i].int16), scales);
        for (size_t k = 0; k < 3; k++) printf(" %s |", strcmp(columns[k], "NONE") == 0 ? "" : columns[k]);
        printf("\n");
    }
}

/* ---- TensorFlow operators ------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void print_tensorflow(void) {
    enum { COLUMNS = 4 };
    const char *names[] = {
#define LC_TF(name, function, builtin, outputs) #name,
#include "lower/tf.def"
    };
    const size_t n = sizeof names / sizeof *names, rows = (n + COLUMNS - 1) / COLUMNS;
    qsort(names, n, sizeof *names, by_name);
    made_from("TensorFlow operators", "src/lower/tf.def");
    printf(
        "The %zu operators of TensorFlow that `litec convert` knows, in SavedModels, MetaGraphs and graphs. Each becomes builtin operators\n",
        n);
    printf("of TFLite: one, a few, worked out for the types and shapes at hand, or none. What a lowering cannot do for some types or\n");
    printf("attributes, and an operator that is not here, is an error that says why and lists all that is missing at once; with\n");
    printf(
        "`--select-tf-ops` it becomes a Flex operator, with `--allow-custom-ops` a custom one. Control flow of TensorFlow 1 (Enter, Exit,\n");
    printf("Merge, NextIteration, LoopCond) becomes IF and WHILE.\n\n| | | | |\n|---|---|---|---|\n");
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < COLUMNS; k++) printf("| %s ", i + k * rows < n ? names[i + k * rows] : "");
        printf("|\n");
    }
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*print)(void);
    } pages[] = {{"ops", print_ops},
                 {"layers", print_layers},
                 {"tensorflow", print_tensorflow},
                 {"rules", print_rules},
                 {"quantised", print_quantised}};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (argc != 2 || strcmp(argv[1], pages[i].name) != 0) continue;
        pages[i].print();
        return fflush(stdout) == 0 ? 0 : 1;
    }
    fprintf(stderr, "usage: %s ops|layers|tensorflow|rules|quantised\n", argv[0]);
    return 2;
}
