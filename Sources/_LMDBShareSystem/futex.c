#define _GNU_SOURCE
#include "system.h"
#include <errno.h>
#include <limits.h>
#include <time.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

int lms_futex_wait(const void *word, uint32_t expected, uint64_t nanoseconds, uint32_t bits) {
  // With bits the time is absolute, by the monotonic clock.
  struct timespec limit;
  clock_gettime(CLOCK_MONOTONIC, &limit);
  uint64_t end = (uint64_t)limit.tv_nsec + nanoseconds;
  limit.tv_sec += (time_t)(end / 1000000000u);
  limit.tv_nsec = (long)(end % 1000000000u);
  return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, &limit, NULL, bits) == 0 ? 0 : errno;
}

void lms_futex_wake(const void *word, uint32_t bits) {
  syscall(SYS_futex, word, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, bits);
}

bool lms_futex_wake_one(const void *word) { return syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) > 0; }

#else

int lms_futex_wait(const void *word, uint32_t expected, uint64_t nanoseconds, uint32_t bits) {
  (void)bits;
  const uint64_t step = 500000;
  for (uint64_t slept = 0; slept < nanoseconds; slept += step) {
    if (lms_load32(word) != expected) return 0;
    struct timespec pause = {0, (long)step};
    nanosleep(&pause, NULL);
  }
  return ETIMEDOUT;
}

void lms_futex_wake(const void *word, uint32_t bits) { (void)word; (void)bits; }
bool lms_futex_wake_one(const void *word) { (void)word; return false; }

#endif
