import Common

/// The form in which a reading command prints its rows.
enum OutputFormat: String, CaseIterable { case table, json, csv }

/// Rows for people, programs or spreadsheets: what every reading command prints.
///
///     Table(name: "costs", columns: [.init("plan", "Plan"), .init("cost", "Cost USD", .right)],
///           rows: [[.text("prism"), .atLeast(Money("4.10")!)]])
struct Table: Equatable, Sendable {
    struct Column: Equatable, Sendable {
        enum Alignment { case left, right }
        /// The key in JSON and the header in CSV.
        let name: String
        /// The header of the aligned form.
        let title: String
        let alignment: Alignment
        /// To how many places money is rounded for people; JSON and CSV keep every digit.
        let places: Int

        init(_ name: String, _ title: String, _ alignment: Alignment = .left, places: Int = 2) {
            (self.name, self.title, self.alignment, self.places) = (name, title, alignment, places)
        }
    }

    enum Cell: Equatable, Sendable {
        case text(String)
        case int(Int)
        case decimal(ExactDecimal)
        case money(Money)
        /// Some of what it counts has no known price.
        case atLeast(Money)
        /// The price is a range.
        case range(low: Money, high: Money)
        /// Unknown, which is not zero; the reason is short, such as "not exported".
        case missing(String)
        /// Nothing belongs here, as under the dimensions of a totals row.
        case blank
    }

    /// Names the JSON schema: `vesper.<name>/1`.
    let name: String
    let columns: [Column]
    let rows: [[Cell]]
    let totals: [Cell]?
    let notes: [String]

    init(name: String, columns: [Column], rows: [[Cell]], totals: [Cell]? = nil, notes: [String] = []) {
        precondition(
            (rows + (totals.map { [$0] } ?? [])).allSatisfy { $0.count == columns.count }, "a row has a cell for each column")
        (self.name, self.columns, self.rows, self.totals, self.notes) = (name, columns, rows, totals, notes)
    }

    /// The one list of formats. `colour` makes the header of the aligned form bold.
    func rendered(as format: OutputFormat, colour: Bool = false) -> String {
        switch format {
        case .table: aligned(colour: colour)
        case .json: json
        case .csv: csv
        }
    }
}
