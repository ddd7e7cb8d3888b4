extension Language {
    var phrases: Phrases {
        switch self {
        case .english: .english
        case .german: .german
        case .turkish: .turkish
        case .uzbek: .uzbek
        }
    }
}

/// Stock sentences from which synthetic texts are put together; nobody ever wrote them about themselves.
struct Phrases: Sendable {
    /// What happened.
    let scenes: [String]
    /// What one made of it: the sentences in which a fragment is found.
    let thoughts: [String]
    let reframes: [String]
    let reflections: [String]
    let perspectives: [String]
    let affirmations: [String]
    /// Affirmations that come from the app itself, without a model.
    let templates: [String]
    let goals: [String]
    /// A sentence with something to redact, in which `%` stands for it.
    let contacts: [String]
}

extension Phrases {
    static let english = Phrases(
        scenes: [
            "The meeting ran late again and nobody asked what I thought about it.",
            "I burned the dinner while my sister was on the phone from Leeds.",
            "On the train home I kept reading the same page over and over.",
            "My manager moved our talk to Friday without giving any reason at all.",
            "I skipped my run this morning because the rain would not stop.",
            "The neighbours had friends over and I could hear them laughing all evening.",
            "I sent the report two hours late and my hands were shaking afterwards.",
            "We walked around the lake and barely said a word to each other.",
            "The exam results came in and I was just above the line.",
            "I forgot my mother's birthday call until it was nearly midnight there.",
        ],
        thoughts: [
            "Everyone must have noticed that I had no idea what I was doing.",
            "If I fail this one thing then the whole year is ruined.",
            "I should be able to handle this without needing any help.",
            "They only said it was good because they felt sorry for me.",
            "I always ruin things as soon as they start to go well.",
            "It is surely my fault that the evening became so quiet.",
            "Nothing I try ever changes anything, so why would it now.",
            "I feel stupid, so I probably am the stupid one in the room.",
            "Tomorrow will go wrong as well, I can already tell it will.",
            "A person my age ought to have all of this figured out.",
        ],
        reframes: [
            "One late report is one late report, and you told them before they had to ask.",
            "Others were busy with their own worries; you do not know what they saw in you.",
            "You managed the last three weeks, and this evening is a small part of them.",
            "Needing help with a heavy thing says that it is heavy, not that you are weak.",
            "The feeling is real, and it can still be wrong about what it points to.",
            "Quiet evenings have many causes, and most of them are not about you.",
        ],
        reflections: [
            "You came here tired and still put words to what was going on, which is not a small thing.",
            "Two thoughts returned tonight, and both spoke in the voice of always and never.",
            "Notice how the day looked different once you had told it from the beginning.",
            "You were strict with yourself about something you would forgive a friend at once.",
            "Perhaps tomorrow begins with one thing that is yours, before the messages start.",
            "There was a moment of pride in the middle of it; it may deserve a second look.",
        ],
        perspectives: [
            "A kind friend would say that you did what you could with the hours that you had.",
            "Seen from next spring, this week is likely to be one line in a longer story.",
            "What is in your hands is the next step, and the next step is a short one.",
            "Maybe the silence was tiredness, and tiredness is not a verdict on anybody.",
            "If it were a film you would not walk out here; you would want to know what follows.",
            "You are allowed to find it hard and to go on with it at the same time.",
            "The worst case has a plan too: you would call someone, and then you would sleep.",
        ],
        affirmations: [
            "I take one step at a time, and each of them counts today.",
            "I may rest before everything on the list has been done.",
            "My worth does not hang on how fast I answer other people.",
            "I speak to myself today the way I would speak to a friend.",
            "I notice what went well, even where it seems very small.",
            "I can begin again at any hour of this day, calmly.",
        ],
        templates: [
            "Today I breathe slowly, and I let one thing be enough for now.",
            "I am on my way, and the way itself is part of it too.",
        ],
        goals: [
            "Sleep before midnight on at least four days of every week.",
            "Say no once a week without explaining it for ten minutes.",
            "Call my brother on Sundays even when there is nothing to tell.",
            "Walk for half an hour before I open the laptop each day.",
        ],
        contacts: [
            "I wrote it all to % so that I would not forget it.",
            "If this gets worse I want somebody to reach me at % please.",
            "She keeps sending me % as if that would solve the whole thing.",
        ])

