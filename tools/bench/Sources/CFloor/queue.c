// Queues between two processes and other contended work in C on raw LMDB, implemented as simply as possible: one key per item,
// and a futex in shared memory.
#define _GNU_SOURCE
#include "CFloor.h"
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

static void sleep_on(uint32_t *word, uint32_t seen) {
  struct timespec limit = {0, 250000000};
  syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, NULL, 0);
}
static void wake(uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }

void floor_stay(floor_core_t which) {
  static cpu_set_t all;
  if (CPU_COUNT(&all) == 0 && sched_getaffinity(0, sizeof all, &all)) return;
  cpu_set_t one;
  for (int core = 0; core < CPU_SETSIZE; core++) {
    if (!CPU_ISSET(core, &all)) continue;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (which == floor_first_core) break;
  }
  sched_setaffinity(0, sizeof one, which == floor_any_core ? &all : &one);
}
#else
static void sleep_on(uint32_t *word, uint32_t seen) {
  struct timespec pause = {0, 50000};
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == seen) nanosleep(&pause, NULL);
}
static void wake(uint32_t *word) { (void)word; }
void floor_stay(floor_core_t which) { (void)which; }
#endif

enum { message = 100 };

static void must(int code, const char *what) {
  if (code) {
    fprintf(stderr, "floor: %s: %s\n", what, mdb_strerror(code));
    _exit(1);
  }
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct shared {
  // Each on a separate cache line: the word, and whether a process sleeps on it.
  uint32_t words[2][16];
  uint32_t sleeping[2][16];
};

struct end {
  MDB_env *env;
  MDB_dbi queues[2], value;
  MDB_txn *reader;
  uint64_t next[2];
  struct shared *shared;
};

static struct end open_end(const char *path, struct shared *shared) {
  struct end end = {.shared = shared, .next = {1, 1}};
  must(mdb_env_create(&end.env), "create");
  must(mdb_env_set_mapsize(end.env, (size_t)1 << 36), "map");
  must(mdb_env_set_maxdbs(end.env, 4), "databases");
  must(mdb_env_open(end.env, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_NOSYNC | MDB_NORDAHEAD, 0600), "open");
  MDB_txn *txn;
  must(mdb_txn_begin(end.env, NULL, 0, &txn), "begin");
  must(mdb_dbi_open(txn, "there", MDB_CREATE | MDB_INTEGERKEY, &end.queues[0]), "queue");
  must(mdb_dbi_open(txn, "back", MDB_CREATE | MDB_INTEGERKEY, &end.queues[1]), "queue");
  must(mdb_dbi_open(txn, "value", MDB_CREATE, &end.value), "value");
  must(mdb_txn_commit(txn), "commit");
  must(mdb_txn_begin(end.env, NULL, MDB_RDONLY, &end.reader), "begin");
  mdb_txn_reset(end.reader);
  return end;
}

static void push(struct end *end, int which, int count) {
  static char text[message];
  MDB_txn *txn;
  must(mdb_txn_begin(end->env, NULL, 0, &txn), "begin");
  for (int i = 0; i < count; i++) {
    MDB_val k = {8, &end->next[which]}, v = {message, text};
    must(mdb_put(txn, end->queues[which], &k, &v, MDB_APPEND), "push");
    end->next[which]++;
  }
  must(mdb_txn_commit(txn), "commit");
  uint32_t *word = end->shared->words[which], *sleeping = end->shared->sleeping[which];
  if (__atomic_load_n(sleeping, __ATOMIC_SEQ_CST)) {
    __atomic_store_n(sleeping, 0, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
    wake(word);
  }
}

static int pop(struct end *end, int which, int most) {
  uint32_t *word = end->shared->words[which], *sleeping = end->shared->sleeping[which];
  char copy[message];
  for (;;) {
    uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    __atomic_store_n(sleeping, 1, __ATOMIC_SEQ_CST);
    MDB_stat stat;
    must(mdb_txn_renew(end->reader), "renew");
    must(mdb_stat(end->reader, end->queues[which], &stat), "count");
    mdb_txn_reset(end->reader);
    if (stat.ms_entries == 0) {
      sleep_on(word, seen);
      continue;
    }
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val k, v;
    int taken = 0;
    must(mdb_txn_begin(end->env, NULL, 0, &txn), "begin");
    must(mdb_cursor_open(txn, end->queues[which], &cursor), "cursor");
    while (taken < most && mdb_cursor_get(cursor, &k, &v, MDB_FIRST) == 0) {
      memcpy(copy, v.mv_data, message);
      must(mdb_cursor_del(cursor, 0), "pop");
      taken++;
    }
    mdb_cursor_close(cursor);
    must(mdb_txn_commit(txn), "commit");
    return taken;
  }
}

static struct shared *share(void) {
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
  if (shared == MAP_FAILED) exit(1);
  return shared;
}

static void increments(struct end *end, int64_t count) {
  uint64_t number = 0;
  MDB_val k = {8, &number}, v;
  for (int64_t i = 0; i < count; i++) {
    MDB_txn *txn;
    must(mdb_txn_begin(end->env, NULL, 0, &txn), "begin");
    int64_t value = 0;
    if (mdb_get(txn, end->value, &k, &v) == 0) memcpy(&value, v.mv_data, 8);
    value++;
    v = (MDB_val){8, &value};
    must(mdb_put(txn, end->value, &k, &v, 0), "put");
    must(mdb_txn_commit(txn), "commit");
  }
}

struct pair {
  struct shared *shared;
  struct end end;
  pid_t other;
  int64_t count;
};

pair_t *floor_pair(const char *path, floor_work_t work, int64_t rounds, int64_t count, int most) {
  pair_t *pair = calloc(1, sizeof *pair);
  pair->count = count;
  pair->shared = share();
  pair->other = fork();
  if (pair->other == 0) {
    floor_stay(floor_last_core);
    struct end end = open_end(path, pair->shared);
    push(&end, 1, 1);
    for (int64_t round = 0; round < rounds; round++) {
      switch (work) {
      case floor_consumes:
        for (int64_t taken = 0; taken < count;) taken += pop(&end, 0, most);
        push(&end, 1, 1);
        break;
      case floor_echoes:
        for (int64_t i = 0; i < count; i++) {
          pop(&end, 0, 1);
          push(&end, 1, 1);
        }
        break;
      case floor_increments:
        pop(&end, 0, 1);
        increments(&end, count);
        push(&end, 1, 1);
        break;
      }
    }
    _exit(0);
  }
  pair->end = open_end(path, pair->shared);
  pop(&pair->end, 1, 1);
  return pair;
}

int64_t floor_queue(pair_t *pair, int batch) {
  int64_t start = now();
  for (int64_t sent = 0; sent < pair->count; sent += batch) push(&pair->end, 0, batch);
  pop(&pair->end, 1, 1);
  return now() - start;
}

void floor_round_trips(pair_t *pair, int64_t *times) {
  for (int64_t i = 0; i < pair->count; i++) {
    int64_t start = now();
    push(&pair->end, 0, 1);
    pop(&pair->end, 1, 1);
    times[i] = now() - start;
  }
}

int64_t floor_contended(pair_t *pair) {
  int64_t start = now();
  push(&pair->end, 0, 1);
  increments(&pair->end, pair->count);
  pop(&pair->end, 1, 1);
  return now() - start;
}

void floor_pair_end(pair_t *pair) {
  waitpid(pair->other, NULL, 0);
  mdb_env_close(pair->end.env);
  munmap(pair->shared, sizeof *pair->shared);
  free(pair);
}
