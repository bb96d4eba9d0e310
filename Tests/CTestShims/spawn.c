#define _GNU_SOURCE
#include "CTestShims.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

int test_spawn(pid_t *process, const char *path, char *const arguments[], char *const environment[], int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#ifdef __APPLE__
  flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
  posix_spawn_file_actions_addinherit_np(&actions, STDERR_FILENO);
#endif
  posix_spawnattr_setflags(&attributes, flags);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
#ifdef __GLIBC__
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
  int code = posix_spawn(process, path, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

void test_wait_for_end(pid_t process) {
  siginfo_t info;
  int code;
  do code = waitid(P_PID, (id_t)process, &info, WEXITED | WNOWAIT);
  while (code < 0 && errno == EINTR);
}

int test_reap(pid_t process) {
  int raw = 0;
  pid_t ended;
  do ended = waitpid(process, &raw, 0);
  while (ended < 0 && errno == EINTR);
  if (ended != process) return -1;
  return WIFEXITED(raw) ? WEXITSTATUS(raw) : -WTERMSIG(raw);
}

void test_limit_files(int left) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (left < 0) return;
  int next = open("/dev/null", O_RDONLY);
  if (next < 0) return;
  close(next);
  limit.rlim_cur = (rlim_t)(next + left);
  setrlimit(RLIMIT_NOFILE, &limit);
}
