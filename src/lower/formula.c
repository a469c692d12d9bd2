/*
 * formula.c: works out the formulas of operation.def and function.def; formula.h has the language. They are text of this program, not of a
 * file: a mistake in one is ours and fails the call by name. What a file decides are the values: what is no tensor is decided while the
 * model is built, so of "c ? a : b" only one side is made.
 *
 * Refused: a value of another kind than the formula needs, with the function's parameters in the message.
 */
#include "lower/formula.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

static lc_arg ternary(lc_formula *f, bool live);

/* ---- text --------------------------------------------------------------------------------------------------------- */

static void skip(lc_formula *f) {
    while (*f->at == ' ') f->at++;
}

static bool accept(lc_formula *f, const char *token) {
    skip(f);
    const size_t n = strlen(token);
    if (strncmp(f->at, token, n) != 0) return false;
    f->at += n;
    return true;
}

static bool is_name_char(char ch) { return isalnum((unsigned char)ch) || ch == '_'; }

static size_t name_here(lc_formula *f) {
    skip(f);
    size_t n = 0;
    if (!isalpha((unsigned char)*f->at) && *f->at != '_') return 0;
    while (is_name_char(f->at[n])) n++;
    return n;
}

static lc_arg broken(lc_formula *f) { return lc_formula_fail(f, "litec's formula for it is wrong at \"%.30s\"", f->at); }

static void expect(lc_formula *f, const char *token) {
    if (!accept(f, token) && lc_formula_ok(f)) broken(f);
}

/* ---- parameters ------------------------------------------------------------------------------------------------------ */

/* 12, .5, -1e-05: in no locale's words. False when the text is no number. */
static bool decimal(const char *s, double *v) {
    const bool minus = *s == '-';
    double m = 0;
    int32_t exponent = 0, digits = 0;
    s += minus;
    for (; isdigit((unsigned char)*s); s++, digits++) m = m * 10 + (*s - '0');
    if (*s == '.')
        for (s++; isdigit((unsigned char)*s); s++, digits++, exponent--) m = m * 10 + (*s - '0');
    if (digits && *s == 'e') {
        const bool down = s[1] == '-';
        int32_t e = 0;
        for (s += 1 + down; isdigit((unsigned char)*s) && e < 10000; s++) e = e * 10 + (*s - '0');
        exponent += down ? -e : e;
    }
    m = exponent < 0 ? m / pow(10, -exponent) : m * pow(10, exponent);
    *v = minus ? -m : m;
    return digits && !*s;
}

/* The default in a signature: a whole number, a number, None, True, False or a word. */
static lc_arg literal(lc_formula *f, const char *text, size_t n) {
    char word[40];
    if (n >= sizeof word) return broken(f);
    memcpy(word, text, n);
    word[n] = 0;
    if (strcmp(word, "None") == 0) return lc_arg_none();
    lc_json *j = lc_arena_alloc(&f->c->lower->scratch, sizeof *j);
    char *copy = lc_arena_strndup(&f->c->lower->scratch, word, n);
    if (!j || !copy) {
        lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "an argument"));
        return lc_arg_none();
    }
    double v;
    const bool numeric = decimal(word, &v);
    if (strcmp(word, "True") == 0 || strcmp(word, "False") == 0) *j = (lc_json){.kind = LC_JSON_BOOL, .boolean = word[0] == 'T'};
    else if (numeric)
        *j = strpbrk(word, ".e") ? (lc_json){.kind = LC_JSON_REAL, .real = v}
                                 : (lc_json){.kind = LC_JSON_INT, .integer = (int64_t)v, .real = v};
    else *j = (lc_json){.kind = LC_JSON_STRING, .string = copy};
    return (lc_arg){.tensor = -1, .json = j};
}

/* What the call gives for a parameter of these names, by place or name; NULL: nothing. */
static const lc_json *given(lc_formula *f, const char *names, size_t size, int32_t place, bool *there) {
    const lc_keras_call *call = f->c->call;
    const lc_json *v = place >= 0 && call->args ? lc_json_at(call->args, (uint32_t)place) : place == 0 ? call->first : NULL;
    for (size_t from = 0; !v && from < size;) {
        size_t end = from;
        while (end < size && names[end] != '/') end++;
        char key[40];
        if (end - from < sizeof key) {
            memcpy(key, names + from, end - from);
            key[end - from] = 0;
            v = lc_json_get(call->kwargs, key);
            if (!v && !f->c->lower->keras2) v = lc_json_get(f->c->config, key);
        }
        from = end + 1;
    }
    *there = v != NULL;
    return v;
}

