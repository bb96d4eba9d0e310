// What tests need from C: a fork, which Swift does not import.
#ifndef C_TEST_SHIMS_H
#define C_TEST_SHIMS_H

/// Runs `body` in a forked child, which then exits with its result; returns that status, or -1.
int test_fork(int (*body)(void *), void *context);
/// Forks a child that sleeps until it is killed; returns its PID.
int test_fork_sleeper(void);

#include <stdint.h>
#include <sys/types.h>
/// Starts a program with these files as its input and output, no other open files, and no signal blocked or ignored.
int test_spawn(pid_t *process, const char *path, char *const arguments[], char *const environment[], int input, int output);
/// Waits for the end of a child without reaping it.
void test_wait_for_end(pid_t process);
/// Reaps a child that has ended; returns its exit code, or minus the signal that ended it.
int test_reap(pid_t process);

/// Reads and changes an LMDB file with plain liblmdb; returns 0, or 1 and what was wrong in `report`.
int test_exercise(const char *path, uint64_t seed, char *report, size_t size);
/// Creates an LMDB file with databases of every kind, including those with duplicates; returns an error of LMDB or 0.
int test_make_foreign(const char *path, unsigned keys, unsigned rounds, unsigned freed);
/// Lets this process open `left` more files, if the open ones have the lowest numbers; as many as it may when negative.
void test_limit_files(int left);

#endif
