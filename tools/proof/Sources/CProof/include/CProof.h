// Memory that processes share, in which each records what it does, so that it is known after its death.
#ifndef CPROOF_H
#define CPROOF_H
#include <stddef.h>
#include <stdint.h>

/// Maps a file of that size, created if missing; NULL and errno on failure.
void *proof_map(const char *path, size_t size);
static inline uint64_t proof_load(const void *place) { return __atomic_load_n((const uint64_t *)place, __ATOMIC_SEQ_CST); }
static inline void proof_store(void *place, uint64_t value) { __atomic_store_n((uint64_t *)place, value, __ATOMIC_SEQ_CST); }
static inline uint64_t proof_add(void *place, uint64_t value) {
  return __atomic_fetch_add((uint64_t *)place, value, __ATOMIC_SEQ_CST);
}
/// Nanoseconds of a clock that all processes share.
int64_t proof_now(void);
int proof_errno(void);
/// Forks, runs `body` in the child, which exits with its result, and waits for it; -1 when it died.
int proof_fork(int (*body)(void *), void *context);
/// Shuts a mounted file system down immediately: nothing more is written, not even the pending journal.
int proof_shutdown(const char *path);
#endif
