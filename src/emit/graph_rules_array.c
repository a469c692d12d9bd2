/*
 * graph_rules_array.c: shapes, parts, reductions and control flow of TFLite, said in TensorFlow.
 */
#include "emit/graph_rules.h"

#include <string.h>

void lc_gd_rule_plain(lc_gd_rule *e) { e->out[0] = lc_gd_put(e->b, e->op, e->in, e->in_count); }

/* Of integers the quotient is cut off in TFLite, as Div does it. */
void lc_gd_rule_divide(lc_gd_rule *e) {
    const bool real = e->in[0].type == LC_DT_FLOAT || e->in[0].type == LC_DT_DOUBLE || e->in[0].type == LC_DT_HALF;
    e->out[0] = lc_gd_put(e->b, real ? LC_GD_RealDiv : LC_GD_Div, e->in, e->in_count);
}

/* ---- reductions --------------------------------------------------------------------------------------------------------- */

void lc_gd_rule_reduce(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_bool(e->b, "keep_dims", LC_OP_ATTRS(e->node, ReducerOptions)->keep_dims);
}

void lc_gd_rule_arg(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_type(e->b, "output_type", lc_pb_data_type(lc_gd_rule_out(e, 0)->type));
}

void lc_gd_rule_top_k(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_type(e->b, "index_type", lc_pb_data_type(lc_gd_rule_out(e, 1)->type));
}

void lc_gd_rule_cumsum(lc_gd_rule *e) {
    const lc_CumsumOptions *o = LC_OP_ATTRS(e->node, CumsumOptions);
    lc_gd_rule_plain(e);
    lc_gd_bool(e->b, "exclusive", o->exclusive);
    lc_gd_bool(e->b, "reverse", o->reverse);
}

/* ---- types and shapes --------------------------------------------------------------------------------------------------- */

void lc_gd_rule_cast(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_type(e->b, "DstT", lc_pb_data_type(lc_gd_rule_out(e, 0)->type));
}

void lc_gd_rule_bitcast(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_type(e->b, "type", lc_pb_data_type(lc_gd_rule_out(e, 0)->type));
}

void lc_gd_rule_complex_part(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_type(e->b, "Tout", lc_pb_data_type(lc_gd_rule_out(e, 0)->type));
}

void lc_gd_rule_shape(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_type(e->b, "out_type", lc_pb_data_type(lc_gd_rule_out(e, 0)->type));
}

/* The integers of an input, or of options, as int32. False when they are not known. */
static bool known_ints(const lc_tensor *t, int32_t values[LC_MAX_RANK], int32_t *n) {
    if (t->type != LC_INT32 || !t->data || t->size > LC_MAX_RANK * sizeof *values) return false;
    *n = (int32_t)(t->size / sizeof *values);
    if (*n) memcpy(values, t->data, t->size);
    return true;
}

void lc_gd_rule_reshape(lc_gd_rule *e) {
    int32_t dims[LC_MAX_RANK], n = 0;
    const lc_vec_i32 *shape = &LC_OP_ATTRS(e->node, ReshapeOptions)->new_shape;
    bool known = e->in_count > 1 && e->in[1].node >= 0;
    if (known) {
        if (!known_ints(lc_gd_rule_in(e, 1), dims, &n)) {
            lc_gd_rule_plain(e);
            return;
        }
    } else {
        if (shape->n > LC_MAX_RANK) {
            lc_gd_rule_fail(e, "it has more than %d dimensions", LC_MAX_RANK);
            return;
        }
        n = (int32_t)shape->n;
        if (n) memcpy(dims, shape->data, (size_t)n * sizeof *dims);
    }
    e->out[0] = lc_gd_reshape(e->b, e->in[0], dims, n);
}

void lc_gd_rule_squeeze(lc_gd_rule *e) {
    const lc_vec_i32 *axes = &LC_OP_ATTRS(e->node, SqueezeOptions)->squeeze_dims;
    int64_t wide[LC_MAX_RANK];
    for (uint32_t i = 0; i < axes->n && i < LC_MAX_RANK; i++) wide[i] = axes->data[i];
    lc_gd_rule_plain(e);
    lc_gd_ints(e->b, "squeeze_dims", wide, axes->n < LC_MAX_RANK ? axes->n : LC_MAX_RANK);
}

void lc_gd_rule_transpose(lc_gd_rule *e) {
    int32_t perm[LC_MAX_RANK], n;
    if (known_ints(lc_gd_rule_in(e, 1), perm, &n)) e->out[0] = lc_gd_transpose(e->b, e->in[0], perm, n);
    else lc_gd_rule_plain(e);
}

/* ---- parts -------------------------------------------------------------------------------------------------------------- */

