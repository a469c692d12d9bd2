/*
 * base.h: what every layer stands on: error reporting, allocation, arenas, checked arithmetic, the input cursor,
 * budgets, file mapping, atomic files, strings. Each group is a header of its own. json.h and pool.h are not among these: few
 * files need them, and they say so.
 */
#ifndef LC_BASE_H
#define LC_BASE_H

#include "base/alloc.h"
#include "base/arena.h"
#include "base/budget.h"
#include "base/checked.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

#endif