/* Finds `name` in the signature. */
static bool parameter(lc_formula *f, const char *name, size_t size, lc_arg *value) {
    int32_t place = 0;
    for (const char *p = f->signature; *p;) {
        while (*p == ' ') p++;
        if (*p == '|') {
            place = -1;
            p++;
            continue;
        }
        size_t end = strcspn(p, " ="), first = strcspn(p, " =/"), text = strcspn(p, " ");
        if (first == size && strncmp(p, name, size) == 0) {
            bool there;
            const lc_json *v = given(f, p, end, place, &there);
            *value = there ? lc_arg_of(f, v) : p[end] == '=' ? literal(f, p + end + 1, text - end - 1) : lc_arg_none();
            return true;
        }
        p += text;
        if (place >= 0) place++;
    }
    return false;
}

static lc_arg lookup(lc_formula *f, const char *name, size_t size) {
    for (uint32_t i = f->name_count; i-- > 0;)
        if (f->names[i].size == size && strncmp(f->names[i].name, name, size) == 0) return f->names[i].value;
    lc_arg v = lc_arg_none();
    if (size == 4 && strncmp(name, "args", 4) == 0) return lc_arg_of(f, f->c->call->args ? f->c->call->args : f->c->call->first);
    if (!parameter(f, name, size, &v)) return broken(f);
    return v;
}

static void bind(lc_formula *f, const char *name, size_t size, lc_arg value) {
    for (uint32_t i = 0; i < f->name_count; i++)
        if (f->names[i].size == size && strncmp(f->names[i].name, name, size) == 0) {
            f->names[i].value = value;
            return;
        }
    if (f->name_count == LC_FORMULA_NAMES) {
        broken(f);
        return;
    }
    f->names[f->name_count].name = name;
    f->names[f->name_count].size = size;
    f->names[f->name_count++].value = value;
}

/* ---- operators --------------------------------------------------------------------------------------------------------- */

/* A list of floats from whatever is one and constant. */
static void float_list(lc_formula *f, lc_eager *e, const char *name, lc_arg v) {
    const int32_t t = lc_arg_to(f, v, LC_FLOAT32);
    lc_shape s;
    uint64_t n;
    if (!lc_formula_ok(f) || !lc_build_shape(f->c->b, t, &s)) return;
    uint32_t count = 0;
    float *values = lc_shape_elements(&s, &n) ? lc_arena_array(&f->c->lower->scratch, n + 1, sizeof *values) : NULL;
    if (values && lc_tf_floats(f->maker, t, values, (uint32_t)n, &count)) lc_eager_floats(e, name, values, count);
    else lc_formula_fail(f, "argument \"%s\" is no constant list of numbers", name);
}

static void attribute(lc_formula *f, lc_eager *e, const char *key, char kind, lc_arg v) {
    const char *name = lc_arena_strndup(&f->c->lower->scratch, key, strlen(key));
    if (!name) lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "an attribute"));
    if (lc_arg_is_none(v) || !lc_formula_ok(f)) return;
    int32_t sizes[32];
    int64_t wide[32];
    if (kind == '#') lc_eager_type(e, name, lc_arg_dtype(f, v));
    else if (kind == 'f') float_list(f, e, name, v);
    else if (kind == '[' || lc_arg_is_list(v)) {
        const uint32_t n = lc_arg_wholes(f, v, sizes, 32, name);
        for (uint32_t i = 0; i < n; i++) wide[i] = sizes[i];
        lc_eager_ints(e, name, wide, n);
    } else if (kind == '.' && lc_arg_is_number(v)) lc_eager_float(e, name, (float)v.json->real);
    else if (v.json && v.json->kind == LC_JSON_BOOL) lc_eager_bool(e, name, v.json->boolean);
    else if (v.json && v.json->kind == LC_JSON_INT) lc_eager_int(e, name, v.json->integer);
    else if (v.json && v.json->kind == LC_JSON_REAL) lc_eager_float(e, name, (float)v.json->real);
    else if (v.json && v.json->kind == LC_JSON_STRING) lc_eager_str(e, name, v.json->string);
    else lc_formula_fail(f, "argument \"%s\" is nothing that litec can use", name);
}

