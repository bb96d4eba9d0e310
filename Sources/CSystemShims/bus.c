// A file that is mapped may be truncated by another process; who touches the map behind the new end gets SIGBUS. For maps that
// hold nothing but hints that must not end a program: the handler puts empty memory in the place of the page.
#define _GNU_SOURCE
#include "CSystemShims.h"
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum { most_maps = 256 };
static struct {
  // The address is set last and cleared first.
  uintptr_t start;
  size_t size;
  uint32_t lost;
} maps[most_maps];
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;
static bool is_installed = false;

static void survive(int signal, siginfo_t *info, void *context) {
  uintptr_t address = (uintptr_t)info->si_addr;
  // One that somebody has sent is about no address.
  bool is_sent = info->si_code <= 0;
  for (int i = 0; i < most_maps && !is_sent; i++) {
    uintptr_t start = __atomic_load_n(&maps[i].start, __ATOMIC_ACQUIRE);
    if (start == 0 || address < start || address - start >= maps[i].size) continue;
    uintptr_t page = address & ~(uintptr_t)(getpagesize() - 1);
    __atomic_store_n(&maps[i].lost, 1, __ATOMIC_RELEASE);
    // By then another thread may have done so, too, and written to it; both are hints.
    if (mmap((void *)page, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
        MAP_FAILED)
      return;
  }
  // Not ours: as without this handler.
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else if (!is_sent || previous.sa_handler == SIG_DFL) {
    // Ends the process: by itself when it was sent, else as the instruction is tried again.
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    if (is_sent) raise(signal);
  }
}

bool lms_survive_truncation(void *start, size_t size) {
  pthread_mutex_lock(&table);
  if (!is_installed) {
    struct sigaction action = {.sa_sigaction = survive, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    is_installed = sigaction(SIGBUS, &action, &previous) == 0;
  }
  int free = -1;
  for (int i = 0; i < most_maps && free < 0 && is_installed; i++)
    if (maps[i].start == 0) free = i;
  if (free >= 0) {
    maps[free].size = size;
    maps[free].lost = 0;
    __atomic_store_n(&maps[free].start, (uintptr_t)start, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&table);
  return free >= 0;
}

bool lms_has_lost_pages(const void *start) {
  for (int i = 0; i < most_maps; i++)
    if (__atomic_load_n(&maps[i].start, __ATOMIC_ACQUIRE) == (uintptr_t)start)
      return __atomic_load_n(&maps[i].lost, __ATOMIC_ACQUIRE) != 0;
  return false;
}

void lms_forget_map(const void *start) {
  pthread_mutex_lock(&table);
  for (int i = 0; i < most_maps; i++)
    if (maps[i].start == (uintptr_t)start) __atomic_store_n(&maps[i].start, 0, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&table);
}
