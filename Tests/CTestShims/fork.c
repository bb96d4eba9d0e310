#include "CTestShims.h"
#include <sys/wait.h>
#include <unistd.h>

int test_fork(int (*body)(void *), void *context) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) _exit(body(context));
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

int test_fork_sleeper(void) {
  pid_t child = fork();
  if (child == 0) {
    // A process that waits for the end of the parent's output must not wait for this one's.
    for (int file = 0; file < 3; file++) close(file);
    for (;;) pause();
  }
  return child;
}