static lc_dtype first_type(lc_formula *f, const lc_arg *a, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (lc_arg_is_tensor(a[i])) return lc_build_type(f->c->b, a[i].tensor);
        for (uint32_t k = 0; a[i].list && k < a[i].count; k++)
            if (lc_arg_is_tensor(a[i].items[k])) return lc_build_type(f->c->b, a[i].items[k].tensor);
    }
    return LC_DTYPE_COUNT;
}

static lc_arg results(lc_formula *f, lc_eager *e) {
    lc_eager_run(e);
    const uint32_t n = lc_eager_outs(e);
    if (!lc_formula_ok(f) || !n) return lc_arg_none();
    if (n == 1) return lc_arg_tensor(lc_eager_out(e, 0));
    lc_arg *items = lc_arena_array(&f->c->lower->scratch, n, sizeof *items);
    if (!items) {
        lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "outputs"));
        return lc_arg_none();
    }
    for (uint32_t k = 0; k < n; k++) items[k] = lc_arg_tensor(lc_eager_out(e, k));
    return lc_arg_list(f, items, n);
}

static lc_arg operation(lc_formula *f, const char *op, const lc_arg *in, uint32_t n, char (*keys)[32], const char *kinds,
                        const lc_arg *attrs, uint32_t attr_count) {
    const char *name = lc_arena_strndup(&f->c->lower->scratch, op, strlen(op));
    if (!name) lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "an operator"));
    const lc_dtype type = first_type(f, in, n);
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, name) : NULL;
    for (uint32_t i = 0; i < n && lc_formula_ok(f); i++) {
        if (in[i].list)
            for (uint32_t k = 0; k < in[i].count; k++) lc_eager_in(e, lc_arg_to(f, in[i].items[k], type));
        else lc_eager_in(e, lc_arg_is_tensor(in[i]) ? in[i].tensor : lc_arg_to(f, in[i], type));
    }
    for (uint32_t i = 0; i < attr_count && lc_formula_ok(f); i++) attribute(f, e, keys[i], kinds[i], attrs[i]);
    return lc_formula_ok(f) ? results(f, e) : lc_arg_none();
}

static const struct {
    const char *name;
    lc_formula_fn call;
    uint32_t min, max;
} functions[] = {
#define LC_FORMULA(name, min, max) {#name, lc_formula_##name, min, max},
#include "lower/formula.def"
};

static const lc_formula_row defined[] = {
#define LC_FORMULA(name, min, max)
#define LC_DEFINED(name, signature, formula) {name, signature, formula},
#include "lower/formula.def"
};

static lc_arg statements(lc_formula *f);

/* A function that is a formula: its parameters are the arguments in order. */
static lc_arg call_defined(lc_formula *f, const lc_formula_row *row, const lc_arg *in, uint32_t n) {
    lc_formula g = {.c = f->c, .maker = f->maker, .signature = f->signature, .at = row->formula};
    const char *p = row->signature;
    for (uint32_t i = 0; *p; i++) {
        const size_t size = strcspn(p, " ");
        g.names[g.name_count].name = p;
        g.names[g.name_count].size = size;
        g.names[g.name_count++].value = i < n ? in[i] : lc_arg_none();
        p += size + (p[size] == ' ');
    }
    return statements(&g);
}

