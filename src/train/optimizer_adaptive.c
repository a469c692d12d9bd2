/*
 * Optimizers that divide by what they have seen of each gradient: RMSprop (with momentum, centered), Adagrad, Adadelta, and FTRL (McMahan and
 * others 2013), which keeps no weights but what they follow from.
 */
#include "train/optimizer_impl.h"

/* a: rho, momentum, epsilon, 1 - rho */
void lc_rmsprop_setup(lc_optimizer *o, lc_config *c) {
    const double rho = lc_config_number(c, "rho");
    o->a[0] = (float)rho;
    o->a[1] = (float)lc_config_between(c, "momentum", 0, 1);
    o->a[2] = (float)lc_config_number(c, "epsilon");
    o->a[3] = (float)(1 - rho);
    o->states[0] = (lc_state_kind){"velocity", 0, false};
    if (o->a[1] > 0) o->states[1] = (lc_state_kind){"momentum", 0, false};
    if (lc_config_flag(c, "centered")) o->states[2] = (lc_state_kind){"average_gradient", 0, false};
}

LC_UPDATE(rmsprop) {
    const float rate = o->rate, rho = o->a[0], momentum = o->a[1], epsilon = o->a[2], rest = o->a[3];
    float *restrict w = p->value, *restrict v = p->state[0], *restrict m = p->state[1], *restrict mean = p->state[2];
    const float *restrict g = p->grad;
    if (!m && !mean) {
        for (size_t i = 0; i < p->n; i++) {
            v[i] = rho * v[i] + rest * (g[i] * g[i]);
            w[i] -= rate * g[i] / sqrtf(v[i] + epsilon);
        }
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        v[i] = rho * v[i] + rest * (g[i] * g[i]);
        float below = v[i] + epsilon;
        if (mean) {
            mean[i] = rho * mean[i] + rest * g[i];
            below = v[i] - mean[i] * mean[i] + epsilon;
        }
        float change = rate * g[i] / sqrtf(below);
        if (m) change = m[i] = momentum * m[i] + change;
        w[i] -= change;
    }
}

/* a: epsilon */
void lc_adagrad_setup(lc_optimizer *o, lc_config *c) {
    o->a[0] = (float)lc_config_number(c, "epsilon");
    o->states[0] = (lc_state_kind){"accumulator", (float)lc_config_number(c, "initial_accumulator_value"), false};
}

LC_UPDATE(adagrad) {
    const float rate = o->rate, epsilon = o->a[0];
    float *restrict w = p->value, *restrict sum = p->state[0];
    const float *restrict g = p->grad;
    for (size_t i = 0; i < p->n; i++) {
        sum[i] += g[i] * g[i];
        w[i] -= rate * g[i] / sqrtf(sum[i] + epsilon);
    }
}

/* a: rho, epsilon, 1 - rho */
void lc_adadelta_setup(lc_optimizer *o, lc_config *c) {
    const double rho = lc_config_number(c, "rho");
    o->a[0] = (float)rho;
    o->a[1] = (float)lc_config_number(c, "epsilon");
    o->a[2] = (float)(1 - rho);
    o->states[0] = (lc_state_kind){"accumulated_grad", 0, false};
    o->states[1] = (lc_state_kind){"accumulated_delta_var", 0, true};
}

LC_UPDATE(adadelta) {
    const float rate = o->rate, rho = o->a[0], epsilon = o->a[1], rest = o->a[2];
    float *restrict w = p->value, *restrict grads = p->state[0], *restrict changes = p->state[1];
    const float *restrict g = p->grad;
    for (size_t i = 0; i < p->n; i++) {
        grads[i] = rho * grads[i] + rest * (g[i] * g[i]);
        const float change = -(sqrtf(changes[i] + epsilon) * g[i] / sqrtf(grads[i] + epsilon));
        changes[i] = rho * changes[i] + rest * (change * change);
        w[i] += rate * change;
    }
}

/* a: -learning_rate_power, l1, l2, 2 * l2 shrinkage, beta */
void lc_ftrl_setup(lc_optimizer *o, lc_config *c) {
    o->a[0] = -(float)lc_config_between(c, "learning_rate_power", -INFINITY, 0);
    o->a[1] = (float)lc_config_between(c, "l1_regularization_strength", 0, INFINITY);
    o->a[2] = (float)lc_config_between(c, "l2_regularization_strength", 0, INFINITY);
    o->a[3] = (float)(2 * lc_config_between(c, "l2_shrinkage_regularization_strength", 0, INFINITY));
    o->a[4] = (float)lc_config_number(c, "beta");
    o->states[0] = (lc_state_kind){"accumulator", (float)lc_config_between(c, "initial_accumulator_value", 0, INFINITY), false};
    o->states[1] = (lc_state_kind){"linear", 0, true};
}

static inline float raised(float v, float power) { return power == 0.5f ? sqrtf(v) : powf(v, power); } /* the root is the default */

LC_UPDATE(ftrl) {
    const float rate = o->rate, power = o->a[0], l1 = o->a[1], l2 = o->a[2] + o->a[4] / (2 * rate), shrinkage = o->a[3];
    float *restrict w = p->value, *restrict sum = p->state[0], *restrict linear = p->state[1];
    const float *restrict g = p->grad;
    for (size_t i = 0; i < p->n; i++) {
        const float used = g[i] + shrinkage * w[i], grown = sum[i] + g[i] * g[i];
        const float high = raised(grown, power), low = raised(sum[i], power);
        linear[i] += used - (high - low) / rate * w[i];
        const float clipped = linear[i] < -l1 ? -l1 : linear[i] > l1 ? l1 : linear[i];
        w[i] = (clipped - linear[i]) / (high / rate + 2 * l2);
        sum[i] = grown;
    }
}
