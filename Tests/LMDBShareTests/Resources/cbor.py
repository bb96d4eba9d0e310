"""Reads and writes documents in CBOR, in hexadecimal, one in each line, with another implementation.

    python cbor.py rewrite SEED COUNT   writes each document that it reads again in the deterministic form; then documents of its own,
                                        each as it writes it by default and in the deterministic form
    python cbor.py make SEED COUNT      writes documents with all that CBOR has
    python cbor.py compare              prints each line of two documents that have not the same meaning
"""

import random
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import cbor2


def document(random, depth=0, more=()):
    kinds = ["int", "float", "text", "bytes", "bool", "null", *more] + (["array", "map"] if depth < 4 else [])
    match random.choice(kinds):
        case "int":
            return random.randrange(-(1 << 63), 1 << 63) >> random.randrange(64)
        case "float":
            return random.choice([0.0, -0.0, 1.5, 65504.0, 1e-7, 5.960464477539063e-8, 3.4028234663852886e38,
                                  float("inf"), float("-inf"), float("nan"), random.uniform(-1e9, 1e9),
                                  float(random.randrange(-100, 100))])
        case "text":
            return "".join(random.choices("aZ0$ é\U0001f600\0\"", k=random.choice([0, 1, 5, 30])))
        case "bytes":
            return random.randbytes(random.choice([0, 1, 30, 300]))
        case "bool":
            return random.random() < 0.5
        case "null":
            return None
        case "array":
            return [document(random, depth + 1, more) for _ in range(random.choice([0, 1, 3, 30]))]
        case "map":
            keys = {"".join(random.choices("abc$", k=random.randrange(30))) for _ in range(random.choice([0, 1, 3, 30]))}
            return {key: document(random, depth + 1, more) for key in keys}
        case "keys":
            keys = [random.choice([random.randrange(-300, 300), random.random(), (1, "a"), b"a", "$a", None, True])
                    for _ in range(random.choice([1, 3]))]
            return {key: document(random, depth + 1) for key in keys}
        case "date":
            date = datetime(2001, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=random.randrange(-(1 << 33), 1 << 33))
            return date + timedelta(microseconds=random.choice([0, 500000, random.randrange(1000000)]))
        case "decimal":
            return Decimal(random.randrange(-(10 ** 20), 10 ** 20)).scaleb(random.randrange(-30, 30))
        case "uuid":
            return UUID(int=random.getrandbits(128))
        case "bignum":
            return random.choice([-1, 1]) * random.getrandbits(random.choice([65, 100, 128, 129, 500]))
        case "undefined":
            return cbor2.undefined
        case "simple":
            return cbor2.CBORSimpleValue(random.choice([0, 19, 32, 255]))
        case "tag":
            number = random.choice([6, 23, 24, 32, 1000, 1 << 40])
            return cbor2.CBORTag(number, "https://example.com/ä" if number == 32 else document(random, depth + 1, more))


def meaning(value):
    """What Python's own comparison would not tell apart, or hold for different."""
    match value:
        case bool() | None | str() | bytes():
            return value
        case float():
            return ("float", repr(value))
        case list() | tuple():
            return [meaning(item) for item in value]
        case Mapping():
            return sorted(((meaning(key), meaning(item)) for key, item in value.items()), key=repr)
        case cbor2.CBORTag():
            return ("tag", value.tag, meaning(value.value))
        case _:
            return (type(value).__name__, repr(value))


def written(value):
    return cbor2.dumps(value, canonical=random.random() < 0.5, datetime_as_timestamp=random.random() < 0.5)


match sys.argv[1]:
    case "rewrite":
        for line in sys.stdin:
            print(cbor2.dumps(cbor2.loads(bytes.fromhex(line)), canonical=True).hex())
        generator = random.Random(int(sys.argv[2]))
        for _ in range(int(sys.argv[3])):
            value = document(generator)
            print(cbor2.dumps(value).hex(), cbor2.dumps(value, canonical=True).hex())
    case "make":
        random.seed(int(sys.argv[2]))
        every = ("keys", "date", "decimal", "uuid", "bignum", "undefined", "simple", "tag")
        for _ in range(int(sys.argv[3])):
            print(written(document(random, 0, every)).hex())
    case "compare":
        for line in sys.stdin:
            first, second = (meaning(cbor2.loads(bytes.fromhex(part))) for part in line.split())
            if first != second:
                print(line.strip())
