// Interposes itself between a program and the system's library, loaded by LD_PRELOAD. It sees the calls that change files, and
// the environment says what it does with them:
//
//   PROOF_KILL_CALL=n    the process dies before the n-th call
//   PROOF_RECORD=file    each call is recorded, to simulate power cuts (see Recording.swift for the format)
//   PROOF_BOOT=1         the machine seems to have been restarted
//   PROOF_FAULT=n:e:m    the n-th call fails with the error e (0: a short write); m 0: only this one, 1: all from it on,
//                        2: fifty from it on
//   PROOF_MEMORY=n:m     the n-th memory allocation of liblmdb fails in the same way
//
// Calls only fail while the program enables it. The program controls this by writes to the file -78, which does not exist: 1
// enables failures, 0 disables them, 2 asks for the number of calls, 3 for the number of failed syncs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))next(#name))

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static long number(const char *variable) {
  const char *text = getenv(variable);
  return text ? atol(text) : 0;
}

static int wanted;
static long calls, requests, failed_syncs;

// Whether this is the one of `count` that fails, or a later one.
static int is_time(const char *text, long count) {
  const char *mode = text ? strrchr(text, ':') : NULL;
  if (!mode) return 0;
  long which = atol(text);
  return count == which || (mode[1] == '1' && count > which) || (mode[1] == '2' && count > which && count < which + 50);
}

// The addresses of the program and liblmdb: how other libraries handle failures does not matter here.
static struct {
  uintptr_t first, behind;
} program, lmdb;

static int look(struct dl_phdr_info *info, size_t size, void *count) {
  (void)size;
  int is_first = (*(int *)count)++ == 0;
  if (!is_first && !strstr(info->dlpi_name, "liblmdb")) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X)) continue;
    uintptr_t first = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    uintptr_t behind = first + info->dlpi_phdr[i].p_memsz;
    if (is_first) program.first = first, program.behind = behind;
    else lmdb.first = first, lmdb.behind = behind;
  }
  return 0;
}

__attribute__((constructor)) static void look_around(void) {
  int count = 0;
  dl_iterate_phdr(look, &count);
}

static int is_of_lmdb(void *caller) { return (uintptr_t)caller >= lmdb.first && (uintptr_t)caller < lmdb.behind; }
static int is_ours(void *caller) {
  return is_of_lmdb(caller) || ((uintptr_t)caller >= program.first && (uintptr_t)caller < program.behind);
}

// Counts a call, which may be the last one. Returns whether it fails, with the error in `errno`, or 2 for a short write.
static int count_call(void *caller) {
  static long last = -1;
  static const char *fault;
  if (last < 0) {
    fault = getenv("PROOF_FAULT");
    last = number("PROOF_KILL_CALL");
  }
  if ((!last && !fault) || !is_ours(caller)) return 0;
  if (fault && !__atomic_load_n(&wanted, __ATOMIC_SEQ_CST)) return 0;
  long count = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  if (count == last) kill(getpid(), SIGKILL);
  if (!is_time(fault, count)) return 0;
  errno = atoi(strchr(fault, ':') + 1);
  return errno ? 1 : 2;
}

#define call() count_call(__builtin_return_address(0))

