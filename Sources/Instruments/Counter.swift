public import Synchronization

/// One writer's share of a counter or of a histogram bucket: alone on the cache lines its owner touches.
@usableFromInline
final class Cell: Sendable {
    @usableFromInline let value = Atomic<UInt64>(0)

    @usableFromInline init() {}
}

/// A number that only goes up: requests, bytes, refusals.
///
/// Any thread may add to it (one atomic addition, 6 ns at 2.5 GHz). What an event loop counts per request goes
/// through a `CounterCell` instead, which costs 1 ns.
public final class Counter: Sendable {
    @usableFromInline let total = Atomic<UInt64>(0)
    private let cells = Mutex<[Cell]>([])
    /// How many counted units make one rendered unit: 1e9 renders nanoseconds as seconds.
    public let countedPerRendered: Double

    /// A counter at zero that no registry renders. Counters to be rendered come from `InstrumentRegistry`.
    public init(countedPerRendered: Double = 1) {
        precondition(countedPerRendered > 0)
        self.countedPerRendered = countedPerRendered
    }

    /// Adds to the counter, from any thread.
    @inlinable
    public func add(_ count: UInt64 = 1) {
        total.wrappingAdd(count, ordering: .relaxed)
    }

    /// A handle of one writer. The counter keeps its cells for ever: take one per event loop or thread, never one
    /// per connection.
    public func cell() -> CounterCell {
        let cell = Cell()
        cells.withLock { $0.append(cell) }
        return CounterCell(cell)
    }

    /// What was added so far, over all writers.
    public var value: UInt64 {
        cells.withLock { cells in
            cells.reduce(total.load(ordering: .relaxed)) { $0 &+ $1.value.load(ordering: .relaxed) }
        }
    }
}

/// A counter's handle for one writer at a time, at 1 ns per update: a load and a store without a bus lock.
///
/// Not `Sendable`: two threads that add through the same cell would lose counts.
public struct CounterCell {
    @usableFromInline let cell: Cell

    @usableFromInline
    init(_ cell: Cell) {
        self.cell = cell
    }

    /// Adds to the counter, from the one thread that holds this cell.
    @inlinable
    public func add(_ count: UInt64 = 1) {
        cell.value.store(cell.value.load(ordering: .relaxed) &+ count, ordering: .relaxed)
    }
}

@available(*, unavailable)
extension CounterCell: Sendable {}

/// A number that goes up and down: connections, bytes held.
public final class Gauge: Sendable {
    @usableFromInline let current = Atomic<Int64>(0)
    private let cells = Mutex<[Cell]>([])

    /// A gauge at zero that no registry renders. Gauges to be rendered come from `InstrumentRegistry`.
    public init() {}

    /// Adds to the gauge, from any thread; a negative number subtracts.
    @inlinable
    public func add(_ count: Int64 = 1) {
        current.wrappingAdd(count, ordering: .relaxed)
    }

    /// Sets the gauge, from any thread.
    @inlinable
    public func set(_ value: Int64) {
        current.store(value, ordering: .relaxed)
    }

    /// A handle of one writer. As with counters: take one per event loop or thread, never one per connection.
    public func cell() -> GaugeCell {
        let cell = Cell()
        cells.withLock { $0.append(cell) }
        return GaugeCell(cell)
    }

    /// The current value, over all writers.
    public var value: Int64 {
        cells.withLock { cells in
            cells.reduce(current.load(ordering: .relaxed)) {
                $0 &+ Int64(bitPattern: $1.value.load(ordering: .relaxed))
            }
        }
    }
}

/// A gauge's handle for one writer at a time, as cheap as a `CounterCell`. Not `Sendable`, as that is not.
public struct GaugeCell {
    @usableFromInline let cell: Cell

    @usableFromInline
    init(_ cell: Cell) {
        self.cell = cell
    }

    /// Adds to the gauge, from the one thread that holds this cell; a negative number subtracts.
    @inlinable
    public func add(_ count: Int64 = 1) {
        let value = cell.value.load(ordering: .relaxed)
        cell.value.store(value &+ UInt64(bitPattern: count), ordering: .relaxed)
    }
}

@available(*, unavailable)
extension GaugeCell: Sendable {}
