/// A stored field of a ``FieldStorable`` type: its name in the file, and where the value has it.
public struct Field<Record, Value>: Sendable {
  @usableFromInline let key: FieldKey
  @usableFromInline let write: @Sendable (Record, inout FieldWriter) throws(EncodingFailure) -> Void
  @usableFromInline let read: @Sendable (inout FieldCursor) throws(DecodingFailure) -> Value
  @usableFromInline let placeholder: @Sendable () -> Value?

  @inlinable init(
    _ key: FieldKey, write: @escaping @Sendable (Record, inout FieldWriter) throws(EncodingFailure) -> Void,
    read: @escaping @Sendable (FieldReader) throws(DecodingFailure) -> Value, missing: (@Sendable () -> Value)?,
    placeholder: @escaping @Sendable () -> Value?
  ) {
    self.key = key
    self.write = write
    self.read = { (cursor) throws(DecodingFailure) in
      if let reader = cursor.next() {
        do throws(DecodingFailure) {
          return try read(reader)
        } catch {
          throw key.failure(error)
        }
      }
      guard let missing else { throw key.missing }
      return missing()
    }
    self.placeholder = placeholder
  }
}

extension Field where Value: FieldValue {
  /// Declares a field. Stored values must have it, unless it is an optional; nil is left out.
  ///
  /// - Parameters:
  ///   - name: The name in the file. Keep it when you rename the property.
  ///   - get: Returns the field of a value: `\.path`.
  @inlinable public init(_ name: String, _ get: @escaping @Sendable (Record) -> Value) {
    let key = FieldKey(name)
    let missing = Value.omittedField.map { omitted in { @Sendable in omitted } }
    self.init(
      key,
      write: { (record, writer) throws(EncodingFailure) in
        let value = get(record)
        if !Value.isOmittedField(value) { try Self.write(key, value, into: &writer) }
      },
      read: { (reader) throws(DecodingFailure) in try Value.readField(reader) }, missing: missing,
      placeholder: { missing?() ?? Value.fieldPlaceholder })
  }

  /// Declares a field with an initial value, which it has where stored bytes lack the field, or have null for a type without nil.
  /// It is always written; nil of an optional as null.
  ///
  /// - Parameters:
  ///   - name: The name in the file. Keep it when you rename the property.
  ///   - get: Returns the field of a value: `\.tries`.
  ///   - initial: The initial value; it is evaluated whenever it is needed.
  @inlinable public init(
    _ name: String, _ get: @escaping @Sendable (Record) -> Value,
    initially initial: @escaping @autoclosure @Sendable () -> Value
  ) {
    let key = FieldKey(name)
    self.init(
      key, write: { (record, writer) throws(EncodingFailure) in try Self.write(key, get(record), into: &writer) },
      read: { (reader) throws(DecodingFailure) in
        if case nil = Value.omittedField, try reader.isNull() { return initial() }
        return try Value.readField(reader)
      }, missing: initial, placeholder: initial)
  }

  @inlinable @inline(__always)
  static func write(_ key: FieldKey, _ value: Value, into writer: inout FieldWriter) throws(EncodingFailure) {
    writer.append(field: key)
    if !Value.isFieldAlwaysReadable { writer.mustBeRead() }
    try Value.writeField(value, into: &writer)
  }
}

/// The fields of a type, and the initializer that takes them.
public protocol FieldList<Record>: Sendable {
  /// The type that has the fields.
  associatedtype Record

  /// Appends a value as a map of its fields.
  func write(_ record: Record, into writer: inout FieldWriter) throws(EncodingFailure)

  /// Reads a value from a map.
  func read(_ reader: FieldReader) throws(DecodingFailure) -> Record

  /// The value of initial values and placeholders; nil when a field has neither.
  var placeholder: Record? { get }
}

/// The fields of a ``FieldStorable`` type, and the initializer that takes them in this order.
public struct Fields<Record, each Value>: FieldList {
  @usableFromInline let readers: (repeat @Sendable (inout FieldCursor) throws(DecodingFailure) -> each Value)
  @usableFromInline let placeholders: (repeat @Sendable () -> (each Value)?)
  @usableFromInline let make: @Sendable (repeat each Value) throws -> Record
  @usableFromInline let keys: FieldKeys
  /// In the order of the keys in a map.
  @usableFromInline let writers: [@Sendable (Record, inout FieldWriter) throws(EncodingFailure) -> Void]
  /// Whether the initializer can refuse values.
  @usableFromInline let canThrow: Bool

