/*
 * SGD (plain, with momentum, Nesterov) and Lion (Chen and others 2023): the sign of a momentum.
 */
#include "train/optimizer_impl.h"

/* a: momentum */
void lc_sgd_setup(lc_optimizer *o, lc_config *c) {
    o->a[0] = (float)lc_config_between(c, "momentum", 0, 1);
    o->flag = lc_config_flag(c, "nesterov");
    if (o->a[0] != 0) o->states[0] = (lc_state_kind){"momentum", 0, false};
}

LC_UPDATE(sgd) {
    const float rate = o->rate, momentum = o->a[0];
    float *restrict w = p->value, *restrict m = p->state[0];
    const float *restrict g = p->grad;
    if (!m) {
        for (size_t i = 0; i < p->n; i++) w[i] -= g[i] * rate;
    } else if (o->flag) {
        for (size_t i = 0; i < p->n; i++) {
            m[i] = m[i] * momentum - g[i] * rate;
            w[i] += m[i] * momentum - g[i] * rate;
        }
    } else {
        for (size_t i = 0; i < p->n; i++) {
            m[i] = m[i] * momentum - g[i] * rate;
            w[i] += m[i];
        }
    }
}

/* a: beta 1, beta 2 */
void lc_lion_setup(lc_optimizer *o, lc_config *c) {
    o->a[0] = (float)lc_config_between(c, "beta_1", 0, 1);
    o->a[1] = (float)lc_config_between(c, "beta_2", 0, 1);
    if (o->a[0] == 0) lc_config_fail(c, "beta_1 is 0: that is the sign of the gradient alone");
    o->states[0] = (lc_state_kind){"momentum", 0, false};
}

LC_UPDATE(lion) {
    const float rate = o->rate, beta1 = o->a[0], beta2 = o->a[1], rest1 = 1 - beta1, rest2 = 1 - beta2;
    float *restrict w = p->value, *restrict m = p->state[0];
    const float *restrict g = p->grad;
    for (size_t i = 0; i < p->n; i++) {
        const float x = m[i] * beta1 + g[i] * rest1;
        w[i] -= rate * (x > 0 ? 1.0f : x < 0 ? -1.0f : x); /* 0 stays 0, NaN stays NaN */
        m[i] = m[i] * beta2 + g[i] * rest2;
    }
}
