"""Reads and writes a store from Python, only according to the specification of the format (OnDiskFormat.md).

    python peer.py read STORE     prints every structure as one JSON object, by name
    python peer.py write STORE    appends to, sets and pushes to five structures, in one transaction

What is read is printed as {"name": {"kind": ..., "contents": ...}}. Lists, arrays and queues are arrays; dictionaries
are arrays of [key, value] in the order in which they are stored; composite keys are arrays of their parts. Bytes,
`bits(...)` and everything of an unknown representation are hexadecimal; UUIDs are in upper case; dates are seconds
since 2001-01-01 00:00 UTC; numbers that JSON does not know are "nan", "inf" and "-inf". Packed elements of an
unknown size are shown as whole blocks.

Needs py-lmdb (`pip install lmdb`) and nothing else. Errors go to standard error, with exit code 1.
"""

import hashlib
import itertools
import json
import math
import os
import re
import struct
import sys
import uuid
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Optional

import cbor2
import lmdb

FORMAT = b"lmdbshare 1"
CATALOGUE = b".catalogue"
VALUES = b".values"

FIRST_BLOCK_KEY = 1 << 32  # of packed structures; keys below belong to the directory
MIDDLE_KEY = 1 << 62  # where a new list starts
KEY_STEP = 1 << 20  # between the blocks of a slotted list that are added at its end
BLOCK_BYTES = 4080
ENTRIES_PER_LEAF = 255

QUEUE_LEVELS = 8
QUEUE_READY = 0x10  # the area of the first level's items
QUEUE_NORMAL = 4  # the level of items without a priority
QUEUE_HEADER = 48  # of the record of an item with a history
# Last number, last token; items that are gone, leased, delayed, dead; flags; items skipped in the first record of each level.
QUEUE_STATE = struct.Struct("<QQQQQQQ8I")
QUEUE_NUMBER_MASK = (1 << 56) - 1

LONGEST_PLAIN_KEY = 510
HASHED_KEY_BYTES = 511
HASHED_KEY_PREFIX = 479

U16 = struct.Struct("<H")
U32 = struct.Struct("<I")
U64 = struct.Struct("<Q")
ENTRY = struct.Struct("<QQ")  # a key, a number of elements


class Problem(Exception):
    """What is wrong with a store, for the user of this program."""


# Values


@dataclass(frozen=True)
class Codec:
    """How the values of one representation are read."""

    decode: Callable[[bytes], Any]
    #: Bytes of every value, or None when that depends on the value.
    size: Optional[int] = None
    #: False when only the program that made the structure knows the representation.
    is_known: bool = True


def value_codec(identifier: str) -> Codec:
    """The representation of values and elements that an identifier names."""
    if match := re.fullmatch(r"([iu])(8|16|32|64|128)", identifier):
        size, signed = int(match[2]) // 8, match[1] == "i"
        return Codec(sized(identifier, size, lambda raw: int.from_bytes(raw, "little", signed=signed)), size)
    if identifier in ("f32", "f64", "date"):
        layout = struct.Struct("<f" if identifier == "f32" else "<d")
        return Codec(sized(identifier, layout.size, lambda raw: number(layout.unpack(raw)[0])), layout.size)
    if identifier == "bool":
        return Codec(sized(identifier, 1, boolean), 1)
    if identifier == "uuid":
        return Codec(sized(identifier, 16, universal_identifier), 16)
    if identifier == "string":
        return Codec(text)
    if identifier == "bytes":
        return Codec(bytes.hex)
    if identifier.endswith("?"):
        return optional_codec(value_codec(identifier[:-1]))
    if identifier.startswith("[") and identifier.endswith("]"):
        return array_codec(identifier, value_codec(identifier[1:-1]))
    if identifier.startswith("json(") and identifier.endswith(")"):
        return Codec(document)
    if identifier.startswith("cbor(") and identifier.endswith(")"):
        return Codec(item)
    if match := re.fullmatch(r"bits\(.*,(\d+)\)", identifier):
        return Codec(sized(identifier, int(match[1]), bytes.hex), int(match[1]))
    if identifier.startswith("(") and identifier.endswith(")"):
        # Composites have one representation, as keys and as values.
        composite = key_codec(identifier)
        return Codec(composite.decode, is_known=composite.read is not None)
    return Codec(bytes.hex, is_known=False)


