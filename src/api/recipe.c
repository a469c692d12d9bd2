/*
 * recipe.c: which scheme each layer gets, from a JSON file and to one:
 *
 *   {"default": "int8", "layers": {"conv_1*": "float", "op:SOFTMAX": "float"}}
 *
 * "default" may be missing; later layers count more than earlier ones, as in lc_quantize_options.recipe. Any other member is refused: nobody
 * should think that it had been followed.
 */
#include "api/api.h"
#include "base/file.h"
#include "base/json.h"

#include <string.h>

static lc_status add(lc_text *out, const char *pattern, const lc_json *scheme, lc_error *err) {
    lc_scheme known;
    if (!lc_json_is(scheme, LC_JSON_STRING)) {
        lc_fail(err, LC_INVALID, "the scheme of \"%s\" is no text", pattern);
        lc_error_hint(err, "for example {\"layers\": {\"conv_1*\": \"float\"}}");
        return LC_INVALID;
    }
    LC_TRY(lc_scheme_named(scheme->string, &known, err));
    if (!pattern[0] || strpbrk(pattern, ";="))
        return lc_fail(err, LC_INVALID, "\"%s\" cannot be a pattern: it is empty or has ; or =", pattern);
    lc_text_printf(out, "%s%s=%s", out->size ? ";" : "", pattern, scheme->string);
    return LC_OK;
}

static lc_status read_recipe(const lc_json *root, lc_text *out, lc_error *err) {
    if (!lc_json_is(root, LC_JSON_OBJECT)) return lc_fail(err, LC_INVALID, "a recipe is a JSON object");
    for (uint32_t i = 0; i < root->count; i++)
        if (strcmp(root->items[i].key, "default") != 0 && strcmp(root->items[i].key, "layers") != 0) {
            lc_fail(err, LC_INVALID, "a recipe has no \"%.60s\"", root->items[i].key);
            lc_error_hint(err, "it has \"default\", a scheme, and \"layers\", an object of patterns and schemes");
            return LC_INVALID;
        }
    const lc_json *scheme = lc_json_get(root, "default"), *layers = lc_json_get(root, "layers");
    if (scheme) LC_TRY(add(out, "*", scheme, err));
    if (layers && !lc_json_is(layers, LC_JSON_OBJECT)) return lc_fail(err, LC_INVALID, "\"layers\" of a recipe is no object");
    for (uint32_t i = 0; layers && i < layers->count; i++) LC_TRY(add(out, layers->items[i].key, &layers->items[i], err));
    return LC_OK;
}

lc_status lc_recipe_load(const char *path, const lc_limits *limits, char **recipe, lc_error *err) {
    lc_map map = {0};
    lc_arena arena = {0};
    lc_text text = {0};
    lc_budget budget;
    lc_error local;
    const lc_json *root;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!path || !recipe) return lc_fail(err, LC_ARGUMENT, "lc_recipe_load needs a path and a place for the recipe");
    *recipe = NULL;
    lc_budget_init(&budget, limits);
    lc_status status = lc_map_open(&map, path, limits, err);
    if (status) return status;
    status = lc_json_parse((const char *)map.data, map.size, &budget, &arena, &root, err);
    if (status == LC_OK) status = read_recipe(root, &text, err);
    if (status == LC_OK && !text.data) lc_text_add(&text, "");
    if (status == LC_OK && !(*recipe = lc_text_take(&text))) status = lc_fail_memory(err, "recipe");
    if (status == LC_INVALID && !err->hint[0])
        lc_error_hint(err, "a recipe looks like {\"default\": \"int8\", \"layers\": {\"conv_1*\": \"float\"}}");
    if (status) lc_error_prefix(err, "%s", path);
    lc_text_deinit(&text);
    lc_arena_deinit(&arena);
    lc_map_close(&map);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------- */

/* One PATTERN=SCHEME: where the pattern ends. What cannot be in a file's pattern is any one byte there. */
static lc_status read_part(const char *part, size_t size, lc_arena *arena, char **pattern, lc_scheme *scheme, lc_error *err) {
    size_t equals = 0;
    for (size_t i = 0; i < size; i++)
        if (part[i] == '=') equals = i;
    if (!equals) {
        lc_fail(err, LC_ARGUMENT, "\"%.*s\" is no PATTERN=SCHEME", (int)(size > 200 ? 200 : size), part);
        lc_error_hint(err, "for example conv_1*=float;op:SOFTMAX=float");
        return LC_ARGUMENT;
    }
    *pattern = lc_arena_strndup(arena, part, equals);
    const char *name = lc_arena_strndup(arena, part + equals + 1, size - equals - 1);
    if (!*pattern || !name) return lc_fail_memory(err, "recipe");
    for (char *c = *pattern; *c; c++)
        if (*c == '=') *c = '?';
    return lc_scheme_named(name, scheme, err);
}

/* A member of an object comes once: of equal patterns the last counts anyway. */
static void forget_earlier(char **patterns, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (patterns[i] && strcmp(patterns[i], patterns[count]) == 0) patterns[i] = NULL;
}

static lc_status print_recipe(const char *text, lc_arena *arena, lc_text *out, lc_error *err) {
    size_t most = 1, count = 0;
    bool any = false;
    for (const char *p = text; *p; p++) most += *p == ';';
    char **patterns = lc_arena_array(arena, most, sizeof *patterns);
    lc_scheme *schemes = lc_arena_array(arena, most, sizeof *schemes);
    if (!patterns || !schemes) return lc_fail_memory(err, "recipe");
    for (const char *at = text; *at;) {
        const size_t size = strcspn(at, ";");
        if (size) {
            LC_TRY(read_part(at, size, arena, &patterns[count], &schemes[count], err));
            forget_earlier(patterns, count++);
        }
        at += size + (at[size] == ';');
    }
    const bool whole = count && patterns[0] && strcmp(patterns[0], "*") == 0;
    lc_text_add(out, "{");
    if (whole) lc_text_printf(out, "\"default\": \"%s\"", lc_scheme_name(schemes[0]));
    for (size_t i = whole; i < count; i++) {
        if (!patterns[i]) continue;
        lc_text_add(out, any ? ",\n    " : whole ? ", \"layers\": {\n    " : "\"layers\": {\n    ");
        lc_text_add_json(out, patterns[i], strlen(patterns[i]));
        lc_text_printf(out, ": \"%s\"", lc_scheme_name(schemes[i]));
        any = true;
    }
    lc_text_add(out, any ? "\n}}\n" : "}\n");
    return LC_OK;
}

lc_status lc_recipe_save(const char *recipe, const char *path, lc_error *err) {
    lc_error local;
    lc_text text = {0};
    lc_arena arena = {0};
    if (!err) err = &local;
    lc_error_clear(err);
    if (!recipe || !path) return lc_fail(err, LC_ARGUMENT, "lc_recipe_save needs a recipe and a path");
    lc_status status = print_recipe(recipe, &arena, &text, err);
    if (status == LC_OK && text.failed) status = lc_fail_memory(err, "recipe");
    if (status == LC_OK) status = lc_file_save(path, text.data, text.size, err);
    lc_text_deinit(&text);
    lc_arena_deinit(&arena);
    return status;
}
