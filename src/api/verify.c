/*
 * verify.c: checks a file of any known format completely, without converting it: each source has its own check
 * (source/source.h), this finds the one that fits.
 */
#include "api/api.h"

lc_status lc_verify_file(const char *path, const lc_limits *limits, char **summary, lc_error *err) {
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (summary) *summary = NULL;
    if (!path) return lc_fail(err, LC_ARGUMENT, "lc_verify_file needs the path of a model");
    lc_source_input input = {0};
    const lc_source *source = NULL;
    char *line = NULL;
    LC_TRY(lc_source_open(path, limits, &input, &source, err));
    const lc_status status = source->verify(&input, limits, &line, err);
    lc_source_close(&input);
    if (status) {
        lc_error_prefix(err, "%s", path);
        return status;
    }
    if (summary) *summary = line;
    else lc_free(line);
    return LC_OK;
}
