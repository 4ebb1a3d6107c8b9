// How a process ends when the program finds a mistake of its own.
#ifndef RCNN_ENDING_H
#define RCNN_ENDING_H

/// From now on `machine_end` calls this first: MPI registers how all ranks are ended. The one piece of state that has to
/// be the process's own, because a bug can show anywhere, also where nobody knows of ranks.
void machine_set_ending(void (*end_all_ranks)(int code));

/// Ends all ranks, or this process where there are no others. Only the first thread that comes here ends them.
void machine_end(int code) __attribute__((noreturn));

#endif
