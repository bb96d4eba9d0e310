#define _GNU_SOURCE
#include "CSystemShims.h"
#include <errno.h>
#include <limits.h>
#include <time.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

int lms_futex_wait(const void *word, uint32_t expected, uint64_t nanoseconds) {
  struct timespec limit = {.tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)};
  return syscall(SYS_futex, word, FUTEX_WAIT, expected, &limit, NULL, 0) == 0 ? 0 : errno;
}

void lms_futex_wake(const void *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }
void lms_futex_wake_one(const void *word) { syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0); }

#else

int lms_futex_wait(const void *word, uint32_t expected, uint64_t nanoseconds) {
  const uint64_t step = 500000;
  for (uint64_t slept = 0; slept < nanoseconds; slept += step) {
    if (lms_load32(word) != expected) return 0;
    struct timespec pause = {0, (long)step};
    nanosleep(&pause, NULL);
  }
  return ETIMEDOUT;
}

void lms_futex_wake(const void *word) { (void)word; }
void lms_futex_wake_one(const void *word) { (void)word; }

#endif
