/*
 * api.h: what the public calls of this folder share.
 */
#ifndef LC_API_API_H
#define LC_API_API_H

#include "litec/litec.h"
#include "source/source.h"

/* Most texts of lc_convert_options.custom_opdefs. */
#define LC_MOST_OPDEFS 256

/* The caller's options as a source takes them; opdefs has room for LC_MOST_OPDEFS. LC_ARGUMENT for one the source cannot follow: nobody
 * should think it had been. */
lc_status lc_convert_source_options(const lc_convert_options *o, const lc_source *source, lc_str *opdefs, lc_source_options *how,
                                    lc_error *err);

#endif
