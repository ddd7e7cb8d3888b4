extension ParquetFile {
    /// Every row of the file, in the given columns.
    public func readAll(columns: [ColumnSpec]) throws -> Batch {
        let batches = try groups.indices.map { try read(group: $0, columns: columns) }
        return batches.count == 1 ? batches[0] : Batch.concatenated(batches, specs: columns)
    }
}