def sized(identifier: str, size: int, decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def checked(raw: bytes) -> Any:
        if len(raw) != size:
            raise Problem(f"{len(raw)} bytes are no {identifier}")
        return decode(raw)

    return checked


def number(value: float) -> Any:
    return value if math.isfinite(value) else str(value)


def boolean(raw: bytes) -> bool:
    if raw[0] > 1:
        raise Problem(f"{raw[0]} is no bool")
    return raw[0] == 1


def universal_identifier(raw: bytes) -> str:
    return str(uuid.UUID(bytes=raw)).upper()


def text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(f"{len(raw)} bytes are not UTF-8: {error}") from error


def document(raw: bytes) -> Any:
    try:
        return json.loads(text(raw))
    except ValueError as error:
        raise Problem(f"{len(raw)} bytes are no JSON: {error}") from error


def item(raw: bytes) -> Any:
    try:
        return cbor2.loads(raw)
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise Problem(f"{len(raw)} bytes are no CBOR: {error}") from error


def optional_codec(wrapped: Codec) -> Codec:
    def decode(raw: bytes) -> Any:
        if raw == b"\0":
            return None
        if raw[:1] != b"\1":
            raise Problem(f"an optional starts with neither 0 nor 1: {raw[:8].hex()}")
        return wrapped.decode(raw[1:])

    return Codec(decode, is_known=wrapped.is_known)


def array_codec(identifier: str, element: Codec) -> Codec:
    # Elements of a fixed size are side by side, others each follow their length. With an unknown one this is not known.
    if not element.is_known:
        return Codec(bytes.hex, is_known=False)
    size = element.size
    if size is not None:

        def side_by_side(raw: bytes) -> list[Any]:
            if size == 0 or len(raw) % size:
                raise Problem(f"{len(raw)} bytes are no {identifier}")
            return [element.decode(raw[start : start + size]) for start in range(0, len(raw), size)]

        return Codec(side_by_side)

    def behind_lengths(raw: bytes) -> list[Any]:
        reader = Reader(raw)
        elements = []
        while reader.remaining:
            (length,) = U32.unpack(reader.take(U32.size))
            elements.append(element.decode(reader.take(length)))
        return elements

    return Codec(behind_lengths)


# Keys


class Reader:
    """Reads bytes from the front."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.offset = 0

    @property
    def remaining(self) -> int:
        return len(self.raw) - self.offset

    def take(self, count: int) -> bytes:
        if count > self.remaining:
            raise Problem(f"{count} bytes expected, {self.remaining} left")
        self.offset += count
        return self.raw[self.offset - count : self.offset]

    def escaped(self) -> bytes:
        """Bytes up to 00 00, in which 00 01 stands for 00."""
        found = bytearray()
        while True:
            byte = self.take(1)
            if byte == b"\0":
                mark = self.take(1)
                if mark == b"\0":
                    return bytes(found)
                if mark != b"\1":
                    raise Problem("a part of a key has a wrong escape")
            found += byte


@dataclass(frozen=True)
class KeyCodec:
    """How the keys of one representation are read."""

    decode: Callable[[bytes], Any]
    #: Reads a key that is a part of a composite; None for a representation that is not known.
    read: Optional[Callable[[Reader], Any]]
    #: Keys of a fixed size are stored as they are, and never hashed.
    is_fixed: bool = False


def key_codec(identifier: str) -> KeyCodec:
    """The representation of keys that an identifier names."""
    if match := re.fullmatch(r"([iu])(8|16|32|64|128)", identifier):
        bits = int(match[2])
        # The sign bit is inverted, which adds half of the range.
        bias = 1 << (bits - 1) if match[1] == "i" else 0
        return fixed_key(identifier, bits // 8, lambda raw: int.from_bytes(raw, "big") - bias)
    if identifier in ("f32", "f64", "date"):
        layout = struct.Struct(">f" if identifier == "f32" else ">d")
        return fixed_key(identifier, layout.size, lambda raw: number(layout.unpack(unordered(raw))[0]))
    if identifier == "bool":
        return fixed_key(identifier, 1, boolean)
    if identifier == "uuid":
        return fixed_key(identifier, 16, universal_identifier)
    if identifier == "string":
        return KeyCodec(text, lambda reader: text(reader.escaped()))
    if identifier == "bytes":
        return KeyCodec(bytes.hex, lambda reader: reader.escaped().hex())
    if identifier.startswith("(") and identifier.endswith(")"):
        return composite_key(split(identifier[1:-1]))
    return KeyCodec(bytes.hex, None)


def fixed_key(identifier: str, size: int, decode: Callable[[bytes], Any]) -> KeyCodec:
    return KeyCodec(sized(identifier, size, decode), lambda reader: decode(reader.take(size)), is_fixed=True)


def unordered(raw: bytes) -> bytes:
    """The bits of a floating-point number, from their sortable form."""
    if raw[0] & 0x80:
        return bytes([raw[0] ^ 0x80]) + raw[1:]
    return bytes(byte ^ 0xFF for byte in raw)


def split(parts: str) -> list[str]:
    """The parts between commas that are not inside parentheses."""
    found, depth = [""], 0
    for character in parts:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return found


def composite_key(identifiers: list[str]) -> KeyCodec:
    reads = [key_codec(identifier).read for identifier in identifiers]
    known = [read for read in reads if read is not None]
    if len(known) < len(reads):
        # The end of a part with an unknown representation is not known.
        return KeyCodec(bytes.hex, None)

    def read(reader: Reader) -> list[Any]:
        return [part(reader) for part in known]

    def decode(raw: bytes) -> list[Any]:
        reader = Reader(raw)
        parts = read(reader)
        if reader.remaining:
            raise Problem(f"{reader.remaining} bytes too many in a key")
        return parts

    # Never of a fixed size, whatever the parts are.
    return KeyCodec(decode, read)


def stored_key(encoded: bytes) -> bytes:
    """The key under which an encoded key of no fixed size is stored."""
    # LMDB does not allow empty keys, so keys of only zeros get one more zero.
    stored = encoded if encoded.strip(b"\0") else encoded + b"\0"
    if len(stored) <= LONGEST_PLAIN_KEY:
        return stored
    return encoded[:HASHED_KEY_PREFIX] + hashlib.sha256(encoded).digest()


def stored_entry(encoded: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Key and value as they are stored, for keys of no fixed size."""
    stored = stored_key(encoded)
    if len(stored) == HASHED_KEY_BYTES:
        value = U32.pack(len(encoded)) + encoded + value
    return stored, value


def encoded_entry(stored: bytes, value: bytes, key: KeyCodec) -> tuple[bytes, bytes]:
    """The encoded key and the value of a stored entry."""
    if key.is_fixed:
        return stored, value
    if len(stored) == HASHED_KEY_BYTES:
        reader = Reader(value)
        (length,) = U32.unpack(reader.take(U32.size))
        encoded = reader.take(length)
        if stored_key(encoded) != stored:
            raise Problem(f"the hashed key {stored[:8].hex()}... is not that of the key in its value")
        return encoded, reader.take(reader.remaining)
    return (stored if stored.strip(b"\0") else stored[:-1]), value


# The store


@dataclass(frozen=True)
class Record:
    """The catalogue's description of a structure."""

    name: str
    kind: str
    element: str
    identity: int
    layout: Optional[str] = None
    key: Optional[str] = None
    count: Optional[int] = None
    maximum: Optional[int] = None

    @staticmethod
    def parse(name: str, raw: bytes) -> "Record":
        fields = dict(line.split(" ", 1) for line in text(raw).split("\n") if " " in line)
        try:
            return Record(
                name,
                kind=fields["kind"],
                element=fields["element"],
                identity=int(fields["identity"], 16),
                layout=fields.get("layout"),
                key=fields.get("key"),
                count=int(fields["count"]) if "count" in fields else None,
                maximum=int(fields["maximum"]) if "maximum" in fields else None,
            )
        except (KeyError, ValueError) as error:
            raise Problem(f"the record of '{name}' is not understood ({error!r}): {raw!r}") from error


class Store:
    """A store within one transaction."""

    def __init__(self, environment: lmdb.Environment, txn: lmdb.Transaction) -> None:
        self.environment = environment
        self.txn = txn
        self.catalogue = self.database(CATALOGUE, integer_keys=False)
        found = txn.get(b".format", db=self.catalogue)
        if found != FORMAT:
            raise Problem(f"the store's format is {found!r}, not {FORMAT!r}")

    def database(self, name: bytes, integer_keys: bool) -> Any:
        try:
            database = self.environment.open_db(name, txn=self.txn, create=False)
        except lmdb.NotFoundError as error:
            raise Problem(f"there is no database {name.decode()!r}; is this a store?") from error
        flags = database.flags(self.txn)
        if flags["integerkey"] != integer_keys or flags["dupsort"]:
            raise Problem(f"the database {name.decode()!r} has flags that do not fit: {flags}")
        return database

    def records(self) -> Iterator[Record]:
        for name, raw in self.txn.cursor(db=self.catalogue):
            if not name.startswith(b"."):
                yield Record.parse(text(name), raw)

    def record(self, name: str, kind: str, element: str, key: Optional[str] = None) -> Record:
        """The record of a structure, which must match exactly."""
        raw = self.txn.get(name.encode(), db=self.catalogue)
        if raw is None:
            raise Problem(f"there is no structure '{name}'")
        record = Record.parse(name, raw)
        if (record.kind, record.element, record.key) != (kind, element, key):
            raise Problem(
                f"'{name}' is a {record.kind} of {record.element} (keys: {record.key}), "
                f"not a {kind} of {element} (keys: {key})"
            )
        return record

    def database_of(self, record: Record) -> Any:
        """The database of any structure except a value."""
        return self.database(record.name.encode(), integer_keys=record.kind != "dictionary")


# Integer keys


def key_bytes(key: int) -> bytes:
    return U64.pack(key)


def integer_key(raw: bytes) -> int:
    if len(raw) != U64.size:
        raise Problem(f"a key has {len(raw)} bytes instead of {U64.size}")
    return U64.unpack(raw)[0]


# Blocks


def capacity(size: int) -> int:
    return max(1, BLOCK_BYTES // size)


def entries(raw: Optional[bytes], what: str) -> list[tuple[int, int]]:
    """The entries of one part of a directory."""
    if raw is None or len(raw) % ENTRY.size:
        raise Problem(f"{what} is missing or has a wrong size")
    return [ENTRY.unpack_from(raw, start) for start in range(0, len(raw), ENTRY.size)]


def packed(parts: list[tuple[int, int]]) -> bytes:
    return b"".join(ENTRY.pack(*part) for part in parts)


def leaf_entries(store: Store, database: Any, leaf: int, count: int) -> list[tuple[int, int]]:
    found = entries(store.txn.get(key_bytes(leaf), db=database), f"leaf {leaf} of the directory")
    if sum(part[1] for part in found) != count:
        raise Problem(f"leaf {leaf} of the directory does not have {count} elements")
    return found


def blocks(store: Store, database: Any, size: Optional[int]) -> Iterator[bytes]:
    """The blocks of a packed structure, in its order; `size` is None when it is not known."""
    top = store.txn.get(key_bytes(0), db=database)
    if top is None:
        expected = None
        for raw_key, block in store.txn.cursor(db=database):
            key = integer_key(raw_key)
            if key < FIRST_BLOCK_KEY or key != (expected if expected is not None else key):
                raise Problem(f"its blocks are not dense: {key:#x}")
            expected = key + 1
            yield block
        return
    for leaf, leaf_count in entries(top, "the directory"):
        for key, count in leaf_entries(store, database, leaf, leaf_count):
            block = store.txn.get(key_bytes(key), db=database)
            if block is None or (size is not None and len(block) != count * size):
                raise Problem(f"block {key:#x} is missing or does not have {count} elements")
            yield block


# Reading


def read_packed(store: Store, record: Record) -> list[Any]:
    element = value_codec(record.element)
    database = store.database_of(record)
    if element.size is None:
        return [block.hex() for block in blocks(store, database, None)]
    found: list[Any] = []
    for block in blocks(store, database, element.size):
        count, rest = divmod(len(block), element.size)
        if rest or not 0 < count <= capacity(element.size):
            raise Problem(f"a block has {len(block)} bytes")
        found += (element.decode(block[start : start + element.size]) for start in range(0, len(block), element.size))
    if record.count is not None and len(found) != record.count:
        raise Problem(f"it has {len(found)} elements instead of {record.count}")
    return found


def slots(block: bytes) -> list[bytes]:
    """The elements of a block of a slotted list."""
    count = U16.unpack_from(block, len(block) - 2)[0] if len(block) >= 2 else 0
    length = len(block) - 2 * count
    if count == 0 or length < 0 or (count > 1 and len(block) > BLOCK_BYTES):
        raise Problem(f"a block has {len(block)} bytes and {count} elements")
    ends = [0, *(U16.unpack_from(block, length + 2 * index)[0] for index in range(count - 1)), length]
    if ends != sorted(ends):
        raise Problem("the ends of a block descend")
    return [block[start:end] for start, end in zip(ends, ends[1:])]


def slotted(elements: list[bytes]) -> bytes:
    """A block of a slotted list."""
    ends = itertools.accumulate(len(element) for element in elements[:-1])
    return b"".join(elements) + b"".join(U16.pack(end) for end in ends) + U16.pack(len(elements))


def read_slotted(store: Store, record: Record) -> list[Any]:
    decode = value_codec(record.element).decode
    database = store.database_of(record)
    found = []
    for raw_key, block in store.txn.cursor(db=database):
        if integer_key(raw_key) >= FIRST_BLOCK_KEY:
            found.append((integer_key(raw_key), slots(block)))
    # The directory is not needed for reading; it must agree.
    top = store.txn.get(key_bytes(0), db=database)
    inner = []
    for leaf, count in entries(top, "the directory") if top is not None else []:
        inner += leaf_entries(store, database, leaf, count)
    if inner != [(key, len(elements)) for key, elements in found[1:-1]]:
        raise Problem("the directory does not have the blocks between the first and the last")
    return [decode(element) for _, elements in found for element in elements]


def read_indexed(store: Store, record: Record) -> list[Any]:
    decode = value_codec(record.element).decode
    found: list[Any] = []
    first = None
    for raw_key, value in store.txn.cursor(db=store.database_of(record)):
        key = integer_key(raw_key)
        first = key if first is None else first
        if key != first + len(found):
            raise Problem(f"its keys are not dense: {key:#x}")
        found.append(decode(value))
    return found


def read_dictionary(store: Store, record: Record) -> list[Any]:
    if record.key is None:
        raise Problem("its record names no keys")
    key, value = key_codec(record.key), value_codec(record.element)
    found = []
    for stored, raw in store.txn.cursor(db=store.database_of(record)):
        encoded, raw = encoded_entry(stored, raw, key)
        found.append([key.decode(encoded), value.decode(raw)])
    return found


def queue_state(store: Store, database: Any) -> list[int]:
    raw = store.txn.get(key_bytes(0), db=database)
    if raw is None:
        return [0] * 15
    if len(raw) != QUEUE_STATE.size:
        raise Problem(f"the state has {len(raw)} bytes")
    return list(QUEUE_STATE.unpack(raw))


def read_queue(store: Store, record: Record) -> list[Any]:
    decode = value_codec(record.element).decode
    database = store.database_of(record)
    skipped = queue_state(store, database)[7:]
    items = []  # level, number, bytes
    seen = set()
    for key, raw in store.txn.cursor(db=database):
        area, number = integer_key(key) >> 56, integer_key(key) & QUEUE_NUMBER_MASK
        if not QUEUE_READY <= area < QUEUE_READY + 2 * QUEUE_LEVELS:
            continue
        level = (area - QUEUE_READY) // 2
        if area % 2 == 0:
            (reason,) = U32.unpack_from(raw, 44)
            items.append((level, number, raw[QUEUE_HEADER + reason:]))
            continue
        (count,) = U32.unpack_from(raw, 0)
        ends = [0] + [U32.unpack_from(raw, 4 + 4 * index)[0] for index in range(count)]
        base = 4 + 4 * count
        first = 0 if level in seen else skipped[level]
        seen.add(level)
        for index in range(first, count):
            items.append((level, number + index, raw[base + ends[index]:base + ends[index + 1]]))
    return [decode(raw) for _, _, raw in sorted(items)]


def read_value(store: Store, record: Record) -> Any:
    raw = store.txn.get(record.name.encode(), db=store.database(VALUES, integer_keys=False))
    if raw is None:
        raise Problem("its value is missing")
    return value_codec(record.element).decode(raw)


def read_structure(store: Store, record: Record) -> Any:
    readers: dict[tuple[str, Optional[str]], Callable[[Store, Record], Any]] = {
        ("list", "packed"): read_packed,
        ("list", "indexed"): read_indexed,
        ("list", "slotted"): read_slotted,
        ("array", "packed"): read_packed,
        ("dictionary", None): read_dictionary,
        ("queue", "packed"): read_queue,
        ("value", None): read_value,
    }
    read = readers.get((record.kind, record.layout))
    if read is None:
        raise Problem(f"{record.kind} (layout: {record.layout}) is not known")
    return read(store, record)


def read_all(store: Store) -> dict[str, Any]:
    found = {}
    for record in sorted(store.records(), key=lambda record: record.name):
        try:
            found[record.name] = {"kind": record.kind, "contents": read_structure(store, record)}
        except Problem as problem:
            raise Problem(f"{record.kind} '{record.name}': {problem}") from problem
    return found


# Writing


def append(store: Store, name: str, element: str, layout: str, raw: bytes) -> None:
    record = store.record(name, "list", element)
    if record.layout != layout:
        raise Problem(f"list '{name}' is {record.layout}, not {layout}")
    database = store.database_of(record)
    append_raw = {"indexed": append_indexed, "slotted": append_slotted, "packed": append_packed}[layout]
    count = append_raw(store, database, raw)
    if record.maximum is not None and count > record.maximum:
        raise Problem(f"list '{name}' is full ({record.maximum} elements), and this program does not drop any")


def append_indexed(store: Store, database: Any, raw: bytes) -> int:
    """Appends an element; returns the number of elements."""
    cursor = store.txn.cursor(db=database)
    key = integer_key(cursor.key()) + 1 if cursor.last() else MIDDLE_KEY
    store.txn.put(key_bytes(key), raw, db=database, append=True)
    return store.txn.stat(database)["entries"]


def append_slotted(store: Store, database: Any, raw: bytes) -> int:
    """Appends an element; returns the number of elements."""
    cursor = store.txn.cursor(db=database)
    if not cursor.last():
        store.txn.put(key_bytes(MIDDLE_KEY), slotted([raw]), db=database)
        return 1
    last_key, last = integer_key(cursor.key()), slots(cursor.value())
    cursor.set_range(key_bytes(FIRST_BLOCK_KEY))
    first_key, first = integer_key(cursor.key()), slots(cursor.value())
    top = store.txn.get(key_bytes(0), db=database)
    leaves = entries(top, "the directory") if top is not None else []
    count = sum(number for _, number in leaves) + len(last) + (len(first) if first_key != last_key else 0) + 1
    block = slotted([*last, raw])
    if len(block) <= BLOCK_BYTES:
        store.txn.put(key_bytes(last_key), block, db=database)
        return count
    store.txn.put(key_bytes(last_key + KEY_STEP), slotted([raw]), db=database)
    if first_key != last_key:
        # The block that was the last one belongs to the directory now.
        leaf = leaf_entries(store, database, *leaves[-1]) if leaves else []
        if not leaves or len(leaf) == ENTRIES_PER_LEAF:
            leaves.append((max((number for number, _ in leaves), default=0) + 1, 0))
            leaf = []
        leaf.append((last_key, len(last)))
        leaves[-1] = (leaves[-1][0], leaves[-1][1] + len(last))
        store.txn.put(key_bytes(leaves[-1][0]), packed(leaf), db=database)
        store.txn.put(key_bytes(0), packed(leaves), db=database)
    return count


def append_packed(store: Store, database: Any, raw: bytes) -> int:
    """Appends an element; returns the number of elements."""
    top = store.txn.get(key_bytes(0), db=database)
    if top is None:
        return append_regular(store, database, raw)
    return append_by_directory(store, database, raw, entries(top, "the directory"))


def append_regular(store: Store, database: Any, raw: bytes) -> int:
    # Without a directory, keys are dense, and all blocks but the first and the last are full.
    size, full = len(raw), capacity(len(raw))
    cursor = store.txn.cursor(db=database)
    if not cursor.first():
        store.txn.put(key_bytes(MIDDLE_KEY), raw, db=database)
        return 1
    first_key, first = integer_key(cursor.key()), block_count(cursor.value(), size)
    cursor.last()
    key, last, block = integer_key(cursor.key()), block_count(cursor.value(), size), cursor.value()
    number_of_blocks = store.txn.stat(database)["entries"]
    if first_key < FIRST_BLOCK_KEY or key - first_key != number_of_blocks - 1:
        raise Problem("its blocks are not dense")
    count = first if number_of_blocks == 1 else first + (number_of_blocks - 2) * full + last
    if last < full:
        store.txn.put(key_bytes(key), block + raw, db=database)
    else:
        store.txn.put(key_bytes(key + 1), raw, db=database)
    return count + 1


def block_count(block: bytes, size: int) -> int:
    count, rest = divmod(len(block), size)
    if rest or not 0 < count <= capacity(size):
        raise Problem(f"a block has {len(block)} bytes")
    return count


def append_by_directory(store: Store, database: Any, raw: bytes, leaves: list[tuple[int, int]]) -> int:
    # With a directory, a block has any number of elements, and any free key.
    size = len(raw)
    if not leaves:
        leaves = [(1, 0)]
        last_leaf: list[tuple[int, int]] = []
    else:
        last_leaf = leaf_entries(store, database, *leaves[-1])
    if last_leaf and last_leaf[-1][1] < capacity(size):
        key, count = last_leaf[-1]
        block = store.txn.get(key_bytes(key), db=database)
        if block is None or len(block) != count * size:
            raise Problem(f"block {key:#x} is missing or does not have {count} elements")
        store.txn.put(key_bytes(key), block + raw, db=database)
        last_leaf[-1] = (key, count + 1)
    else:
        cursor = store.txn.cursor(db=database)
        cursor.last()
        key = max(integer_key(cursor.key()), FIRST_BLOCK_KEY) + 1
        store.txn.put(key_bytes(key), raw, db=database)
        if len(last_leaf) == ENTRIES_PER_LEAF:
            leaves.append((max(leaf for leaf, _ in leaves) + 1, 0))
            last_leaf = []
        last_leaf.append((key, 1))
    leaves[-1] = (leaves[-1][0], leaves[-1][1] + 1)
    store.txn.put(key_bytes(leaves[-1][0]), packed(last_leaf), db=database)
    store.txn.put(key_bytes(0), packed(leaves), db=database)
    return sum(count for _, count in leaves)


def push(store: Store, name: str, element: str, raw: bytes) -> None:
    database = store.database_of(store.record(name, "queue", element))
    area = (QUEUE_READY + 2 * QUEUE_NORMAL + 1) << 56
    # The last number is that of the state or, if it is greater, of the newest item. The state may stay unchanged.
    last = queue_state(store, database)[0]
    cursor = store.txn.cursor(db=database)
    if cursor.last() and integer_key(cursor.key()) & ~QUEUE_NUMBER_MASK == area:
        (count,) = U32.unpack_from(cursor.value(), 0)
        last = max(last, (integer_key(cursor.key()) & QUEUE_NUMBER_MASK) + count - 1)
    store.txn.put(key_bytes(area | (last + 1)), U32.pack(1) + U32.pack(len(raw)) + raw, db=database)


def write_all(store: Store) -> None:
    # The catalogue stays unchanged, and so does its counter of changes (`.version`). A waiter finds the item within 250 ms
    # without being woken.
    if store.record("names", "list", "string").layout == "indexed":
        append(store, "names", "string", "indexed", "from python".encode())
    else:
        for number in range(100):
            append(store, "names", "string", "slotted", f"{number} from python".encode())
            append(store, "names", "string", "slotted", b"x" * (200 * number))
        append(store, "names", "string", "slotted", "from python".encode())
    append(store, "numbers", "i64", "packed", struct.pack("<q", 7))

    scores = store.database_of(store.record("scores", "dictionary", "i64", key="string"))
    key, value = stored_entry("python".encode(), struct.pack("<q", 42))
    store.txn.put(key, value, db=scores)

    push(store, "jobs", "string", "job from python".encode())

    total = store.record("total", "value", "i64")
    store.txn.put(total.name.encode(), struct.pack("<q", 1234), db=store.database(VALUES, integer_keys=False))


# The program


def open_environment(path: str, writing: bool) -> lmdb.Environment:
    if not os.path.isfile(os.path.join(path, "data.mdb")):
        raise Problem(f"there is no store at {path}")
    return lmdb.open(
        path,
        subdir=True,
        create=False,
        max_dbs=64,
        readonly=not writing,
        lock=True,
        # Only address space; data that others write meanwhile fits in.
        map_size=1 << 40,
        # Relevant when this is the first process to open the store: then it creates the lock file.
        max_readers=1024,
        mode=0o600,
    )


def main(arguments: list[str]) -> None:
    if len(arguments) != 2 or arguments[0] not in ("read", "write"):
        raise Problem("usage: peer.py read|write STORE")
    writing = arguments[0] == "write"
    with open_environment(arguments[1], writing) as environment:
        # Leaving the block commits; an error aborts, and nothing is stored.
        with environment.begin(write=writing) as txn:
            store = Store(environment, txn)
            if writing:
                write_all(store)
            else:
                print(json.dumps(read_all(store)))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Problem, lmdb.Error, OSError) as error:
        print(f"peer.py: {error}", file=sys.stderr)
        sys.exit(1)
