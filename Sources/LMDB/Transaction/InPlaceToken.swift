/// Tells a view through which the store is changed in place from its copies: the view alone holds its token.
@usableFromInline
package final class InPlaceToken {
  @usableFromInline package init() {}
}

extension Transaction {
  /// A token nobody else holds.
  @usableFromInline
  package func takeToken() -> InPlaceToken { idleTokens.popLast() ?? InPlaceToken() }

  /// Keeps a token to be used again, unless a copy of the view still holds it.
  @usableFromInline
  package func giveBack(_ token: consuming InPlaceToken?) {
    var token = token
    if isKnownUniquelyReferenced(&token), let token { idleTokens.append(token) }
  }
}
