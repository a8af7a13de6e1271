#include "base/background.h"

#include <pthread.h>
#include <signal.h>

#include "base/memory.h"

struct lpot_background {
  pthread_mutex_t mutex; /* guards all below */
  pthread_cond_t changed;
  pthread_t thread;
  bool has_thread;
  bool ends;
  void (*work)(void *context); /* being done or to be done; NULL: idle */
  void *context;
};

static void *run(void *argument) {
  lpot_background *self = argument;
  pthread_mutex_lock(&self->mutex);
  while (!self->ends) {
    if (self->work == NULL) {
      pthread_cond_wait(&self->changed, &self->mutex);
      continue;
    }
    void (*work)(void *context) = self->work;
    void *context = self->context;
    pthread_mutex_unlock(&self->mutex);
    work(context);
    pthread_mutex_lock(&self->mutex);
    self->work = NULL;
    pthread_cond_broadcast(&self->changed);
  }
  pthread_mutex_unlock(&self->mutex);
  return NULL;
}

lpot_status lpot_background_new(lpot_background **ret_background, lpot_error *err) {
  lpot_background *self = lpot_calloc(1, sizeof *self);
  if (self == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  pthread_mutex_init(&self->mutex, NULL);
  pthread_cond_init(&self->changed, NULL);
  *ret_background = self;
  return LPOT_OK;
}

void lpot_background_free(lpot_background *background) {
  if (background == NULL) {
    return;
  }
  lpot_background_wait(background);
  if (background->has_thread) {
    pthread_mutex_lock(&background->mutex);
    background->ends = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
    pthread_join(background->thread, NULL);
  }
  pthread_cond_destroy(&background->changed);
  pthread_mutex_destroy(&background->mutex);
  lpot_free(background);
}

/* Signals stay with the threads that were there before, but for those of the thread's own faults.
 */
static lpot_status make_thread(lpot_background *background, lpot_error *err) {
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
  sigset_t others;
  sigset_t before;
  sigfillset(&others);
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    sigdelset(&others, faults[i]);
  }
  pthread_sigmask(SIG_SETMASK, &others, &before);
  int failure = pthread_create(&background->thread, NULL, run, background);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failure != 0) {
    return LPOT_FAIL(err, LPOT_NO_MEMORY, "the system gives no thread (error %d)", failure);
  }
  background->has_thread = true;
  return LPOT_OK;
}

lpot_status lpot_background_start(lpot_background *background, void (*work)(void *context),
                                  void *context, lpot_error *err) {
  lpot_background_wait(background);
  if (!background->has_thread) {
    LPOT_TRY(make_thread(background, err));
  }
  pthread_mutex_lock(&background->mutex);
  background->work = work;
  background->context = context;
  pthread_cond_broadcast(&background->changed);
  pthread_mutex_unlock(&background->mutex);
  return LPOT_OK;
}

void lpot_background_wait(lpot_background *background) {
  if (background == NULL) {
    return;
  }
  pthread_mutex_lock(&background->mutex);
  while (background->work != NULL) {
    pthread_cond_wait(&background->changed, &background->mutex);
  }
  pthread_mutex_unlock(&background->mutex);
}
