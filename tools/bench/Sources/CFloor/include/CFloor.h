// The work of the benchmarks in C on raw LMDB. Each function does `count` operations and returns the nanoseconds.
#ifndef C_FLOOR_H
#define C_FLOOR_H

#include <stdint.h>

typedef struct floor floor_t;

floor_t *floor_open(const char *path);
void floor_close(floor_t *);
/// A sum of all that was read, so that no compiler leaves the reading out.
uint64_t floor_checksum(void);

/// 8-byte keys and values, or 16-byte keys and 100-byte values, under the numbers 0 to count-1, in one transaction.
void floor_fill(floor_t *, int64_t count, int strings);
/// Gets in one read transaction.
int64_t floor_get(floor_t *, const int64_t *keys, int64_t count, int strings);
/// Gets each in a read transaction of its own, renewed.
int64_t floor_get_alone(floor_t *, const int64_t *keys, int64_t count);
/// Walks all entries.
int64_t floor_iterate(floor_t *);
/// Puts in transactions of `batch`, without sync.
int64_t floor_put(floor_t *, const int64_t *keys, int64_t count, int64_t batch);
/// Adds 1 to an 8-byte value, each in a transaction of its own, without sync.
int64_t floor_increment(floor_t *, int64_t count);
/// Appends 8-byte elements under integer keys, in transactions of `batch`, without sync.
int64_t floor_append(floor_t *, int64_t count, int64_t batch);
/// Walks what was appended.
int64_t floor_iterate_list(floor_t *);

// Between this process and a forked one (queue.c); each makes its environment at `path` anew.

/// Passes `count` messages of 100 bytes from one to the other, `batch` a transaction; the other takes up to `most` at once.
int64_t floor_queue(const char *path, int64_t count, int batch, int most);
/// Sends a message there and back, `count` times, and notes what each took.
void floor_round_trips(const char *path, int64_t *times, int64_t count);
/// Both add 1 to the same value `count` times, without sync.
int64_t floor_contended(const char *path, int64_t count);

#endif
