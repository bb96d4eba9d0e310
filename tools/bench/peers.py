"""Compares the library with its peers: peers.py BENCH [--quick]. See `peers`."""

import multiprocessing
import os
import random
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import diskcache
import lmdb
import redis

QUICK = "--quick" in sys.argv
COUNT = 2_000 if QUICK else 10_000
ROUNDS = 3 if QUICK else 5
VALUE = "x" * 100
KEYS = [f"key-{number:012}" for number in range(COUNT)]
random.shuffle(KEYS)
# A long list, in whose middle the operations of lists work; most peers take a time there that grows with its length.
LENGTH = 20_000 if QUICK else 100_000
MIDDLE = LENGTH // 2
FEW = 20


class Lmdb:
    name = "py-lmdb"

    def __init__(self, directory):
        self.environment = lmdb.open(directory + "/py-lmdb", map_size=1 << 32, sync=False, writemap=False)

    def set(self, key):
        with self.environment.begin(write=True) as transaction:
            transaction.put(key.encode(), VALUE.encode())

    def get(self, key):
        with self.environment.begin() as transaction:
            return transaction.get(key.encode()).decode()


class Sqlite:
    name = "sqlite3 (WAL, no sync)"

    def __init__(self, directory):
        self.connection = sqlite3.connect(directory + "/sqlite.db", isolation_level=None)
        self.connection.execute("pragma journal_mode = wal")
        self.connection.execute("pragma synchronous = off")
        self.connection.execute("create table map (key text primary key, value text) without rowid")
        self.connection.execute("create table list (value text)")
        self.connection.execute("create table ranked (rank real primary key, value text) without rowid")

    def set(self, key):
        self.connection.execute("insert or replace into map values (?, ?)", (key, VALUE))

    def get(self, key):
        return self.connection.execute("select value from map where key = ?", (key,)).fetchone()[0]

    def append(self, value):
        self.connection.execute("insert into list values (?)", (value,))

    def fill(self):
        self.connection.executemany("insert into ranked values (?, ?)", ((rank, VALUE) for rank in range(LENGTH)))

    def insert(self, position):
        # A rank between those of the neighbours: positions would all have to be changed.
        (before,), (after,) = self.connection.execute(
            "select rank from ranked order by rank limit 2 offset ?", (position - 1,)).fetchall()
        self.connection.execute("insert into ranked values (?, ?)", ((before + after) / 2, VALUE))

    def at(self, position):
        return self.connection.execute(
            "select value from ranked order by rank limit 1 offset ?", (position,)).fetchone()[0]

    def increment(self):
        self.connection.execute(
            "insert into map values ('counter', 1) on conflict (key) do update set value = value + 1")


class Redis:
    name = "Redis (no persistence)"

    def __init__(self, directory):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.server = subprocess.Popen(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory],
            stdout=subprocess.DEVNULL)
        self.client = redis.Redis("127.0.0.1", port)
        for _ in range(100):
            try:
                self.client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)

    def set(self, key):
        self.client.set(key, VALUE)

    def get(self, key):
        return self.client.get(key).decode()

    def append(self, value):
        self.client.rpush("list", value)

    def fill(self):
        for _ in range(MIDDLE):
            self.client.rpush("long", VALUE)
        self.client.rpush("long", "pivot")
        for _ in range(MIDDLE):
            self.client.rpush("long", VALUE)

    def insert(self, position):
        # Redis inserts beside a value, for which it searches.
        self.client.linsert("long", "before", "pivot", VALUE)

    def at(self, position):
        return self.client.lindex("long", position).decode()

    def increment(self):
        self.client.incr("counter")

    def close(self):
        self.server.terminate()
        self.server.wait()


class Diskcache:
    name = "diskcache"

    def __init__(self, directory):
        self.directory = directory
        self.cache = diskcache.Cache(directory + "/diskcache")
        self.deque = diskcache.Deque(directory=directory + "/deque")

    def set(self, key):
        self.cache.set(key, VALUE)

    def get(self, key):
        return self.cache.get(key)

    def append(self, value):
        self.deque.append(value)

    def fill(self):
        self.long = diskcache.Deque(directory=self.directory + "/long")
        with self.long.transact():
            self.long.extend(VALUE for _ in range(LENGTH))

    def at(self, position):
        return self.long[position]

    def increment(self):
        self.cache.incr("counter")


class Manager:
    name = "multiprocessing.Manager"

    def __init__(self, directory):
        self.manager = multiprocessing.Manager()
        self.map = self.manager.dict()
        self.list = self.manager.list()
        self.lock = self.manager.Lock()

    def set(self, key):
        self.map[key] = VALUE

    def get(self, key):
        return self.map[key]

    def append(self, value):
        self.list.append(value)

    def fill(self):
        self.long = self.manager.list([VALUE] * LENGTH)

    def insert(self, position):
        self.long.insert(position, VALUE)

    def at(self, position):
        return self.long[position]

    def increment(self):
        with self.lock:
            self.map["counter"] = self.map.get("counter", 0) + 1

    def close(self):
        self.manager.shutdown()


def measure(body, count=COUNT):
    """The median nanoseconds of one operation."""
    figures = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        body()
        figures.append((time.perf_counter_ns() - start) / count)
    return statistics.median(figures)


def figures(peer):
    """The time that a peer takes, by work; work without a matching operation is left out."""
    result = {}

    def each(work, body, count=COUNT):
        if getattr(peer, work, None):
            result[work] = measure(body, count)

    each("set", lambda: [peer.set(key) for key in KEYS])
    each("get", lambda: [peer.get(key) for key in KEYS])
    each("append", lambda: [peer.append(VALUE) for _ in range(COUNT)])
    each("increment", lambda: [peer.increment() for _ in range(COUNT)])
    getattr(peer, "fill", lambda: None)()
    each("insert", lambda: [peer.insert(MIDDLE + 7 * number) for number in range(FEW)], FEW)
    each("at", lambda: [peer.at(MIDDLE + number) for number in range(FEW)], FEW)
    return result


def main():
    directory = tempfile.mkdtemp(prefix="lmdbshare-peers-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        output = subprocess.run(
            [sys.argv[1], "--operations", str(COUNT), str(ROUNDS), str(LENGTH)], check=True, capture_output=True, text=True).stdout
        ours = {line.split()[0]: float(line.split()[1]) for line in output.splitlines()}
        works = ["get", "set", "append", "increment", "insert", "at"]
        print("one operation a call".ljust(28) + "".join(work.rjust(14) for work in works))
        print("lmdbshare, ns".ljust(28) + "".join(f"{ours[work]:14.0f}" for work in works))
        for kind in (Lmdb, Sqlite, Redis, Diskcache, Manager):
            peer = kind(directory)
            try:
                theirs = figures(peer)
            finally:
                getattr(peer, "close", lambda: None)()
            cells = (f"{theirs[work] / ours[work]:12.1f} ×" if work in theirs else "".rjust(14) for work in works)
            print(kind.name.ljust(28) + "".join(cells), flush=True)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
