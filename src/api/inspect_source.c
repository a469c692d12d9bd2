/*
 * inspect_source.c: what is in a source file itself, for formats that say more than the model they become: TensorFlow's.
 */
#include "api/api.h"

lc_status lc_source_inspect(const char *path, lc_report_format format, const lc_convert_options *options, char **text, lc_error *err) {
    static const lc_convert_options defaults = {0};
    const bool json = format == LC_REPORT_JSON;
    lc_source_input input;
    const lc_source *source;
    lc_source_options how;
    lc_str opdefs[LC_MOST_OPDEFS];
    lc_error local;
    lc_text out = {0};
    if (!err) err = &local;
    lc_error_clear(err);
    if (!text) return lc_fail(err, LC_ARGUMENT, "lc_source_inspect needs a place for the text");
    *text = NULL;
    if (!path || (format != LC_REPORT_TEXT && !json))
        return lc_fail(err, LC_ARGUMENT, "lc_source_inspect: %s", path ? "unknown format" : "no path");
    if (!options) options = &defaults;
    LC_TRY(lc_source_open(path, &options->limits, &input, &source, err));
    lc_status status = LC_OK;
    if (source->report) {
        status = lc_convert_source_options(options, source, opdefs, &how, err);
        if (json) lc_text_printf(&out, "{\"format\":\"%s\",", source->name);
        if (status == LC_OK) status = source->report(&input, &how, json, &out, err);
        if (json) lc_text_add(&out, "}\n");
        if (status == LC_OK) *text = lc_text_take(&out);
        if (status == LC_OK && !*text) status = lc_fail_memory(err, "report");
        if (status) lc_error_prefix(err, "%s", path);
    }
    lc_text_deinit(&out);
    lc_source_close(&input);
    return status;
}
