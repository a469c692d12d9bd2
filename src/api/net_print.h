/*
 * net_print.h: what fit prints, line for line as Keras: "Epoch 1/5", and
 *
 *     1875/1875 ━━━━━━━━━━━━━━━━━━━━ 2s 1ms/step - accuracy: 0.9273 - loss: 0.2521      verbose 1, rewritten as it goes
 *     1875/1875 - 2s - 1ms/step - accuracy: 0.9273 - loss: 0.2521                       verbose 2, once
 */
#ifndef LC_API_NET_PRINT_H
#define LC_API_NET_PRINT_H

#include "litec/train.h"

typedef struct lc_print {
    void (*print)(void *user, const char *text); /* NULL: nobody listens */
    void *user;
    int32_t verbose;
    bool color;
    double first;   /* seconds of the epoch after its first step; 0: it has not been seen */
    double last;    /* when the line was last written */
    size_t written; /* its characters */
} lc_print;

void lc_print_epoch(lc_print *o, const lc_progress *p);
/* Whether a step is worth a look at the clock. */
bool lc_print_due(const lc_print *o, uint64_t step);
void lc_print_step(lc_print *o, const lc_progress *p);
void lc_print_end(lc_print *o, const lc_progress *p);

#endif
