// Interposes itself between a program and its libraries, by LD_PRELOAD, to simulate what a test machine cannot do.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

// TEST_FILE_SYSTEM: the type that every file system claims to be, in hexadecimal.
int fstatfs(int file, struct statfs *status) {
  int (*next)(int, struct statfs *) = (int (*)(int, struct statfs *))dlsym(RTLD_NEXT, "fstatfs");
  int result = next(file, status);
  const char *type = getenv("TEST_FILE_SYSTEM");
  if (result == 0 && type) status->f_type = (long)strtoul(type, NULL, 16);
  return result;
}

int fstatfs64(int file, struct statfs64 *status) {
  int (*next)(int, struct statfs64 *) = (int (*)(int, struct statfs64 *))dlsym(RTLD_NEXT, "fstatfs64");
  int result = next(file, status);
  const char *type = getenv("TEST_FILE_SYSTEM");
  if (result == 0 && type) status->f_type = (long)strtoul(type, NULL, 16);
  return result;
}

// TEST_DEVICE: the major number of the device on which every file claims to be.
static void claimDevice(struct stat *status) {
  const char *device = getenv("TEST_DEVICE");
  if (device) status->st_dev = makedev((unsigned)atoi(device), 1);
}

int fstat(int file, struct stat *status) {
  int (*next)(int, struct stat *) = (int (*)(int, struct stat *))dlsym(RTLD_NEXT, "fstat");
  int result = next(file, status);
  if (result == 0) claimDevice(status);
  return result;
}

int fstatat(int directory, const char *path, struct stat *status, int flags) {
  int (*next)(int, const char *, struct stat *, int) =
      (int (*)(int, const char *, struct stat *, int))dlsym(RTLD_NEXT, "fstatat");
  int result = next(directory, path, status, flags);
  if (result == 0) claimDevice(status);
  return result;
}

// TEST_SLOW_PUNCH: the microseconds that punching a hole takes.
int fallocate(int file, int mode, off_t start, off_t count) {
  const char *pause = getenv("TEST_SLOW_PUNCH");
  if (pause && (mode & FALLOC_FL_PUNCH_HOLE)) usleep((unsigned)atoi(pause));
  int (*next)(int, int, off_t, off_t) = (int (*)(int, int, off_t, off_t))dlsym(RTLD_NEXT, "fallocate");
  return next(file, mode, start, count);
}

// TEST_FAILING_BEGINS: how many of ten transactions fail to begin with EINVAL, as in liblmdb 0.9.26 to 0.9.31 while other
// processes open and close.
static int failsNow(void) {
  static unsigned seed = 1;
  const char *often = getenv("TEST_FAILING_BEGINS");
  return often && rand_r(&seed) % 10 < atoi(often);
}

// TEST_MEANWHILE: a call and its number, counted from 1, as in "mdb_txn_begin:2". TEST_MEANWHILE_COMMAND: the command that
// another process runs then.
static void meanwhile(const char *call, int *seen) {
  const char *when = getenv("TEST_MEANWHILE"), *command = getenv("TEST_MEANWHILE_COMMAND");
  size_t length = strlen(call);
  if (!when || !command || strncmp(when, call, length) != 0 || when[length] != ':') return;
  if (++*seen != atoi(when + length + 1)) return;
  char *preloaded = getenv("LD_PRELOAD");
  char kept[4096];
  snprintf(kept, sizeof kept, "%s", preloaded ? preloaded : "");
  unsetenv("LD_PRELOAD");
  if (system(command) != 0) _exit(99);
  setenv("LD_PRELOAD", kept, 1);
}

int mdb_txn_begin(void *environment, void *parent, unsigned flags, void **transaction) {
  static int seen = 0;
  if (failsNow()) return EINVAL;
  int (*next)(void *, void *, unsigned, void **) =
      (int (*)(void *, void *, unsigned, void **))dlsym(RTLD_NEXT, "mdb_txn_begin");
  int code = next(environment, parent, flags, transaction);
  meanwhile("mdb_txn_begin", &seen);
  return code;
}

