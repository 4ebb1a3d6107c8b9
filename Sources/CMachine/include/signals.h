// Signals set flags or end the process, and nothing else: neither MPI nor Swift may be called in a handler.
#ifndef RCNN_SIGNALS_H
#define RCNN_SIGNALS_H

enum {
  machine_signal_usr1 = 1,
  machine_signal_usr2 = 2,
  machine_signal_term = 4,
  machine_signal_int = 8,
  machine_signal_hup = 16,
};

/// From now on a signal of `noted` sets its flag, and a second INT ends the process. Of the others USR2, TERM and INT
/// end it, and USR1 does nothing, after a sentence on the standard error if `speaks`; HUP does what it always does. May
/// be called again with other values.
void machine_catch_signals(int noted, int speaks);

/// The flags of the signals that came since they were last forgotten.
int machine_received_signals(void);

/// Takes these flags back.
void machine_forget_signals(int flags);

/// Ends the process by a signal that came and was noted, other than USR1, as if it had come now; returns where there is none.
void machine_end_by_noted_signal(void);

/// Between the two, signals that end the process wait: a file is half written. A second one ends it.
void machine_hold_signals(void);
void machine_release_signals(void);

#endif
