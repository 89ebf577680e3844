import Machine
import Testing

@Suite struct WorkerThreadTests {
    @Test func aThreadRunsItsBodyOnceAndIsJoined() {
        let count = Monitor(0)
        let threads = (0..<4).map { _ in WorkerThread(named: "counting-with-a-long-name") { count.withLock { $0 += 1 } }
        }
        for thread in threads { thread.join() }
        #expect(count.withLock { $0 } == 4)
        threads[0].join()
    }

    @Test func aWaiterSeesTheChange() {
        let value = Monitor(0)
        let thread = WorkerThread(named: "changer") {
            value.withLock { $0 = 7 }
            value.wake()
        }
        #expect(value.wait { $0 == 7 ? $0 : nil } == 7)
        thread.join()
    }

    @Test func aWaitEndsAfterItsTimeout() {
        #expect(Monitor(0).wait(timeoutNanoseconds: 1_000_000) { $0 == 7 ? $0 : nil } == nil)
    }
}
