// What the machine is (characters.h: what a piece of text is; signals.h: which signals came): things that Swift cannot import because they are macros or compiler built-ins.
#ifndef RCNN_MACHINE_H
#define RCNN_MACHINE_H

#include <stdint.h>

/// The number of cores that this process may run on, from its affinity mask.
int machine_allowed_cores(void);

/// Cores 64·word to 64·word + 63 that a process may run on, one bit each; process 0 is this one. 0 if unknown.
uint64_t machine_core_mask(int process, int word);

/// The instruction sets that the kernels were built for and this processor lacks, by name: "avx2, fma", or "".
void machine_missing_features(char *text, int length);

/// What the kernels were built for, for example "x86-64-v3"; "" for the compiler's own choice.
const char *machine_kernel_architecture(void);

/// 0 where the system lets processes copy from each other's memory, else the reason as an errno: a container may forbid it.
int machine_copy_between_processes(void);

/// The number that Linux gives the type of file system at `path` (NFS 0x6969, …); 0 if unknown.
uint32_t machine_file_system(const char *path);

/// Whether no other process on this machine has this name now: 1, 0, or -1 if that can't be told. The name stays this
/// process's own until it ends.
int machine_claim_name(const char *name);

/// The numbers of a vector register for which what includes this header is compiled, if that is AVX-512; else 4, which
/// every processor has.
#ifdef __AVX512F__
#define machine_register_floats 16
#else
#define machine_register_floats 4
#endif

#endif
