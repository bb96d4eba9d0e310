#define _GNU_SOURCE
#include "CTestShims.h"
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

int test_wait(pid_t process, int waits, int *status) {
  int raw = 0;
  pid_t ended;
  do ended = waitpid(process, &raw, waits ? 0 : WNOHANG);
  while (ended < 0 && errno == EINTR);
  if (ended != process) return 0;
  *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -WTERMSIG(raw);
  return 1;
}
