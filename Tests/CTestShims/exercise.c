// What any program may do with an LMDB file, with plain liblmdb: the check of what passes the page check. Everything is read in
// both directions, counted and looked up; then entries are added, replaced and removed, and everything is read again.
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CTestShims.h"

enum { MOST = 64, KEY = 511 };

typedef struct {
  MDB_dbi number;
  unsigned flags;
  size_t entries;
} Database;

typedef struct {
  MDB_env *env;
  Database databases[MOST];
  int count;
  uint64_t random;
  char *report;
  size_t size;
} Work;

static volatile unsigned char sink;

static void touch(const MDB_val *value) {
  const unsigned char *bytes = value->mv_data;
  unsigned char sum = 0;
  for (size_t i = 0; i < value->mv_size; i++) sum ^= bytes[i];
  sink = sum;
}

static int told(Work *w, const char *what, const Database *d, int code) {
  snprintf(w->report, w->size, "database %u (flags %u): %s: %s", d ? d->number : 0, d ? d->flags : 0, what,
           code ? mdb_strerror(code) : "wrong");
  return 1;
}

static uint64_t next(Work *w) {
  w->random ^= w->random << 13;
  w->random ^= w->random >> 7;
  w->random ^= w->random << 17;
  return w->random;
}

#define CALL(what, call)                                    \
  do {                                                      \
    int code_ = (call);                                     \
    if (code_) return told(w, what, d, code_);              \
  } while (0)
#define EXPECT(what, condition)                             \
  do {                                                      \
    if (!(condition)) return told(w, what, d, 0);           \
  } while (0)

// Reads a database forwards, backwards, and key by key.
static int scan(Work *w, MDB_txn *txn, const Database *d) {
  MDB_stat stat;
  CALL("stat", mdb_stat(txn, d->number, &stat));
  EXPECT("entries told", stat.ms_entries == d->entries);
  MDB_cursor *cursor, *other;
  CALL("cursor", mdb_cursor_open(txn, d->number, &cursor));
  CALL("cursor", mdb_cursor_open(txn, d->number, &other));
  MDB_val key, value, before = {0, NULL}, valueBefore = {0, NULL};
  size_t count = 0;
  int code;
  for (code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); !code;
       code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    EXPECT("more than told", ++count <= d->entries);
    EXPECT("a key's size", key.mv_size > 0 && key.mv_size <= KEY);
    touch(&key);
    touch(&value);
    if (count > 1) {
      int order = mdb_cmp(txn, d->number, &before, &key);
      if (order == 0 && d->flags & MDB_DUPSORT) order = mdb_dcmp(txn, d->number, &valueBefore, &value);
      EXPECT("order", order < 0);
    }
    before = key;
    valueBefore = value;
    MDB_val found = key, data = value;
    CALL("look up", mdb_cursor_get(other, &found, &data, d->flags & MDB_DUPSORT ? MDB_GET_BOTH : MDB_SET_KEY));
    EXPECT("the value looked up", data.mv_size == value.mv_size && !memcmp(data.mv_data, value.mv_data, data.mv_size));
    found = key;
    CALL("seek", mdb_cursor_get(other, &found, &data, MDB_SET_RANGE));
    EXPECT("the key sought", found.mv_size == key.mv_size && !memcmp(found.mv_data, key.mv_data, key.mv_size));
  }
  if (code != MDB_NOTFOUND) return told(w, "next", d, code);
  EXPECT("entries forwards", count == d->entries);
  for (code = mdb_cursor_get(cursor, &key, &value, MDB_LAST); !code;
       code = mdb_cursor_get(cursor, &key, &value, MDB_PREV)) {
    EXPECT("more than told, backwards", count-- > 0);
    touch(&key);
  }
  if (code != MDB_NOTFOUND) return told(w, "previous", d, code);
  EXPECT("entries backwards", count == 0);
  mdb_cursor_close(cursor);
  mdb_cursor_close(other);
  return 0;
}

