import Instruments
import Testing

@Suite struct CounterTests {
    @Test func sumsOverEveryWriter() async {
        let counter = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let cell = counter.cell()
                    for _ in 0..<10_000 { cell.add(2) }
                    for _ in 0..<10_000 { counter.add() }
                }
            }
        }
        #expect(counter.value == 4 * 30_000)
    }

    @Test func gaugeGoesUpAndDown() {
        let gauge = Gauge()
        gauge.add(5)
        gauge.add(-7)
        #expect(gauge.value == -2)
        gauge.set(40)
        #expect(gauge.value == 40)
    }

    @Test func cellsOfAGaugeAddUp() {
        let gauge = Gauge()
        let (one, two) = (gauge.cell(), gauge.cell())
        one.add(7)
        two.add(-9)
        gauge.add(1)
        #expect(gauge.value == -1)
        one.add(-7)
        two.add(9)
        #expect(gauge.value == 1)
    }

    @Test func nanosecondsAreRenderedAsSeconds() {
        let registry = InstrumentRegistry()
        registry.counter("busy_seconds_total", help: "", countedPerRendered: 1e9).cell().add(1_500_000_000)
        #expect(registry.render().contains("busy_seconds_total 1.5\n"))
    }
}

@Suite struct HistogramTests {
    @Test(arguments: [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (65_536, 16), (65_537, 17), (.max, 17)])
    func boundsAreInclusive(value: UInt64, bucket: Int) {
        let histogram = Histogram(scale: .counts)
        histogram.record(value)
        #expect(histogram.snapshot().buckets.firstIndex(of: 1) == bucket)
    }

    @Test func cellsAndSharedWritersAddUp() {
        let histogram = Histogram(scale: .latency)
        let cell = histogram.cell()
        for value: UInt64 in [1_000, 2_000, 3_000] { cell.record(value) }
        histogram.record(60_000_000_000)
        let snapshot = histogram.snapshot()
        #expect(snapshot.count == 4)
        #expect(snapshot.sum == 60_000_006_000)
        #expect(snapshot.quantile(0.5) == 2048e-9)
        #expect(snapshot.quantile(1) == .infinity)
        #expect(Histogram(scale: .latency).snapshot().quantile(0.99) == 0)
    }
}

@Suite struct RegistryTests {
    @Test func sameNameAndLabelsGiveTheSameInstrument() {
        let registry = InstrumentRegistry()
        let first = registry.counter("a_total", help: "", labels: [Label("x", "1")])
        #expect(first === registry.counter("a_total", help: "", labels: [Label("x", "1")]))
        #expect(first !== registry.counter("a_total", help: "", labels: [Label("x", "2")]))
    }

    @Test func rendersTextFormat() {
        let registry = InstrumentRegistry()
        registry.counter("bytes_total", help: "All\\bytes\nread.", labels: [Label("topic", "a\"b\\c\nd")]).add(3)
        registry.gauge("open", help: "Open.").set(-1)
        registry.histogram(
            "wait_seconds", help: "Waits.", scale: .init(firstShift: 10, bucketCount: 2, recordedPerRendered: 1e9)
        )
        .record(2_000)
        registry.addCollector { writer in
            writer.family("up_seconds", help: "Up.", kind: .gauge)
            writer.sample(1.5)
        }
        #expect(
            registry.render() == """
                # HELP bytes_total All\\\\bytes\\nread.
                # TYPE bytes_total counter
                bytes_total{topic="a\\"b\\\\c\\nd"} 3
                # HELP open Open.
                # TYPE open gauge
                open -1
                # HELP wait_seconds Waits.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="1.024e-06"} 0
                wait_seconds_bucket{le="2.048e-06"} 1
                wait_seconds_bucket{le="+Inf"} 1
                wait_seconds_sum 2e-06
                wait_seconds_count 1
                # HELP millrace_instruments_refused_total Sets of labels that were merged into `other` because their family was full.
                # TYPE millrace_instruments_refused_total counter
                millrace_instruments_refused_total 0
                # HELP up_seconds Up.
                # TYPE up_seconds gauge
                up_seconds 1.5

                """)
    }

    @Test func aFullFamilyFallsIntoOther() {
        let registry = InstrumentRegistry(maximumChildren: 2)
        for topic in ["a", "b", "c", "d", "a"] {
            registry.counter("n_total", help: "", labels: [Label("topic", topic)]).add()
        }
        let page = registry.render()
        #expect(page.contains("n_total{topic=\"a\"} 2\nn_total{topic=\"b\"} 1\nn_total{topic=\"other\"} 2\n"))
        #expect(page.contains("millrace_instruments_refused_total 2\n"))
    }

    @Test func removedChildrenMakeRoom() {
        let registry = InstrumentRegistry(maximumChildren: 1)
        registry.counter("n_total", help: "", labels: [Label("topic", "a")]).add()
        registry.remove("n_total", with: Label("topic", "a"))
        registry.counter("n_total", help: "", labels: [Label("topic", "b")]).add()
        #expect(registry.render().contains("n_total{topic=\"b\"} 1\n"))
        #expect(!registry.render().contains("topic=\"a\""))
    }
}
