// What the machine is: things that Swift cannot import because they are macros or compiler built-ins.
#ifndef RCNN_MACHINE_H
#define RCNN_MACHINE_H

/// The number of cores that this process may run on, from its affinity mask.
int machine_allowed_cores(void);

/// 1 if this processor has the instructions that the kernels were built for, else 0.
int machine_supports_kernels(void);

/// The instruction set that the kernels were built for, for example "-march=x86-64-v3".
const char *machine_kernel_architecture(void);

#endif
