/*
 * Adam and its kin: Adam (Kingma and Ba 2014; with amsgrad: Reddi and others 2018), AdamW, which is Adam with the weight decay that optimizer.c
 * applies to all, Adamax, which keeps a maximum instead of a mean of squares, and Nadam (Dozat 2016), which looks one step ahead.
 *
 * 1 - beta is rounded once from the double for Adam and Adamax, but for Nadam it is the difference of floats: so does Keras.
 */
#include "train/optimizer_impl.h"

/* a: beta 1, beta 2, epsilon, 1 - beta 1, 1 - beta 2 */
static void read_betas(lc_optimizer *o, lc_config *c) {
    const double beta1 = lc_config_number(c, "beta_1"), beta2 = lc_config_number(c, "beta_2");
    o->a[0] = (float)beta1;
    o->a[1] = (float)beta2;
    o->a[2] = (float)lc_config_number(c, "epsilon");
    o->a[3] = (float)(1 - beta1);
    o->a[4] = (float)(1 - beta2);
    o->states[0] = (lc_state_kind){"momentum", 0, false};
    o->states[1] = (lc_state_kind){"velocity", 0, true};
}

void lc_adam_setup(lc_optimizer *o, lc_config *c) {
    read_betas(o, c);
    o->flag = lc_config_flag(c, "amsgrad");
    if (o->flag) o->states[2] = (lc_state_kind){"velocity_hat", 0, false};
}

LC_UPDATE(adam) {
    const float epsilon = o->a[2], rest1 = o->a[3], rest2 = o->a[4];
    const float alpha = o->rate * sqrtf(1 - powf(o->a[1], o->step)) / (1 - powf(o->a[0], o->step));
    float *restrict w = p->value, *restrict m = p->state[0], *restrict v = p->state[1], *restrict most = p->state[2];
    const float *restrict g = p->grad;
    if (!most) {
        for (size_t i = 0; i < p->n; i++) {
            m[i] += (g[i] - m[i]) * rest1;
            v[i] += (g[i] * g[i] - v[i]) * rest2;
            w[i] -= m[i] * alpha / (sqrtf(v[i]) + epsilon);
        }
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        m[i] += (g[i] - m[i]) * rest1;
        v[i] += (g[i] * g[i] - v[i]) * rest2;
        most[i] = most[i] > v[i] ? most[i] : v[i];
        w[i] -= m[i] * alpha / (sqrtf(most[i]) + epsilon);
    }
}

void lc_adamax_setup(lc_optimizer *o, lc_config *c) {
    read_betas(o, c);
    o->states[1].name = "norm";
}

LC_UPDATE(adamax) {
    const float rate = o->rate, beta2 = o->a[1], epsilon = o->a[2], rest1 = o->a[3], correction = 1 - powf(o->a[0], o->step);
    float *restrict w = p->value, *restrict m = p->state[0], *restrict u = p->state[1];
    const float *restrict g = p->grad;
    for (size_t i = 0; i < p->n; i++) {
        m[i] += (g[i] - m[i]) * rest1;
        const float kept = beta2 * u[i], size = fabsf(g[i]);
        u[i] = kept > size ? kept : size;
        w[i] -= rate * m[i] / (correction * (u[i] + epsilon));
    }
}

void lc_nadam_setup(lc_optimizer *o, lc_config *c) {
    read_betas(o, c);
    o->has_product = true;
}

LC_UPDATE(nadam) {
    const float rate = o->rate, beta1 = o->a[0], beta2 = o->a[1], epsilon = o->a[2], rest1 = 1 - beta1, rest2 = 1 - beta2;
    const float now = beta1 * (1 - 0.5f * powf(0.96f, o->step)), next = beta1 * (1 - 0.5f * powf(0.96f, o->step + 1));
    const float product = o->product, product_next = product * next, correction = 1 - powf(beta2, o->step);
    float *restrict w = p->value, *restrict m = p->state[0], *restrict v = p->state[1];
    const float *restrict g = p->grad;
    for (size_t i = 0; i < p->n; i++) {
        m[i] += (g[i] - m[i]) * rest1;
        v[i] += (g[i] * g[i] - v[i]) * rest2;
        const float ahead = next * m[i] / (1 - product_next) + (1 - now) * g[i] / (1 - product);
        w[i] -= ahead * rate / (sqrtf(v[i] / correction) + epsilon);
    }
}
