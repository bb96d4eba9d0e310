#include "CSystemShims.h"
#include <pthread.h>

uint32_t lms_fork_generation = 0;
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;

static void before(void) { pthread_mutex_lock(&registry); }
static void in_parent(void) { pthread_mutex_unlock(&registry); }
static void in_child(void) {
  lms_fork_generation += 1;
  pthread_mutex_unlock(&registry);
}

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(before, in_parent, in_child); }

void lms_registry_lock(void) { pthread_mutex_lock(&registry); }
void lms_registry_unlock(void) { pthread_mutex_unlock(&registry); }