static lc_arg call(lc_formula *f, const char *name, size_t size, bool live) {
    lc_arg in[LC_FORMULA_ARGS], attrs[LC_FORMULA_ARGS];
    char keys[LC_FORMULA_ARGS][32], kinds[LC_FORMULA_ARGS], op[48];
    uint32_t n = 0, attr_count = 0;
    bool more = !accept(f, ")");
    while (more) {
        const size_t key = name_here(f);
        const char *after = f->at + key;
        char kind = ' ';
        if (key && (*after == '.' || *after == '#') && after[1] == ':') kind = *after++;
        else if (key && strncmp(after, "[]:", 3) == 0) kind = '[', after += 2;
        else if (key && strncmp(after, ".[]:", 4) == 0) kind = 'f', after += 3;
        const bool named = key && key < sizeof keys[0] && *after == ':';
        if (named) {
            if (attr_count == LC_FORMULA_ARGS) return broken(f);
            memcpy(keys[attr_count], f->at, key);
            keys[attr_count][key] = 0;
            kinds[attr_count] = kind;
            f->at = after + 1;
            attrs[attr_count++] = ternary(f, live);
        } else {
            if (n == LC_FORMULA_ARGS) return broken(f);
            in[n++] = ternary(f, live);
        }
        more = accept(f, ",");
        if (!more) expect(f, ")");
    }
    if (!live || !lc_formula_ok(f)) return lc_arg_none();
    if (size >= sizeof op) return broken(f);
    memcpy(op, name, size);
    op[size] = 0;
    if (isupper((unsigned char)op[0])) return operation(f, op, in, n, keys, kinds, attrs, attr_count);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, op) == 0 && n >= functions[i].min && n <= functions[i].max) {
            for (uint32_t k = n; k < LC_FORMULA_ARGS; k++) in[k] = lc_arg_none();
            return functions[i].call(f, in, n);
        }
    for (size_t i = 0; i < sizeof defined / sizeof *defined; i++)
        if (strcmp(defined[i].name, op) == 0) return call_defined(f, &defined[i], in, n);
    return broken(f);
}

/* ---- expressions --------------------------------------------------------------------------------------------------------- */

static lc_arg primary(lc_formula *f, bool live) {
    skip(f);
    if (accept(f, "(")) {
        const lc_arg v = ternary(f, live);
        expect(f, ")");
        return v;
    }
    if (accept(f, "[")) {
        lc_arg items[LC_FORMULA_ARGS];
        uint32_t n = 0;
        if (!accept(f, "]")) {
            do {
                if (n == LC_FORMULA_ARGS) return broken(f);
                items[n++] = ternary(f, live);
            } while (accept(f, ","));
            expect(f, "]");
        }
        return live ? lc_arg_list(f, items, n) : lc_arg_none();
    }
    if (*f->at == '\'') {
        const char *text = ++f->at;
        while (*f->at && *f->at != '\'') f->at++;
        const size_t n = (size_t)(f->at - text);
        expect(f, "'");
        lc_json *j = lc_arena_alloc(&f->c->lower->scratch, sizeof *j);
        char *copy = lc_arena_strndup(&f->c->lower->scratch, text, n);
        if (!j || !copy) {
            lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "an argument"));
            return lc_arg_none();
        }
        *j = (lc_json){.kind = LC_JSON_STRING, .string = copy};
        return (lc_arg){.tensor = -1, .json = j};
    }
    if (isdigit((unsigned char)*f->at) || (*f->at == '.' && isdigit((unsigned char)f->at[1]))) {
        size_t n = strspn(f->at, "0123456789.");
        if (f->at[n] == 'e') n += 1 + strspn(f->at + n + 1, "-0123456789");
        const char *text = f->at;
        f->at += n;
        return literal(f, text, n);
    }
    const size_t n = name_here(f);
    const char *name = f->at;
    if (!n) return broken(f);
    f->at += n;
    if (*f->at == '(') {
        f->at++;
        return call(f, name, n, live);
    }
    if ((n == 4 && (strncmp(name, "None", 4) == 0 || strncmp(name, "True", 4) == 0)) || (n == 5 && strncmp(name, "False", 5) == 0))
        return literal(f, name, n);
    return live ? lookup(f, name, n) : lc_arg_none();
}

static lc_arg postfix(lc_formula *f, bool live) {
    lc_arg v = primary(f, live);
    while (*f->at == '.' && isdigit((unsigned char)f->at[1])) {
        const uint32_t i = (uint32_t)(f->at[1] - '0');
        f->at += 2;
        if (live && lc_formula_ok(f)) v = lc_arg_item(f, v, i);
    }
    return v;
}

