// Stands between a program and the system's library, loaded by LD_PRELOAD. It counts the calls that change files, and at
// the call of the number that the environment names, something happens:
//
//   PROOF_KILL_CALL=n    the process dies before the n-th call
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))next(#name))

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static long number(const char *variable) {
  const char *text = getenv(variable);
  return text ? atol(text) : 0;
}

// Counts a call, which may be the last one.
static void call(void) {
  static long calls, last = -1;
  if (last < 0) last = number("PROOF_KILL_CALL");
  if (last && __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) == last) kill(getpid(), SIGKILL);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  call();
  return NEXT(pwrite)(file, bytes, count, offset);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  call();
  return NEXT(pwrite64)(file, bytes, count, offset);
}
ssize_t writev(int file, const struct iovec *parts, int count) {
  call();
  return NEXT(writev)(file, parts, count);
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
  call();
  return NEXT(pwritev)(file, parts, count, offset);
}
int fdatasync(int file) {
  call();
  return NEXT(fdatasync)(file);
}
int fsync(int file) {
  call();
  return NEXT(fsync)(file);
}
int ftruncate(int file, off_t size) {
  call();
  return NEXT(ftruncate)(file, size);
}
int ftruncate64(int file, off64_t size) {
  call();
  return NEXT(ftruncate64)(file, size);
}
int linkat(int from, const char *name, int to, const char *other, int flags) {
  call();
  return NEXT(linkat)(from, name, to, other, flags);
}
int renameat2(int from, const char *name, int to, const char *other, unsigned flags) {
  call();
  return NEXT(renameat2)(from, name, to, other, flags);
}