void lc_gd_rule_strided_slice(lc_gd_rule *e) {
    const lc_StridedSliceOptions *o = LC_OP_ATTRS(e->node, StridedSliceOptions);
    if (o->offset) {
        lc_gd_rule_fail(e, "its ends count from its beginnings, which TensorFlow does not know");
        return;
    }
    lc_gd_rule_plain(e);
    lc_gd_int(e->b, "begin_mask", o->begin_mask);
    lc_gd_int(e->b, "end_mask", o->end_mask);
    lc_gd_int(e->b, "ellipsis_mask", o->ellipsis_mask);
    lc_gd_int(e->b, "new_axis_mask", o->new_axis_mask);
    lc_gd_int(e->b, "shrink_axis_mask", o->shrink_axis_mask);
}

void lc_gd_rule_concatenation(lc_gd_rule *e) {
    lc_gd_ref *all = lc_arena_array(e->b->arena, (size_t)e->in_count + 1, sizeof *all);
    if (!all) {
        lc_gd_fail_memory(e->b);
        return;
    }
    if (e->in_count) memcpy(all, e->in, e->in_count * sizeof *all);
    all[e->in_count] = lc_gd_const_int(e->b, LC_OP_ATTRS(e->node, ConcatenationOptions)->axis);
    e->out[0] = lc_gd_put(e->b, e->op, all, e->in_count + 1);
}

void lc_gd_rule_split(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_int(e->b, "num_split", e->out_count);
}

void lc_gd_rule_pack(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_int(e->b, "axis", LC_OP_ATTRS(e->node, PackOptions)->axis);
}

void lc_gd_rule_unpack(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_int(e->b, "axis", LC_OP_ATTRS(e->node, UnpackOptions)->axis);
    lc_gd_int(e->b, "num", e->out_count);
}

void lc_gd_rule_gather(lc_gd_rule *e) {
    const lc_GatherOptions *o = LC_OP_ATTRS(e->node, GatherOptions);
    e->out[0] = LC_GD(e->b, GatherV2, e->in[0], e->in[1], lc_gd_const_int(e->b, o->axis));
    lc_gd_int(e->b, "batch_dims", o->batch_dims);
}

void lc_gd_rule_embedding(lc_gd_rule *e) { e->out[0] = LC_GD(e->b, GatherV2, e->in[1], e->in[0], lc_gd_const_int(e->b, 0)); }

/* Whole rows are chosen by a vector: that is Select. Else the shapes are equal, or the choice is one for all. */
void lc_gd_rule_select(lc_gd_rule *e) {
    const lc_tensor *choice = lc_gd_rule_in(e, 0), *x = lc_gd_rule_in(e, 1);
    bool one = choice->rank > 0;
    for (int32_t i = 0; i < choice->rank; i++) one = one && lc_tensor_dim(choice, i) == 1;
    const lc_gd_ref in[] = {one ? lc_gd_reshape(e->b, e->in[0], NULL, 0) : e->in[0], e->in[1], e->in[2]};
    e->out[0] = lc_gd_put(e->b, one || choice->rank == x->rank ? LC_GD_SelectV2 : LC_GD_Select, in, 3);
}

void lc_gd_rule_one_hot(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_int(e->b, "axis", LC_OP_ATTRS(e->node, OneHotOptions)->axis);
}

static lc_gd_ref shape_of(lc_gd_rule *e, lc_gd_ref x, int32_t type) {
    lc_gd_ref shape = LC_GD(e->b, Shape, x);
    lc_gd_type(e->b, "out_type", type);
    shape.type = type;
    return shape;
}

/* Input 0 with input 1 in place of what lies at input 2, which is moved so that it fits. TensorFlow has this for XLA alone: here what is put in is
 * padded to the whole, and so are as many times true, which say where it counts. */
void lc_gd_rule_update_slice(lc_gd_rule *e) {
    lc_gd_body *b = e->b;
    const lc_gd_ref part = e->in[1], start = e->in[2], size = shape_of(e, part, start.type);
    const lc_gd_ref room = LC_GD(b, Sub, shape_of(e, e->in[0], start.type), size);
    const lc_gd_ref before = LC_GD(b, Maximum, LC_GD(b, Minimum, start, room), LC_GD(b, ZerosLike, start));
    const lc_gd_ref paddings = LC_GD(b, Pack, before, LC_GD(b, Sub, room, before));
    lc_gd_int(b, "axis", 1);
    static const bool yes = true;
    const lc_gd_ref all = LC_GD(b, Fill, size, lc_gd_const(b, LC_DT_BOOL, NULL, 0, &yes, sizeof yes));
    e->out[0] = LC_GD(b, SelectV2, LC_GD(b, Pad, all, paddings), LC_GD(b, Pad, part, paddings), e->in[0]);
}

/* Of truth values these are other operators than of integers. */
void lc_gd_rule_bits(lc_gd_rule *e) {
    const bool logical = e->in[0].type == LC_DT_BOOL;
    const lc_gd_op_id op = !logical ? e->op : e->op == LC_GD_BitwiseAnd ? LC_GD_LogicalAnd : LC_GD_LogicalOr;
    e->out[0] = lc_gd_put(e->b, op, e->in, e->in_count);
}

