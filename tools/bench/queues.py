"""Measures Python's multiprocessing with the queue work of Bench, one line each: name, tab, nanoseconds."""

import multiprocessing
import statistics
import sys
import time

QUICK = "--quick" in sys.argv
COUNT = 5_000 if QUICK else 20_000
ROUNDS = 1 if QUICK else 3
MESSAGE = b"x" * 100
# Different ones: of the same object, pickle would send one and 99 references to it.
MESSAGES = [bytes([number]) * 100 for number in range(100)]


def consume(there, back, count):
    back.put(0)
    taken = 0
    while taken < count:
        item = there.get()
        taken += len(item) if isinstance(item, list) else 1
    back.put(1)


def echo(there, back, count):
    back.put(0)
    for _ in range(count):
        back.put(there.get())


def increment(value, back, count):
    back.put(0)
    for _ in range(count):
        with value.get_lock():
            value.value += 1
    back.put(1)


def median_of(body):
    return statistics.median(body() for _ in range(ROUNDS))


def passing(make, count, item):
    there, back = make(), make()
    size = len(item) if isinstance(item, list) else 1
    other = multiprocessing.Process(target=consume, args=(there, back, count))
    other.start()
    back.get()
    start = time.perf_counter_ns()
    for _ in range(count // size):
        there.put(item)
    back.get()
    taken = time.perf_counter_ns() - start
    other.join()
    return taken / count


def trip(make, count):
    there, back = make(), make()
    other = multiprocessing.Process(target=echo, args=(there, back, count))
    other.start()
    back.get()
    times = []
    for _ in range(count):
        start = time.perf_counter_ns()
        there.put(MESSAGE)
        back.get()
        times.append(time.perf_counter_ns() - start)
    other.join()
    return statistics.median(times)


def incrementing(count):
    value, back = multiprocessing.Value("q"), multiprocessing.SimpleQueue()
    other = multiprocessing.Process(target=increment, args=(value, back, count))
    other.start()
    back.get()
    start = time.perf_counter_ns()
    for _ in range(count):
        with value.get_lock():
            value.value += 1
    back.get()
    taken = time.perf_counter_ns() - start
    other.join()
    return taken / (2 * count)


def main():
    manager = multiprocessing.Manager()
    kinds = {
        "Queue": (multiprocessing.Queue, COUNT),
        "SimpleQueue": (multiprocessing.SimpleQueue, COUNT),
        "Manager.Queue": (manager.Queue, COUNT // 5),
    }
    for name, (make, count) in kinds.items():
        print(f"{name} one\t{median_of(lambda: passing(make, count, MESSAGE))}")
        print(f"{name} hundred\t{median_of(lambda: passing(make, count * 200, MESSAGES))}")
        print(f"{name} trip\t{median_of(lambda: trip(make, count // 5))}")
    print(f"Value increment\t{median_of(lambda: incrementing(COUNT))}")
    manager.shutdown()


if __name__ == "__main__":
    main()
