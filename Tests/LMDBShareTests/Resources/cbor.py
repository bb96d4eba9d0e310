"""Reads lines of CBOR in hexadecimal, and writes each again in the deterministic form; then writes documents of its own."""

import random
import sys

import cbor2


def document(random, depth=0):
    kinds = ["int", "float", "text", "bytes", "bool", "null"] + (["array", "map"] if depth < 4 else [])
    match random.choice(kinds):
        case "int":
            return random.randrange(-(1 << 63), 1 << 63) >> random.randrange(64)
        case "float":
            return random.choice([0.0, -0.0, 1.5, 65504.0, 1e-7, 5.960464477539063e-8, 3.4028234663852886e38,
                                  float("inf"), float("-inf"), float("nan"), random.uniform(-1e9, 1e9),
                                  float(random.randrange(-100, 100))])
        case "text":
            return "".join(random.choices("aZ0 é\U0001f600\0", k=random.choice([0, 1, 5, 30])))
        case "bytes":
            return random.randbytes(random.choice([0, 1, 30, 300]))
        case "bool":
            return random.random() < 0.5
        case "null":
            return None
        case "array":
            return [document(random, depth + 1) for _ in range(random.choice([0, 1, 3, 30]))]
        case "map":
            keys = {"".join(random.choices("abc", k=random.randrange(30))) for _ in range(random.choice([0, 1, 3, 30]))}
            return {key: document(random, depth + 1) for key in keys}


for line in sys.stdin:
    print(cbor2.dumps(cbor2.loads(bytes.fromhex(line)), canonical=True).hex())
generator = random.Random(int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    value = document(generator)
    print(cbor2.dumps(value).hex(), cbor2.dumps(value, canonical=True).hex())
