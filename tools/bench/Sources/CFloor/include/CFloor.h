// The benchmarks' work in C on raw LMDB. Each function performs `count` operations and returns the nanoseconds.
#ifndef C_FLOOR_H
#define C_FLOOR_H

#include <stdint.h>

typedef struct floor floor_t;

floor_t *floor_open(const char *path);
void floor_close(floor_t *);
/// A sum of everything that was read, which keeps the compiler from removing the reads.
uint64_t floor_checksum(void);

/// 8-byte keys and values, or 16-byte keys and 100-byte values, under the numbers 0 to count-1, in one transaction.
void floor_fill(floor_t *, int64_t count, int strings);
/// Gets in one read transaction.
int64_t floor_get(floor_t *, const int64_t *keys, int64_t count, int strings);
/// Gets each in a separate read transaction, renewed.
int64_t floor_get_alone(floor_t *, const int64_t *keys, int64_t count);
/// Walks all entries.
int64_t floor_iterate(floor_t *);
/// Puts in transactions of `batch`, without sync.
int64_t floor_put(floor_t *, const int64_t *keys, int64_t count, int64_t batch);
/// Adds 1 to an 8-byte value, each in a separate transaction, without sync.
int64_t floor_increment(floor_t *, int64_t count);
/// Appends 8-byte elements under integer keys, in transactions of `batch`, without sync.
int64_t floor_append(floor_t *, int64_t count, int64_t batch);
/// Walks what was appended.
int64_t floor_iterate_list(floor_t *);
/// Creates a list of 8-byte elements in blocks of one page each, with an index.
void floor_fill_blocks(floor_t *, int64_t count);
/// Inserts in the middle of that list, each in a separate transaction, without sync.
int64_t floor_insert(floor_t *, int64_t count, int64_t inserts);

// Between this process and a forked one (queue.c), which do the same in each of a number of rounds.

typedef enum { floor_any_core, floor_first_core, floor_last_core } floor_core_t;
/// Keeps this thread, and those that it starts from now on, on one of the cores that the process may use, where that is
/// supported.
void floor_stay(floor_core_t core);

typedef struct pair pair_t;
typedef enum { floor_consumes, floor_echoes, floor_increments } floor_work_t;

/// Creates an environment at `path`, and a process that does `work` on it, `count` times per round.
///
/// It stays on the last core. It consumes messages of 100 bytes, up to `most` at a time; or sends each back; or adds 1 to the
/// value to which this process adds.
pair_t *floor_pair(const char *path, floor_work_t work, int64_t rounds, int64_t count, int most);
/// Waits for the process, which ends after the last round.
void floor_pair_end(pair_t *);
/// Passes the messages of a round to the other process, `batch` per transaction.
int64_t floor_queue(pair_t *, int batch);
/// Sends messages there and back, and records the duration of each.
void floor_round_trips(pair_t *, int64_t *times);
/// Both add 1 to the same value, without sync.
int64_t floor_contended(pair_t *);

#endif