    static let german = Phrases(
        scenes: [
            "Die Besprechung hat wieder ewig gedauert und am Ende war ich still.",
            "Ich habe den Zug verpasst und stand eine Stunde allein am Gleis.",
            "Beim Abendessen hat niemand gefragt, wie meine Woche eigentlich gewesen ist.",
            "Die Kinder waren laut und ich habe sie viel zu hart angefahren.",
            "Im Büro lag ein Zettel auf meinem Platz, ganz ohne einen Gruß.",
            "Ich bin am See spazieren gegangen, aber der Kopf wurde nicht leiser.",
        ],
        thoughts: [
            "Alle anderen schaffen das doch auch, nur ich bekomme es nicht hin.",
            "Wenn ich jetzt absage, will mich bestimmt keiner mehr dabei haben.",
            "Ich müsste eigentlich längst weiter sein, als ich es heute bin.",
            "Es ist wieder meine Schuld, dass die Stimmung so schlecht geworden ist.",
            "Das wird morgen sowieso schiefgehen, ich spüre es jetzt schon deutlich.",
        ],
        reframes: [
            "Ein verpasster Zug ist ein verpasster Zug und kein Urteil über dein ganzes Leben.",
            "Du weißt nicht, was die anderen gedacht haben; frag ruhig eine Person danach.",
            "Du warst laut und hast es gemerkt, und beides gehört zu diesem Abend dazu.",
        ],
        reflections: [
            "Du hast heute genau hingesehen, obwohl der Tag dir kaum eine Pause gelassen hat.",
            "Zweimal kam das Wort müssen vor; vielleicht darf morgen einmal das Wort dürfen stehen.",
            "Zwischen den Vorwürfen stand auch ein freundlicher Satz, den du schnell überlesen hast.",
        ],
        perspectives: [
            "Eine gute Freundin würde sagen, dass du mit wenig Schlaf viel getragen hast.",
            "In einem Jahr ist dieser Abend wohl nur noch eine kleine Geschichte zum Erzählen.",
            "Der nächste Schritt ist kurz: ein Glas Wasser, ein Fenster auf, eine Nachricht.",
            "Vielleicht war die Stille nur Müdigkeit, und Müdigkeit ist noch kein Nein.",
        ],
        affirmations: [
            "Ich darf langsam sein und komme trotzdem an meinem Ziel an.",
            "Ich spreche heute mit mir so freundlich wie mit einem Freund.",
            "Was gut war, darf neben dem Schweren stehen und zählt genauso.",
        ],
        templates: [
            "Heute atme ich ruhig, und eine einzige Sache darf mir genügen.",
            "Ich bin unterwegs, und auch der Weg gehört schon mit dazu.",
        ],
        goals: [
            "An vier Tagen in der Woche vor Mitternacht im Bett liegen.",
            "Einmal in der Woche nein sagen, ohne mich lange zu erklären.",
        ],
        contacts: [
            "Ich habe alles an % geschrieben, damit ich es nicht vergesse.",
            "Wenn es schlimmer wird, bin ich unter % für euch da.",
        ])

