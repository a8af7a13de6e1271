/* Progress on standard error: a bar that is redrawn, one line for each step, or nothing. */
#ifndef LPOT_TUNE_PROGRESS_H
#define LPOT_TUNE_PROGRESS_H

#include <stdbool.h>

typedef enum lpot_progress_style {
  LPOT_PROGRESS_AUTO, /* a bar on a terminal that no launcher stands before, else lines */
  LPOT_PROGRESS_BAR,
  LPOT_PROGRESS_LINE,
  LPOT_PROGRESS_NONE,
  LPOT_NUM_PROGRESS_STYLES
} lpot_progress_style;

/* "auto", "bar", "line", "none", NULL terminated, in the order of the enum. */
const char *const *lpot_progress_styles(void);

/* Sets the style for the process; to be called once. */
void lpot_progress_start(lpot_progress_style style, bool launched);
/* Begins a phase of `total` steps (0: unknown). */
void lpot_progress_phase(const char *name, long total);
/* done steps of the phase are over; note (may be NULL) is shown behind them. */
void lpot_progress_step(long done, const char *note);
/* Ends the phase and clears the bar. */
void lpot_progress_end(void);

#endif