static int scanAll(Work *w) {
  Database *d = NULL;
  MDB_txn *txn;
  CALL("begin to read", mdb_txn_begin(w->env, NULL, MDB_RDONLY, &txn));
  for (int i = 0; i < w->count; i++)
    if (scan(w, txn, &w->databases[i])) return 1;
  // The free list, which a write transaction must not read.
  Database freed = {0, MDB_INTEGERKEY, 0};
  MDB_stat stat;
  CALL("stat", mdb_stat(txn, 0, &stat));
  freed.entries = stat.ms_entries;
  if (scan(w, txn, &freed)) return 1;
  mdb_txn_abort(txn);
  return 0;
}

// Opens all databases that are found in the main one.
static int openAll(Work *w) {
  Database *d = NULL;
  MDB_txn *txn;
  CALL("begin to read", mdb_txn_begin(w->env, NULL, MDB_RDONLY, &txn));
  Database mainOne = {0, 0, 0};
  CALL("open main", mdb_dbi_open(txn, NULL, 0, &mainOne.number));
  w->databases[w->count++] = mainOne;
  MDB_cursor *cursor;
  CALL("cursor", mdb_cursor_open(txn, mainOne.number, &cursor));
  MDB_val key, value;
  int code;
  for (code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); !code && w->count < MOST;
       code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT_NODUP)) {
    char name[KEY + 1] = {0};
    if (key.mv_size > KEY) return told(w, "a name's size", d, 0);
    memcpy(name, key.mv_data, key.mv_size);
    if (strlen(name) != key.mv_size) continue;
    Database found = {0, 0, 0};
    code = mdb_dbi_open(txn, name, 0, &found.number);
    if (code == MDB_INCOMPATIBLE || code == MDB_NOTFOUND) continue;
    CALL("open a database", code);
    w->databases[w->count++] = found;
  }
  if (code && code != MDB_NOTFOUND) return told(w, "the next name", d, code);
  mdb_cursor_close(cursor);
  for (int i = 0; i < w->count; i++) {
    MDB_stat stat;
    CALL("flags", mdb_dbi_flags(txn, w->databases[i].number, &w->databases[i].flags));
    CALL("stat", mdb_stat(txn, w->databases[i].number, &stat));
    w->databases[i].entries = stat.ms_entries;
  }
  CALL("keep the numbers", mdb_txn_commit(txn));
  return 0;
}

// An entry to remove.
typedef struct {
  size_t key, value;
  unsigned char bytes[];
} Entry;

