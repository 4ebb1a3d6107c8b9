#define _GNU_SOURCE
#include "machine.h"
#include <sched.h>
#include <string.h>
#include <unistd.h>

int machine_allowed_cores(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores > 0 ? (int)cores : 1;
}

uint64_t machine_core_mask(int process, int word) {
  uint64_t mask = 0;
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(process, sizeof set, &set) != 0) return 0;
  for (int bit = 0; bit < 64; bit++)
    if (CPU_ISSET(64 * word + bit, &set)) mask |= (uint64_t)1 << bit;
#endif
  return mask;
}

int machine_supports_kernels(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  const char *built = RCNN_MARCH_NAME;
  if (strstr(built, "x86-64-v4")) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
  if (strstr(built, "x86-64-v3")) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return 1;
}

const char *machine_kernel_architecture(void) { return RCNN_MARCH_NAME; }
