/*
 * convert_model.c: a program of somebody else that uses the whole library, compiled as C and as C++ against an installed litec.
 *
 *     convert_model SOURCE OUT.tflite
 */
#include <litec/litec.h>

#include <stdio.h>

int main(int argc, char **argv) {
    lc_model *model = NULL;
    lc_error err;
    uint64_t size = 0;
    if (argc != 3) return 2;
    if (lc_convert(argv[1], NULL, &model, &err) != LC_OK || lc_model_save(model, argv[2], &size, &err) != LC_OK) {
        fprintf(stderr, "%s (%s)\n", err.message, err.hint);
        lc_model_destroy(model);
        return 1;
    }
    lc_model_destroy(model);
    printf("%llu bytes\n", (unsigned long long)size);
    return 0;
}
