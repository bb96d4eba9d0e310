#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  extension Format: ExpressibleByArgument {}

  extension EntryPrinter {
    init(_ option: FormatOption, keys: Bool = false, values: Bool = false, limit: Int = .max) {
      self.init(option.format, option.style, keys: keys, values: values, limit: limit)
    }
  }
#endif
