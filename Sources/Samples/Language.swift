/// The languages in which the people of the samples write.
enum Language: String, CaseIterable, Sendable {
    case english = "en-GB"
    case german = "de-DE"
    case turkish = "tr-TR"
    case uzbek = "uz-UZ"
}

func words(in text: String) -> Int { text.split(separator: " ").count }
