#include "system.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught;
static volatile sig_atomic_t child;

static void note_signal(int number) {
  int code = errno;
  caught = number;
  if (child > 0) kill((pid_t)child, number);
  errno = code;
}

void lms_catch_signals(void) {
  struct sigaction action = {.sa_handler = note_signal};
  sigemptyset(&action.sa_mask);
  const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  for (int index = 0; index < 3; index++) {
    struct sigaction before;
    // An ignored signal stays ignored, as nohup and shells expect.
    if (sigaction(numbers[index], NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    sigaction(numbers[index], &action, NULL);
  }
}

int lms_caught_signal(void) { return caught; }

void lms_pass_signals_to(int32_t process) {
  child = process;
  // A signal that arrived just before.
  if (process > 0 && caught) kill((pid_t)process, caught);
}
