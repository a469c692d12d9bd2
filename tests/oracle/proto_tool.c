/*
 * proto_tool.c: what check_proto.py asks of src/proto. Reads commands from standard input, a line each:
 *
 *     wire|text MESSAGE IN OUT        reads IN in that form; writes OUT.wire and OUT.text
 *
 * and answers each with "ok" or "error: ..." on a line.
 */
#include "proto/proto.h"

#include <stdio.h>
#include <string.h>

static lc_status to_file(void *user, const void *data, size_t size, lc_error *err) { return lc_file_write(user, data, size, err); }

static lc_status save(lc_pb_id id, const void *message, const char *out, lc_error *err) {
    char path[1100];
    lc_file *file;
    lc_text text = {0};
    snprintf(path, sizeof path, "%s.wire", out);
    LC_TRY(lc_file_create(path, &file, err));
    const lc_status status = lc_pb_write_to(id, message, to_file, file, err);
    if (status != LC_OK) {
        lc_file_abort(file);
        return status;
    }
    LC_TRY(lc_file_commit(file, err));
    lc_pb_print(id, message, &text);
    snprintf(path, sizeof path, "%s.text", out);
    const lc_status saved = text.failed ? lc_fail_memory(err, "text") : lc_file_save(path, text.data ? text.data : "", text.size, err);
    lc_text_deinit(&text);
    return saved;
}

static lc_status convert(bool is_text, const char *name, const char *in, const char *out, lc_error *err) {
    lc_arena arena = {0};
    lc_budget budget;
    lc_map map;
    void *message;
    lc_pb_id id = LC_PB_NONE;
    for (int i = 0; i < LC_PB_COUNT; i++)
        if (strcmp(lc_pb_name((lc_pb_id)i), name) == 0) id = (lc_pb_id)i;
    lc_budget_init(&budget, NULL);
    LC_TRY(lc_map_open(&map, in, NULL, err));
    lc_status status = is_text ? lc_pb_read_text(id, (lc_str){(const char *)map.data, map.size}, &budget, &arena, &message, err)
                               : lc_pb_read(id, map.data, map.size, &budget, &arena, &message, err);
    if (status == LC_OK) status = save(id, message, out, err);
    lc_arena_deinit(&arena);
    lc_map_close(&map);
    return status;
}

int main(void) {
    char line[4096], form[16], name[200], in[1000], out[1000];
    while (fgets(line, sizeof line, stdin)) {
        lc_error err = {0};
        if (sscanf(line, "%15s %199s %999s %999s", form, name, in, out) != 4) return 2;
        if (convert(strcmp(form, "text") == 0, name, in, out, &err) == LC_OK) puts("ok");
        else printf("error: [%s] %s\n", err.rule, err.message);
        fflush(stdout);
    }
    return 0;
}
