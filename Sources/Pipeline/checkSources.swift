import Common
import Ingest

/// Refuses a job whose sources cannot be read together, before a home is opened.
public func checkSources(_ job: Job, _ context: RunContext) throws { try checkFormats(ingestOrder(job, context)) }