  /// Declares the fields of a type.
  ///
  /// - Parameters:
  ///   - make: The initializer, usually the one that Swift makes: `Job.init`.
  ///   - field: The fields, in the order in which the initializer takes them.
  @inlinable public init(
    _ make: @escaping @Sendable (repeat each Value) -> Record, _ field: repeat Field<Record, each Value>
  ) {
    self.init(make, (repeat each field), canThrow: false)
  }

  /// Declares the fields of a type whose initializer can refuse them. Then what is written is read once before it is stored.
  ///
  /// - Parameters:
  ///   - make: The initializer.
  ///   - field: The fields, in the order in which the initializer takes them.
  @_disfavoredOverload
  @inlinable public init(
    _ make: @escaping @Sendable (repeat each Value) throws -> Record, _ field: repeat Field<Record, each Value>
  ) {
    self.init(make, (repeat each field), canThrow: true)
  }

  @inlinable init(
    _ make: @escaping @Sendable (repeat each Value) throws -> Record, _ fields: (repeat Field<Record, each Value>),
    canThrow: Bool
  ) {
    self.make = make
    readers = (repeat (each fields).read)
    placeholders = (repeat (each fields).placeholder)
    var keys: [FieldKey] = []
    var writers: [@Sendable (Record, inout FieldWriter) throws(EncodingFailure) -> Void] = []
    for field in repeat each fields {
      keys.append(field.key)
      writers.append(field.write)
    }
    self.keys = FieldKeys(keys)
    self.canThrow = canThrow
    self.writers = self.keys.fields.map { writers[$0] }
  }

  /// Appends a value as a map of its fields.
  @inlinable public func write(_ record: Record, into writer: inout FieldWriter) throws(EncodingFailure) {
    let outer = try writer.beginFields(keys)
    if canThrow { writer.mustBeRead() }
    for write in writers { try write(record, &writer) }
    try writer.endFields(outer, keys)
  }

  /// Reads a value from a map.
  @inlinable public func read(_ reader: FieldReader) throws(DecodingFailure) -> Record {
    try withTemporaryIntegers(writers.count) { (positions) throws(DecodingFailure) in
      try keys.find(reader.items, reader.position, &positions)
      var cursor = FieldCursor(reader.items, positions.span)
      do {
        return try make(repeat (each readers)(&cursor))
      } catch {
        throw error as? DecodingFailure ?? DecodingFailure("\(error)")
      }
    }
  }

  /// The value of initial values and placeholders; nil when a field has neither.
  public var placeholder: Record? {
    func value<V>(_ placeholder: @escaping @Sendable () -> V?) throws -> V {
      guard let value = placeholder() else { throw DecodingFailure("none") }
      return value
    }
    return try? make(repeat value(each placeholders))
  }
}

/// Where the values of a type's fields begin, one after the other in the order of the declaration.
@usableFromInline struct FieldCursor: ~Copyable, ~Escapable {
  @usableFromInline let items: CBORItems
  @usableFromInline let positions: Span<Int>
  @usableFromInline var index = 0

  @_lifetime(copy positions)
  @inlinable init(_ items: CBORItems, _ positions: Span<Int>) {
    self.items = items
    self.positions = positions
  }

  /// The next field's value; nil where stored bytes lack the field.
  @inlinable @inline(__always)
  @_lifetime(self: copy self)
  mutating func next() -> FieldReader? {
    let position = positions[index]
    index += 1
    return position > 0 ? FieldReader(items, position) : nil
  }
}

extension FieldKey {
  /// What is wrong with a field.
  @usableFromInline func failure(_ error: DecodingFailure) -> DecodingFailure {
    DecodingFailure("\(name): \(error.description)", isMismatch: error.isMismatch)
  }

  /// What is wrong when the field is not there.
  @usableFromInline var missing: DecodingFailure { DecodingFailure("there is no field '\(name)'") }
}
