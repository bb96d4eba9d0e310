#include "CFloor.h"
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct floor {
  MDB_env *env;
  MDB_dbi numbers, strings, writes, list, blocks;
};

static uint64_t checksum = 0;
uint64_t floor_checksum(void) { return checksum; }

static void must(int code, const char *what) {
  if (code) {
    fprintf(stderr, "floor: %s: %s\n", what, mdb_strerror(code));
    exit(1);
  }
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static MDB_txn *begin(floor_t *floor, unsigned flags) {
  MDB_txn *txn;
  must(mdb_txn_begin(floor->env, NULL, flags, &txn), "begin");
  return txn;
}

floor_t *floor_open(const char *path) {
  floor_t *floor = calloc(1, sizeof *floor);
  must(mdb_env_create(&floor->env), "create");
  must(mdb_env_set_mapsize(floor->env, (size_t)1 << 40), "map");
  must(mdb_env_set_maxdbs(floor->env, 8), "databases");
  must(mdb_env_open(floor->env, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_NOSYNC | MDB_NORDAHEAD, 0600), "open");
  MDB_txn *txn = begin(floor, 0);
  must(mdb_dbi_open(txn, "numbers", MDB_CREATE, &floor->numbers), "numbers");
  must(mdb_dbi_open(txn, "strings", MDB_CREATE, &floor->strings), "strings");
  must(mdb_dbi_open(txn, "writes", MDB_CREATE, &floor->writes), "writes");
  must(mdb_dbi_open(txn, "list", MDB_CREATE | MDB_INTEGERKEY, &floor->list), "list");
  must(mdb_dbi_open(txn, "blocks", MDB_CREATE | MDB_INTEGERKEY, &floor->blocks), "blocks");
  must(mdb_txn_commit(txn), "commit");
  return floor;
}

void floor_close(floor_t *floor) {
  mdb_env_close(floor->env);
  free(floor);
}

static inline uint64_t ordered(int64_t key) { return __builtin_bswap64((uint64_t)key ^ (1ull << 63)); }

void floor_fill(floor_t *floor, int64_t count, int strings) {
  MDB_txn *txn = begin(floor, 0);
  char name[32], text[100];
  memset(text, 'x', sizeof text);
  for (int64_t i = 0; i < count; i++) {
    uint64_t number = ordered(i);
    int64_t value = i;
    MDB_val k = {8, &number}, v = {8, &value};
    if (strings) {
      snprintf(name, sizeof name, "key-%012lld", (long long)i);
      k = (MDB_val){16, name};
      v = (MDB_val){sizeof text, text};
    }
    must(mdb_put(txn, strings ? floor->strings : floor->numbers, &k, &v, 0), "fill");
  }
  must(mdb_txn_commit(txn), "commit");
}

int64_t floor_get(floor_t *floor, const int64_t *keys, int64_t count, int strings) {
  char name[32] = "key-000000000000";
  MDB_txn *txn = begin(floor, MDB_RDONLY);
  uint64_t sum = 0;
  int64_t start = now();
  for (int64_t i = 0; i < count; i++) {
    MDB_val v;
    if (strings) {
      int64_t rest = keys[i];
      for (int at = 15; at > 3; at--, rest /= 10) name[at] = (char)('0' + rest % 10);
      MDB_val k = {16, name};
      must(mdb_get(txn, floor->strings, &k, &v), "get");
      sum += ((const uint8_t *)v.mv_data)[99];
    } else {
      uint64_t number = ordered(keys[i]);
      int64_t value;
      MDB_val k = {8, &number};
      must(mdb_get(txn, floor->numbers, &k, &v), "get");
      memcpy(&value, v.mv_data, 8);
      sum += (uint64_t)value;
    }
  }
  int64_t taken = now() - start;
  mdb_txn_abort(txn);
  checksum += sum;
  return taken;
}

int64_t floor_get_alone(floor_t *floor, const int64_t *keys, int64_t count) {
  MDB_txn *txn = begin(floor, MDB_RDONLY);
  mdb_txn_reset(txn);
  uint64_t sum = 0;
  int64_t start = now();
  for (int64_t i = 0; i < count; i++) {
    uint64_t number = ordered(keys[i]);
    int64_t value;
    MDB_val k = {8, &number}, v;
    must(mdb_txn_renew(txn), "renew");
    must(mdb_get(txn, floor->numbers, &k, &v), "get");
    memcpy(&value, v.mv_data, 8);
    sum += (uint64_t)value;
    mdb_txn_reset(txn);
  }
  int64_t taken = now() - start;
  mdb_txn_abort(txn);
  checksum += sum;
  return taken;
}

static int64_t walk(floor_t *floor, MDB_dbi dbi) {
  MDB_txn *txn = begin(floor, MDB_RDONLY);
  MDB_cursor *cursor;
  uint64_t sum = 0;
  int64_t start = now();
  must(mdb_cursor_open(txn, dbi, &cursor), "cursor");
  MDB_val k, v;
  while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
    uint64_t key, value;
    memcpy(&key, k.mv_data, 8);
    memcpy(&value, v.mv_data, 8);
    sum += __builtin_bswap64(key) ^ value;
  }
  int64_t taken = now() - start;
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  checksum += sum;
  return taken;
}

