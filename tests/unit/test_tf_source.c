/*
 * test_tf_source.c: TensorFlow's files as sources, through the public calls: options, notes, what the model owns, freezing, describing;
 * guesses on graphs written here as text; files told apart; every allocation failing on every road.
 */
#include "support/fault.h"
#include "support/memfile.h"

#include "litec/litec.h"
#include "source/source.h"
#include "source/tf_probe.h"
#include "source/tf_read.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static lc_error err;
static char notes[4000];

static void hear(void *user, const char *text) {
    (void)user;
    const size_t n = strlen(notes);
    snprintf(notes + n, sizeof notes - n, "%s\n", text);
}

static void must(lc_status status) {
    if (status != LC_OK) fail_msg("%s: %s (%s)", lc_status_name(status), err.message, err.hint);
}

static void refused(lc_status got, lc_status want, const char *part) {
    if (got != want || !strstr(err.message, part) || !err.hint[0])
        fail_msg("%s, hint %s; wanted %s: ...%s", err.message, err.hint, lc_status_name(want), part);
}

/* Converts a graph in text; notes are kept. */
static lc_status from_text(const char *text, lc_convert_options how, lc_model **model) {
    notes[0] = 0;
    how.note = hear;
    const char *path = memfile_open(text, strlen(text));
    assert_non_null(path);
    const lc_status status = lc_convert(path, &how, model, &err);
    memfile_close();
    return status;
}

static void expect_ports(const lc_model *m, const char *in, const char *out) {
    char a[200] = "", b[200] = "";
    for (size_t i = 0; i < lc_model_input_count(m); i++)
        snprintf(a + strlen(a), sizeof a - strlen(a), "%s%s", i ? "," : "", lc_model_input(m, i).name);
    for (size_t i = 0; i < lc_model_output_count(m); i++)
        snprintf(b + strlen(b), sizeof b - strlen(b), "%s%s", i ? "," : "", lc_model_output(m, i).name);
    assert_string_equal(a, in);
    assert_string_equal(b, out);
}

/* ---- which file it is --------------------------------------------------------------------------------------------------- */

static void test_probe(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        lc_tf_content content;
        bool text;
    } files[] = {
        {"\x0a\x08\x0a\x01x\x12\x03"
         "Add",
         10, LC_TF_GRAPH, false},
        {"\x22\x02\x08\x18", 4, LC_TF_GRAPH, false}, /* versions alone */
        {"\x0a\x07\x22\x05serve\x12\x0a\x0a\x08\x0a\x01x\x12\x03"
         "Add",
         21, LC_TF_META_GRAPH, false},
        {"\x08\x01\x12\x15\x0a\x07\x22\x05serve\x12\x0a\x0a\x08\x0a\x01x\x12\x03"
         "Add",
         25, LC_TF_SAVED_MODEL, false},
        {"\x08\x01\x12\x7f\x0a\x07\x22\x05serve\x12\x0a\x0a\x08\x0a\x01", 19, LC_TF_SAVED_MODEL, false}, /* cut short */
        {"\x08\x07\x12\x07pytorch", 11, LC_TF_NOT, true},                                                /* ONNX */
        {"\x0a\x02\x18\x05\x0a\x02\x18\x06", 8, LC_TF_NOT, true},
        {"node {\n", 7, LC_TF_GRAPH, true},
        {"# a comment\n  versions{ producer: 1 }", 38, LC_TF_GRAPH, true},
        {"\xEF\xBB\xBFnode: {", 10, LC_TF_GRAPH, true},
        {"meta_info_def <", 15, LC_TF_META_GRAPH, true},
        {"saved_model_schema_version: 1", 29, LC_TF_SAVED_MODEL, true},
        {"model_checkpoint_path: \"m\"", 26, LC_TF_STATE, true},
        {"node_name: 1", 12, LC_TF_NOT, true},
        {"node", 4, LC_TF_NOT, true},
        {"", 0, LC_TF_NOT, true},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bool text;
        const lc_tf_content content = lc_tf_probe(files[i].bytes, files[i].size, &text);
        if (content != files[i].content || text != files[i].text) fail_msg("file %zu is told to be %d", i, (int)content);
    }
}

