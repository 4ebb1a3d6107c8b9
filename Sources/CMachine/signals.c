#include "signals.h"
#include "terminal.h"
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
  int number, flag;
  const char *name;
} caught[] = {
  {SIGUSR1, machine_signal_usr1, "USR1"}, {SIGUSR2, machine_signal_usr2, "USR2"}, {SIGTERM, machine_signal_term, "TERM"},
  {SIGINT, machine_signal_int, "INT"},    {SIGHUP, machine_signal_hup, "HUP"},
};
enum { count = sizeof caught / sizeof *caught };

static int noted, speaks, received, holders, waiting;
static int64_t first_interrupt;

/// By `write`, which a handler may call.
static void say(const char *before, const char *name, const char *after) {
  if (!__atomic_load_n(&speaks, __ATOMIC_RELAXED)) return;
  if (machine_take_live_line() && write(STDOUT_FILENO, "\n", 1) < 0) return;
  char text[128] = "rcnn-train: ";
  strcat(strcat(strcat(text, before), name), after);
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

static void end_by(int index) {
  int number = caught[index].number;
  say("ended by a signal (", caught[index].name, ")\n");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  signal(number, SIG_DFL);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/// Whether Ctrl-C came before. What comes within a second is the same one: 'timeout' and other wrappers hand on what the
/// terminal has sent to the process already.
static int is_asked_again(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  int64_t now = 1000 * (int64_t)time.tv_sec + time.tv_nsec / 1000000, first = 0;
  return !__atomic_compare_exchange_n(&first_interrupt, &first, now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
      && now - first > 1000;
}

static void handle(int number) {
  int index = 0;
  while (caught[index].number != number) index++;
  int flag = caught[index].flag;
  // What comes now stands on a line of its own, and nothing is left where a launcher's own kill follows.
  if (flag & (machine_signal_usr2 | machine_signal_term | machine_signal_int)) machine_end_live_lines();
  if (__atomic_load_n(&noted, __ATOMIC_RELAXED) & flag) {
    if (number == SIGINT && is_asked_again()) end_by(index);
    __atomic_fetch_or(&received, flag, __ATOMIC_RELAXED);
  } else if (number == SIGUSR1) {
    say("", "USR1", " asks for a checkpoint, but nothing is being trained; going on\n");
  } else if (__atomic_load_n(&holders, __ATOMIC_ACQUIRE) == 0 || __atomic_exchange_n(&waiting, number, __ATOMIC_RELAXED)) {
    end_by(index);
  }
}

void machine_catch_signals(int to_note, int to_say) {
  __atomic_store_n(&noted, to_note, __ATOMIC_RELAXED);
  __atomic_store_n(&speaks, to_say, __ATOMIC_RELAXED);
  sigset_t set;
  sigemptyset(&set);
  for (int index = 0; index < count; index++) {
    int number = caught[index].number;
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_flags = SA_RESTART;
    int is_hup = number == SIGHUP;
    action.sa_handler = is_hup && !(to_note & machine_signal_hup) ? SIG_DFL : handle;
    // 'nohup' has HUP ignored, a shell INT for what it starts in the background.
    int can_be_ignored = is_hup || number == SIGINT;
    if (can_be_ignored && sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    sigaction(number, &action, NULL);
    sigaddset(&set, number);
  }
  // Whoever started the program may have blocked them.
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  // A file that may not grow (ulimit -f) is an error of write, as a full disk is.
  signal(SIGXFSZ, SIG_IGN);
  // So is a terminal, or a pipe, that is gone while a run goes on.
  if (to_note & machine_signal_hup) signal(SIGPIPE, SIG_IGN);
}

int machine_received_signals(void) { return __atomic_load_n(&received, __ATOMIC_RELAXED); }

void machine_forget_signals(int flags) { __atomic_fetch_and(&received, ~flags, __ATOMIC_RELAXED); }

void machine_end_by_noted_signal(void) {
  int flags = machine_received_signals();
  for (int index = 0; index < count; index++)
    if (flags & caught[index].flag && caught[index].number != SIGUSR1) end_by(index);
}

void machine_hold_signals(void) { __atomic_fetch_add(&holders, 1, __ATOMIC_ACQUIRE); }

void machine_release_signals(void) {
  if (__atomic_sub_fetch(&holders, 1, __ATOMIC_RELEASE) > 0) return;
  int number = __atomic_exchange_n(&waiting, 0, __ATOMIC_RELAXED);
  for (int index = 0; number && index < count; index++)
    if (caught[index].number == number) end_by(index);
}