int64_t floor_iterate(floor_t *floor) { return walk(floor, floor->numbers); }
int64_t floor_iterate_list(floor_t *floor) { return walk(floor, floor->list); }

int64_t floor_put(floor_t *floor, const int64_t *keys, int64_t count, int64_t batch) {
  MDB_txn *txn = begin(floor, 0);
  must(mdb_drop(txn, floor->writes, 0), "empty");
  must(mdb_txn_commit(txn), "commit");
  int64_t start = now();
  for (int64_t at = 0; at < count; at += batch) {
    txn = begin(floor, 0);
    for (int64_t i = at; i < at + batch && i < count; i++) {
      uint64_t number = ordered(keys[i]);
      int64_t value = i;
      MDB_val k = {8, &number}, v = {8, &value};
      must(mdb_put(txn, floor->writes, &k, &v, 0), "put");
    }
    must(mdb_txn_commit(txn), "commit");
  }
  return now() - start;
}

int64_t floor_increment(floor_t *floor, int64_t count) {
  uint64_t number = 0;
  MDB_val k = {8, &number}, v;
  int64_t start = now();
  for (int64_t i = 0; i < count; i++) {
    MDB_txn *txn = begin(floor, 0);
    int64_t value = 0;
    if (mdb_get(txn, floor->writes, &k, &v) == 0) memcpy(&value, v.mv_data, 8);
    value++;
    v = (MDB_val){8, &value};
    must(mdb_put(txn, floor->writes, &k, &v, 0), "put");
    must(mdb_txn_commit(txn), "commit");
  }
  return now() - start;
}

int64_t floor_append(floor_t *floor, int64_t count, int64_t batch) {
  MDB_txn *txn = begin(floor, 0);
  must(mdb_drop(txn, floor->list, 0), "empty");
  must(mdb_txn_commit(txn), "commit");
  int64_t start = now();
  for (int64_t at = 0; at < count; at += batch) {
    txn = begin(floor, 0);
    for (int64_t i = at; i < at + batch && i < count; i++) {
      uint64_t number = (uint64_t)i;
      MDB_val k = {8, &number}, v = {8, &i};
      must(mdb_put(txn, floor->list, &k, &v, MDB_APPEND), "append");
    }
    must(mdb_txn_commit(txn), "commit");
  }
  return now() - start;
}

// A list in blocks, implemented as simply as possible: under key 0 an index, in the list's order, and under the other keys the
// blocks, each one page.
enum { block_size = 510, most_blocks = 1000 };
struct entry {
  uint64_t key, count;
};

static void put_block(floor_t *floor, MDB_txn *txn, uint64_t key, void *bytes, uint64_t size) {
  MDB_val k = {8, &key}, v = {size, bytes};
  must(mdb_put(txn, floor->blocks, &k, &v, 0), "block");
}

void floor_fill_blocks(floor_t *floor, int64_t count) {
  struct entry index[most_blocks];
  int64_t block[block_size];
  uint64_t blocks = 0;
  MDB_txn *txn = begin(floor, 0);
  must(mdb_drop(txn, floor->blocks, 0), "empty");
  for (int64_t at = 0; at < count;) {
    struct entry *entry = &index[blocks++];
    *entry = (struct entry){blocks, 0};
    while (entry->count < block_size && at < count) block[entry->count++] = at++;
    put_block(floor, txn, entry->key, block, 8 * entry->count);
  }
  put_block(floor, txn, 0, index, blocks * sizeof *index);
  must(mdb_txn_commit(txn), "commit");
}

static void insert(floor_t *floor, MDB_txn *txn, uint64_t position, int64_t element) {
  struct entry index[most_blocks];
  int64_t block[block_size + 1];
  uint64_t key = 0, at = 0;
  MDB_val k = {8, &key}, v;
  must(mdb_get(txn, floor->blocks, &k, &v), "index");
  uint64_t blocks = v.mv_size / sizeof *index;
  memcpy(index, v.mv_data, v.mv_size);
  while (position > index[at].count) position -= index[at++].count;

  struct entry *entry = &index[at];
  key = entry->key;
  must(mdb_get(txn, floor->blocks, &k, &v), "block");
  const int64_t *old = v.mv_data;
  memcpy(block, old, 8 * position);
  block[position] = element;
  memcpy(block + position + 1, old + position, 8 * (entry->count - position));
  entry->count++;
  if (entry->count > block_size) {
    uint64_t half = entry->count / 2, rest = entry->count - half;
    memmove(entry + 2, entry + 1, (blocks - at - 1) * sizeof *entry);
    blocks++;
    entry[1] = (struct entry){blocks, rest};
    entry->count = half;
    put_block(floor, txn, blocks, block + half, 8 * rest);
  }
  put_block(floor, txn, key, block, 8 * entry->count);
  put_block(floor, txn, 0, index, blocks * sizeof *index);
}

int64_t floor_insert(floor_t *floor, int64_t count, int64_t inserts) {
  int64_t start = now();
  for (int64_t i = 0; i < inserts; i++) {
    MDB_txn *txn = begin(floor, 0);
    insert(floor, txn, (uint64_t)(count + i) / 2, 7);
    must(mdb_txn_commit(txn), "commit");
  }
  return now() - start;
}
