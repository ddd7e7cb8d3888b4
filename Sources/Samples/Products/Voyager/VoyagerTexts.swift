/// Puts questions, answers and titles together from stock sentences, 10 to 30 words each; nobody ever wrote or was told them.
struct VoyagerTexts {
    private var random: Random

    init(seed: UInt64, stream: String) { random = Random(seed: seed, stream: stream) }

    mutating func question(_ language: Language) -> String {
        let stock = language.archivePhrases
        let text = random.pick(stock.openings) + " " + random.pick(stock.subjects)
        guard random.chance(25) else { return text }
        return text + "\n" + contact(stock)
    }

    /// Two sentences, often on lines of their own.
    mutating func answer(_ language: Language) -> String {
        let stock = language.archivePhrases
        let first = random.below(stock.answers.count)
        let second = (first + 1 + random.below(stock.answers.count - 1)) % stock.answers.count
        return stock.answers[first] + random.pick([" ", "\n", "\n\n- "]) + stock.answers[second]
    }

    mutating func title(_ language: Language) -> String {
        let title = random.pick(language.archivePhrases.titles)
        return random.chance(300) ? "\(title), part \(2 + random.below(4))" : title
    }

    /// A sentence with an e-mail address, telephone number, card number or link, all from ranges reserved for examples.
    private mutating func contact(_ stock: ArchivePhrases) -> String {
        let number = 100 + random.below(900)
        let filling =
            switch random.below(4) {
            case 0: "\(random.pick(["nora", "emre", "jonas", "dilnoza"])).\(number)@example.org"
            case 1: "+1 202 555 01\(number % 90 + 10)"
            case 2: "4242 4242 4242 4242"
            default: "https://example.com/threads/\(number)"
            }
        return stock.contact.split(separator: "%", omittingEmptySubsequences: false).joined(separator: filling)
    }
}

/// What is asked and answered in one language.
struct ArchivePhrases: Sendable {
    let titles: [String]
    let openings: [String]
    let subjects: [String]
    let answers: [String]
    /// A sentence with something to redact, in which `%` stands for it.
    let contact: String
}

extension Language {
    var archivePhrases: ArchivePhrases {
        switch self {
        case .english: .english
        case .german: .german
        case .turkish: .turkish
        case .uzbek: .uzbek
        }
    }
}

extension ArchivePhrases {
    static let english = ArchivePhrases(
        titles: [
            "A garden in winter", "Letters to nobody", "The \"good enough\" draft", "Learning to read maps",
            "Bread, salt and time",
            "What the ferry saw", "Notes on a small town", "Proofs over coffee", "A song for Tuesday", "Old code, new eyes",
            "The third chapter", "Questions for my father", "How tides work", "Seven ways to begin", "A quiet machine",
            "On being late", "Sorting the attic", "The chess club", "Names of winds", "Rain, again",
        ],
        openings: [
            "I have been turning this over since the morning:", "Last time you said \"start small\", so here it is:",
            "Could you help me to think, slowly please, about this:", "Before I forget it, one more thing for the archive:",
            "My community asked me this, and I had no answer:", "Let us go back to the second part, then:",
            "Read this as a stranger would, and tell me honestly:", "I am stuck again, and the reason is simple:",
            "Here is a question that my daughter asked at breakfast:", "Suppose for a moment that we were wrong about it:",
        ],
        subjects: [
            "why does the last paragraph sound like somebody else wrote it?",
            "how do I tell the group that the plan has changed, without blame?",
            "what would a reader from 1920 make of this page?", "is there a shorter proof, one without the long table?",
            "which of the three endings leaves the most room for the reader?",
            "how long should the dough rest when the kitchen is cold?",
            "can a map be honest, if it must leave almost everything out?",
            "what did the old sailors mean when they named that wind?",
            "does the poem need its title, or is the title doing all the work?",
            "where would you cut, if only half of it may stay?",
            "is \"good enough\" a rule, an excuse, or a kind of courage?",
            "what should I ask him first, when we have only an hour?",
        ],
        answers: [
            "It sounds borrowed because the verbs change, from plain ones to careful ones.",
            "Say what changed, say when you knew, and stop there.",
            "Start from the smallest case, then see which step you never use.",
            "The second ending is quiet, and it trusts whoever reads it.",
            "At sixteen degrees, give it twice the time and half the worry.",
            "A map is honest when it says, in its margin, what it leaves out.",
            "The name is older than the charts; it meant \"the one that turns\".",
            "Take the title away for a day, and read it aloud without.",
            "I would keep the ferry, the letter and the last two lines.",
            "Call it a rule on Mondays, and a kind of courage by Friday.",
            "Ask about the house first: people remember rooms before they remember reasons.",
            "You are closer than you think, but the middle still hurries.",
        ],
        contact: "If it is easier, you can reach me at % before the evening.")