// MARK: Memory

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static int refuses(void *caller) {
  static int known;
  static const char *fault;
  if (!known) {
    fault = getenv("PROOF_MEMORY");
    known = 1;
  }
  if (!fault || !__atomic_load_n(&wanted, __ATOMIC_SEQ_CST) || !is_of_lmdb(caller)) return 0;
  if (!is_time(fault, __atomic_add_fetch(&requests, 1, __ATOMIC_SEQ_CST))) return 0;
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) { return refuses(__builtin_return_address(0)) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) {
  return refuses(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
  return refuses(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

void *mmap64(void *at, size_t size, int protection, int flags, int file, off64_t offset) {
  if (refuses(__builtin_return_address(0))) return MAP_FAILED;
  return (void *)((long (*)(long, ...))next("syscall"))(
      SYS_mmap, at, size, (long)protection, (long)flags, (long)file, offset);
}
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
  if (refuses(__builtin_return_address(0))) return MAP_FAILED;
  return (void *)((long (*)(long, ...))next("syscall"))(
      SYS_mmap, at, size, (long)protection, (long)flags, (long)file, offset);
}

// MARK: The recorder

enum { is_write = 1, is_through = 2, is_sync = 3, is_truncation = 4, is_naming = 5, is_mark = 6, is_removal = 7 };

struct event {
  uint64_t kind, file, offset, length;
};

static pthread_mutex_t recording = PTHREAD_MUTEX_INITIALIZER;

static int recorder(void) {
  static int file = -2;
  if (file == -2) {
    const char *path = getenv("PROOF_RECORD");
    file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  }
  return file;
}

// Written in one call, so that two threads do not mix theirs.
static void record(uint64_t kind, uint64_t file, off_t offset, const struct iovec *parts, int count) {
  int log = recorder();
  if (log < 0) return;
  struct event event = {kind, file, (uint64_t)offset, 0};
  struct iovec all[130] = {{&event, sizeof event}};
  for (int i = 0; i < count && i < 129; i++) {
    all[i + 1] = parts[i];
    event.length += parts[i].iov_len;
  }
  pthread_mutex_lock(&recording);
  ssize_t written = syscall(SYS_writev, log, all, count + 1);
  pthread_mutex_unlock(&recording);
  if (written != (ssize_t)(sizeof event + event.length)) abort();
}

static uint64_t inode(int file) {
  struct stat status;
  return fstat(file, &status) ? 0 : status.st_ino;
}

// After a successful write. With `O_DSYNC` it is on the disk by now.
static ssize_t wrote(ssize_t written, int file, const struct iovec *parts, int count, off_t offset) {
  if (written < 0 || recorder() < 0) return written;
  record(fcntl(file, F_GETFL) & O_DSYNC ? is_through : is_write, inode(file), offset, parts, count);
  return written;
}

static int synced(int result, int file) {
  if (result == 0 && recorder() >= 0) record(is_sync, inode(file), 0, NULL, 0);
  return result;
}

static int truncated(int result, int file, off_t size) {
  if (result == 0 && recorder() >= 0) record(is_truncation, inode(file), size, NULL, 0);
  return result;
}

// A file got a name; the directory's inode is in the place of the offset of other events.
static int named(int result, uint64_t file, int directory, const char *name) {
  if (result == 0 && recorder() >= 0) {
    struct iovec part = {(void *)name, strlen(name)};
    record(is_naming, file, (off_t)inode(directory), &part, 1);
  }
  return result;
}

// MARK: The calls

static ssize_t pwrite_by(void *caller, int file, const void *bytes, size_t count, off64_t offset) {
  struct iovec part = {(void *)bytes, count};
  // Not files, but messages of the program itself.
  if (file == -77) {
    record(is_mark, 0, offset, &part, 1);
    return (ssize_t)count;
  }
  if (file == -78) {
    if (offset == 3) return __atomic_load_n(&failed_syncs, __ATOMIC_SEQ_CST);
    if (offset < 2) __atomic_store_n(&wanted, (int)offset, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&calls, __ATOMIC_SEQ_CST) + __atomic_load_n(&requests, __ATOMIC_SEQ_CST);
  }
  int fault = count_call(caller);
  if (fault == 1) return -1;
  if (fault == 2 && count > 1) part.iov_len = count /= 2;
  return wrote(NEXT(pwrite64)(file, bytes, count, offset), file, &part, 1, offset);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  return pwrite_by(__builtin_return_address(0), file, bytes, count, offset);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  return pwrite_by(__builtin_return_address(0), file, bytes, count, offset);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  int fault = call();
  if (fault == 1) return -1;
  if (fault == 2) return count > 1 ? NEXT(writev)(file, parts, count / 2) : NEXT(write)(file, parts->iov_base, parts->iov_len / 2);
  off_t offset = recorder() >= 0 ? lseek(file, 0, SEEK_CUR) : 0;
  return wrote(NEXT(writev)(file, parts, count), file, parts, count, offset);
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
  int fault = call();
  if (fault == 1) return -1;
  if (fault == 2 && count > 1) count /= 2;
  return wrote(NEXT(pwritev)(file, parts, count, offset), file, parts, count, offset);
}
// Copies are written with this call.
ssize_t write(int file, const void *bytes, size_t count) {
  // Not the program's output.
  int fault = file > 2 ? call() : 0;
  if (fault == 1) return -1;
  return NEXT(write)(file, bytes, fault == 2 && count > 1 ? count / 2 : count);
}
ssize_t pread64(int file, void *bytes, size_t count, off64_t offset) {
  // A file is read in one call.
  if (call() == 1) return -1;
  return NEXT(pread64)(file, bytes, count, offset);
}
ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
  if (call() == 1) return -1;
  return NEXT(pread)(file, bytes, count, offset);
}
// A failed sync has to be reported; an interrupted one may be tried again.
static int fails_to_sync(int fault) {
  if (fault == 1 && errno != EINTR) __atomic_add_fetch(&failed_syncs, 1, __ATOMIC_SEQ_CST);
  return fault == 1;
}
int fdatasync(int file) {
  if (fails_to_sync(call())) return -1;
  return synced(NEXT(fdatasync)(file), file);
}
int fsync(int file) {
  if (fails_to_sync(call())) return -1;
  return synced(NEXT(fsync)(file), file);
}
int ftruncate64(int file, off64_t size) {
  if (call() == 1) return -1;
  return truncated(NEXT(ftruncate64)(file, size), file, size);
}
int ftruncate(int file, off_t size) {
  if (call() == 1) return -1;
  return truncated(NEXT(ftruncate)(file, size), file, size);
}
int posix_fallocate64(int file, off64_t offset, off64_t size) {
  if (call() == 1) return errno;
  return NEXT(posix_fallocate64)(file, offset, size);
}
int posix_fallocate(int file, off_t offset, off_t size) {
  if (call() == 1) return errno;
  return NEXT(posix_fallocate)(file, offset, size);
}

int linkat(int from, const char *name, int to, const char *other, int flags) {
  if (call() == 1) return -1;
  struct stat status = {0};
  if (recorder() >= 0) fstatat(from, name, &status, flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW);
  return named(NEXT(linkat)(from, name, to, other, flags), status.st_ino, to, other);
}

// The library calls the kernel by number.
static int rename_exclusively(void *caller, int from, const char *name, int to, const char *other, unsigned flags) {
  if (count_call(caller) == 1) return -1;
  struct stat status = {0};
  if (recorder() >= 0) fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW);
  long result = ((long (*)(long, ...))next("syscall"))(SYS_renameat2, from, name, to, other, flags);
  return named((int)result, status.st_ino, to, other);
}

