import Common

/// The stories that show as findings: what metering hides, what cannot be billed, and faults in the files.
extension NeniStories {
    var thirdParents: JSON? {
        .fields([
            "stage": .string("report"),
            "links": each { .int(tenants[$0].parents) },
            "third_and_further": each { tenant in .int(tenants[tenant].children.reduce(0) { $0 + max(0, $1.links.count - 2) }) },
        ])
    }

    /// Calls that cost nothing today, and what they would cost at the planned prices.
    var mocked: JSON? {
        func rows(_ provider: String) -> [NeniCost] { world.costs.costs.filter { $0.provider == provider } }
        func shadow(_ metric: String, _ price: Money) -> JSON {
            each { tenant in .money(Money(units: price.units * Int128(sum(metric, tenant)))) }
        }
        return .fields([
            "stage": .string("price"),
            "rekognition_rows": .int(rows("rekognition").count), "whisper_rows": .int(rows("whisper").count),
            "recorded_cents": .int((rows("rekognition") + rows("whisper")).reduce(0) { $0 + $1.cents }),
            "face_calls": .int(sum("AI_FACE_CALLS")), "speech_minutes": .int(sum("AI_STT_MINUTES")),
            "face_price": .money(NeniCosts.faceSearch), "speech_price": .money(NeniCosts.speechMinute),
            "face_shadow_cost": shadow("AI_FACE_CALLS", NeniCosts.faceSearch),
            "speech_shadow_cost": shadow("AI_STT_MINUTES", NeniCosts.speechMinute),
        ])
    }

    var mediaSizes: JSON? {
        let files = world.days.media
        guard !files.isEmpty else { return nil }
        let known = files.filter(\.isSized)
        func bytes(_ kind: String) -> JSON { .int(known.reduce(0) { $0 + ($1.kind == kind ? $1.bytes : 0) }) }
        return .fields([
            "stage": .string("report"), "tenant": world.id(world.tenant(.trial)), "files": .int(files.count),
            "without_size": .int(files.count - known.count), "photos": .int(files.count { $0.kind == "photo" }),
            "videos": .int(files.count { $0.kind == "video" }), "brand": .int(files.count { $0.kind == "brand" }),
            "known_photo_bytes": bytes("photo"), "known_video_bytes": bytes("video"),
            "unknown_bytes": .int(files.reduce(0) { $0 + ($1.isSized ? 0 : $1.bytes) }),
        ])
    }

    /// As the last dump knows them.
    var rejections: JSON? {
        let end = (span.last + 1).startUTC
        return .fields([
            "stage": .string("report"),
            "by_tenant": each { tenant in
                let own = world.days.suggestions.filter { $0.tenant == tenant }
                let decided = own.filter { $0.status(at: end) != "PENDING" }
                return .fields([
                    "attempts": .int(own.count), "decided": .int(decided.count),
                    "rejected": .int(decided.count { $0.status(at: end) == "REJECTED" }),
                ])
            },
        ])
    }

    var heavyChat: JSON? {
        let calls = gateway.kept
        let tenant = world.tenant(.heavyChat)
        func tokens(_ tenant: Int?) -> Int {
            calls.reduce(0) { $0 + (tenant == nil || $1.tenant == tenant ? $1.prompt + $1.completion : 0) }
        }
        let turns = Dictionary(grouping: calls.filter { $0.tenant == tenant }, by: \.turn)
        return .fields([
            "stage": .string("report"), "tenant": world.id(tenant), "tokens": .int(tokens(tenant)),
            "all_tokens": .int(tokens(nil)),
            "calls": .int(calls.count { $0.tenant == tenant }), "turns": .int(turns.count),
            "most_steps": .int(calls.map(\.step).max() ?? 0),
        ])
    }

    /// The product's own count against the gateway's log: they differ by the lost hour and the late file alone.
    var tokens: JSON? {
        func count(_ calls: [NeniCall]) -> Int { calls.reduce(0) { $0 + $1.prompt + $1.completion } }
        return .fields([
            "stage": .string("report"), "metered": .int(sum("LLM_TOKENS")), "logged": .int(count(gateway.kept)),
            "late": .int(count(gateway.late)), "lost": .int(count(gateway.missing)),
        ])
    }

