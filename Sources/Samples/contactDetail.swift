extension Random {
    /// An e-mail address, telephone number, card number or link, all from ranges reserved for examples: what redaction must find.
    mutating func contactDetail() -> String {
        let number = 100 + below(900)
        return switch below(4) {
        case 0: "\(pick(["mira", "jonas", "elif", "aziza"])).\(number)@example.org"
        case 1: "+49 30 23125 \(number)"
        case 2: "4111 1111 1111 1111"
        default: "https://example.com/notes/\(number)"
        }
    }
}
