#define _GNU_SOURCE
#include "threads.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

struct start {
  char name[16];
  void (*body)(void *);
  void *context;
};

/// A thread that has just ended counts for a moment yet.
static int create(pthread_t *thread, void *(*body)(void *), void *argument) {
  int code = 0;
  for (int attempt = 0; attempt < 20; attempt++) {
    code = pthread_create(thread, NULL, body, argument);
    if (code != EAGAIN) return code;
    usleep(5000);
  }
  return code;
}

static void *run(void *argument) {
  struct start start = *(struct start *)argument;
  free(argument);
#ifdef __linux__
  pthread_setname_np(pthread_self(), start.name);
#else
  pthread_setname_np(start.name);
#endif
  start.body(start.context);
  return NULL;
}

int machine_start_thread(const char *name, void (*body)(void *), void *context) {
  struct start *start = calloc(1, sizeof *start);
  if (!start) return ENOMEM;
  strncpy(start->name, name, sizeof start->name - 1);
  start->body = body;
  start->context = context;
  pthread_t thread;
  int code = create(&thread, run, start);
  if (code) free(start);
  else pthread_detach(thread);
  return code;
}

static void *wait_for(void *mutex) {
  pthread_mutex_lock(mutex);
  pthread_mutex_unlock(mutex);
  return NULL;
}

int machine_try_threads(int count) {
  if (count <= 0) return 0;
  pthread_t *threads = calloc(count, sizeof *threads);
  if (!threads) return ENOMEM;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  int code = 0, started = 0;
  while (started < count && (code = create(&threads[started], wait_for, &mutex)) == 0) started++;
  pthread_mutex_unlock(&mutex);
  while (started > 0) pthread_join(threads[--started], NULL);
  free(threads);
  return code;
}

void machine_share_heaps(void) {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 1);
#endif
}
