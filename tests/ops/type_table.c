/*
 * type_table.c: prints docs/types.md: which operators are tested on which types, and by how many cases, from the cases themselves
 * (tests/data/ops and tests/data/runs). A type that is not in the table has no case.
 *
 * A column of types is the first input's; where the second input is a constant of another type (weights), both are given: "float32 x int8"
 * is what LiteRT calls hybrid. Operators without inputs are listed by their output.
 */
#include "case.h"
#include "runs.h"

/* What the cases do not say by themselves. */
#define NOTES \
    "\n## Weights in blocks, sparse weights\n\n" \
    "Scales a block are taken where LiteRT takes them: int4 weights of FULLY_CONNECTED with float32 inputs (LiteRT's default kernels),\n" \
    "and int4 or int2 tables of EMBEDDING_LOOKUP. The scales are a float16 constant. Other operators refuse such weights by name.\n\n" \
    "A sparse constant of whole bytes is spread when a session is made, whatever operator reads it. The numbers are LiteRT's where it has a\n" \
    "kernel for the form: DENSIFY (float32, float16, int8), FULLY_CONNECTED (float32; int8 in blocks of 1x16 with int8 or float32 inputs),\n" \
    "LSTM with a projection (int8 in blocks of 1x16, without asymmetric inputs). Sparse constants of 4 and 2 bits are refused: LiteRT has no\n" \
    "kernel that reads one.\n" \
    "\n## Other answers than LiteRT's\n\n" \
    "Where LiteRT runs a model but its numbers do not come from the model, litec does what the model says:\n\n" \
    "| model | LiteRT 2.3 | litec |\n|---|---|---|\n" \
    "| BATCH_MATMUL of int16 or int8 with a scale a column | takes 0 for the scale: every output is the zero point | multiplies by the scales |\n" \
    "| EMBEDDING_LOOKUP in int4 or int2 with rows of an odd length | begins each at the start of a byte | reads them as they are packed |\n" \
    "| block-wise FULLY_CONNECTED: reference kernels; less than 4 units or 32 inputs | looks for a scale where there is none | takes the blocks' |\n" \
    "| block-wise FULLY_CONNECTED with a fused activation | leaves it out (XNNPACK applies it) | applies it |\n" \
    "| sparse weights of other operators and forms | takes the stored elements for dense ones | spreads them |\n" \
    "| WHILE whose body hands its inputs on in other places | copies one over the other: both are the same then | exchanges them |\n"

enum { NO_WEIGHTS = LC_DTYPE_COUNT, CUSTOMS = 32 };

static uint32_t counts[LC_OP_COUNT + CUSTOMS][LC_DTYPE_COUNT][LC_DTYPE_COUNT + 1];
static char customs[CUSTOMS][64];

/* The row of a node: its builtin code, or one for its custom code. */
static int32_t row_of(const lc_node *node) {
    if (node->op != LC_OP_CUSTOM) return node->op;
    for (int32_t i = 0; i < CUSTOMS; i++) {
        if (!customs[i][0]) snprintf(customs[i], sizeof customs[i], "%.*s", (int)node->custom_code.size, node->custom_code.data);
        if (lc_str_is(node->custom_code, customs[i])) return LC_OP_COUNT + i;
    }
    return LC_OP_CUSTOM;
}

static void count_node(const lc_graph *g, const lc_node *node) {
    const int32_t first = node->input_count && node->inputs[0] >= 0 ? node->inputs[0] : node->output_count ? node->outputs[0] : -1;
    const int32_t second = node->input_count > 1 ? node->inputs[1] : -1;
    int weights = NO_WEIGHTS;
    if (first < 0) return;
    if (second >= 0 && lc_tensor_is_const(&g->tensors[second]) && g->tensors[second].quant &&
        g->tensors[second].type != g->tensors[first].type)
        weights = g->tensors[second].type;
    counts[row_of(node)][g->tensors[first].type][weights]++;
}

static void count_run(const char *path, const runs_case *c) {
    (void)path;
    lc_model *m;
    if (lc_model_from_memory(c->model, c->model_size, NULL, &m, NULL) != LC_OK) return;
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t n = 0; n < m->graphs[g]->node_count; n++) count_node(m->graphs[g], &m->graphs[g]->nodes[n]);
    lc_model_destroy(m);
}

static void count_case(op_case *c, lc_arena *arena) {
    (void)arena;
    const case_tensor *t = c->in_count && c->in[0].present ? &c->in[0] : &c->out[0];
    counts[c->op][t->type][NO_WEIGHTS]++;
}

int main(void) {
    case_for_all(count_case);
    const uint32_t runs = runs_for_all(NULL, count_run);
    uint32_t operators = 0, total = 0, pairs = 0;
    for (int32_t r = 0; r < LC_OP_COUNT + CUSTOMS; r++) {
        uint32_t here = 0;
        for (int t = 0; t < LC_DTYPE_COUNT; t++)
            for (int w = 0; w <= NO_WEIGHTS; w++) {
                here += counts[r][t][w];
                pairs += counts[r][t][w] > 0;
            }
        operators += here > 0;
        total += here;
    }
    printf("# Operators and types\n\n<!-- made by tests/ops/type_table.c from tests/data/ops and tests/data/runs; do not edit -->\n\n");
    printf(
        "What the operator tests run, on every instruction set of the machine: %u operators, %u combinations with types, %u uses in cases. The\n",
        operators, pairs, total);
    printf(
        "answers are LiteRT's reference kernels' (%u whole models, tests/oracle/make_runs.py, and the operators of make_op_cases.py). Types are the\n",
        runs);
    printf(
        "first input's; `float32 x int8` means int8 weights. The number of cases stands behind each.\n\n| operator | types: cases |\n|---|---|\n");
    for (int32_t r = 0; r < LC_OP_COUNT + CUSTOMS; r++) {
        const char *name = r < LC_OP_COUNT ? lc_op_name(r) : customs[r - LC_OP_COUNT];
        const char *between = "";
        for (int t = 0; t < LC_DTYPE_COUNT; t++)
            for (int w = NO_WEIGHTS; w >= 0; w--) {
                if (!counts[r][t][w]) continue;
                if (!between[0]) printf("| %s | ", name);
                printf("%s%s%s%s: %u", between, lc_dtype_name((lc_dtype)t), w < NO_WEIGHTS ? " x " : "",
                       w < NO_WEIGHTS ? lc_dtype_name((lc_dtype)w) : "", counts[r][t][w]);
                between = ", ";
            }
        if (between[0]) printf(" |\n");
    }
    fputs(NOTES, stdout);
    return 0;
}
