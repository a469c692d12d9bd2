/*
 * status.c: names of the status codes, and the version. Both come from runtime.h, where they are written once.
 */
#include "litec/runtime.h"

const char *lc_version(void) { return LC_VERSION; }

const char *lc_status_name(lc_status status) {
    switch (status) {
#define LC_STATUS_NAME(name, value, text) \
    case name: return #name;
        LC_STATUS_LIST(LC_STATUS_NAME)
#undef LC_STATUS_NAME
    }
    return "?";
}
