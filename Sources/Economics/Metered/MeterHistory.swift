import Common
import Lake

/// What the meters log says of a period's calendar months, cut at the ends of local days.
///
/// A counter belongs to the day on which its period begins. A gauge's reading holds for its own period, otherwise to the end of its
/// day, and in any case no longer than to the next reading of the same subject. Where nothing holds, the last reading is carried
/// forward: over seven days at most, never beyond the newest day of the log, and flagged.
struct MeterHistory {
    /// A reading on one day.
    struct Piece {
        let day: Day
        let metric: String
        let owner: CostLine.Owner?
        /// In units of 1e-12.
        let value: Int128
        /// How much of the day the reading holds, as microseconds of the day's length; nil for a counter.
        let held: (microseconds: Int64, of: Int64)?
        /// Which reading it is a piece of.
        let reading: Int
        /// The day of a reading that is carried forward to this one.
        let carriedFrom: Day?

        var isGauge: Bool { held != nil }
        var isCarried: Bool { carriedFrom != nil }

        /// For shares: the value, by the time that it holds; nil where it is too large.
        var weight: Int128? {
            let (weight, overflow) = value.multipliedReportingOverflow(by: Int128(held?.microseconds ?? 1))
            return overflow ? nil : weight
        }
    }

    /// By day, then time of the reading, subject and metric.
    let pieces: [Piece]
    /// The whole calendar months that the period touches.
    let months: Period

    /// A reading that holds for longer is not looked for any further back.
    private static let longestDays = 400
    private static let carriedDays = 7

    private struct Reading {
        let metric: String
        let kind: String
        let subject: String?
        let value: Int128
        let isGauge: Bool
        let start: Int64
        let end: Int64?
        let id: String

        var series: [String] { [metric, kind, subject.map { "1" + $0 } ?? "0"] }
        var owner: CostLine.Owner? { subject.map { CostLine.Owner(dimension: kind, value: $0) } }
    }

    init(of period: Period, _ model: CostModel, _ lake: Lake) throws {
        let next = firstOfMonth(firstOfMonth(period.last) + 31)
        months = Period(first: firstOfMonth(period.first), last: next - 1)
        let readings = try MeterHistory.readings(of: months, model, lake)
        let horizon = try lake.days(job: model.job, log: .meters).map { model.zone.start(of: $0.last + 1).microseconds } ?? 0
        pieces = MeterHistory.pieces(readings, months, model.zone, horizon)
    }

    // MARK: - Reading

    private static func readings(of months: Period, _ model: CostModel, _ lake: Lake) throws -> [Reading] {
        let columns =
            ["id", "subject_kind", "subject", "metric"].map { ColumnSpec($0, .text) }
            + [ColumnSpec("value", .decimal), ColumnSpec("gauge", .bool)]
            + ["period_start", "period_end"].map { ColumnSpec($0, .timestamp) }
        let begin = model.zone.start(of: months.first).microseconds
        let near = lakeDays(of: Period(first: months.first - carriedDays - 1, last: months.last), in: model.zone)
        var readings: [Reading] = []
        let files = try lake.open {
            try lake.parts(job: model.job, log: .meters, from: near.first - longestDays, to: near.last)
        }
        for (part, file) in files {
            for (index, group) in file.groups.enumerated() {
                // Of what began long ago only periods that reach into these months matter.
                if part.day < near.first, !group.mayHold("period_end", in: begin + 1..<Int64.max) { continue }
                let batch = try file.read(group: index, columns: columns)
                for row in 0..<batch.count {
                    guard let metric = batch["metric"]?.text(at: row), let value = batch["value"]?.decimal(at: row),
                        let start = batch["period_start"]?.integer(at: row)
                    else { continue }
                    let end = batch["period_end"]?.integer(at: row)
                    readings.append(
                        Reading(
                            metric: metric, kind: batch["subject_kind"]?.text(at: row) ?? "subject",
                            subject: batch["subject"]?.text(at: row), value: value,
                            isGauge: batch["gauge"]?.bool(at: row) == true,
                            start: start, end: end.flatMap { $0 > start ? $0 : nil }, id: batch["id"]?.text(at: row) ?? ""))
                }
            }
        }
        return readings.map { (key: $0.series + [$0.id], reading: $0) }.sorted {
            $0.reading.start == $1.reading.start ? inByteOrder($0.key, $1.key) : $0.reading.start < $1.reading.start
        }.map(\.reading)
    }

    // MARK: - Cutting

    private static func pieces(_ readings: [Reading], _ months: Period, _ zone: Zone, _ horizon: Int64) -> [Piece] {
        var pieces: [Piece] = []
        var newest: [[String]: Int] = [:]
        func cut(_ index: Int, from start: Int64, to end: Int64, carriedFrom: Day?) {
            guard start < end else { return }
            let reading = readings[index]
            var day = max(months.first, zone.day(of: Instant(microseconds: start)))
            while day <= months.last {
                let (dawn, dusk) = (zone.start(of: day).microseconds, zone.start(of: day + 1).microseconds)
                guard dawn < end else { break }
                let held = min(dusk, end) - max(dawn, start)
                if held > 0 {
                    pieces.append(
                        Piece(
                            day: day, metric: reading.metric, owner: reading.owner, value: reading.value,
                            held: (held, dusk - dawn), reading: index, carriedFrom: carriedFrom))
                }
                day = day + 1
            }
        }
        /// - Parameter next: where the next reading of the series begins.
        func hold(_ index: Int, until next: Int64?) {
            let reading = readings[index]
            let day = zone.day(of: Instant(microseconds: reading.start))
            let own = min(reading.end ?? zone.start(of: day + 1).microseconds, next ?? Int64.max)
            cut(index, from: reading.start, to: own, carriedFrom: nil)
            let lastDay = zone.day(of: Instant(microseconds: max(reading.start, own - 1)))
            let limit = zone.start(of: lastDay + 1 + carriedDays).microseconds
            cut(index, from: own, to: min(limit, next ?? horizon), carriedFrom: lastDay)
        }
        for (index, reading) in readings.enumerated() {
            guard reading.isGauge else {
                let day = zone.day(of: Instant(microseconds: reading.start))
                if months.contains(day) {
                    pieces.append(
                        Piece(
                            day: day, metric: reading.metric, owner: reading.owner, value: reading.value, held: nil,
                            reading: index,
                            carriedFrom: nil))
                }
                continue
            }
            if let before = newest.updateValue(index, forKey: reading.series) { hold(before, until: reading.start) }
        }
        for index in newest.values.sorted() { hold(index, until: nil) }
        return pieces.enumerated().sorted {
            ($0.element.day, $0.element.reading, $0.offset) < ($1.element.day, $1.element.reading, $1.offset)
        }.map(\.element)
    }
}
