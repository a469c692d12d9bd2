/*
 * index.c: inputs whose values are indices: numbers of words for an embedding, of which a CAST makes integers before a GATHER reads its table
 * with them. As an integer such an input has the scale 1: with another it would be other words.
 *
 *   ids float32 -> CAST int32 -> GATHER(100 rows)     as int8 and as uint8 the value is the number of the word
 *
 * What counts is how the graph uses it: through operators that only move values, all that reads it makes integers of it or compares it.
 * Indices of which the type has too few are refused, also where the table has more rows than the samples asked for.
 */
#include "quant/plan.h"

#include <math.h>

typedef struct use {
    int32_t rows; /* of the largest table that is read with it; 1: it becomes an integer, 0: it does not */
    bool number;  /* something calculates with it */
} use;

static void add(use *of, use more) {
    if (more.rows > of->rows) of->rows = more.rows;
    of->number |= more.number;
}

static bool makes_integers(const lc_graph *g, const lc_node *n) {
    if (n->op != LC_OP_CAST) return false;
    const lc_dtype t = g->tensors[n->outputs[0]].type;
    return t == LC_INT8 || t == LC_UINT8 || t == LC_INT16 || t == LC_INT32 || t == LC_UINT32 || t == LC_INT64;
}

static use index_of(const lc_graph *g, int32_t table, int32_t axis) {
    const lc_tensor *t = &g->tensors[table];
    const int32_t d = axis < 0 ? axis + t->rank : axis;
    return (use){.rows = lc_tensor_is_const(t) && d >= 0 && d < t->rank && t->dims[d] > 1 ? t->dims[d] : 1};
}

/* What input i is to the node. out: what its outputs are to others. */
static use use_by(const lc_graph *g, const lc_node *n, uint32_t i, use out) {
    const lc_op_quant_def *r = lc_op_quant(n->op);
    if (makes_integers(g, n)) return (use){.rows = out.rows ? out.rows : 1};
    if (n->op == LC_OP_GATHER && i == 1) return index_of(g, n->inputs[0], n->attrs ? LC_OP_ATTRS(n, GatherOptions)->axis : 0);
    if (n->op == LC_OP_EMBEDDING_LOOKUP && i == 0) return index_of(g, n->inputs[1], 0);
    if (r && (r->scales == LC_QUANT_NONE || r->scales == LC_QUANT_ANY)) return (use){0};
    return r && r->scales == LC_QUANT_SAME ? out : (use){.number = true};
}

static use *find_uses(const lc_graph *g, lc_arena *temporary) {
    use *of = lc_arena_array(temporary, g->tensor_count + 1, sizeof *of);
    for (size_t i = 0; of && i < g->output_count; i++) of[g->outputs[i]].number = true;
    for (size_t at = g->node_count; of && at-- > 0;) {
        const lc_node *n = &g->nodes[at];
        use out = {0};
        if (n->op == LC_NODE_DEAD) continue;
        for (uint32_t i = 0; i < n->output_count; i++)
            if (n->outputs[i] >= 0) add(&out, of[n->outputs[i]]);
        for (uint32_t i = 0; i < n->input_count; i++)
            if (n->inputs[i] >= 0) add(&of[n->inputs[i]], use_by(g, n, i, out));
    }
    return of;
}

/* The scale 1 over these whole numbers. Type FLOAT32: the type has too few. int8 as it stands where it reaches, uint8 from 0 on. */
static lc_steps steps_of(lc_dtype type, bool from_zero, float low, float high) {
    const float least = type == LC_INT16 ? -32767 : -128, most = type == LC_INT16 ? 32767 : 127;
    lc_steps s = {.type = type, .scale = 1};
    if (low >= least && high <= most && !(from_zero && low >= 0)) return s;
    if (type == LC_INT16 || high - low > most - least) return (lc_steps){.type = LC_FLOAT32};
    s.zero = (int32_t)(least - low);
    return s;
}

lc_status lc_quant_fix_indices(const lc_quant_job *job, lc_quant_plan *p, lc_arena *temporary) {
    const lc_graph *g = p->graph;
    const lc_dtype asked = job->options->input_type;
    if (asked == LC_FLOAT32) return LC_OK;
    const use *of = find_uses(g, temporary);
    if (!of) return lc_fail_memory(job->err, "quantisation");
    for (size_t i = 0; i < g->input_count; i++) {
        lc_quant_set *s = &p->of[g->inputs[i]];
        const use how = of[g->inputs[i]];
        if (s->kept == LC_FLOAT32 || s->fixed.type != LC_FLOAT32 || !how.rows || (how.number && how.rows == 1)) continue;
        const float low = fminf(s->range.low, 0), high = fmaxf(s->range.high, (float)(how.rows - 1));
        if (how.rows == 1 && (floorf(low) != low || floorf(high) != high)) continue; /* no indices: fractions that CAST cuts off */
        const lc_steps steps = steps_of(s->kept, asked == LC_UINT8, floorf(low), ceilf(high));
        if (steps.type == LC_FLOAT32) {
            const lc_str name = g->tensors[g->inputs[i]].name;
            lc_fail(job->err, LC_ARGUMENT, "input \"%.*s\" holds indices from %.0f to %.0f: too many for %s",
                    (int)(name.size > 80 ? 80 : name.size), name.data ? name.data : "", (double)low, (double)high, lc_dtype_name(asked));
            lc_error_hint(job->err, "leave the inputs float32 (no --input-type), or make the model with an int32 input there");
            return LC_ARGUMENT;
        }
        s->fixed = steps;
        s->range = lc_quant_range_of(steps);
    }
    return LC_OK;
}
