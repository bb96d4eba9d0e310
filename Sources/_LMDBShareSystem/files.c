#define _GNU_SOURCE
#include "system.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int lms_errno(void) { return errno; }

// MARK: Opening

int lms_occupy_streams(void) {
  for (int file = 0; file < 3; file++) {
    if (fcntl(file, F_GETFD) >= 0 || errno != EBADF) continue;
#ifdef O_PATH
    // Reading and writing fail as they do with a closed stream.
    int placed = open("/", O_PATH | O_CLOEXEC);
#else
    int placed = open("/dev/null", O_RDWR | O_CLOEXEC);
#endif
    if (placed < 0) return -1;
    // Another thread was faster.
    if (placed > 2) close(placed);
  }
  return 0;
}

static int raise_number(int file) {
  int raised = fcntl(file, F_DUPFD_CLOEXEC, 3);
  int code = errno;
  close(file);
  errno = code;
  return raised;
}

int lms_open(int directory, const char *path, int flags, mode_t mode) {
  if (lms_occupy_streams() != 0) return -1;
  int file = openat(directory, path, flags | O_CLOEXEC, mode);
  // A stream that another thread has closed since.
  return file < 0 || file > 2 ? file : raise_number(file);
}

#ifdef __linux__
#include <sys/syscall.h>
#include <sys/vfs.h>

int lms_rename_exclusive(int directory, const char *from, const char *to) {
  const unsigned no_replace = 1; // RENAME_NOREPLACE
  if (syscall(SYS_renameat2, directory, from, directory, to, no_replace) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  // A file system without the flag: a link fails with EEXIST as well.
  if (linkat(directory, from, directory, to, 0) != 0) return -1;
  return unlinkat(directory, from, 0);
}

int lms_open_unnamed(int directory, mode_t mode) {
  int file = lms_open(directory, ".", O_TMPFILE | O_RDWR, mode);
  // Kernels and file systems without O_TMPFILE return EISDIR, EOPNOTSUPP, ENOENT or EINVAL.
  if (file < 0 && (errno == EISDIR || errno == EINVAL || errno == ENOENT)) errno = EOPNOTSUPP;
  if (file < 0) return file;
  // It gets its name, and LMDB opens it, through its link in /proc.
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  if (access(link, F_OK) == 0) return file;
  close(file);
  errno = EOPNOTSUPP;
  return -1;
}

int lms_link_unnamed(int file, int directory, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  return linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW);
}

int lms_file_system(int file, uint64_t *type, uint64_t *free_bytes) {
  struct statfs info;
  if (fstatfs(file, &info) != 0) return -1;
  *type = (uint64_t)(uint32_t)info.f_type;
  *free_bytes = (uint64_t)info.f_bavail * (uint64_t)info.f_bsize;
  return 0;
}

int lms_punch(int file, off_t start, off_t count) {
  return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, count) == 0 ? 0 : errno;
}

#else
#include <sys/mount.h>
#include <sys/param.h>

int lms_punch(int file, off_t start, off_t count) { (void)file; (void)start; (void)count; return EOPNOTSUPP; }

int lms_rename_exclusive(int directory, const char *from, const char *to) {
#ifdef __APPLE__
  return renameatx_np(directory, from, directory, to, RENAME_EXCL);
#else
  if (linkat(directory, from, directory, to, 0) != 0) return -1;
  return unlinkat(directory, from, 0);
#endif
}

int lms_open_unnamed(int directory, mode_t mode) { (void)directory; (void)mode; errno = EOPNOTSUPP; return -1; }
int lms_link_unnamed(int file, int directory, const char *name) { (void)file; (void)directory; (void)name; errno = EOPNOTSUPP; return -1; }

int lms_file_system(int file, uint64_t *type, uint64_t *free_bytes) {
  struct statfs info;
  if (fstatfs(file, &info) != 0) return -1;
  *type = 0;
  *free_bytes = (uint64_t)info.f_bavail * (uint64_t)info.f_bsize;
  return 0;
}
#endif

uint64_t lms_file_limit(void) {
  struct rlimit limit;
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 ? (uint64_t)limit.rlim_cur : UINT64_MAX;
}

int64_t lms_change_time(int file) {
  struct stat info;
#if defined(__linux__) && defined(__x86_64__) && defined(SYS_fstat)
  // The C library passes an empty path, which takes the kernel twice as long; this is called for every write.
  if (syscall(SYS_fstat, file, &info) != 0) return -1;
#else
  if (fstat(file, &info) != 0) return -1;
#endif
#ifdef __APPLE__
  return (int64_t)info.st_ctimespec.tv_sec * 1000000000 + info.st_ctimespec.tv_nsec;
#else
  return (int64_t)info.st_ctim.tv_sec * 1000000000 + info.st_ctim.tv_nsec;
#endif
}

int lms_lock_alone(int file, int32_t *holder) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  if (fcntl(file, F_SETLK, &lock) == 0) return 0;
  int code = errno;
  *holder = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? (int32_t)lock.l_pid : 0;
  errno = code;
  return -1;
}

int lms_lock_holder(int file) {
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  if (fcntl(file, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
  return lock.l_pid > 0 ? (int)lock.l_pid : -1;
}

#ifdef F_OFD_SETLK
int lms_own_byte(int file, off_t offset) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  if (fcntl(file, F_OFD_SETLK, &lock) == 0) return 0;
  if (errno == EACCES) errno = EAGAIN;
  return -1;
}

int lms_share_byte(int file, off_t offset) {
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  return fcntl(file, F_OFD_SETLK, &lock);
}

int lms_disown_byte(int file, off_t offset) {
  struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  return fcntl(file, F_OFD_SETLK, &lock);
}

// If the kernel cannot be asked, the owner counts as alive: that costs time, never an item or a turn.
bool lms_byte_is_owned(int file, off_t offset) { return lms_bytes_are_owned(file, offset, 1); }

bool lms_bytes_are_owned(int file, off_t offset, off_t count) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = count};
  return fcntl(file, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

off_t lms_first_owned(int file, off_t offset, off_t count) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = count};
  return fcntl(file, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK ? -1 : lock.l_start;
}
#else
off_t lms_first_owned(int file, off_t offset, off_t count) { (void)file; (void)offset; (void)count; return -1; }
bool lms_bytes_are_owned(int file, off_t offset, off_t count) { (void)file; (void)offset; (void)count; return true; }
int lms_own_byte(int file, off_t offset) { (void)file; (void)offset; errno = ENOSYS; return -1; }
int lms_share_byte(int file, off_t offset) { (void)file; (void)offset; errno = ENOSYS; return -1; }
int lms_disown_byte(int file, off_t offset) { (void)file; (void)offset; errno = ENOSYS; return -1; }
bool lms_byte_is_owned(int file, off_t offset) { (void)file; (void)offset; return true; }
#endif