int mdb_env_copyfd2(void *environment, int file, unsigned flags) {
  static int seen = 0;
  meanwhile("mdb_env_copyfd2", &seen);
  int (*next)(void *, int, unsigned) = (int (*)(void *, int, unsigned))dlsym(RTLD_NEXT, "mdb_env_copyfd2");
  return next(environment, file, flags);
}

// TEST_SLOW_RENEW: the microseconds for which a reader is delayed when it has its snapshot, every other time at random.
int mdb_txn_renew(void *transaction) {
  static unsigned seed = 1;
  static int seen = 0;
  meanwhile("mdb_txn_renew", &seen);
  if (failsNow()) return EINVAL;
  int (*next)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "mdb_txn_renew");
  int code = next(transaction);
  const char *pause = getenv("TEST_SLOW_RENEW");
  if (pause && rand_r(&seed) % 2) usleep((unsigned)atoi(pause));
  return code;
}

// TEST_FAILING_LISTS: directories cannot be read.
struct dirent *readdir(DIR *directory) {
  if (getenv("TEST_FAILING_LISTS")) {
    errno = EIO;
    return NULL;
  }
  struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
  return next(directory);
}

// TEST_FAILING_SYNC: which fsync fails, counted from 1. TEST_SYNC_LOG: the file in which the paths of synced files are recorded.
int fsync(int file) {
  static int seen = 0;
  const char *which = getenv("TEST_FAILING_SYNC");
  if (which && ++seen == atoi(which)) {
    errno = EIO;
    return -1;
  }
  const char *log = getenv("TEST_SYNC_LOG");
  if (log) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path);
    FILE *output = fopen(log, "a");
    if (output && length > 0) fprintf(output, "%.*s\n", (int)length, path);
    if (output) fclose(output);
  }
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return next(file);
}

// TEST_FAILING_META: which write of a meta page fails, counted from 1.
static int metaFails(size_t count, off_t offset) {
  static int seen = 0;
  const char *which = getenv("TEST_FAILING_META");
  return which && offset < 8192 && count < 4096 && ++seen == atoi(which);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  if (metaFails(count, offset)) {
    errno = EIO;
    return -1;
  }
  ssize_t (*next)(int, const void *, size_t, off_t) =
      (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
  return next(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  if (metaFails(count, offset)) {
    errno = EIO;
    return -1;
  }
  ssize_t (*next)(int, const void *, size_t, off64_t) =
      (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  return next(file, bytes, count, offset);
}

// TEST_KILL_AFTER_COMMIT: the commit after which the process dies, counted from 1, before any process is notified.
int mdb_txn_commit(void *transaction) {
  static int seen = 0;
  int (*next)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "mdb_txn_commit");
  void *(*environment)(void *) = (void *(*)(void *))dlsym(RTLD_NEXT, "mdb_txn_env");
  size_t (*number)(void *) = (size_t(*)(void *))dlsym(RTLD_NEXT, "mdb_txn_id");
  struct { size_t map_size_and_more[3]; size_t last_transaction; unsigned readers[2]; } info;
  int (*ask)(void *, void *) = (int (*)(void *, void *))dlsym(RTLD_NEXT, "mdb_env_info");
  const char *which = getenv("TEST_KILL_AFTER_COMMIT");
  // Only a write transaction has a number above the last one.
  int writes = which && ask(environment(transaction), &info) == 0 && number(transaction) > info.last_transaction;
  int code = next(transaction);
  if (writes && code == 0 && ++seen == atoi(which)) kill(getpid(), SIGKILL);
  return code;
}

// TEST_CLOCK: a file with the number of seconds by which the time of day is ahead, from now on.
int clock_gettime(clockid_t clock, struct timespec *now) {
  int code = (int)syscall(SYS_clock_gettime, clock, now);
  const char *name = getenv("TEST_CLOCK");
  if (code != 0 || clock != CLOCK_REALTIME || !name) return code;
  int file = open(name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return code;
  char text[32] = {0};
  if (read(file, text, sizeof text - 1) > 0) now->tv_sec += atol(text);
  close(file);
  return code;
}