void lc_gd_rule_bucketize(lc_gd_rule *e) {
    const lc_vec_f32 *limits = &LC_OP_ATTRS(e->node, BucketizeOptions)->boundaries;
    lc_gd_rule_plain(e);
    lc_gd_floats(e->b, "boundaries", limits->data, limits->n);
}

void lc_gd_rule_sparse_to_dense(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_bool(e->b, "validate_indices", LC_OP_ATTRS(e->node, SparseToDenseOptions)->validate_indices);
}

void lc_gd_rule_unique(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_type(e->b, "out_idx", lc_pb_data_type(lc_gd_rule_out(e, 1)->type));
}

void lc_gd_rule_mirror_pad(lc_gd_rule *e) {
    const bool reflect = LC_OP_ATTRS(e->node, MirrorPadOptions)->mode == LC_MirrorPadMode_REFLECT;
    lc_gd_rule_plain(e);
    lc_gd_text(e->b, "mode", reflect ? LC_STR("REFLECT") : LC_STR("SYMMETRIC"));
}

void lc_gd_rule_reverse_sequence(lc_gd_rule *e) {
    const lc_ReverseSequenceOptions *o = LC_OP_ATTRS(e->node, ReverseSequenceOptions);
    lc_gd_rule_plain(e);
    lc_gd_int(e->b, "seq_dim", o->seq_dim);
    lc_gd_int(e->b, "batch_dim", o->batch_dim);
}

void lc_gd_rule_space_to_depth(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_int(e->b, "block_size", LC_OP_ATTRS(e->node, SpaceToDepthOptions)->block_size);
}

void lc_gd_rule_depth_to_space(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_int(e->b, "block_size", LC_OP_ATTRS(e->node, DepthToSpaceOptions)->block_size);
}

/* ---- control flow ------------------------------------------------------------------------------------------------------- */

/* A graph that is called takes what it is given and gives what is asked for: a function of TensorFlow sees nothing else. */
static bool fits(lc_gd_rule *e, int32_t graph, uint32_t inputs, uint32_t outputs) {
    const lc_graph *g = lc_gd_graph(e, graph);
    if (g->input_count == inputs && g->output_count == outputs) return true;
    lc_gd_rule_fail(e, "graph '%s' takes %zu tensors and gives %zu, not %u and %u", g->name.data, g->input_count, g->output_count, inputs,
                    outputs);
    return false;
}

void lc_gd_rule_while(lc_gd_rule *e) {
    const lc_WhileOptions *o = LC_OP_ATTRS(e->node, WhileOptions);
    if (!fits(e, o->cond_subgraph_index, e->in_count, 1) || !fits(e, o->body_subgraph_index, e->in_count, e->in_count)) return;
    const lc_str cond = lc_gd_graph_function(e, o->cond_subgraph_index, true);
    const lc_str body = lc_gd_graph_function(e, o->body_subgraph_index, false);
    lc_gd_rule_plain(e);
    lc_gd_function(e->b, "cond", cond);
    lc_gd_function(e->b, "body", body);
    lc_gd_types(e->b, "T", e->in, e->in_count);
}

void lc_gd_rule_if(lc_gd_rule *e) {
    const lc_IfOptions *o = LC_OP_ATTRS(e->node, IfOptions);
    const uint32_t given = e->in_count - 1;
    if (!fits(e, o->then_subgraph_index, given, e->out_count) || !fits(e, o->else_subgraph_index, given, e->out_count)) return;
    const lc_str yes = lc_gd_graph_function(e, o->then_subgraph_index, false);
    const lc_str no = lc_gd_graph_function(e, o->else_subgraph_index, false);
    const int32_t rank = lc_gd_rule_in(e, 0)->rank;
    lc_gd_ref *in = lc_arena_array(e->b->arena, e->in_count, sizeof *in);
    if (!in) {
        lc_gd_fail_memory(e->b);
        return;
    }
    memcpy(in, e->in, e->in_count * sizeof *in);
    if (rank) in[0] = lc_gd_reshape(e->b, in[0], NULL, 0); /* of more than a scalar TensorFlow asks whether it is empty */
    e->out[0] = lc_gd_put(e->b, e->op, in, e->in_count);
    for (uint32_t i = 0; i < e->out_count; i++)
        e->out[i] = lc_gd_output(e->out[0], (int32_t)i, lc_pb_data_type(lc_gd_rule_out(e, i)->type));
    lc_gd_function(e->b, "then_branch", yes);
    lc_gd_function(e->b, "else_branch", no);
    lc_gd_types(e->b, "Tin", in + 1, e->in_count - 1);
    lc_gd_types(e->b, "Tout", e->out, e->out_count);
}
