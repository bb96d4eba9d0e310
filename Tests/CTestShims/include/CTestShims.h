// What tests need of C: a fork, which Swift does not import.
#ifndef C_TEST_SHIMS_H
#define C_TEST_SHIMS_H

/// Runs `body` in a forked child, which then exits with what it returns; tells that status, or -1.
int test_fork(int (*body)(void *), void *context);
/// Forks a child that sleeps until it is killed; tells its number.
int test_fork_sleeper(void);

#endif
