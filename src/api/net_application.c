/*
 * net_application.c: models that somebody else has written down: the networks of keras.applications, and texts.
 */
#include "api/net.h"
#include "train/application.h"
#include "train/model_text.h"

/* A description that failed was ended by the one who made it; the net then goes, too. */
static lc_status finish(lc_status status, lc_net *made, lc_net **net) {
    if (status == LC_OK) *net = made;
    else lc_net_destroy(made);
    return status;
}

lc_status lc_application(const char *name, const lc_application_options *options, lc_net **net, lc_error *err) {
    *net = NULL;
    lc_net *made = lc_functional(NULL);
    if (!made) return lc_fail_memory(err, "a model");
    lc_describe_end(&made->described);
    return finish(lc_describe_application(name, options, &made->described, err), made, net);
}

lc_status lc_net_from_text(const char *text, size_t size, const lc_limits *limits, lc_net **net, lc_error *err) {
    *net = NULL;
    lc_net *made = lc_functional(NULL);
    if (!made) return lc_fail_memory(err, "a model");
    lc_describe_end(&made->described);
    if (limits) made->limits = *limits;
    lc_budget_init(&made->budget, &made->limits);
    return finish(lc_model_text_read(text, size, &made->budget, &made->described, err), made, net);
}
