/*
 * audio.h: the options of AudioSpectrogram and Mfcc, read from their FlexBuffer maps and checked.
 */
#ifndef LC_OPS_AUDIO_H
#define LC_OPS_AUDIO_H

#include "ops/op.h"

typedef struct lc_spectrogram_options {
    int32_t window, stride; /* samples: 2 or more, 1 or more */
    int32_t length;         /* of the Fourier transform: the power of two that holds a window */
    bool squared;
} lc_spectrogram_options;

typedef struct lc_mfcc_options {
    float upper, lower;   /* hertz */
    int32_t channels;     /* of the mel filter bank */
    int32_t coefficients; /* of the cosine transform; at most channels */
} lc_mfcc_options;

lc_status lc_spectrogram_read(const lc_node *node, lc_spectrogram_options *options, lc_error *err);
lc_status lc_mfcc_read(const lc_node *node, lc_mfcc_options *options, lc_error *err);
/* Windows that fit into this many samples. */
int32_t lc_spectrogram_windows(const lc_spectrogram_options *options, int32_t samples);

#endif
