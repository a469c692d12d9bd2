/*
 * rules.h: failing by a rule of rules.def.
 *
 *     return LC_SOURCE_FAIL(err, LC_INVALID, H5_TYPE, offset, "a datatype is cut short");
 *
 * A name that rules.def lacks does not compile; tools/check_rules refuses lc_fail_rule with ids of its own in this folder.
 */
#ifndef LC_SOURCE_RULES_H
#define LC_SOURCE_RULES_H

#include "base/error.h"

typedef enum lc_source_rule {
#define LC_SOURCE_RULE(NAME, id, text) LC_SOURCE_RULE_##NAME,
#include "source/rules.def"
    LC_SOURCE_RULE_COUNT
} lc_source_rule;

extern const char *const lc_source_rule_ids[LC_SOURCE_RULE_COUNT];

#define LC_SOURCE_FAIL(err, status, NAME, offset, ...) \
    lc_fail_rule(err, status, lc_source_rule_ids[LC_SOURCE_RULE_##NAME], offset, __VA_ARGS__)

#endif
