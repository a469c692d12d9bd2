/*
 * test_keras_arguments.c: arguments in a layer's config that no lowering reads are told once for a class (src/lower/argument.c); that
 * Keras's own ones never are is shown by test_keras_models.c.
 */
#include "support/fault.h"
#include "support/keras_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void hear(void *user, const char *text) { lc_text_printf(user, "%s\n", text); }

/* A model of one layer on an input, or of two with the same config. */
static void begin(fixture *f, const char *shape, const char *class_name, const char *config, const char *weights, bool twice) {
    fixture_begin(f, "3.9.0");
    const int x = fixture_input(f, "x", shape), a = fixture_layer(f, class_name, "a", config, weights, 1, (int[]){x});
    fixture_output(f, a);
    if (twice) fixture_output(f, fixture_layer(f, class_name, "b", config, weights, 1, (int[]){x}));
}

/* All of these stand in the only note; NULL: there is none. */
static void expect(const char *shape, const char *class_name, const char *config, const char *weights, const char *const *words) {
    fixture f;
    lc_text notes = {0};
    lc_error err;
    begin(&f, shape, class_name, config, weights, true);
    lc_model *m = fixture_lower(&f, &(lc_lower_options){.note = hear, .note_user = &notes}, &err);
    if (!m) fail_msg("%s: %s", config, err.message);
    const char *end = notes.data ? strchr(notes.data, '\n') : NULL;
    if (!words && notes.data) fail_msg("%s: %s", config, notes.data);
    if (words && (!end || end[1])) fail_msg("%s: %s", config, notes.data ? notes.data : "no note");
    for (; words && *words; words++)
        if (!strstr(notes.data, *words)) fail_msg("%s: no \"%s\" in %s", config, *words, notes.data);
    lc_text_deinit(&notes);
    lc_model_destroy(m);
    fixture_end(&f);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_unknown(void **state) {
    (void)state;
    expect("[null, 4]", "Dense", "{\"units\": 3, \"gain\": 2.5}", "4x3 3", WORDS("layer \"a\" (Dense)", "\"gain\" (2.5)"));
    expect("[null, 4]", "Dense", "{\"units\": 3, \"causal\": true}", "4x3 3", WORDS("\"causal\" (true)")); /* of another class */
    expect("[null, 4]", "Dense", "{\"units\": 3, \"use_biass\": false}", "4x3 3", WORDS("\"use_biass\"", "did you mean \"use_bias\"?"));
    expect("[null, 5, 4]", "SimpleRNN", "{\"units\": 2, \"return_sequence\": true}", "4x2 2x2 2",
           WORDS("(SimpleRNN)", "did you mean \"return_sequences\"?"));
    expect("[null, 4]", "Dropout", "{\"rate\": 0.5, \"units\": 1}", "", WORDS("(Dropout)", "\"units\""));
    expect("[null, 4]", "Dense", "{\"units\": 3, \"odd\": [\"012345678901234567890123456789012345678901234567890123456789\"]}", "4x3 3",
           WORDS("\"odd\"", "...)"));
}

static void test_inside(void **state) {
    (void)state;
    expect("[null, 5, 4]", "RNN", "{\"cell\": {\"class_name\": \"SimpleRNNCell\", \"config\": {\"units\": 2, \"slope\": 1}}}", "4x2 2x2 2",
           WORDS("(SimpleRNNCell)", "\"slope\""));
    expect("[null, 4]", "Activation", "{\"activation\": {\"class_name\": \"ReLU\", \"config\": {\"max_valu\": 6}}}", "",
           WORDS("(ReLU)", "did you mean \"max_value\"?"));
    expect("[null, 5, 4]", "TimeDistributed", "{\"layer\": {\"class_name\": \"Dense\", \"config\": {\"units\": 2, \"scale\": 1}}}", "4x2 2",
           WORDS("(Dense)", "\"scale\""));
}

static void test_known(void **state) {
    (void)state;
    expect("[null, 4]", "Dense",
           "{\"name\": \"a\", \"units\": 3, \"trainable\": false, \"gain\": null, \"kernel_initializer\": \"zeros\", \"seed\": 3,"
           " \"lora_rank\": null, \"bias_constraint\": \"x\"}",
           "4x3 3", NULL);
    expect("[null, 4]", "GaussianDropout", "{\"rate\": 0.5, \"seed\": 1}", "", NULL);
    expect("[null, 8, 8, 3]", "RandomZoom", "{\"height_factor\": 0.5, \"fill_mode\": \"nearest\"}", "", NULL);
}

static lc_status lower_noted(void *arg, lc_error *err) {
    lc_model *m = NULL;
    LC_TRY(lc_model_new(NULL, &m, err));
    lc_text notes = {0};
    const lc_status status = lc_lower_keras(arg, &(lc_lower_options){.note = hear, .note_user = &notes}, m, err);
    lc_text_deinit(&notes);
    lc_model_destroy(m);
    return status;
}

static void test_memory(void **state) {
    (void)state;
    fixture f;
    begin(&f, "[null, 4]", "Dense", "{\"units\": 3, \"gain\": 2.5, \"loss\": 1}", "4x3 3", false);
    fault_check(lower_noted, &f.keras, NULL);
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_inside),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
