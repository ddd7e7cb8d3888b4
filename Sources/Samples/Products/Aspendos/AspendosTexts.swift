/// Puts synthetic questions, replies and titles together from stock sentences.
struct AspendosTexts {
    private var random: Random

    init(seed: UInt64) { random = Random(seed: seed, stream: "aspendos texts") }

    mutating func title(_ language: Language) -> String {
        let phrases = AspendosPhrases.of(language)
        let title = "\(random.pick(phrases.topics)) \(random.pick(phrases.turns))"
        return random.chance(30) ? "\"\(title)\", \(random.between(2...9))" : title
    }

    mutating func question(_ language: Language) -> String {
        let phrases = AspendosPhrases.of(language)
        var sentences = [random.pick(phrases.questions)]
        if random.chance(300) { sentences.insert(random.pick(phrases.scenes), at: 0) }
        if random.chance(70) {
            sentences.append(random.pick(phrases.contacts).replacing("%", with: random.contactDetail()))
        }
        return sentences.joined(separator: " ")
    }

    mutating func reply(_ language: Language) -> String {
        let phrases = AspendosPhrases.of(language)
        let first = random.pick(phrases.replies)
        let second = random.pick(phrases.replies)
        return first == second || random.chance(500) ? first : "\(first) \(second)"
    }
}

/// Stock sentences for a voice assistant; nobody ever said them.
struct AspendosPhrases: Sendable {
    /// A title is a topic and what is done with it.
    let topics: [String]
    let turns: [String]
    let scenes: [String]
    let questions: [String]
    let replies: [String]
    /// `%` stands for something personal.
    let contacts: [String]

    static func of(_ language: Language) -> AspendosPhrases {
        switch language {
        case .german: german
        case .turkish: turkish
        default: english
        }
    }

    private static let english = AspendosPhrases(
        topics: [
            "Quarterly budget", "Trip to the coast", "Unit tests", "Cover letter", "Solar panels", "Violin practice", "Tax form",
        ],
        turns: ["step by step", "in a table", "compared", "as a short mail", "for beginners", "with sources", "rewritten"],
        scenes: [
            "I am on the train and the tunnel is coming up soon.",
            "The children are asleep, so please keep it short tonight.",
            "My colleague has already tried this twice without any luck.",
        ],
        questions: [
            "Can you tell me in two sentences what changed in the draft since yesterday?",
            "What should I pack when it rains in the morning and clears up after noon?",
            "How long does it take to roast six peppers if the oven is small and old?",
            "Please read me the three most important points of the contract once more.",
            "Which of the two offers is cheaper if I pay for the whole year at once?",
            "Remind me how the second verse of that song about the harbour begins.",
        ],
        replies: [
            "Two paragraphs moved to the front, and the numbers in the second table are now rounded to full thousands.",
            "Take a light coat and shoes that dry quickly, because the sun returns at about one in the afternoon.",
            "Roughly thirty five minutes at two hundred degrees, and turn them twice so that they blister on all sides.",
            "First the notice period of three months, then the cap on extra hours, and last the clause on travel costs.",
            "The yearly offer saves you eleven percent, but only if you are sure that you will stay until the autumn.",
        ],
        contacts: ["You can send the result to % when it is ready.", "By the way, the number on the form is %, I think."])

    private static let german = AspendosPhrases(
        topics: ["Haushaltsplan", "Wanderung am See", "Bewerbung", "Steuererklärung", "Gemüsegarten", "Übersetzung"],
        turns: ["Schritt für Schritt", "als Tabelle", "kürzer gefasst", "im Vergleich", "für Anfänger", "überarbeitet"],
        scenes: [
            "Ich stehe gerade in der Küche und habe die Hände voller Teig.",
            "Wir fahren gleich los, also bitte nur das Wichtigste in Kürze.",
        ],
        questions: [
            "Wie viele Tage Urlaub bleiben mir übrig, wenn ich im Dezember zwei Wochen wegfahre?",
            "Kannst du mir den Brief noch einmal vorlesen und die langen Sätze etwas kürzen?",
            "Was muss ich am Fahrrad prüfen, bevor wir morgen früh die große Runde fahren?",
            "Welche der drei Wohnungen liegt näher am Bahnhof, wenn ich zu Fuß gehen möchte?",
        ],
        replies: [
            "Es bleiben dir neun Tage, sofern der freie Tag nach dem Umzug schon abgezogen worden ist.",
            "Prüfe zuerst die Bremsen und den Luftdruck, danach die Kette, und nimm einen Ersatzschlauch mit.",
            "Die zweite Wohnung ist am nächsten, zu Fuß sind es ungefähr acht Minuten bis zum Gleis.",
            "Gern, ich habe vier Sätze geteilt und die Anrede am Anfang etwas freundlicher formuliert.",
        ],
        contacts: ["Schick das Ergebnis bitte an %, sobald es fertig geworden ist.", "Im Formular steht übrigens %, glaube ich."])

    private static let turkish = AspendosPhrases(
        topics: ["Yaz tatili", "Bütçe planı", "Özgeçmiş", "Şehir gezisi", "Yemek tarifi", "Sınav çalışması"],
        turns: ["adım adım", "tablo halinde", "kısaca", "karşılaştırma", "yeniden yazıldı", "örneklerle"],
        scenes: [
            "Şu anda otobüsteyim ve birazdan ineceğim, lütfen kısa anlat.",
            "Çocuklar uyudu, bu yüzden biraz alçak sesle konuşalım olur mu?",
        ],
        questions: [
            "Yarın sabah yağmur yağarsa hangi yoldan gidersem daha çabuk varırım acaba?",
            "Bu ay elektrik faturası geçen aya göre ne kadar artmış, bana söyler misin?",
            "Sınavdan önceki son hafta hangi konulara ağırlık vermem gerektiğini özetler misin?",
            "Altı kişilik akşam yemeği için ne kadar pirinç ve ne kadar tavuk almalıyım?",
        ],
        replies: [
            "Sahil yolu daha uzun ama trafik az olduğu için yaklaşık on dakika önce varırsınız.",
            "Fatura geçen aya göre yüzde on iki artmış, en büyük pay ısıtmadan geliyor.",
            "Önce olasılık sorularını bitirin, sonra her gün bir deneme çözüp yanlışlarınızı not edin.",
            "Altı kişi için üç su bardağı pirinç ve bir buçuk kilo tavuk yeterli olacaktır.",
        ],
        contacts: [
            "Hazır olunca sonucu % adresine gönderir misin lütfen?", "Bu arada formdaki numara % olarak yazılmış sanırım.",
        ])
}
