#define _GNU_SOURCE
#include "machine.h"
#include "kernel_features.h"
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif
#ifdef __linux__
#include <sys/uio.h>
#include <sys/vfs.h>
#endif

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

int machine_claim_name(const char *name) {
#ifdef __linux__
  // A name without a file: it begins with a zero.
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length + 1 > sizeof address.sun_path) return -1;
  memcpy(address.sun_path + 1, name, length);
  int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (file < 0) return -1;
  if (bind(file, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + length) == 0) return 1;
  int is_taken = errno == EADDRINUSE;
  close(file);
  return is_taken ? 0 : -1;
#else
  return -1;
#endif
}

#ifdef __x86_64__
/// What the operating system saves of a thread's registers: 0 SSE's, 1 AVX's too, 2 AVX-512's too.
static int saved_state(void) {
  unsigned a, b, c, d;
  const unsigned osxsave = 1u << 27;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & osxsave)) return 0;
  __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return (a & 0x06) != 0x06 ? 0 : (a & 0xe0) != 0xe0 ? 1 : 2;
}

static int has(unsigned leaf, unsigned subleaf, int index, int bit) {
  unsigned registers[4] = {0};
  return __get_cpuid_count(leaf, subleaf, &registers[0], &registers[1], &registers[2], &registers[3])
      && registers[index] >> bit & 1;
}
#endif

void machine_missing_features(char *text, int length) {
  text[0] = 0;
#ifdef __x86_64__
  const struct {
    const char *name;
    unsigned leaf, subleaf;
    int index, bit, state;
  } features[] = {
#define FEATURE(name, macro, leaf, subleaf, index, bit, state) {#name, leaf, subleaf, index, bit, state},
    KERNEL_FEATURES(FEATURE)};
  int state = saved_state();
  for (int i = 0; kernel_feature_macros[i]; i++) {
    int is_used = strcmp(kernel_feature_macros[i], "1") == 0;
    int is_there = has(features[i].leaf, features[i].subleaf, features[i].index, features[i].bit);
    if (!is_used || (is_there && state >= features[i].state)) continue;
    size_t used = strlen(text);
    snprintf(text + used, length - used, "%s%s", used ? ", " : "", features[i].name);
  }
#endif
}

const char *machine_kernel_architecture(void) { return RCNN_MARCH_NAME; }

int machine_copy_between_processes(void) {
#ifdef __linux__
  char from = 1, to = 0;
  struct iovec local = {&to, 1}, remote = {&from, 1};
  return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 ? 0 : errno;
#else
  return 0;
#endif
}

uint32_t machine_file_system(const char *path) {
#ifdef __linux__
  struct statfs status;
  if (statfs(path, &status) == 0) return (uint32_t)status.f_type;
#endif
  return 0;
}
