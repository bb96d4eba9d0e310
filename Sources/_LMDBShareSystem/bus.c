// Another process may truncate a mapped file; access to the map after the new end raises SIGBUS. For maps that contain only hints
// this must not terminate the program: the handler replaces the page by empty memory.
#define _GNU_SOURCE
#include "system.h"
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { maps_in_a_block = 256 };
struct map {
  // The address is set last and cleared first.
  uintptr_t start;
  size_t size;
  uint32_t lost;
};
// Blocks are allocated as they are needed. They are never freed, so that the handler needs no lock to search them.
struct block {
  struct map maps[maps_in_a_block];
  struct block *next;
};
static struct block first_block;
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;
static bool is_installed = false;

// The map that begins at an address; NULL when there is none.
static struct map *find(const void *start) {
  for (struct block *block = &first_block; block; block = __atomic_load_n(&block->next, __ATOMIC_ACQUIRE))
    for (int i = 0; i < maps_in_a_block; i++)
      if (__atomic_load_n(&block->maps[i].start, __ATOMIC_ACQUIRE) == (uintptr_t)start) return &block->maps[i];
  return NULL;
}

// Replaces a page by empty memory, if it belongs to one of these maps.
static bool replace(uintptr_t address) {
  for (struct block *block = &first_block; block; block = __atomic_load_n(&block->next, __ATOMIC_ACQUIRE)) {
    for (int i = 0; i < maps_in_a_block; i++) {
      struct map *map = &block->maps[i];
      uintptr_t start = __atomic_load_n(&map->start, __ATOMIC_ACQUIRE);
      if (start == 0 || address < start || address - start >= map->size) continue;
      uintptr_t page = address & ~(uintptr_t)(getpagesize() - 1);
      __atomic_store_n(&map->lost, 1, __ATOMIC_RELEASE);
      // Another thread may have done the same by then, and written to the page; both are hints.
      if (mmap((void *)page, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
          MAP_FAILED)
        return true;
    }
  }
  return false;
}

static void survive(int signal, siginfo_t *info, void *context) {
  uintptr_t address = (uintptr_t)info->si_addr;
  // A signal that was sent does not concern an address.
  bool is_sent = info->si_code <= 0;
  if (!is_sent && replace(address)) return;
  // Another cause: handled as without this handler.
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else if (!is_sent || previous.sa_handler == SIG_DFL) {
    // Terminates the process: now, if the signal was sent, otherwise when the instruction is tried again.
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
  struct map *map = is_installed && start ? find(NULL) : NULL;
  if (is_installed && start && !map) {
    struct block *more = calloc(1, sizeof *more);
    if (more) {
      struct block *last = &first_block;
      while (last->next) last = last->next;
      __atomic_store_n(&last->next, more, __ATOMIC_RELEASE);
      map = &more->maps[0];
    }
  }
  if (map) {
    map->size = size;
    map->lost = 0;
    __atomic_store_n(&map->start, (uintptr_t)start, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&table);
  return map != NULL;
}

bool lms_has_lost_pages(const void *start) {
  struct map *map = start ? find(start) : NULL;
  return map && __atomic_load_n(&map->lost, __ATOMIC_ACQUIRE) != 0;
}

void lms_renew_map(const void *start) {
  struct map *map = start ? find(start) : NULL;
  if (map) __atomic_store_n(&map->lost, 0, __ATOMIC_RELEASE);
}

void lms_forget_map(const void *start) {
  pthread_mutex_lock(&table);
  struct map *map = start ? find(start) : NULL;
  if (map) __atomic_store_n(&map->start, 0, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&table);
}

void lms_maps_lock(void) { pthread_mutex_lock(&table); }
void lms_maps_unlock(void) { pthread_mutex_unlock(&table); }
