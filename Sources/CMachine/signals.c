#include "signals.h"
#include <signal.h>
#include <string.h>

static int received;

static void set_flag(int number) {
  int flag = number == SIGUSR1 ? machine_signal_usr1 : number == SIGUSR2 ? machine_signal_usr2 : machine_signal_term;
  __atomic_fetch_or(&received, flag, __ATOMIC_RELAXED);
}

void machine_catch_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = set_flag;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  signal(SIGHUP, SIG_IGN);
  // Whoever started the program may have blocked them.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  // A file that may not grow (ulimit -f) is an error of write, as a full disk is.
  signal(SIGXFSZ, SIG_IGN);
}

int machine_received_signals(void) { return __atomic_load_n(&received, __ATOMIC_RELAXED); }

void machine_forget_signals(int flags) { __atomic_fetch_and(&received, ~flags, __ATOMIC_RELAXED); }
