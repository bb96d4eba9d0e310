// What tests need of C: a fork, which Swift does not import.
#ifndef C_TEST_SHIMS_H
#define C_TEST_SHIMS_H

/// Runs `body` in a forked child, which then exits with what it returns; tells that status, or -1.
int test_fork(int (*body)(void *), void *context);
/// Forks a child that sleeps until it is killed; tells its number.
int test_fork_sleeper(void);

#include <stdint.h>
#include <sys/types.h>
/// Starts a program with these files as its input and output, no other open ones, and no signal blocked or ignored.
int test_spawn(pid_t *process, const char *path, char *const arguments[], char *const environment[], int input, int output);
/// Waits for the end of a child, and leaves it to be reaped.
void test_wait_for_end(pid_t process);
/// Reaps a child that has ended; its exit code, or minus the signal that ended it.
int test_reap(pid_t process);

/// Reads and changes all of an LMDB file by plain liblmdb; 0, or 1 and what was wrong in `report`.
int test_exercise(const char *path, uint64_t seed, char *report, size_t size);
/// Makes an LMDB file with databases of every kind, those with duplicates included; an error of LMDB or 0.
int test_make_foreign(const char *path, unsigned keys, unsigned rounds, unsigned freed);
/// Lets this process open `left` more files, if those that it has open have the least numbers; as many as it may when negative.
void test_limit_files(int left);

#endif
