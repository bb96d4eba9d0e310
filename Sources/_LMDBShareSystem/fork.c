#include "system.h"
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

uint32_t lms_fork_generation = 0;
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

// All are held across a fork, so that the child finds them free and the tables complete. A thread that holds the first one may
// take the others.
static void before(void) {
  pthread_mutex_lock(&registry);
  pthread_mutex_lock(&table);
  lms_maps_lock();
}

static void in_parent(void) {
  lms_maps_unlock();
  pthread_mutex_unlock(&table);
  pthread_mutex_unlock(&registry);
}

enum { most_files = 1024 };
static int files[most_files];
static int file_count = 0;

void lms_close_after_fork(int file) {
  pthread_mutex_lock(&table);
  if (file_count < most_files) files[file_count++] = file;
  pthread_mutex_unlock(&table);
}

void lms_keep_after_fork(int file) {
  pthread_mutex_lock(&table);
  for (int i = 0; i < file_count; i++)
    if (files[i] == file) {
      files[i] = files[--file_count];
      break;
    }
  pthread_mutex_unlock(&table);
}

static void in_child(void) {
  lms_fork_generation += 1;
  // Not closed, since code that still believes that it owns the file may close that number.
  int nothing = file_count > 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
  for (int i = 0; i < file_count; i++) {
    if (nothing >= 0) {
      dup2(nothing, files[i]);
      fcntl(files[i], F_SETFD, FD_CLOEXEC);
    } else {
      close(files[i]);
    }
  }
  if (nothing >= 0) close(nothing);
  file_count = 0;
  lms_maps_unlock();
  pthread_mutex_unlock(&table);
  pthread_mutex_unlock(&registry);
}

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(before, in_parent, in_child); }

void lms_registry_lock(void) { pthread_mutex_lock(&registry); }
bool lms_registry_try_lock(void) { return pthread_mutex_trylock(&registry) == 0; }
void lms_registry_unlock(void) { pthread_mutex_unlock(&registry); }
