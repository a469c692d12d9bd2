/*
 * net_print.c: the lines of fit. Times and figures have the digits that Keras gives them.
 */
#include "api/net_print.h"

#include "base/base.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 20 };
#define EVERY 0.05 /* seconds between two writings of a line */

static void say(const lc_print *o, lc_text *t) {
    if (t->data && !t->failed) o->print(o->user, t->data);
    lc_text_deinit(t);
}

void lc_print_epoch(lc_print *o, const lc_progress *p) {
    lc_text t = {0};
    o->last = o->first = 0;
    o->written = 0;
    if (!o->print || p->epochs < 2) return;
    lc_text_printf(&t, "Epoch %u/%u\n", p->epoch + 1, p->epochs);
    say(o, &t);
}

/* What is to come, cut to seconds. */
static void add_remaining(lc_text *t, double s) {
    if (s > 3600) lc_text_printf(t, "%d:%02d:%02d", (int)(s / 3600), (int)fmod(s / 60, 60), (int)fmod(s, 60));
    else if (s > 60) lc_text_printf(t, "%d:%02d", (int)(s / 60), (int)fmod(s, 60));
    else lc_text_printf(t, "%ds", (int)s);
}

static void add_per_step(lc_text *t, double s) {
    if (s >= 1 || s == 0) lc_text_printf(t, "%.0fs/step", s);
    else if (s >= 1e-3) lc_text_printf(t, "%.0fms/step", s * 1e3);
    else lc_text_printf(t, "%.0fus/step", s * 1e6);
}

static void add_logs(lc_text *t, const lc_progress *p, bool line_an_epoch) {
    for (size_t i = 0; i < p->log_count; i++) {
        const double v = p->logs[i].value, size = line_an_epoch ? v : fabs(v);
        lc_text_printf(t, size > 1e-3 ? " - %s: %.4f" : " - %s: %.4e", p->logs[i].name, isnan(v) ? fabs(v) : v);
    }
}

/* Text in a colour or weight of the terminal. */
static void add_in(const lc_print *o, lc_text *t, const char *code, const char *text) {
    if (o->color && *text) lc_text_printf(t, "\033[%sm%s\033[0m", code, text);
    else lc_text_add(t, text);
}

/* Without colours what is to come is a thinner line. */
static void add_bar(const lc_print *o, lc_text *t, uint64_t done, uint64_t all) {
    const int full = (int)((double)done / (double)all * WIDTH);
    lc_text parts[2] = {{0}, {0}};
    for (int i = 0; i < WIDTH; i++) lc_text_add(&parts[i >= full], i < full || o->color ? "━" : "─");
    add_in(o, t, "32", parts[0].data ? parts[0].data : "");
    add_in(o, t, "37", parts[1].data ? parts[1].data : "");
    if (o->color && !parts[1].data) lc_text_add(t, "\033[37m\033[0m");
    lc_text_deinit(&parts[0]);
    lc_text_deinit(&parts[1]);
}

/* Characters that are seen. */
static size_t columns(const char *text) {
    size_t n = 0;
    for (; *text; text++) {
        if (*text == '\033') text += strcspn(text, "m");
        else n += ((unsigned char)*text & 0xc0) != 0x80 && *text != '\r';
    }
    return n;
}

static void one_line(const lc_progress *p, lc_text *t, double each) {
    char all[24];
    const int wide = snprintf(all, sizeof all, "%llu", (unsigned long long)p->steps);
    lc_text_printf(t, "%*llu/%s - %.0fs - ", wide, (unsigned long long)p->steps, all, p->seconds);
    add_per_step(t, each);
    add_logs(t, p, true);
}

static void bar(const lc_print *o, const lc_progress *p, lc_text *t, uint64_t done, double each, bool last) {
    char all[24], count[64];
    lc_text time = {0};
    const int wide = snprintf(all, sizeof all, "%llu", (unsigned long long)p->steps);
    lc_text_add(t, "\r");
    if (p->steps) {
        snprintf(count, sizeof count, "%*llu/%s", wide, (unsigned long long)done, all);
        add_in(o, t, "1", count);
        lc_text_add(t, " ");
        add_bar(o, t, done, p->steps);
    } else lc_text_printf(t, "%7llu/Unknown", (unsigned long long)done);
    lc_text_add(t, " ");
    if (last || !p->steps) lc_text_printf(&time, "%.0fs", p->seconds);
    else add_remaining(&time, each * (double)(p->steps - done));
    add_in(o, t, "1", time.data ? time.data : "");
    lc_text_deinit(&time);
    lc_text_add(t, " ");
    add_per_step(t, each);
    add_logs(t, p, false);
}

/* done: steps of the epoch. The first one of an epoch is slower than the others, which the time of one leaves out where it can. */
static void line(lc_print *o, const lc_progress *p, uint64_t done, bool last) {
    lc_text t = {0};
    const double each = done > 1 && o->first > 0 ? (p->seconds - o->first) / (double)(done - 1) : done ? p->seconds / (double)done : 0;
    if (o->verbose == 2) one_line(p, &t, each);
    else bar(o, p, &t, done, each, last);
    const size_t wide = t.data ? columns(t.data) : 0;
    for (size_t i = wide; i < o->written; i++) lc_text_add(&t, " "); /* over what was longer */
    o->written = wide;
    if (last) lc_text_add(&t, "\n");
    say(o, &t);
}

bool lc_print_due(const lc_print *o, uint64_t step) { return o->print && (step < 16 || (o->verbose != 2 && step % 4 == 0)); }

void lc_print_step(lc_print *o, const lc_progress *p) {
    if (!o->print) return;
    if (p->step == 0) o->first = p->seconds;
    if (o->verbose == 2 || (o->last > 0 && p->seconds - o->last < EVERY)) return;
    o->last = p->seconds;
    line(o, p, p->step + 1, false);
}

void lc_print_end(lc_print *o, const lc_progress *p) {
    if (o->print) line(o, p, p->steps, true);
}
