#define _GNU_SOURCE
#include "system.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

const char *lms_variable(const char *name) { return getenv(name); }

int lms_executable_path(char *buffer, uint32_t size) {
#ifdef __APPLE__
  return _NSGetExecutablePath(buffer, &size);
#else
  ssize_t length = readlink("/proc/self/exe", buffer, size - 1);
  if (length < 0) return -1;
  buffer[length] = 0;
  // The program's file was replaced while it runs: this link still leads to the old one.
  const char *gone = " (deleted)";
  size_t tail = strlen(gone);
  if ((size_t)length > tail && strcmp(buffer + length - tail, gone) == 0 && size > 15) strcpy(buffer, "/proc/self/exe");
  return 0;
#endif
}

int lms_spawn(int32_t *process, const char *path, char *const arguments[], char *const environment[], int kept) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int code = posix_spawn_file_actions_init(&actions);
  if (code) return code;
  code = posix_spawnattr_init(&attributes);
  if (code) {
    posix_spawn_file_actions_destroy(&actions);
    return code;
  }
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#ifdef __APPLE__
  flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
  for (int file = 0; file < 3; file++) posix_spawn_file_actions_addinherit_np(&actions, file);
#endif
  posix_spawnattr_setflags(&attributes, flags);
  // Needed even if the number is the same: it clears the close-on-exec flag.
  if (kept >= 0) code = posix_spawn_file_actions_adddup2(&actions, kept, lms_kept_file);
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
  // The child must not have this process's other files, which could also keep others waiting for its end.
  if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(&actions, lms_kept_file + 1);
#endif
  pid_t made = 0;
  if (code == 0) code = posix_spawn(&made, path, &actions, &attributes, arguments, environment);
  if (code == 0) *process = made;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

void lms_wait_for_end(int32_t process) {
  siginfo_t info;
  int code;
  do code = waitid(P_PID, (id_t)process, &info, WEXITED | WNOWAIT);
  while (code < 0 && errno == EINTR);
}

int lms_wait_for(int32_t process, int32_t *status, int32_t *signal) {
  int raw = 0;
  pid_t ended;
  do ended = waitpid(process, &raw, 0);
  while (ended < 0 && errno == EINTR);
  if (ended < 0) return errno;
  *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 0;
  *signal = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0;
  return 0;
}

int lms_pipe(int files[2]) {
  // Otherwise an end of the pipe could be a standard stream of this process, and of the one that it starts.
  if (lms_occupy_streams() != 0) return errno;
#ifdef __APPLE__
  if (pipe(files) != 0) return errno;
  fcntl(files[0], F_SETFD, FD_CLOEXEC);
  fcntl(files[1], F_SETFD, FD_CLOEXEC);
  return 0;
#else
  return pipe2(files, O_CLOEXEC) == 0 ? 0 : errno;
#endif
}

static void end_with(void *raw) {
  int file = (int)(intptr_t)raw;
  char byte;
  ssize_t got;
  do got = read(file, &byte, 1);
  while (got > 0 || (got < 0 && errno == EINTR));
  if (got == 0) kill(getpid(), SIGTERM);
}

int lms_end_with(int file) {
  // A process between the starter and this one may have closed it.
  struct stat info;
  if (fstat(file, &info) != 0 || !S_ISFIFO(info.st_mode)) return EBADF;
  fcntl(file, F_SETFD, FD_CLOEXEC);
#ifdef __linux__
  // The kernel sends the signal: a program with one thread stays single-threaded, and malloc needs no locks.
  int flags = fcntl(file, F_GETFL);
  if (flags >= 0 && fcntl(file, F_SETSIG, SIGTERM) == 0 && fcntl(file, F_SETOWN, getpid()) == 0 &&
      fcntl(file, F_SETFL, flags | O_ASYNC) == 0) {
    // It only reports later events.
    struct pollfd end = {.fd = file, .events = POLLIN};
    if (poll(&end, 1, 0) > 0 && (end.revents & POLLHUP)) kill(getpid(), SIGTERM);
    return 0;
  }
#endif
  uint64_t thread;
  int code = lms_thread_start(&thread, end_with, (void *)(intptr_t)file);
  if (code == 0) lms_thread_detach(thread);
  return code;
}