    var missingMidnight: JSON? {
        guard span.contains(NeniStory.missingMidnight) else { return nil }
        let day = NeniStory.missingMidnight
        let around = [day - 1, day, day + 1].map { day in
            JSON.Member(
                day.description,
                .int(world.meters.readings.count { NeniReading.gauges.contains($0.metric) && $0.from == day.startUTC }))
        }
        return .fields(["stage": .string("report"), "day": .string(day.description), "gauge_rows": .object(around)])
    }

    var departure: JSON? {
        guard span.contains(NeniStory.departure) else { return nil }
        let tenant = world.tenant(.leaving)
        let egress = world.meters.egress[tenant]
        let others = egress.filter { $0.key != NeniStory.departure && $0.key.weekday <= 5 }.values.sorted()
        return .fields([
            "stage": .string("report"), "tenant": world.id(tenant), "day": .string(NeniStory.departure.description),
            "bytes": .int(egress[NeniStory.departure] ?? 0), "median_other_working_day": .int(others[others.count / 2]),
            "canceled_from": .string(NeniStory.departed.description),
        ])
    }

    var telegram: JSON? {
        let codes = world.days.codes
        return .fields([
            "stage": .string("report"), "codes": .int(codes.count), "cents": .int(codes.reduce(0) { $0 + $1.cents }),
            "by_price": .object((1...5).map { cents in .init("\(cents)", .int(codes.count { $0.cents == cents })) }),
            "without_tenant": .int(codes.count { $0.tenant == nil }), "metered": .int(sum("OTP_SENT")),
        ])
    }

    /// What whole cents hide: the sum before each row was cut, and after.
    var wholeCents: JSON? {
        .fields([
            "stage": .string("report"),
            "by_provider": .object(
                ["resend", "s3", "vercel-ai"].map { provider in
                    let rows = world.costs.costs.filter { $0.provider == provider }
                    return .init(
                        provider,
                        .fields([
                            "rows": .int(rows.count), "rows_of_no_cent": .int(rows.count { $0.cents == 0 }),
                            "recorded_cents": .int(rows.reduce(0) { $0 + $1.cents }),
                            "exact_USD": .money(rows.total(\.exact)),
                        ]))
                }),
            "mails": .int(sum("EMAIL_SENT")), "mail_price": .money(NeniCosts.mail),
        ])
    }

    var refusedMetric: JSON? {
        world.refusedReading.map {
            .fields([
                "stage": .string("ingest"), "metric": .string($0.metric), "rows": .int(1), "reason": .string("bad_value"),
                "tenant": world.id($0.tenant),
            ])
        }
    }

    var unknownModel: JSON? {
        let calls = gateway.kept.filter { $0.model == NeniStory.unknownModel }
        guard !calls.isEmpty else { return nil }
        return .fields([
            "stage": .string("price"), "model": .string(NeniStory.unknownModel), "requests": .int(calls.count),
            "input_tokens": .int(calls.reduce(0) { $0 + $1.prompt }),
            "output_tokens": .int(calls.reduce(0) { $0 + $1.completion }),
        ])
    }

    var missingHour: JSON? {
        let hour = gateway.faults.hour
        return gateway.missingHour(siblings: [
            "LLM_TOKENS": .int(readings("LLM_TOKENS").count { hour.contains($0.from) }),
            "FaceRecognitionSuggestion": .int(world.days.suggestions.count { hour.contains($0.created) }),
        ])
    }

    var hostileStrings: JSON? {
        .fields([
            "stage": .string("report"), "display_name": .string(NeniStory.hostilePlan),
            "promo_code": .string(NeniStory.hostileCode),
            "queue": .fields([
                "text": .string(NeniStory.hostileQueue),
                "jobs": .array(world.days.jobs.filter { $0.queue == NeniStory.hostileQueue }.map { .string($0.id) }),
            ]),
        ])
    }
}
