// Threads whose failure to start is told: Foundation's say nothing, and Dispatch's are tried again for ever.
#ifndef RCNN_THREADS_H
#define RCNN_THREADS_H

/// Starts a thread of this name (at most 15 characters) that calls `body` and ends by itself. 0, or the reason as an errno.
int machine_start_thread(const char *name, void (*body)(void *), void *context);

/// Whether so many threads can live at a time, beside those that there are: they are started, and end again. 0, or the
/// reason as an errno.
int machine_try_threads(int count);

/// From now on threads share one heap: glibc takes 64 MiB of addresses for the heap of each.
void machine_share_heaps(void);

#endif
