/*
 * application_vgg.c: VGG16 and VGG19 (Simonyan, Zisserman 2014): five blocks of 3x3 convolutions, three dense layers.
 */
#include "train/application.h"

void lc_app_vgg(lc_app *a) {
    static const int32_t filters[5] = {64, 128, 256, 512, 512};
    for (int block = 1; block <= 5; block++) {
        const int layers = block <= 2 ? 2 : (int)a->parameters[0];
        for (int i = 1; i <= layers; i++) {
            const char *name = lc_app_name(a, "block%d_conv%d", block, i);
            lc_app_put(a, LC_CONV2D(filters[block - 1], {3, 3}, .padding = "same", .activation = "relu", .name = name));
        }
        lc_app_put(a, LC_MAX_POOLING2D({2, 2}, .name = lc_app_name(a, "block%d_pool", block)));
    }
    if (a->o->no_top) {
        lc_app_pool(a, NULL, NULL);
    } else {
        lc_app_put(a, LC_FLATTEN(.name = "flatten"));
        lc_app_put(a, LC_DENSE(4096, .activation = "relu", .name = "fc1"));
        lc_app_put(a, LC_DENSE(4096, .activation = "relu", .name = "fc2"));
        lc_app_put(a, LC_DENSE(a->o->classes, .activation = a->o->classifier_activation, .name = "predictions"));
    }
    lc_app_name(a, "vgg%d", (int)a->parameters[1]);
}
