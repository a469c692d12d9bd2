/*
 * check_options.c: an operator's options belong to it, and every choice in them (padding, activation, type ...) is one the
 * schema has.
 *
 * An operator without options passes: all fields are zero then, and the operator's own rules say whether that is possible.
 * Options of an operator that has none in the schema pass too, as in LiteRT: nobody reads them. Options of another operator's
 * table do not: LiteRT takes zeros for them without a word.
 */
#include "runtime/check.h"

/* Value of an enum field of a struct. */
static int64_t choice(const void *value, const lc_field *f) {
    const char *at = (const char *)value + f->offset;
    if (f->kind == LC_KIND_enum_i8) return *(const int8_t *)at;
    if (f->kind == LC_KIND_enum_i32) return *(const int32_t *)at;
    return *(const uint32_t *)at;
}

static lc_status check_choices(const lc_check *c, size_t g, size_t i, lc_table_id table, const void *value) {
    for (LC_EACH_FIELD(f, table)) {
        if (f->kind == LC_KIND_enum_i8 || f->kind == LC_KIND_enum_i32 || f->kind == LC_KIND_enum_u32) {
            int64_t v = choice(value, f);
            if (!lc_schema_enum_name((lc_enum_id)f->sub, v)) {
                return lc_check_fail_op(c, LC_RULE_OPTIONS_ENUM, g, i, "%s.%s is %lld", lc_table_name(table), lc_field_name(f),
                                        (long long)v);
            }
        } else if (f->kind == LC_KIND_vec_enum_u32) {
            const lc_vec_u32 *list = (const void *)((const char *)value + f->offset);
            for (size_t j = 0; j < list->n; j++) {
                if (!lc_schema_enum_name((lc_enum_id)f->sub, list->data[j])) {
                    return lc_check_fail_op(c, LC_RULE_OPTIONS_ENUM, g, i, "%s.%s[%zu] is %u", lc_table_name(table), lc_field_name(f), j,
                                            list->data[j]);
                }
            }
        }
    }
    return LC_OK;
}

static lc_status check_operator(const lc_check *c, size_t g, size_t i) {
    const lc_Operator *o = &c->model->subgraphs.data[g].operators.data[i];
    int32_t op = lc_tflite_op(&c->model->operator_codes.data[o->opcode_index]);
    lc_table_id wanted = lc_op_get(op)->options;
    if (lc_custom_options_size(o) > UINT32_MAX) {
        return lc_check_fail_op(c, LC_RULE_OPTIONS_SIZE, g, i, "has %llu bytes of custom options",
                                (unsigned long long)lc_custom_options_size(o));
    }
    if (!lc_schema_enum_name(LC_ENUM_ID_CustomOptionsFormat, o->custom_options_format)) {
        return lc_check_fail_op(c, LC_RULE_OPTIONS_ENUM, g, i, "custom_options_format is %d", o->custom_options_format);
    }
    if (o->builtin_options.type && o->builtin_options_2.type) {
        return lc_check_fail_op(c, LC_RULE_OPTIONS_BOTH, g, i, "has builtin_options (type %u) and builtin_options_2 (type %u)",
                                o->builtin_options.type, o->builtin_options_2.type);
    }
    void *value;
    lc_table_id table = lc_tflite_options(o, &value);
    if (table == LC_TABLE_NONE) return LC_OK;
    if (table == LC_TABLE_COUNT) {
        return lc_check_fail_op(c, LC_RULE_OPTIONS_TYPE, g, i, "has options of the unknown type %u",
                                o->builtin_options.type ? o->builtin_options.type : o->builtin_options_2.type);
    }
    if (wanted != LC_TABLE_NONE && table != wanted) {
        return lc_check_fail_op(c, LC_RULE_OPTIONS_TYPE, g, i, "has %s, needs %s", lc_table_name(table), lc_table_name(wanted));
    }
    return check_choices(c, g, i, table, value);
}

lc_status lc_check_options(const lc_check *c) {
    for (size_t g = 0; g < c->model->subgraphs.n; g++) {
        for (size_t i = 0; i < c->model->subgraphs.data[g].operators.n; i++) LC_TRY(check_operator(c, g, i));
    }
    return LC_OK;
}
