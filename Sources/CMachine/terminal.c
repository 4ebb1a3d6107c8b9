#include "terminal.h"
#include <sys/ioctl.h>
#include <unistd.h>

static int shown, over;

int machine_begin_live_line(void) {
  if (__atomic_load_n(&over, __ATOMIC_SEQ_CST)) return 0;
  __atomic_store_n(&shown, 1, __ATOMIC_SEQ_CST);
  return 1;
}

int machine_take_live_line(void) { return __atomic_exchange_n(&shown, 0, __ATOMIC_SEQ_CST); }

void machine_end_live_lines(void) {
  __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
  if (machine_take_live_line() && write(STDOUT_FILENO, "\n", 1) < 0) return;
}

int machine_terminal_columns(void) {
  struct winsize size;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
