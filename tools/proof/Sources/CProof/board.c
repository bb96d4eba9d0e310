#include "CProof.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void *proof_map(const char *path, size_t size) {
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return NULL;
  void *base = ftruncate(file, (off_t)size) ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  int code = errno;
  close(file);
  errno = code;
  return base == MAP_FAILED ? NULL : base;
}

int64_t proof_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int proof_errno(void) { return errno; }

int proof_fork(int (*body)(void *), void *context) {
  pid_t child = fork();
  if (child == 0) _exit(body(context));
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

int proof_shutdown(const char *path) {
#ifdef __linux__
  // FS_IOC_SHUTDOWN of ext4 and xfs, without a flush of the log.
  uint32_t flags = 2;
  int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return -1;
  int result = ioctl(file, _IOR('X', 125, uint32_t), &flags);
  int code = errno;
  close(file);
  errno = code;
  return result;
#else
  (void)path;
  errno = ENOSYS;
  return -1;
#endif
}
