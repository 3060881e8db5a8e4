import JSON

/// A result as one JSON object: docs/bench.md says what the members mean. Scripts rely on it.
enum BenchJSON {
  static func text(_ result: BenchResult) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    settings(result, &writer)
    if let counted = result.counted {
      writer.key(counted.name)
      writer.number(counted.count)
      writer.key(counted.name + "_per_second")
      writer.number(rounded(counted.perSecond))
    }
    if let publications = result.publications {
      writer.key("publications")
      writer.number(publications)
    }
    times("latency_us", result.latency, &writer)
    times("last_delivery_us", result.lastDelivery, &writer)
    times("connect_us", result.connect, &writer)
    times("close_us", result.close, &writer)
    writer.key("errors")
    writer.number(result.errors.count)
    server(result, &writer)
    generator(result, &writer)
    writer.endObject()
    return writer.bytes
  }

  private static func settings(_ result: BenchResult, _ writer: inout JSONWriter) {
    writer.key("benchmark")
    writer.string(result.benchmark)
    writer.key("url")
    writer.string(result.target.url)
    writer.key("connections")
    writer.number(result.connections)
    if result.sendsMessages {
      writer.key("size")
      writer.number(result.target.size)
      writer.key("depth")
      writer.number(result.target.depth)
    }
    if let rate = result.target.rate {
      writer.key("rate")
      writer.number(rate)
    }
    writer.key("seconds")
    writer.number(rounded(result.seconds))
  }

  private static func times(_ name: String, _ summary: TimeSummary?, _ writer: inout JSONWriter) {
    guard let summary else { return }
    writer.key(name)
    writer.beginObject()
    writer.key("mean")
    writer.number(rounded(summary.mean / 1e3))
    for (name, nanoseconds) in summary.percentiles {
      writer.key(name)
      writer.number(rounded(nanoseconds / 1e3))
    }
    if let fit = summary.fit {
      writer.key("tau")
      writer.number(rounded(fit.tau / 1e3))
      writer.key("fit_offset")
      writer.number(rounded(fit.offset / 1e3))
      writer.key("fit_r2")
      writer.number(rounded(fit.rSquared, 1e4))
      writer.key("fit_ks")
      writer.number(rounded(fit.distance, 1e4))
    }
    writer.endObject()
  }

  private static func server(_ result: BenchResult, _ writer: inout JSONWriter) {
    guard let server = result.server else { return }
    writer.key("server")
    writer.beginObject()
    if let counted = result.counted, counted.count > 0 {
      let split = server.usage.split
      let parts = [("cpu", server.usage.cpu), ("user", split.user), ("system", split.system)]
      for (name, nanoseconds) in parts {
        writer.key("\(name)_us_per_\(counted.unit)")
        writer.number(rounded(nanoseconds / 1e3 / Double(counted.count)))
      }
    }
    writer.key("rss_kib")
    writer.number(server.residentKiB)
    if let bytes = server.bytesPerConnection {
      writer.key("rss_bytes_per_connection")
      writer.number(rounded(bytes, 1))
    }
    memory(result, &writer)
    writer.endObject()
  }

  private static func memory(_ result: BenchResult, _ writer: inout JSONWriter) {
    guard !result.memory.isEmpty else { return }
    writer.key("rss_points")
    writer.beginArray()
    for point in result.memory {
      writer.beginObject()
      writer.key("connections")
      writer.number(point.connections)
      writer.key("rss_kib")
      writer.number(point.residentKiB)
      writer.endObject()
    }
    writer.endArray()
  }

  private static func generator(_ result: BenchResult, _ writer: inout JSONWriter) {
    writer.key("generator")
    writer.beginObject()
    if let counted = result.counted, counted.count > 0 {
      writer.key("cpu_us_per_\(counted.unit)")
      writer.number(rounded(result.generatorCPU / 1e3 / Double(counted.count)))
    }
    writer.key("cores")
    writer.number(rounded(result.generatorShare))
    writer.endObject()
  }

  private static func rounded(_ value: Double, _ scale: Double = 1e3) -> Double {
    (value * scale).rounded() / scale
  }
}
