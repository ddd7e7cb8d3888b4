import Testing
@testable import Common