/* ---- what a graph is for ------------------------------------------------------------------------------------------------- */

#define NODE(name, op, inputs, attrs) "node { name: '" name "' op: '" op "' " inputs " " attrs " }\n"
#define IN(x) "input: '" x "' "
#define FLOAT "attr { key: 'T' value { type: DT_FLOAT } } "
#define PLACEHOLDER(name, type, shape) \
    NODE(name, "Placeholder", "", "attr { key: 'dtype' value { type: " type " } } attr { key: 'shape' value { shape { " shape " } } }")
#define WEIGHTS(name, rows, cols, values) \
    NODE( \
        name, "Const", "", \
        "attr { key: 'dtype' value { type: DT_FLOAT } } attr { key: 'value' value { tensor { dtype: DT_FLOAT tensor_shape { dim { size: " #rows \
        " } dim { size: " #cols " } } float_val: [" values "] } } }")
#define ONE(name) \
    NODE( \
        name, "Const", "", \
        "attr { key: 'dtype' value { type: DT_FLOAT } } attr { key: 'value' value { tensor { dtype: DT_FLOAT tensor_shape {} float_val: 1 } } }")
#define VERSIONS "versions { producer: 400 }\n"
#define BATCH "dim { size: -1 } dim { size: 2 }"

static void test_guess(void **state) {
    (void)state;
    lc_model *m;
    /* what training adds is left out: labels, loss, gradients, summaries, saver */
    must(from_text(PLACEHOLDER("x", "DT_FLOAT", BATCH) PLACEHOLDER("labels", "DT_FLOAT", BATCH) WEIGHTS("w", 2, 2, "1, 2, 3, 4")
                       NODE("logits", "MatMul", IN("x") IN("w"), FLOAT) NODE("probabilities", "Softmax", IN("logits"), FLOAT)
                           NODE("log", "Log", IN("probabilities"), FLOAT) NODE("loss", "Mul", IN("log") IN("labels"), FLOAT)
                               NODE("gradients/x", "Neg", IN("log"), FLOAT) NODE("top", "Neg", IN("probabilities"), FLOAT)
                                   NODE("train", "ApplyGradientDescent", IN("w") IN("w") IN("gradients/x"), FLOAT)
                                       NODE("note", "ScalarSummary", IN("loss") IN("loss"), FLOAT) NODE("init", "NoOp", IN("^train"), "")
                                           VERSIONS,
                   (lc_convert_options){0}, &m));
    expect_ports(m, "x", "probabilities");
    assert_non_null(strstr(notes, "inputs: x; outputs: probabilities"));
    lc_model_destroy(m);
    /* without training all ends are outputs, in the graph's order; a placeholder nobody needs is no input */
    must(from_text(PLACEHOLDER("x", "DT_FLOAT", BATCH) PLACEHOLDER("unused", "DT_FLOAT", BATCH) NODE("b", "Neg", IN("x"), FLOAT)
                       NODE("a", "Exp", IN("x"), FLOAT) VERSIONS,
                   (lc_convert_options){0}, &m));
    expect_ports(m, "x", "b,a");
    lc_model_destroy(m);
    /* a loss tells what labels are, whatever they are called */
    must(from_text(PLACEHOLDER("x", "DT_FLOAT", BATCH) PLACEHOLDER("z", "DT_FLOAT", BATCH) NODE("h", "Relu", IN("x"), FLOAT)
                       NODE("xent", "SoftmaxCrossEntropyWithLogits", IN("h") IN("z"), FLOAT) VERSIONS,
                   (lc_convert_options){0}, &m));
    expect_ports(m, "x", "h");
    lc_model_destroy(m);
    /* a graph that is given nothing computes something all the same */
    must(from_text(ONE("a") ONE("b") NODE("sum", "AddV2", IN("a") IN("b"), FLOAT) VERSIONS, (lc_convert_options){0}, &m));
    expect_ports(m, "", "sum");
    lc_model_destroy(m);
    refused(from_text(PLACEHOLDER("x", "DT_FLOAT", BATCH) VERSIONS, (lc_convert_options){0}, &m), LC_INVALID,
            "cannot be told which tensors are the outputs");
    assert_null(m);
}

#define FRAME "attr { key: 'frame_name' value { s: 'f' } } " FLOAT
#define BOOL "attr { key: 'T' value { type: DT_BOOL } } "

/* What lies in a loop or a branch of TensorFlow 1 is no output, nor what is asserted; neither is what only goes into one. */
static void test_guess_inside(void **state) {
    (void)state;
    lc_model *m;
    must(from_text(PLACEHOLDER("x", "DT_FLOAT", "") ONE("limit") NODE("start", "Neg", IN("x"), FLOAT)
                       NODE("enter", "Enter", IN("start"), FRAME) NODE("enter_limit", "Enter", IN("limit"), FRAME)
                           NODE("merge", "Merge", IN("enter") IN("next"), FLOAT) NODE("less", "Less", IN("merge") IN("enter_limit"), FLOAT)
                               NODE("more", "LoopCond", IN("less"), "") NODE("gate", "Switch", IN("merge") IN("more"), FLOAT)
                                   NODE("step", "Exp", IN("gate:1"), FLOAT) NODE("inside", "Square", IN("gate:1"), FLOAT)
                                       NODE("next", "NextIteration", IN("step"), FLOAT) NODE("exit", "Exit", IN("gate"), FLOAT)
                                           NODE("y", "Neg", IN("exit"), FLOAT) NODE("fine", "Less", IN("x") IN("limit"), FLOAT)
                                               NODE("check", "Assert", IN("fine") IN("x"), FLOAT) VERSIONS,
                   (lc_convert_options){0}, &m));
    expect_ports(m, "x", "y");
    lc_model_destroy(m);
    /* the value is x <= 1 ? x : -x; what a branch computes and nobody takes is no output */
    must(from_text(PLACEHOLDER("x", "DT_FLOAT", "") ONE("limit") NODE("c", "LessEqual", IN("x") IN("limit"), FLOAT) NODE(
                       "sx", "Switch", IN("x") IN("c"), FLOAT) NODE("neg", "Neg", IN("sx"), FLOAT) NODE("unused", "Exp", IN("sx:1"), FLOAT)
                       NODE("pred", "Switch", IN("c") IN("c"), BOOL) NODE("y", "Merge", IN("neg") IN("sx:1"), FLOAT) VERSIONS,
                   (lc_convert_options){0}, &m));
    expect_ports(m, "x", "y");
    lc_model_destroy(m);
    /* a Merge that no predicate explains is nobody's business where no output needs it */
    must(from_text(PLACEHOLDER("x", "DT_FLOAT", "") NODE("a", "Neg", IN("x"), FLOAT) NODE("b", "Exp", IN("x"), FLOAT)
                       NODE("loss", "Merge", IN("a") IN("b"), FLOAT) VERSIONS,
                   (lc_convert_options){.output_arrays = "a"}, &m));
    expect_ports(m, "x", "a");
    lc_model_destroy(m);
}

static void test_switches(void **state) {
    (void)state;
    static const char graph[] = PLACEHOLDER("x", "DT_FLOAT", BATCH) PLACEHOLDER("net/keep_prob", "DT_FLOAT", "")
        PLACEHOLDER("net/dropout_rate", "DT_FLOAT", "unknown_rank: true") ONE("one")
            NODE("kept", "Sub", IN("one") IN("net/dropout_rate"), FLOAT) NODE("m", "Mul", IN("x") IN("net/keep_prob"), FLOAT)
                NODE("y", "Mul", IN("m") IN("kept"), FLOAT) VERSIONS;
    lc_model *m;
    must(from_text(graph, (lc_convert_options){0}, &m));
    expect_ports(m, "x", "y");
    assert_non_null(strstr(notes, "placeholder \"net/keep_prob\" is fixed to 1,"));
    assert_non_null(strstr(notes, "placeholder \"net/dropout_rate\" is fixed to 0,")); /* it is taken from 1 */
    lc_model_destroy(m);
    /* what the caller says counts, and is not told */
    must(from_text(
        graph, (lc_convert_options){.fix = "net/keep_prob=0.5; net/dropout_rate:0=0.25", .input_arrays = "x", .output_arrays = "y"}, &m));
    assert_string_equal(notes, "");
    lc_session *s;
    must(lc_session_create(m, NULL, &s, &err));
    const float in[2] = {4, 8};
    const int32_t dims[2] = {1, 2};
    must(lc_session_resize_input(s, 0, dims, 2, &err));
    memcpy(lc_session_input(s, 0).data, in, sizeof in);
    must(lc_session_run(s, &err));
    const float *out = lc_session_output(s, 0).data;
    assert_true(fabsf(out[0] - 1.5f) < 1e-6f && fabsf(out[1] - 3.0f) < 1e-6f);
    lc_session_destroy(s);
    lc_model_destroy(m);
    /* one that is an input by wish stays one */
    must(from_text(graph, (lc_convert_options){.input_arrays = "x,net/keep_prob,net/dropout_rate", .output_arrays = "y"}, &m));
    expect_ports(m, "x,net/keep_prob,net/dropout_rate", "y");
    lc_model_destroy(m);
    refused(from_text(graph, (lc_convert_options){.fix = "net/keep_prob=1,2"}, &m), LC_ARGUMENT, "cannot be fixed to 2 numbers");
    /* without a name of its own, what it is for tells; what elements are dropped from is no switch */
    must(from_text(
        PLACEHOLDER("Placeholder", "DT_FLOAT", "unknown_rank: true") PLACEHOLDER("Placeholder_5", "DT_FLOAT", "unknown_rank: true") NODE(
            "dropout/Shape", "Shape", IN("Placeholder"), FLOAT) NODE("dropout/div", "RealDiv", IN("Placeholder") IN("Placeholder_5"), FLOAT)
            NODE("y", "Neg", IN("dropout/div"), FLOAT) NODE("gradients/dropout/Shape", "Shape", IN("Placeholder_5"), FLOAT) VERSIONS,
        (lc_convert_options){.output_arrays = "y"}, &m));
    expect_ports(m, "Placeholder", "y");
    assert_non_null(strstr(notes, "placeholder \"Placeholder_5\" is fixed to 1,"));
    lc_model_destroy(m);
}

static void test_shapes(void **state) {
    (void)state;
    lc_model *m;
    /* files before version 22 of the format have a scalar's shape for one that is not known; the weights know better */
    must(from_text(PLACEHOLDER("x", "DT_FLOAT", "") WEIGHTS("w", 3, 2, "1, 2, 3, 4, 5, 6")
                       NODE("y", "MatMul", IN("x") IN("w"), FLOAT) "versions { producer: 21 }\n",
                   (lc_convert_options){0}, &m));
    lc_tensor_view v = lc_model_input(m, 0);
    assert_int_equal(v.rank, 2);
    assert_true(v.signature[0] == -1 && v.signature[1] == 3);
    assert_non_null(strstr(notes, "what reads it needs [?,3]"));
    lc_model_destroy(m);
    /* what goes into a product has two dimensions, whatever is behind it */
    must(from_text(PLACEHOLDER("x", "DT_FLOAT", "unknown_rank: true") WEIGHTS("w", 3, 2, "1, 2, 3, 4, 5, 6") ONE("one")
                       NODE("a", "AddV2", IN("x") IN("one"), FLOAT) NODE("b", "Abs", IN("a"), FLOAT)
                           NODE("y", "MatMul", IN("b") IN("w"), FLOAT) VERSIONS,
                   (lc_convert_options){.input_arrays = "x", .output_arrays = "y"}, &m));
    v = lc_model_output(m, 0);
    assert_int_equal(v.rank, 2);
    assert_int_equal(v.dims[1], 2);
    lc_model_destroy(m);
    /* asked for, it is neither guessed nor told */
    must(from_text(PLACEHOLDER("x", "DT_FLOAT", "unknown_rank: true") WEIGHTS("w", 3, 2, "1, 2, 3, 4, 5, 6")
                       NODE("y", "MatMul", IN("x") IN("w"), FLOAT) VERSIONS,
                   (lc_convert_options){.input_shapes = " x = [7, 3] "}, &m));
    v = lc_model_input(m, 0);
    assert_true(v.dims[0] == 7 && v.dims[1] == 3);
    assert_null(strstr(notes, "what reads it"));
    lc_model_destroy(m);
    refused(from_text(PLACEHOLDER("x", "DT_FLOAT", BATCH) NODE("y", "Neg", IN("x"), FLOAT) VERSIONS,
                      (lc_convert_options){.input_shapes = "x=1,2,3,4,5,6,7,8,9"}, &m),
            LC_ARGUMENT, "at most 8 sizes");
    refused(from_text(PLACEHOLDER("x", "DT_FLOAT",
                                  "dim { size: 1 } dim { size: 1 } dim { size: 1 } dim { size: 1 } dim { size: 1 } dim { size: 1 } "
                                  "dim { size: 1 } dim { size: 1 } dim { size: 1 }") NODE("y", "Neg", IN("x"), FLOAT) VERSIONS,
                      (lc_convert_options){0}, &m),
            LC_UNSUPPORTED, "9 dimensions");
    refused(from_text(PLACEHOLDER("x", "99", "dim { size: 2 }") NODE("y", "Neg", IN("x"), FLOAT) VERSIONS, (lc_convert_options){0}, &m),
            LC_UNSUPPORTED, "has type 99, which is none");
    refused(from_text(PLACEHOLDER("x", "DT_FLOAT", "dim { size: 3000000000 }") NODE("y", "Neg", IN("x"), FLOAT) VERSIONS,
                      (lc_convert_options){0}, &m),
            LC_LIMIT, "3000000000");
}

/* ---- what the model owns -------------------------------------------------------------------------------------------------- */

static void test_owns(void **state) {
    (void)state;
    lc_model *m;
    notes[0] = 0;
    must(lc_convert(LC_TF_DIR "/named/saved_model", NULL, &m, &err));
    assert_non_null(m->map.data);
    assert_true(m->side_map_count >= 2); /* a shard and an asset */
    /* none of its files may be written over while it lives */
    refused(lc_model_save(m, LC_TF_DIR "/named/saved_model/saved_model.pb", NULL, &err), LC_ARGUMENT, "was read from");
    refused(lc_model_save(m, LC_TF_DIR "/named/saved_model/variables/variables.data-00000-of-00001", NULL, &err), LC_ARGUMENT,
            "was read from");
    lc_model_destroy(m);
    refused(
        lc_freeze(LC_TF_DIR "/softmax/frozen.pb", LC_TF_DIR "/softmax/frozen.pb", &(lc_freeze_options){.output_nodes = "softmax"}, &err),
        LC_ARGUMENT, "is read from");
}

static void test_stats(void **state) {
    (void)state;
    lc_model *m;
    lc_convert_stats stats;
    must(lc_convert(LC_TF_DIR "/softmax/v2/model.ckpt", &(lc_convert_options){.stats = &stats}, &m, &err));
    assert_string_equal(stats.format, "checkpoint");
    assert_true(stats.layers > 200 && stats.operators >= 2 && stats.parameters >= 12);
    lc_model_destroy(m);
    char *text;
    must(lc_source_inspect(LC_TEST_DIR "/data/tflite/conv_float.tflite", LC_REPORT_TEXT, NULL, &text, &err));
    assert_null(text);
    refused(lc_source_inspect(LC_TF_DIR "/named/saved_model", LC_REPORT_TEXT, &(lc_convert_options){.tags = "gpu"}, &text, &err),
            LC_NOT_FOUND, "gpu");
    assert_int_equal(lc_convert(NULL, NULL, &m, &err), LC_ARGUMENT);
    assert_int_equal(lc_freeze(NULL, "x", NULL, &err), LC_ARGUMENT);
}

/* ---- the order of names ------------------------------------------------------------------------------------------------------ */

#define OUTPUT(name, tensor) "outputs { key: '" name "' value { name: '" tensor "' dtype: DT_FLOAT } } "

static void test_order(void **state) {
    (void)state;
    static const char meta[] = "meta_info_def { tags: 'serve' }\ngraph_def {\n" PLACEHOLDER("x", "DT_FLOAT", BATCH)
        NODE("a", "Neg", IN("x"), FLOAT) NODE("b", "Exp", IN("x"), FLOAT) NODE("c", "Abs", IN("x"), FLOAT) VERSIONS
        "}\n"
        "signature_def { key: 'serving_default' value { inputs { key: 'x' value { name: 'x:0' "
        "dtype: DT_FLOAT } } " OUTPUT("output_10", "a:0") OUTPUT("output_9", "b:0") OUTPUT(
            "output_010", "c:0") "} }\n"
                                 "signature_def { key: 'none' value { } }\n"
                                 "signature_def { key: '__saved_model_init_op' value { " OUTPUT("__saved_model_init_op", "a") "} }\n";
    lc_model *m;
    must(from_text(meta, (lc_convert_options){0}, &m));
    expect_ports(m, "x", "output_9,output_10,output_010");
    assert_int_equal(m->signature_count, 1);
    lc_model_destroy(m);
    refused(from_text(meta, (lc_convert_options){.signatures = "none"}, &m), LC_NOT_FOUND, "no signature \"none\"");
}

/* ---- memory that runs out -------------------------------------------------------------------------------------------------------- */

static lc_status live_convert(void *arg, lc_error *e) {
    lc_model *m;
    LC_TRY(lc_convert(arg, NULL, &m, e));
    lc_model_destroy(m);
    return LC_OK;
}

static lc_status live_inspect(void *arg, lc_error *e) {
    char *text;
    LC_TRY(lc_source_inspect(arg, LC_REPORT_TEXT, NULL, &text, e));
    lc_free(text);
    LC_TRY(lc_source_inspect(arg, LC_REPORT_JSON, NULL, &text, e));
    lc_free(text);
    LC_TRY(lc_verify_file(arg, NULL, &text, e));
    lc_free(text);
    return LC_OK;
}

static lc_status live_freeze(void *arg, lc_error *e) {
    return lc_freeze(arg, "frozen_test.pb",
                     &(lc_freeze_options){.output_nodes = strstr(arg, "named") ? "StatefulPartitionedCall" : "softmax"}, e);
}

static void test_no_memory(void **state) {
    (void)state;
    static const char *const files[] = {LC_TF_DIR "/softmax/v1/model.ckpt", LC_TF_DIR "/softmax/v2/model.ckpt.meta",
                                        LC_TF_DIR "/softmax/frozen.pb", LC_TF_DIR "/named/saved_model", LC_TF_DIR "/keras2/saved_model"};
    char dir[] = "/tmp/litec-test-XXXXXX", here[1000];
    assert_non_null(getcwd(here, sizeof here));
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        /* An initialiser that cannot be worked out is missed where its table is used, a configuration only orders names. */
        const fault_options some = {.step = 7, .may_return_other = i >= 3};
        fault_check(live_convert, (void *)(uintptr_t)files[i], &some);
        fault_check(live_inspect, (void *)(uintptr_t)files[i], &some);
        if (i < 4) fault_check(live_freeze, (void *)(uintptr_t)files[i], &some);
    }
    unlink("frozen_test.pb");
    assert_int_equal(chdir(here), 0);
    assert_int_equal(rmdir(dir), 0); /* no litter */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probe),    cmocka_unit_test(test_guess),  cmocka_unit_test(test_guess_inside),
        cmocka_unit_test(test_switches), cmocka_unit_test(test_shapes), cmocka_unit_test(test_owns),
        cmocka_unit_test(test_stats),    cmocka_unit_test(test_order),  cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
