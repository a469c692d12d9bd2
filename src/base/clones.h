/*
 * clones.h: LC_CLONES before a function: the compiler makes it for several sets of instructions, and the best that the processor has is chosen
 * when the program is loaded. For loops over elements that have no kernel of their own (kernels/simd.h); what they compute is the same in
 * every set, for nothing is contracted (-ffp-contract=off). Where a compiler, a system or a sanitizer cannot do it there is one form.
 */
#ifndef LC_BASE_CLONES_H
#define LC_BASE_CLONES_H

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LC_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LC_CLONES
#endif

#endif