/* A tensor and a number, or two tensors: the number takes the tensor's type. Two numbers are worked out here. */
static lc_arg binary(lc_formula *f, char op, const char *name, lc_arg x, lc_arg y) {
    if (lc_arg_is_number(x) && lc_arg_is_number(y)) {
        const double a = x.json->real, b = y.json->real;
        const bool whole = x.json->kind == LC_JSON_INT && y.json->kind == LC_JSON_INT && fabs(a) + fabs(b) < 1e9 && fabs(a * b) < 1e15;
        switch (op) {
        case '+': return whole ? lc_arg_int(f, (int64_t)(a + b)) : lc_arg_real(f, a + b);
        case '-': return whole ? lc_arg_int(f, (int64_t)(a - b)) : lc_arg_real(f, a - b);
        case '*': return whole ? lc_arg_int(f, (int64_t)(a * b)) : lc_arg_real(f, a * b);
        case '/': return lc_arg_real(f, a / b);
        case '<': return lc_arg_int(f, a < b);
        case '>': return lc_arg_int(f, a > b);
        case 'l': return lc_arg_int(f, a <= b);
        case 'g': return lc_arg_int(f, a >= b);
        case '=': return lc_arg_int(f, a == b);
        default: return lc_arg_int(f, a != b);
        }
    }
    if (!lc_arg_is_tensor(x) && !lc_arg_is_tensor(y) && (op == '=' || op == '!')) {
        const bool texts = x.json && y.json && x.json->kind == LC_JSON_STRING && y.json->kind == LC_JSON_STRING;
        const bool same = texts ? strcmp(x.json->string, y.json->string) == 0 : lc_arg_is_none(x) && lc_arg_is_none(y);
        return lc_arg_int(f, same == (op == '='));
    }
    lc_arg in[2] = {x, y}; /* a list is a vector here */
    const lc_dtype type = first_type(f, in, 2);
    for (int i = 0; i < 2; i++)
        if (in[i].list) in[i] = lc_arg_tensor(lc_arg_to(f, in[i], type));
    return operation(f, name, in, 2, NULL, NULL, NULL, 0);
}

static lc_arg unary(lc_formula *f, bool live) {
    if (accept(f, "-")) {
        const lc_arg v = unary(f, live);
        if (!live || !lc_formula_ok(f)) return lc_arg_none();
        if (lc_arg_is_number(v))
            return v.json->kind == LC_JSON_INT && v.json->integer > INT64_MIN ? lc_arg_int(f, -v.json->integer)
                                                                              : lc_arg_real(f, -v.json->real);
        return operation(f, "Neg", &v, 1, NULL, NULL, NULL, 0);
    }
    skip(f);
    if (*f->at == '!' && f->at[1] != '=') {
        f->at++;
        const lc_arg v = unary(f, live);
        if (!live || !lc_formula_ok(f)) return lc_arg_none();
        return lc_arg_is_tensor(v) ? operation(f, "LogicalNot", &v, 1, NULL, NULL, NULL, 0) : lc_arg_int(f, !lc_arg_true(v));
    }
    return postfix(f, live);
}

static lc_arg product(lc_formula *f, bool live) {
    lc_arg x = unary(f, live);
    for (;;) {
        const bool times = accept(f, "*");
        if (!times && !accept(f, "/")) return x;
        const lc_arg y = unary(f, live);
        if (live && lc_formula_ok(f)) x = binary(f, times ? '*' : '/', times ? "Mul" : "RealDiv", x, y);
    }
}

static lc_arg sum(lc_formula *f, bool live) {
    lc_arg x = product(f, live);
    for (;;) {
        const bool plus = accept(f, "+");
        if (!plus && !accept(f, "-")) return x;
        const lc_arg y = product(f, live);
        if (live && lc_formula_ok(f)) x = binary(f, plus ? '+' : '-', plus ? "AddV2" : "Sub", x, y);
    }
}

static lc_arg comparison(lc_formula *f, bool live) {
    static const struct {
        const char *token, *name;
        char op;
    } all[] = {{"<=", "LessEqual", 'l'}, {">=", "GreaterEqual", 'g'}, {"==", "Equal", '='},
               {"!=", "NotEqual", '!'},  {"<", "Less", '<'},          {">", "Greater", '>'}};
    const lc_arg x = sum(f, live);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!accept(f, all[i].token)) continue;
        const lc_arg y = sum(f, live);
        return live && lc_formula_ok(f) ? binary(f, all[i].op, all[i].name, x, y) : lc_arg_none();
    }
    return x;
}

