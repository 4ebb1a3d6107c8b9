// Signals set flags and nothing else: neither MPI nor Swift may be called in a handler.
#ifndef RCNN_SIGNALS_H
#define RCNN_SIGNALS_H

enum { machine_signal_usr1 = 1, machine_signal_usr2 = 2, machine_signal_term = 4 };

/// From now on USR1, USR2 and TERM only set their flags, and HUP is ignored.
void machine_catch_signals(void);

/// The flags of the signals that came since they were last forgotten.
int machine_received_signals(void);

/// Takes these flags back.
void machine_forget_signals(int flags);

#endif
