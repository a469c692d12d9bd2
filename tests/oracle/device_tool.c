/*
 * device_tool.c: device_tool MODEL.keras OUT.tflite BATCH: what check_device.py gives to LiteRT.
 */
#include "litec/train.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    lc_error err = {0};
    lc_net *net = NULL;
    if (argc != 4) return 2;
    lc_status status = lc_net_open(argv[1], NULL, &net, &err);
    if (status == LC_OK) status = lc_net_save_trainable(net, argv[2], (uint32_t)strtoul(argv[3], NULL, 10), &err);
    if (status != LC_OK) fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    lc_net_destroy(net);
    return status != LC_OK;
}
