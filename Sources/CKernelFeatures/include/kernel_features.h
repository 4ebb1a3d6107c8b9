// The instruction sets beyond the baseline that a compiler may have used in the kernels.
#ifndef RCNN_KERNEL_FEATURES_H
#define RCNN_KERNEL_FEATURES_H

#ifdef __x86_64__
// X(name, the compiler's macro, CPUID leaf, subleaf, register (0 … 3 for EAX … EDX), bit, state): the state is what the
// operating system must save, 1 for AVX's registers, 2 for AVX-512's.
#define KERNEL_FEATURES(X)                             \
  X(sse3, __SSE3__, 1, 0, 2, 0, 0)                     \
  X(ssse3, __SSSE3__, 1, 0, 2, 9, 0)                   \
  X(fma, __FMA__, 1, 0, 2, 12, 1)                      \
  X(sse4.1, __SSE4_1__, 1, 0, 2, 19, 0)                \
  X(sse4.2, __SSE4_2__, 1, 0, 2, 20, 0)                \
  X(movbe, __MOVBE__, 1, 0, 2, 22, 0)                  \
  X(popcnt, __POPCNT__, 1, 0, 2, 23, 0)                \
  X(avx, __AVX__, 1, 0, 2, 28, 1)                      \
  X(f16c, __F16C__, 1, 0, 2, 29, 1)                    \
  X(bmi, __BMI__, 7, 0, 1, 3, 0)                       \
  X(avx2, __AVX2__, 7, 0, 1, 5, 1)                     \
  X(bmi2, __BMI2__, 7, 0, 1, 8, 0)                     \
  X(avx512f, __AVX512F__, 7, 0, 1, 16, 2)              \
  X(avx512dq, __AVX512DQ__, 7, 0, 1, 17, 2)            \
  X(avx512ifma, __AVX512IFMA__, 7, 0, 1, 21, 2)        \
  X(avx512cd, __AVX512CD__, 7, 0, 1, 28, 2)            \
  X(avx512bw, __AVX512BW__, 7, 0, 1, 30, 2)            \
  X(avx512vl, __AVX512VL__, 7, 0, 1, 31, 2)            \
  X(avx512vbmi, __AVX512VBMI__, 7, 0, 2, 1, 2)         \
  X(avx512vbmi2, __AVX512VBMI2__, 7, 0, 2, 6, 2)       \
  X(gfni, __GFNI__, 7, 0, 2, 8, 0)                     \
  X(avx512vnni, __AVX512VNNI__, 7, 0, 2, 11, 2)        \
  X(avx512bitalg, __AVX512BITALG__, 7, 0, 2, 12, 2)    \
  X(avx512vpopcntdq, __AVX512VPOPCNTDQ__, 7, 0, 2, 14, 2) \
  X(avx512fp16, __AVX512FP16__, 7, 0, 3, 23, 2)        \
  X(avxvnni, __AVXVNNI__, 7, 1, 0, 4, 1)               \
  X(avx512bf16, __AVX512BF16__, 7, 1, 0, 5, 2)         \
  X(lzcnt, __LZCNT__, 0x80000001, 0, 2, 5, 0)
#else
#define KERNEL_FEATURES(X)
#endif

/// For each feature "1" where the kernels may use it, else the macro's name; at the end a null.
extern const char *const kernel_feature_macros[];

#endif
