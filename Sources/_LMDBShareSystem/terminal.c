#include "system.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

// The terminal is restored from raw mode in every way in which a program can end, except by SIGKILL.

static struct termios saved;
static volatile sig_atomic_t is_raw;
static const char leave[] = "\x1b[?25h\x1b[?1049l\x1b[0m";
static const char enter[] = "\x1b[?1049h\x1b[?25l\x1b[2J";

static void put(const char *text, size_t count) {
  while (count > 0) {
    ssize_t done = write(STDOUT_FILENO, text, count);
    if (done < 0 && errno != EINTR) return;
    if (done > 0) {
      text += done;
      count -= (size_t)done;
    }
  }
}

void lms_terminal_leave(void) {
  if (!is_raw) return;
  is_raw = 0;
  put(leave, sizeof leave - 1);
  tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

bool lms_terminal_enter(void) {
  if (tcgetattr(STDIN_FILENO, &saved) != 0) return false;
  struct termios raw = saved;
  raw.c_lflag &= (tcflag_t) ~(ECHO | ICANON);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  // Suspended in the middle, the program would leave the terminal in raw mode.
  raw.c_cc[VSUSP] = _POSIX_VDISABLE;
  if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) return false;
  is_raw = 1;
  atexit(lms_terminal_leave);
  lms_catch_signals();
  put(enter, sizeof enter - 1);
  return true;
}

int lms_terminal_key(int milliseconds) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  if (poll(&input, 1, milliseconds) <= 0) return 0;
  if (input.revents & (POLLHUP | POLLERR | POLLNVAL)) return -1;
  unsigned char key = 0;
  return read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}

int lms_terminal_columns(int file) {
  struct winsize size;
  return ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int lms_terminal_rows(int file) {
  struct winsize size;
  return ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

int lms_wait_for_output(int file) {
  struct pollfd output = {.fd = file, .events = POLLOUT};
  return poll(&output, 1, -1);
}

int lms_wait_for_input(int file, int milliseconds) {
  struct pollfd input = {.fd = file, .events = POLLIN};
  int count = poll(&input, 1, milliseconds);
  // If poll fails, the following read reports the error.
  return count < 0 ? errno != EINTR : count > 0;
}
