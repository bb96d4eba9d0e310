// What Swift cannot import or express: futexes, open file description locks, fork handlers, atomics on mapped memory.
#ifndef LMDBSHARE_SYSTEM_H
#define LMDBSHARE_SYSTEM_H

// The module also exports the system's own calls, whatever name the C library's module has.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// MARK: Atomics on memory that several processes map.

static inline uint32_t lms_load32(const void *word) { return __atomic_load_n((const uint32_t *)word, __ATOMIC_SEQ_CST); }
static inline void lms_store32(void *word, uint32_t value) { __atomic_store_n((uint32_t *)word, value, __ATOMIC_SEQ_CST); }
static inline uint32_t lms_add32(void *word, uint32_t delta) { return __atomic_fetch_add((uint32_t *)word, delta, __ATOMIC_SEQ_CST); }
static inline bool lms_swap32(void *word, uint32_t expected, uint32_t desired) {
  return __atomic_compare_exchange_n((uint32_t *)word, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline uint64_t lms_load64(const void *word) { return __atomic_load_n((const uint64_t *)word, __ATOMIC_SEQ_CST); }
static inline void lms_store64(void *word, uint64_t value) { __atomic_store_n((uint64_t *)word, value, __ATOMIC_SEQ_CST); }
static inline uint64_t lms_or64(void *word, uint64_t bits) { return __atomic_fetch_or((uint64_t *)word, bits, __ATOMIC_SEQ_CST); }
static inline uint64_t lms_and64(void *word, uint64_t bits) { return __atomic_fetch_and((uint64_t *)word, bits, __ATOMIC_SEQ_CST); }

// MARK: Futex (futex.c). On systems other than Linux the wait is a short sleep: a hint that arrives late is still correct.

/// Sleeps while `*word == expected`, for at most `nanoseconds`, until one of `bits` is woken. Returns 0 when woken, else an errno
/// (EAGAIN, ETIMEDOUT, EINTR).
int lms_futex_wait(const void *word, uint32_t expected, uint64_t nanoseconds, uint32_t bits);
/// Wakes all threads that sleep on `word` with one of `bits`.
void lms_futex_wake(const void *word, uint32_t bits);
/// Wakes one of the threads that sleep on `word`; false when there is none.
bool lms_futex_wake_one(const void *word);
/// Tells the processor that this is a spin loop.
static inline void lms_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

// MARK: Maps of files that may be truncated (bus.c).

/// Lets the process survive that the file of a map is truncated: what was after the new end reads as zeros, and writes to it are
/// seen only by this process. Installs a SIGBUS handler, once, which passes on signals for other memory. Returns false when the
/// system refuses, or has no memory.
bool lms_survive_truncation(void *start, size_t size);
/// Whether pages of such a map were lost.
bool lms_has_lost_pages(const void *start);
/// Called before another file replaces that map: no pages of it are lost.
void lms_renew_map(const void *start);
/// Called before such a map is unmapped.
void lms_forget_map(const void *start);
/// The lock around the table of such maps; held across fork, so that the child finds it free.
void lms_maps_lock(void);
void lms_maps_unlock(void);

// MARK: Fork (fork.c).

extern uint32_t lms_fork_generation;
/// The number of forks between the process that loaded this library and this one.
static inline uint32_t lms_fork_count(void) { return lms_fork_generation; }
/// The lock around the table of open environments; held across fork, so that the child finds it free.
void lms_registry_lock(void);
bool lms_registry_try_lock(void);
void lms_registry_unlock(void);
/// In a forked child `file` will be /dev/null: otherwise its locks would outlive the parent. At most 1,024 files.
void lms_close_after_fork(int file);
/// Undoes that.
void lms_keep_after_fork(int file);

// MARK: Threads (thread.c).

/// A number that differs between live threads.
static inline uint64_t lms_thread_id(void) { extern uint64_t lms_thread_self(void); return lms_thread_self(); }
/// A small number of this thread, which distributes threads over a table.
uint32_t lms_thread_slot(void);
/// Locks a `pthread_mutex_t`; 0, or ETIMEDOUT when it takes longer than `nanoseconds`.
int lms_mutex_lock_within(void *mutex, uint64_t nanoseconds);

/// Starts a thread that blocks signals; returns 0 or an errno. It must be joined or detached.
int lms_thread_start(uint64_t *thread, void (*body)(void *), void *argument);
void lms_thread_join(uint64_t thread);
void lms_thread_detach(uint64_t thread);

// Notify ThreadSanitizer, in programs built with it, of a lock at that address that it does not see: after locking, and before
// unlocking.
void lms_sanitizer_locked(const void *lock);
void lms_sanitizer_unlocks(const void *lock);

/// Nanoseconds since 1970, by the clock that can be set.
int64_t lms_time_of_day(void);
/// Nanoseconds since this machine was started, including suspended time. Setting the clock does not affect it.
int64_t lms_boot_time(void);

// MARK: Arguments (arguments.c).

/// The number of the program's arguments, including its own name, as the loader passed them; 0 where it does not.
int lms_argument_count(void);
/// One of these arguments; NULL when there is none.
const char *lms_argument(int index);

// MARK: Processes (process.c).

/// The path of this program; 0, or -1 when it does not fit.
int lms_executable_path(char *buffer, uint32_t size);
/// The descriptor by which a child has its kept file open.
enum { lms_kept_file = 3 };
/// The value of an environment variable; NULL when there is none.
const char *lms_variable(const char *name);
/// Starts a program with default signal handling. It gets the standard streams, the file `kept` (none when negative), and where
/// the system supports that no other files. Returns 0 or an errno.
int lms_spawn(int32_t *process, const char *path, char *const arguments[], char *const environment[], int kept);
/// Waits for the end of a child without collecting its status.
void lms_wait_for_end(int32_t process);
/// Waits for the end of a child, and collects its exit status, or the signal that ended it; returns 0 or an errno.
int lms_wait_for(int32_t process, int32_t *status, int32_t *signal);
/// A pipe that is closed on exec; 0 or an errno.
int lms_pipe(int files[2]);
/// Sends this process SIGTERM when the other end of the pipe `file` is closed in all processes; returns 0 or an errno.
int lms_end_with(int file);

// MARK: Files (files.c).

/// Occupies the numbers of closed standard streams, so that no file that is opened later gets one: what the program prints must
/// not go into a database. Writing to them fails as before. Returns 0, or -1 with errno.
int lms_occupy_streams(void);
/// `openat`, close-on-exec, with a number of at least 3.
int lms_open(int directory, const char *path, int flags, mode_t mode);
/// `rename` that fails with EEXIST when `to` exists.
int lms_rename_exclusive(int directory, const char *from, const char *to);
/// Gives an unnamed file (O_TMPFILE) a name; EEXIST when the name exists.
int lms_link_unnamed(int file, int directory, const char *name);
/// Creates an unnamed file in a directory. Returns -1 with errno EOPNOTSUPP where that is not supported, or where /proc is
/// missing, through which it would get its name.
int lms_open_unnamed(int directory, mode_t mode);
/// The file system's type as `statfs` reports it, and its free bytes.
int lms_file_system(int file, uint64_t *type, uint64_t *free_bytes);
/// Frees the disk space of a part of a file, which reads as zeros then; returns 0 or an errno, EOPNOTSUPP where it is not
/// supported.
int lms_punch(int file, off_t start, off_t count);
/// The time of the last change of the file's inode, or of the directory's entries, in nanoseconds since 1970; -1 on failure.
int64_t lms_change_time(int file);
/// Locks the byte at `offset` for this open file, until it is closed or the process dies. Returns 0, or -1 with errno EAGAIN when
/// another open file holds the lock, ENOSYS where there are no such locks.
int lms_own_byte(int file, off_t offset);
/// Locks the byte at `offset` for this open file, which is open for reading, in shared mode.
int lms_share_byte(int file, off_t offset);
/// The maximum size of a file of this process in bytes.
uint64_t lms_file_limit(void);
/// Unlocks the byte.
int lms_disown_byte(int file, off_t offset);
/// Whether another open file has the byte locked.
bool lms_byte_is_owned(int file, off_t offset);
/// Whether another open file has any byte of the range locked.
bool lms_bytes_are_owned(int file, off_t offset, off_t count);
/// The first byte of the range that another open file has locked; -1 when there is none.
off_t lms_first_owned(int file, off_t offset, off_t count);
/// Locks the first byte of a file exclusively, as LMDB does with its lock file; reports the process that has it locked.
int lms_lock_alone(int file, int32_t *holder);
/// The process that holds an exclusive lock on the first byte of a file: 0 for none, -1 for one that cannot be named.
int lms_lock_holder(int file);
/// `errno`, as the last of these calls has set it.
int lms_errno(void);

// MARK: What Swift cannot import, or what has another meaning within a type.

/// The fields of `stat`.
typedef struct {
  uint64_t device, inode;
  int64_t size, allocated, links;
  uint32_t format, permissions, owner, group;
} lms_status;
static inline int lms_noted_status(int code, const struct stat *info, lms_status *status) {
  if (code != 0) return code;
  *status = (lms_status){
      (uint64_t)info->st_dev, (uint64_t)info->st_ino, info->st_size, (int64_t)info->st_blocks * 512, (int64_t)info->st_nlink,
      (uint32_t)info->st_mode & S_IFMT, (uint32_t)info->st_mode & 07777, info->st_uid, info->st_gid};
  return 0;
}
/// The status of an open file; -1 leaves the reason in `errno`.
static inline int lms_status_of(int file, lms_status *status) {
  struct stat info;
  return lms_noted_status(fstat(file, &info), &info, status);
}
/// The status of a name.
static inline int lms_status_at(int directory, const char *path, bool follows_links, lms_status *status) {
  struct stat info;
  return lms_noted_status(fstatat(directory, path, &info, follows_links ? 0 : AT_SYMLINK_NOFOLLOW), &info, status);
}
static inline int lms_close_on_exec(int file) { return fcntl(file, F_SETFD, FD_CLOEXEC); }
/// The next name in an open directory; NULL at the end and on a failure, which sets `errno`.
static inline const char *lms_next_name(DIR *stream) {
  errno = 0;
  struct dirent *entry = readdir(stream);
  return entry ? entry->d_name : NULL;
}
/// The monotonic clock in nanoseconds.
static inline uint64_t lms_monotonic_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
extern char **environ;
static inline char **lms_environment(void) { return environ; }
static inline bool lms_is_mapped(const void *start) { return start != MAP_FAILED; }
static inline ssize_t lms_read(int file, void *buffer, size_t count) { return read(file, buffer, count); }
static inline ssize_t lms_write(int file, const void *bytes, size_t count) { return write(file, bytes, count); }
static inline void lms_ignore_signal(int number) { signal(number, SIG_IGN); }

// MARK: Signals (signals.c).

/// From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the program, but for those that are ignored.
void lms_catch_signals(void);
/// Records SIGINT, SIGTERM and SIGHUP from now on instead of ending the program, unless they are ignored.
int lms_caught_signal(void);
/// The last recorded signal, or 0.
void lms_pass_signals_to(int32_t process);

// Sends each recorded signal to this child, including one that was recorded before; 0 for no child.

/// Takes control of the terminal: no echo, keys one by one. False when there is no terminal. Restored by `lms_terminal_leave`,
/// and at the end of the program.
bool lms_terminal_enter(void);
void lms_terminal_leave(void);
/// The key that is pressed within `milliseconds`, 0 when there is none, -1 when the terminal is closed.
int lms_terminal_key(int milliseconds);
int lms_terminal_columns(int file);
int lms_terminal_rows(int file);
/// Waits until a non-blocking file can be written.
int lms_wait_for_output(int file);
/// Waits until a file can be read, is at its end or broken; returns 0 when the time is over first, or a signal arrives.
int lms_wait_for_input(int file, int milliseconds);

#endif