    static let german = ArchivePhrases(
        titles: ["Ein Garten im Winter", "Briefe, nie geschickt", "Brot und Zeit", "Der \"dritte\" Versuch", "Karten lesen"],
        openings: [
            "Seit heute früh geht mir eine Frage nicht aus dem Kopf:", "Du hast letztes Mal gesagt, \"fang klein an\", also gut:",
            "Lies das bitte wie jemand, der uns nicht kennt:", "Bevor ich es vergesse, noch etwas für unser Archiv:",
        ],
        subjects: [
            "warum klingt der letzte Absatz, als hätte ihn jemand anderes geschrieben?",
            "wie sage ich der Gruppe, dass der Plan sich geändert hat?",
            "kann eine Karte ehrlich sein, wenn sie fast alles weglässt?",
            "wo würdest du kürzen, wenn nur die Hälfte bleiben darf?",
        ],
        answers: [
            "Er klingt geborgt, weil die Verben auf einmal vorsichtig werden.",
            "Sag, was anders ist, seit wann du es weißt, und hör dann auf.",
            "Ehrlich ist sie, wenn sie am Rand sagt, was fehlt.",
            "Ich würde die Fähre behalten, den Brief und die letzten zwei Zeilen.",
            "Bei sechzehn Grad braucht der Teig doppelt so viel Zeit, und Geduld.",
        ],
        contact: "Wenn es einfacher ist, erreichst du mich bis abends unter %.")

    static let turkish = ArchivePhrases(
        titles: ["Kışın bir bahçe", "Gönderilmeyen mektuplar", "Ekmek ve zaman", "Rüzgârın adları"],
        openings: [
            "Sabahtan beri aklımdan çıkmayan bir soru var, yavaşça düşünelim:",
            "Geçen sefer \"küçük başla\" demiştin, işte başladım:",
            "Bunu bizi hiç tanımayan biri gibi oku, sonra söyle:",
        ],
        subjects: [
            "son paragraf neden başka biri yazmış gibi geliyor?", "plan değişti, bunu gruba kırmadan nasıl anlatırım?",
            "yalnız yarısı kalacaksa, sen nereden keserdin?",
        ],
        answers: [
            "Fiiller birden temkinli oluyor, o yüzden ödünç alınmış gibi duruyor.",
            "Neyin değiştiğini söyle, ne zaman öğrendiğini söyle, orada dur.",
            "Ben vapuru, mektubu ve son iki satırı saklardım.", "Başlığı bir günlüğüne kaldır, sonra yüksek sesle yeniden oku.",
        ],
        contact: "Kolay olursa akşama kadar bana şuradan ulaşabilirsin: %.")

    static let uzbek = ArchivePhrases(
        titles: ["Qishdagi bog'", "Yuborilmagan xatlar", "Non va vaqt", "Shamol nomlari"],
        openings: [
            "Ertalabdan beri bir savol xayolimdan ketmayapti, shoshmasdan o'ylaylik:",
            "O'tgan safar \"kichikdan boshla\" degan eding, mana boshladim:",
            "Buni bizni tanimaydigan odamdek o'qib ko'r, keyin ayt:",
        ],
        subjects: [
            "oxirgi xatboshi nega boshqa odam yozgandek eshitiladi?", "reja o'zgardi, buni guruhga qanday yumshoq aytaman?",
            "faqat yarmi qoladigan bo'lsa, qayeridan qisqartirar eding?",
        ],
        answers: [
            "Fe'llar birdan ehtiyotkor bo'lib qolgan, shuning uchun begona eshitiladi.",
            "Nima o'zgarganini ayt, qachon bilganingni ayt, keyin to'xta.",
            "Men kemani, xatni va oxirgi ikki satrni qoldirardim.", "Sarlavhani bir kunga olib tashla, keyin ovoz chiqarib o'qi.",
        ],
        contact: "Qulay bo'lsa, kechgacha menga shu yerdan yozishing mumkin: %.")
}
