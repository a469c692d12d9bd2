/*
 * net_blame.c: what is wrong with a model that was written as text is told with the line of the layer, also where it shows only when the model is
 * built: shapes that do not fit, an activation that there is not.
 */
#include "api/net.h"

#include <string.h>

lc_status lc_net_blame(const lc_net *net, lc_status status, lc_error *err) {
    char name[200];
    const char *from = status && err && net->is_described ? strchr(err->message, '"') : NULL;
    const size_t n = from ? strcspn(from + 1, "/\"") : 0; /* of a layer in a layer the outer one */
    if (!n || n >= sizeof name) return status;
    memcpy(name, from + 1, n);
    name[n] = '\0';
    const int32_t layer = lc_described_find(&net->described, name);
    const uint32_t line = layer < 0 ? 0 : net->described.layers[layer].line;
    if (line) lc_error_prefix(err, "line %u", line);
    return status;
}
