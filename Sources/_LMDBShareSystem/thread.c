#define _GNU_SOURCE
#include "system.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

uint64_t lms_thread_self(void) { return (uint64_t)(uintptr_t)pthread_self(); }

uint32_t lms_thread_slot(void) {
  static uint32_t next = 0;
  static _Thread_local uint32_t mine = 0;
  if (mine == 0) mine = __atomic_add_fetch(&next, 1, __ATOMIC_RELAXED);
  return mine - 1;
}

int lms_mutex_lock_within(void *mutex, uint64_t nanoseconds) {
  if (pthread_mutex_trylock(mutex) == 0) return 0;
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 30)
  // With the time of day, which pthread_mutex_timedlock uses, setting the clock would change the limit.
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += (time_t)(nanoseconds / 1000000000u);
  end.tv_nsec += (long)(nanoseconds % 1000000000u);
  if (end.tv_nsec >= 1000000000) {
    end.tv_nsec -= 1000000000;
    end.tv_sec += 1;
  }
  return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &end);
#else
  const uint64_t step = 500000;
  for (uint64_t slept = 0; slept < nanoseconds; slept += step) {
    struct timespec pause = {0, (long)step};
    nanosleep(&pause, NULL);
    if (pthread_mutex_trylock(mutex) == 0) return 0;
  }
  return ETIMEDOUT;
#endif
}

int64_t lms_time_of_day(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t lms_boot_time(void) {
  struct timespec now;
#if defined(CLOCK_BOOTTIME)
  clock_gettime(CLOCK_BOOTTIME, &now);
#elif defined(CLOCK_MONOTONIC_RAW)
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
#else
  clock_gettime(CLOCK_MONOTONIC, &now);
#endif
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct start {
  void (*body)(void *);
  void *argument;
};

static void *run(void *raw) {
  struct start start = *(struct start *)raw;
  free(raw);
  start.body(start.argument);
  return NULL;
}

int lms_thread_start(uint64_t *thread, void (*body)(void *), void *argument) {
  struct start *start = malloc(sizeof *start);
  if (!start) return ENOMEM;
  *start = (struct start){body, argument};
  sigset_t all, before;
  sigfillset(&all);
  // A signal that an instruction of this thread raises must not be blocked: if it is, the process is terminated whatever the
  // handler is.
  int own[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t made;
  int code = pthread_create(&made, NULL, run, start);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code == 0) *thread = (uint64_t)(uintptr_t)made;
  else free(start);
  return code;
}

void lms_thread_join(uint64_t thread) { pthread_join((pthread_t)(uintptr_t)thread, NULL); }
void lms_thread_detach(uint64_t thread) { pthread_detach((pthread_t)(uintptr_t)thread); }

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

#ifdef SANITIZED
void __tsan_acquire(void *lock);
void __tsan_release(void *lock);
void lms_sanitizer_locked(const void *lock) { __tsan_acquire((void *)lock); }
void lms_sanitizer_unlocks(const void *lock) { __tsan_release((void *)lock); }
#else
void lms_sanitizer_locked(const void *lock) { (void)lock; }
void lms_sanitizer_unlocks(const void *lock) { (void)lock; }
#endif
