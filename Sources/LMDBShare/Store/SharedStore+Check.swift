extension SharedStore {
  /// Checks the consistency of the store: every page of its file, then every structure.
  ///
  /// Nothing is changed, and other processes can read and write meanwhile; each structure is checked in one snapshot.
  ///
  /// - Returns: At most one error for each structure; none when the store is consistent. A structure that this version
  ///   does not understand is such an error, too: ``StoreError/Code/newerFormat``.
  /// - Throws: ``StoreError`` when the store cannot be checked.
  /// - Complexity: O(*n*) in the size of the store.
  public func check() throws -> [StoreError] { try check(isChecked: false) }

  /// Checks the store; its pages may have just been checked.
  package func check(isChecked: Bool) throws(StoreError) -> [StoreError] {
    var findings: [StoreError] = []
    do throws(StoreError) {
      if !isChecked { try environment.checkPages() }
    } catch {
      // Structures may be on any of the damaged pages, where LMDB would follow them.
      guard error.code == .damaged || error.code == .truncated else { throw error }
      return [error]
    }
    let (known, unknown) = try catalogue()
    findings += unknown
    for found in known {
      do throws(StoreError) {
        try check(found)
      } catch {
        guard error.code == .damaged || error.code == .newerFormat else { throw error }
        findings.append(error.about(found.name))
      }
    }
    return findings
  }

  private func check(_ found: StructureDescription) throws(StoreError) {
    let core = try environment.beginRead()
    defer { core.end() }
    let present = try Catalogue.description(of: found.name, environment.catalogue, core)
    // Another process may have removed it meanwhile.
    guard let present, present.identity == found.identity else { return }
    let number = try environment.number(of: found, in: core)
    let reference = StructureReference(found, number: number, environment)
    try UntypedContents(core, reference, number).checkInvariants()
  }
}