// Removes every n-th entry, adds others, and replaces values.
static int change(Work *w, MDB_txn *txn, Database *d, unsigned every, int added) {
  MDB_cursor *cursor;
  MDB_val key = {0, NULL}, value = {0, NULL};
  unsigned char keys[16][KEY], copy[KEY], bytes[20000];
  size_t sizes[16], valueSizes[16];
  int kept = 0, code;
  size_t steps = 0, going = 0;
  // The main one has databases, which must not be removed one by one.
  if (d == w->databases) return 0;
  // Not with the cursor of the walk: LMDB 0.9.24 then loses its position among duplicates, in sound files too.
  Entry **gone = calloc(d->entries + 1, sizeof *gone);
  CALL("cursor", mdb_cursor_open(txn, d->number, &cursor));
  for (code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); !code;
       code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    EXPECT("an end", ++steps <= d->entries);
    EXPECT("a key's size", key.mv_size > 0 && key.mv_size <= KEY);
    if (kept < 16 && next(w) % 8 == 0) {
      memcpy(keys[kept], key.mv_data, key.mv_size);
      sizes[kept] = key.mv_size;
      valueSizes[kept++] = value.mv_size;
    }
    if (next(w) % every) continue;
    size_t size = d->flags & MDB_DUPSORT ? value.mv_size : 0;
    Entry *entry = malloc(sizeof *entry + key.mv_size + size);
    *entry = (Entry){key.mv_size, size};
    memcpy(entry->bytes, key.mv_data, key.mv_size);
    memcpy(entry->bytes + key.mv_size, value.mv_data, size);
    gone[going++] = entry;
  }
  if (code != MDB_NOTFOUND) return told(w, "next", d, code);
  mdb_cursor_close(cursor);
  for (size_t i = 0; i < going; i++) {
    key = (MDB_val){gone[i]->key, gone[i]->bytes};
    value = (MDB_val){gone[i]->value, gone[i]->bytes + gone[i]->key};
    CALL("remove", mdb_del(txn, d->number, &key, &value));
    free(gone[i]);
    d->entries--;
  }
  free(gone);
  if (!kept) return 0;
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(next(w) >> 24);
  for (int i = 0; i < added; i++) {
    int from = (int)(next(w) % (uint64_t)kept);
    MDB_val name = {sizes[from], copy}, data = {next(w) % 64, bytes + next(w) % 1000};
    memcpy(copy, keys[from], KEY);
    // Close to an existing key, or anywhere.
    if (next(w) % 2) copy[next(w) % name.mv_size] = (unsigned char)(next(w) >> 24);
    if (next(w) % 2) copy[name.mv_size - 1] ^= (unsigned char)(next(w) >> 24);
    if (!(d->flags & MDB_INTEGERKEY) && name.mv_size < 500 && next(w) % 2) copy[name.mv_size++] = (unsigned char)next(w);
    if (d->flags & MDB_DUPSORT) {
      // All of the same size if they must be.
      if (d->flags & (MDB_DUPFIXED | MDB_INTEGERDUP)) data.mv_size = valueSizes[from];
      if (!data.mv_size) continue;
      // LMDB 0.9 loses an empty value, but still counts it, when its key gets a second one.
      MDB_val first;
      if (!mdb_get(txn, d->number, &name, &first) && !first.mv_size) continue;
      code = mdb_put(txn, d->number, &name, &data, MDB_NODUPDATA);
    } else {
      if (next(w) % 8 == 0) data.mv_size = next(w) % 18000;
      code = mdb_put(txn, d->number, &name, &data, next(w) % 4 ? MDB_NOOVERWRITE : 0);
      if (!code) {
        // It may exist already.
        MDB_stat stat;
        CALL("stat", mdb_stat(txn, d->number, &stat));
        EXPECT("one more at most", stat.ms_entries == d->entries || stat.ms_entries == d->entries + 1);
        d->entries = stat.ms_entries;
        continue;
      }
    }
    if (code && code != MDB_KEYEXIST) return told(w, "put", d, code);
    if (!code) d->entries++;
  }
  return 0;
}

static int work(Work *w, const char *path) {
  Database *d = NULL;
  CALL("create", mdb_env_create(&w->env));
  CALL("map size", mdb_env_set_mapsize(w->env, (size_t)256 << 20));
  CALL("databases", mdb_env_set_maxdbs(w->env, MOST));
  CALL("open", mdb_env_open(w->env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NOTLS, 0600));
  if (openAll(w) || scanAll(w)) return 1;
  for (int round = 0; round < 3; round++) {
    MDB_txn *txn;
    CALL("begin to write", mdb_txn_begin(w->env, NULL, 0, &txn));
    for (int i = 0; i < w->count; i++)
      if (change(w, txn, &w->databases[i], 3, 60)) return 1;
    CALL("commit", mdb_txn_commit(txn));
    if (scanAll(w)) return 1;
  }
  // Finally, everything in each database.
  MDB_txn *txn;
  CALL("begin to write", mdb_txn_begin(w->env, NULL, 0, &txn));
  for (int i = 1; i < w->count; i += 2) {
    CALL("empty", mdb_drop(txn, w->databases[i].number, 0));
    w->databases[i].entries = 0;
  }
  CALL("commit", mdb_txn_commit(txn));
  return scanAll(w);
}

int test_exercise(const char *path, uint64_t seed, char *report, size_t size) {
  Work w = {.random = seed | 1, .report = report, .size = size};
  snprintf(report, size, "sound");
  int code = work(&w, path);
  if (!code && w.env) mdb_env_close(w.env);
  return code;
}

// MARK: Files of other programs

