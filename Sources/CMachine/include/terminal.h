// The live line of a terminal: text that is written over again and again, behind which the cursor stands. Whoever writes
// something else there takes the line first, also a handler of signals.
#ifndef RCNN_TERMINAL_H
#define RCNN_TERMINAL_H

/// A live line is about to be shown. 0 where none is to be shown any more.
int machine_begin_live_line(void);

/// Whether a live line is shown. From now on none is: the caller writes over it, or goes to a new line.
int machine_take_live_line(void);

/// Goes to a new line where a live line is shown, and lets none be shown from now on. May be called in a handler.
void machine_end_live_lines(void);

/// The columns of the terminal that is the standard output; 0 where nobody knows.
int machine_terminal_columns(void);

#endif
