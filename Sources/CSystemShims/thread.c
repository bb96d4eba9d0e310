#include "CSystemShims.h"
#include <pthread.h>

uint64_t lms_thread_self(void) { return (uint64_t)(uintptr_t)pthread_self(); }

uint32_t lms_thread_slot(void) {
  static uint32_t next = 0;
  static _Thread_local uint32_t mine = 0;
  if (mine == 0) mine = __atomic_add_fetch(&next, 1, __ATOMIC_RELAXED);
  return mine - 1;
}