static int fill(MDB_txn *txn, MDB_dbi database, unsigned flags, unsigned round, unsigned keys, unsigned duplicates) {
  for (unsigned i = 0; i < keys; i++) {
    char name[64];
    uint64_t wide = i * 3 + round;
    uint32_t narrow = i * 3 + round;
    MDB_val key = {(size_t)snprintf(name, sizeof name, "key %u of round %u", i * 7919 % keys, round), name};
    if (flags & MDB_INTEGERKEY) key = keys % 2 ? (MDB_val){4, &narrow} : (MDB_val){8, &wide};
    unsigned many = i % 20 == 0 ? duplicates : i % 3;
    if (!(flags & MDB_DUPSORT)) many = 0;
    for (unsigned j = 0; j <= many; j++) {
      char text[9000];
      memset(text, 'v', sizeof text);
      uint64_t number = j * 65537 + i;
      MDB_val data = {(size_t)snprintf(text, 64, "value %u of %u", j, i), text};
      if (flags & (MDB_DUPFIXED | MDB_INTEGERDUP)) data = (MDB_val){8, &number};
      if (!(flags & MDB_DUPSORT) && i % 17 == 0) data.mv_size = 3000 + i % 5 * 1200;
      int code = mdb_put(txn, database, &key, &data, 0);
      if (code) return code;
    }
  }
  return 0;
}

int test_make_foreign(const char *path, unsigned keys, unsigned rounds, unsigned freed) {
  static const unsigned kinds[] = {0,
                                   MDB_REVERSEKEY,
                                   MDB_INTEGERKEY,
                                   MDB_DUPSORT,
                                   MDB_DUPSORT | MDB_DUPFIXED,
                                   MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP,
                                   MDB_DUPSORT | MDB_INTEGERDUP | MDB_INTEGERKEY,
                                   MDB_DUPSORT | MDB_REVERSEDUP | MDB_REVERSEKEY};
  MDB_env *env;
  int code = mdb_env_create(&env);
  if (code) return code;
  mdb_env_set_mapsize(env, (size_t)256 << 20);
  mdb_env_set_maxdbs(env, 32);
  if ((code = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600))) return code;
  for (unsigned round = 0; round < rounds; round++) {
    MDB_txn *txn;
    if ((code = mdb_txn_begin(env, NULL, 0, &txn))) return code;
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
      char name[32];
      snprintf(name, sizeof name, "flags %u", kinds[i]);
      MDB_dbi database;
      if ((code = mdb_dbi_open(txn, name, kinds[i] | MDB_CREATE, &database))) return code;
      if ((code = fill(txn, database, kinds[i], round, i < 3 ? keys * 8 : keys + i / 6, 300))) return code;
      // Entries from another round are partly removed.
      MDB_cursor *cursor;
      MDB_val key, value;
      if ((code = mdb_cursor_open(txn, database, &cursor))) return code;
      unsigned position = 0;
      while (round > 0 && !mdb_cursor_get(cursor, &key, &value, position ? MDB_NEXT : MDB_FIRST))
        if (++position % 3 == 0 && (code = mdb_cursor_del(cursor, 0))) return code;
      mdb_cursor_close(cursor);
    }
    MDB_dbi mainOne;
    if ((code = mdb_dbi_open(txn, NULL, 0, &mainOne))) return code;
    MDB_val key = {5, "plain"}, value = {5, "entry"};
    if ((code = mdb_put(txn, mainOne, &key, &value, 0))) return code;
    if ((code = mdb_txn_commit(txn))) return code;
  }
  // Pages that one transaction allocates and another frees: a record of the free list on separate pages.
  for (int step = 0; step < 2 && freed; step++) {
    MDB_txn *txn;
    if ((code = mdb_txn_begin(env, NULL, 0, &txn))) return code;
    MDB_dbi database;
    if ((code = mdb_dbi_open(txn, "freed", MDB_CREATE, &database))) return code;
    for (unsigned i = 0; i < freed && step == 0; i++) {
      char text[4000] = {0};
      MDB_val key = {sizeof i, &i}, value = {sizeof text, text};
      if ((code = mdb_put(txn, database, &key, &value, 0))) return code;
    }
    if (step == 1 && (code = mdb_drop(txn, database, 0))) return code;
    if ((code = mdb_txn_commit(txn))) return code;
  }
  mdb_env_close(env);
  return 0;
}
