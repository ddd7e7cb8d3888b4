import Common

/// Settles which model answered and what came from where.
extension VoyagerWorld {
    /// Names models and rates; Sonnet's tokens grow by a factor from the week on in which its share doubles.
    func settled(_ messages: [VoyagerMessage], sonnetFactor: Int) -> [VoyagerMessage] {
        var unknown = VoyagerStory.unknownModelRows
        return messages.map { message in
            guard var call = message.call else { return message }
            if call.isSonnet, message.created >= VoyagerStory.sonnetDoubles.startUTC {
                call.context = call.context * sonnetFactor / 1000
                call.cached = call.cached * sonnetFactor / 1000
                call.output = call.output * sonnetFactor / 1000
            }
            call.rate = call.isSonnet ? .sonnet : .haiku(reading: call.context)
            call.model = call.rate?.model ?? ""
            let isNew = message.created >= VoyagerStory.unknownModelFrom && !call.isSonnet && !users[message.user].isHeavy
            if isNew, span.contains(VoyagerStory.unknownModelFrom.dayUTC), unknown > 0 {
                unknown -= 1
                (call.model, call.rate) = (VoyagerStory.unknownModel, nil)
            }
            var settled = message
            settled.call = call
            return settled
        }
    }

    /// By how many thousandths Sonnet's tokens must grow so that November, taken as a whole month, costs as much more than October as
    /// planned.
    ///
    /// The draw comes close by itself; this takes out what chance adds, so that the story holds for any seed.
    func sonnetFactor(_ messages: [VoyagerMessage]) -> Int {
        let change = VoyagerStory.sonnetDoubles
        let (before, after) = (SampleMonth(of: change - 1), SampleMonth(of: change + 31))
        guard span.contains(before.first), span.contains(after.first) else { return 1000 }
        func spent(_ month: SampleMonth, scaled: Bool) -> Int128 {
            messages.reduce(0) { sum, message in
                guard let call = message.call, month.contains(message.created) else { return sum }
                let isScaled = call.isSonnet && message.created >= change.startUTC
                return isScaled == scaled ? sum + (call.cost ?? .zero).units : sum
            }
        }
        // growth = (rest of November + k × its Sonnet) ÷ (rest of October + k × its Sonnet after the change), each as if for a month
        // with all its days.
        let old = Int128(before.days(in: span) * after.length)
        let new = Int128(after.days(in: span) * before.length)
        let growth = Int128(VoyagerStory.growth)
        let missing = growth * spent(before, scaled: false) * new - 1000 * spent(after, scaled: false) * old
        let scaled = 1000 * spent(after, scaled: true) * old - growth * spent(before, scaled: true) * new
        guard scaled > 0 else { return 1000 }
        return min(3000, max(300, Int(1000 * missing / scaled)))
    }
}
