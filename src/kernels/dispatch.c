/*
 * dispatch.c: which micro-kernels run. One list of instruction sets, best first; a set counts when this build has it
 * (LC_HAVE_<NAME> from cmake/isa.cmake) and the CPU and the operating system say they can run it. "portable" always can; a build may
 * have none at all, then the reference kernels run.
 *
 * The choice is the caller's name, else $LC_ISA, else the best; "ref" asks for the plain reference kernels.
 */
#include "kernels/kernel.h"
#include "kernels/simd.h"

#include "base/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP_ASIMD
#define HWCAP_ASIMD (1ul << 1)
#endif
#endif

#if defined(LC_HAVE_AVX2) || defined(LC_HAVE_AVX512)
#include <cpuid.h>

/* Whether the CPU has these features (bits of CPUID leaf 1, ECX, and leaf 7, EBX) and the system saves these registers (bits of XCR0). As
 * __builtin_cpu_supports, but that brings 6 KB of names of CPUs into the smallest program. */
static bool x86_has(unsigned leaf1, unsigned leaf7, unsigned saved) {
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || (c & leaf1) != leaf1) return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & saved) != saved) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & leaf7) == leaf7;
}
#endif

/* X(name, what the CPU must say) for each set of this build. XCR0: 2 SSE, 4 AVX, 0xe0 the registers of AVX-512. */
#if defined(LC_HAVE_AVX512)
#define ISA_AVX512(X) X(avx512, x86_has(bit_AVX | bit_FMA, bit_AVX2 | bit_AVX512F | bit_AVX512VL | bit_AVX512BW | bit_AVX512DQ, 0xe6))
#else
#define ISA_AVX512(X)
#endif
#if defined(LC_HAVE_AVX2)
#define ISA_AVX2(X) X(avx2, x86_has(bit_AVX | bit_FMA, bit_AVX2, 0x6))
#else
#define ISA_AVX2(X)
#endif
#if defined(LC_HAVE_NEON) && defined(__linux__)
#define ISA_NEON(X) X(neon, (getauxval(AT_HWCAP) & HWCAP_ASIMD) != 0)
#elif defined(LC_HAVE_NEON)
#define ISA_NEON(X) X(neon, true)
#else
#define ISA_NEON(X)
#endif
#if defined(LC_HAVE_PORTABLE)
#define ISA_PORTABLE(X) X(portable, true)
#else
#define ISA_PORTABLE(X)
#endif
#define ISA_LIST(X) ISA_AVX512(X) ISA_AVX2(X) ISA_NEON(X) ISA_PORTABLE(X)

#define ISA_EXTERN(name, test) extern const lc_simd lc_simd_##name;
ISA_LIST(ISA_EXTERN)

typedef struct isa {
    const char *name;
    const lc_simd *simd; /* NULL: this CPU cannot */
} isa;

/* The sets of this build; returns how many. */
static size_t isa_list(isa *list) {
    size_t n = 0;
    (void)list; /* of a build without any */
#define ISA_ROW(set, test) list[n++] = (isa){#set, (test) ? &lc_simd_##set : NULL};
    ISA_LIST(ISA_ROW)
    return n;
}

static lc_status no_such(const char *name, const char *why, lc_error *err) {
    lc_status status = lc_fail(err, LC_ARGUMENT, "instruction set \"%.32s\" %s", name, why);
    char names[128] = "";
    size_t used = 0;
    isa list[8];
    const size_t n = isa_list(list);
    for (size_t i = 0; i < n && used < sizeof names; i++)
        if (list[i].simd) used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", list[i].name);
    lc_error_hint(err, "here one of: %sref; leave it out (or unset LC_ISA) for the best", names);
    return status;
}

lc_status lc_simd_get(const char *name, const struct lc_simd **simd, lc_error *err) {
    isa list[8];
    const size_t n = isa_list(list);
    *simd = NULL;
    if (!name) name = getenv("LC_ISA");
    if (!name || !*name) {
        for (size_t i = 0; i < n && !*simd; i++) *simd = list[i].simd;
        return LC_OK;
    }
    if (strcmp(name, "ref") == 0) return LC_OK;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name, list[i].name) != 0) continue;
        if (!list[i].simd) return no_such(name, "is not one this CPU has", err);
        *simd = list[i].simd;
        return LC_OK;
    }
    return no_such(name, "is not one this build of litec has", err);
}

const char *lc_simd_name(const struct lc_simd *simd) { return simd ? simd->name : "ref"; }
