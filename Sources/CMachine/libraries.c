#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __linux__
/// What OpenBLAS takes when it is loaded (a buffer of 128 MiB), with a little for the other libraries.
enum { taken_by_libraries = 144 << 20 };

/// OpenBLAS takes its memory before the program begins, and where it can't be had tries again for ever, deaf to what the
/// program would do about signals. So it is tried before any library begins.
static void check_memory_for_libraries(void) {
  void *memory = mmap(NULL, taken_by_libraries, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) {
    munmap(memory, taken_by_libraries);
    return;
  }
  static const char message[] =
    "rcnn-train: error: OpenBLAS takes 144 MiB of memory before the program begins, which the limits of this process "
    "or of this machine don't leave; raise 'ulimit -v' and 'ulimit -d', or free memory where vm.overcommit_memory is 2\n";
  ssize_t written = write(STDERR_FILENO, message, strlen(message));
  (void)written;
  _exit(74);
}

/// Runs before the constructors of the libraries; this array is possible in executables alone.
__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(void) =
  check_memory_for_libraries;
#endif
