#include "tune/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define BAR_WIDTH 30
#define LINE_SPACING_SECONDS 1.0 /* lines of one phase are at least so far apart */

/* Like the log, the terminal belongs to the process and not to an object. */
static struct {
  lpot_progress_style style;
  bool shown; /* a bar is on the current line */
  char name[32];
  long total;
  double start; /* of the phase */
  double last_line;
} state = {.style = LPOT_PROGRESS_NONE};

static const char *const styles[] = {"auto", "bar", "line", "none", NULL};

const char *const *lpot_progress_styles(void) {
  return styles;
}

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

static void clear_bar(void) {
  if (state.shown) {
    fputs("\r\033[K", stderr);
    state.shown = false;
  }
}

void lpot_progress_start(lpot_progress_style style, bool launched) {
  if (style == LPOT_PROGRESS_AUTO) {
    bool terminal = isatty(STDERR_FILENO) != 0 && !launched;
    style = terminal ? LPOT_PROGRESS_BAR : LPOT_PROGRESS_LINE;
  }
  state.style = style;
  lpot_log_set_before_line(clear_bar);
}

void lpot_progress_phase(const char *name, long total) {
  clear_bar();
  lpot_text_copy(state.name, sizeof state.name, name);
  state.total = total;
  state.start = now();
  state.last_line = 0;
}

static void format_eta(long done, char *out, size_t out_size) {
  out[0] = '\0';
  if (state.total <= 0 || done <= 0 || done > state.total) {
    return;
  }
  double left = (now() - state.start) / (double)done * (double)(state.total - done);
  long seconds = (long)(left + 0.5);
  if (seconds >= 3600) {
    snprintf(out, out_size, ", at most %ldh%02ldm left", seconds / 3600, seconds / 60 % 60);
  } else {
    snprintf(out, out_size, ", at most %ldm%02lds left", seconds / 60, seconds % 60);
  }
}

static void draw_bar(long done, const char *note, const char *eta) {
  char bar[BAR_WIDTH + 1];
  long filled = state.total > 0 ? done * BAR_WIDTH / state.total : 0;
  for (long i = 0; i < BAR_WIDTH; i++) {
    bar[i] = i < filled ? '#' : '.';
  }
  bar[BAR_WIDTH] = '\0';
  fprintf(stderr, "\r\033[K%s [%s] %ld/%ld%s%s%s", state.name, bar, done, state.total,
          note != NULL ? ", " : "", note != NULL ? note : "", eta);
  fflush(stderr);
  state.shown = true;
}

void lpot_progress_step(long done, const char *note) {
  char eta[64];
  if (state.style == LPOT_PROGRESS_NONE || state.style == LPOT_PROGRESS_AUTO) {
    return;
  }
  format_eta(done, eta, sizeof eta);
  if (state.style == LPOT_PROGRESS_BAR) {
    draw_bar(done, note, eta);
    return;
  }
  double time = now();
  if (note == NULL && done != state.total && time - state.last_line < LINE_SPACING_SECONDS) {
    return;
  }
  state.last_line = time;
  fprintf(stderr, "%s %ld/%ld%s%s%s\n", state.name, done, state.total, note != NULL ? ", " : "",
          note != NULL ? note : "", eta);
}

void lpot_progress_end(void) {
  clear_bar();
}