    static let turkish = Phrases(
        scenes: [
            "Bugün toplantıda söz almak istedim ama yine sessiz kalmayı seçtim.",
            "Akşam annemle konuştuk ve telefonu biraz erken kapatmak zorunda kaldım.",
            "Otobüste tek başıma otururken aynı konuşmayı kafamda defalarca baştan sona yaşadım.",
            "Sınav sonucu geldi, geçmişim ama yine de hiç sevinemedim bugün.",
        ],
        thoughts: [
            "Herkes benim ne kadar yetersiz olduğumu bugün kesinlikle fark etmiştir.",
            "Bunu tek başıma halledemiyorsam demek ki ben yeterince güçlü değilim.",
            "Yarın da kötü geçecek, bunu şimdiden içimde çok net hissediyorum.",
        ],
        reframes: [
            "Sessiz kalmak bir seçimdi ve yarın başka bir seçim yapman hâlâ mümkün.",
            "Başkalarının ne düşündüğünü bilmiyorsun; belki onlar da yalnızca çok yorgundu.",
        ],
        reflections: [
            "Yorgun geldin ve yine de olanları baştan sona sakin bir dille anlattın.",
            "Kendine çok sert davrandın; aynı şeyi bir arkadaşına söyler miydin acaba?",
        ],
        perspectives: [
            "İyi bir dost, elindeki zamanla elinden geleni yaptığını sana hatırlatırdı.",
            "Gelecek bahardan bakınca bu hafta uzun bir hikâyenin kısa bir satırı olacak.",
            "Bir sonraki adım küçük: bir bardak su, açık bir pencere, kısa bir mesaj.",
        ],
        affirmations: [
            "Bugün kendimle bir dostumla konuştuğum kadar nazik konuşuyorum, acele etmiyorum.",
            "Adım adım ilerliyorum ve her küçük adım bugün benim için değerli.",
        ],
        templates: ["Bugün yavaşça nefes alıyorum ve tek bir şeyin yetmesine izin veriyorum."],
        goals: ["Haftada en az dört gün gece yarısından önce uyumak istiyorum."],
        contacts: ["Unutmamak için hepsini % adresine yazdım ve biraz olsun rahatladım."])

    static let uzbek = Phrases(
        scenes: [
            "Bugun ishda majlis juda choʻzildi va men bir ogʻiz ham gapirmadim.",
            "Kechqurun onam bilan gaplashdik, lekin suhbat negadir tez tugab qoldi.",
            "Avtobusda uyga qaytayotib oʻsha eski suhbatni yana bir necha marta esladim.",
        ],
        thoughts: [
            "Hamma mening hech narsa bilmasligimni bugun albatta sezib qolgan boʻlsa kerak.",
            "Agar bu ishni uddalay olmasam, butun yil bekor ketgan boʻladi.",
            "Ertaga ham hammasi yomon boʻladi, buni hozirdanoq aniq sezib turibman.",
        ],
        reframes: [
            "Bitta majlis butun yil emas, ertaga gapirish uchun yana imkoniyat boʻladi.",
            "Boshqalar nima oʻylaganini bilmaysan, balki ular ham shunchaki charchagan edi.",
        ],
        reflections: [
            "Charchab kelding va shunga qaramay boʻlgan ishni boshidan oxirigacha aytib berding.",
            "Bugun oʻzingga juda qattiq gapirding, yaqin doʻstingga ham shunday degan boʻlarmiding?",
        ],
        perspectives: [
            "Yaqin doʻsting senga bor vaqtingda qoʻlingdan kelganini qilding degan boʻlardi.",
            "Keyingi bahordan qarasang, bu hafta uzun hikoyaning bitta qisqa satri xolos.",
            "Keyingi qadam kichkina: bir piyola suv, ochiq deraza, qisqa bir xabar.",
        ],
        affirmations: ["Men shoshilmayman, har bir kichik qadamim bugun men uchun muhim va qadrli."],
        templates: ["Bugun sekin nafas olaman va bitta ish ham yetarli boʻlishiga ruxsat beraman."],
        goals: ["Haftasiga kamida toʻrt kun yarim tundan oldin uxlashni odat qilish."],
        contacts: ["Esimdan chiqmasin deb hammasini % manziliga yozib qoʻydim bugun kechqurun."])
}
