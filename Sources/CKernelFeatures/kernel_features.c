// Compiled with the kernels' flags, and data only: nothing here may run on a processor that lacks a feature.
#include "kernel_features.h"
#include <stddef.h>

#define TEXT(value) #value
#define MACRO(name, macro, leaf, subleaf, index, bit, state) TEXT(macro),

const char *const kernel_feature_macros[] = {KERNEL_FEATURES(MACRO) NULL};