long syscall(long what, ...) {
  static long (*real)(long, ...);
  if (!real) real = (long (*)(long, ...))next("syscall");
  va_list list;
  va_start(list, what);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long), d = va_arg(list, long),
       e = va_arg(list, long), f = va_arg(list, long);
  va_end(list);
  if (what == SYS_renameat2) return rename_exclusively(__builtin_return_address(0), (int)a, (const char *)b, (int)c, (const char *)d, (unsigned)e);
  return real(what, a, b, c, d, e, f);
}

int unlinkat(int directory, const char *name, int flags) {
  if (call() == 1) return -1;
  int result = NEXT(unlinkat)(directory, name, flags);
  if (result == 0 && recorder() >= 0) {
    struct iovec part = {(void *)name, strlen(name)};
    record(is_removal, 0, (off_t)inode(directory), &part, 1);
  }
  return result;
}

static int opened(void *caller, int directory, const char *name, int flags, mode_t mode) {
  if (count_call(caller) == 1) return -1;
  // A different one each time.
  if (!strcmp(name, "boot_id") && getenv("PROOF_BOOT")) name = "uuid";
  int isNew = recorder() >= 0 && flags & O_CREAT && faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
  int file = (int)((long (*)(long, ...))next("syscall"))(SYS_openat, (long)directory, name, (long)flags, (long)mode);
  if (file >= 0 && isNew) named(0, inode(file), directory, name);
  if (file >= 0 && flags & O_TRUNC && !isNew) truncated(0, file, 0);
  return file;
}

int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return opened(__builtin_return_address(0), AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return opened(__builtin_return_address(0), AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char *name, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return opened(__builtin_return_address(0), directory, name, flags, mode);
}
int openat64(int directory, const char *name, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return opened(__builtin_return_address(0), directory, name, flags, mode);
}