/* a & b, a | b: of tensors LogicalAnd, LogicalOr. */
static lc_arg logic(lc_formula *f, bool live) {
    lc_arg x = comparison(f, live);
    for (;;) {
        const bool both = accept(f, "&");
        if (!both && !accept(f, "|")) return x;
        const bool decided = live && lc_formula_ok(f) && !lc_arg_is_tensor(x) && lc_arg_true(x) != both;
        const lc_arg y = comparison(f, live && !decided);
        if (!live || !lc_formula_ok(f) || decided) continue;
        const lc_arg in[2] = {x, y};
        x = lc_arg_is_tensor(x) && lc_arg_is_tensor(y) ? operation(f, both ? "LogicalAnd" : "LogicalOr", in, 2, NULL, NULL, NULL, 0) : y;
    }
}

static lc_arg ternary(lc_formula *f, bool live) {
    const lc_arg c = logic(f, live);
    if (!accept(f, "?")) return c;
    const bool open = lc_arg_is_tensor(c), yes = live && lc_formula_ok(f) && (open || lc_arg_true(c));
    const lc_arg a = ternary(f, yes);
    expect(f, ":");
    const bool no = live && lc_formula_ok(f) && (open || !lc_arg_true(c));
    const lc_arg b = ternary(f, no);
    if (!open || !live || !lc_formula_ok(f)) return yes ? a : b;
    const lc_dtype type = lc_arg_is_tensor(a)   ? lc_build_type(f->c->b, a.tensor)
                          : lc_arg_is_tensor(b) ? lc_build_type(f->c->b, b.tensor)
                                                : LC_DTYPE_COUNT;
    int32_t in[3] = {c.tensor, lc_arg_to(f, a, type), -1};
    in[2] = lc_arg_to(f, b, type);
    return lc_arg_tensor(lc_formula_op(f, "SelectV2", in, 3));
}

/* "@ a b", "@f a b": converts them to their common type. */
static void convert(lc_formula *f) {
    const bool real = *f->at == 'f' && f->at[1] == ' ', strong = *f->at == 's' && f->at[1] == ' ';
    if (real || strong) f->at++;
    struct {
        const char *name;
        size_t size;
        lc_arg value;
    } all[LC_FORMULA_ARGS];
    lc_formula_kind kinds[LC_FORMULA_ARGS];
    uint32_t n = 0;
    for (size_t size; n < LC_FORMULA_ARGS && (size = name_here(f)) > 0; n++) {
        all[n].name = f->at;
        all[n].size = size;
        all[n].value = lookup(f, f->at, size);
        f->at += size;
        kinds[n] = lc_formula_kind_of(f, all[n].value);
        if (strong && kinds[n].type == LC_DTYPE_COUNT && !lc_arg_is_none(all[n].value))
            kinds[n].type = kinds[n].real ? LC_FLOAT32 : LC_INT32;
    }
    const lc_dtype type = lc_formula_common(kinds, n, real);
    for (uint32_t i = 0; i < n && lc_formula_ok(f); i++)
        if (!lc_arg_is_none(all[i].value)) bind(f, all[i].name, all[i].size, lc_arg_tensor(lc_arg_to(f, all[i].value, type)));
}

static lc_arg statements(lc_formula *f) {
    lc_arg v = lc_arg_none();
    do {
        skip(f);
        if (accept(f, "@")) {
            convert(f);
            continue;
        }
        const size_t n = name_here(f);
        const char *name = f->at, *after = f->at + n;
        while (*after == ' ') after++;
        if (n && *after == '=' && after[1] != '=') {
            f->at = after + 1;
            v = ternary(f, true);
            bind(f, name, n, v);
        } else v = ternary(f, true);
    } while (lc_formula_ok(f) && accept(f, ";"));
    skip(f);
    if (lc_formula_ok(f) && *f->at) broken(f);
    return v;
}

int32_t lc_formula_run(lc_call *c, const lc_formula_row *row) {
    lc_formula f = {.c = c, .maker = lc_eager_maker(c), .signature = row->signature, .at = row->formula};
    if (!lc_formula_ok(&f)) return -1;
    const lc_arg v = statements(&f);
    if (!lc_formula_ok(&f)) return -1;
    const uint32_t n = lc_arg_is_list(v) ? lc_arg_count(v) : 1;
    if (!n) return lc_build_fail(c->b, LC_UNSUPPORTED, "it gives an empty list");
    for (uint32_t k = 1; k < n; k++) lc_call_give(c, k, lc_arg_any(&f, lc_arg_item(&f, v, k)));
    return lc_arg_any(&f, n > 1 || lc_arg_is_list(v) ? lc_arg_item(&f, v, 0) : v);
}
