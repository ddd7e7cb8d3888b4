import Testing

@testable import Lake

@Suite struct ManyTextsTests {
    @Test("Many texts at once get the codes that they get one by one, also where a dictionary holds one twice")
    func many() {
        var state: UInt64 = 9
        func next(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var (single, many) = (TextInterner(), TextInterner())
        for round in 0..<12 {
            // Short ones, long ones, and long ones that differ in the middle alone.
            let texts = (0..<next(400)).map { _ in
                ["", "a", "\(next(40))", "user-\(next(900))-\(next(3))", "beginning-\(next(2000))-ending", "\(next(100))-ö"][
                    next(6)]
            }
            let dictionary = TextDictionary(texts)
            let wanted = (0..<Int32(texts.count)).filter { _ in round % 3 > 0 || next(2) == 0 }
            var codes = [Int32](repeating: -7, count: texts.count)
            many.assign(wanted, of: dictionary, to: &codes)
            let expected = wanted.map { single.code(of: texts[Int($0)]) }
            #expect(wanted.map { codes[Int($0)] } == expected)
            #expect(codes.count { $0 == -7 } == texts.count - wanted.count)
            #expect(many.dictionary == single.dictionary)
        }
    }
}
