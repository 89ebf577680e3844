import Receivers

/// Lines in datagrams.
extension SettingTable {
    static let datagrams: [Setting] = [
        .address(
            "influx-udp-listen", .datagrams, \.lineReceiverAddress, defaultNote: "not served",
            "Where to take line protocol in datagrams; port 0 takes a free one."),
        Setting(
            "influx-udp-database", .datagrams, .text,
            "The database that lines in datagrams go into; created with the first of them."
        ) {
            $0.lineReceiverDatabase
        } write: {
            $0.lineReceiverDatabase = $1
        },
        .number(
            "influx-udp-batch-ms", .datagrams, \.lineReceiver.batchMilliseconds, 1...60_000, unit: "milliseconds",
            "How long datagrams are gathered before their lines are written together, in milliseconds."),
        .number(
            "influx-udp-queue-bytes", .datagrams, \.lineReceiver.queueBytes, 65_536...(1 << 30), unit: "bytes",
            "Bytes of datagrams that wait to be written; beyond it the oldest go, counted by sender."),
    ]
}

extension ServeSettings {
    /// Where to take line protocol in datagrams; nil for nowhere.
    var lineReceiverAddress: ListenAddress? {
        get { takesDatagrams ? ListenAddress(host: lineReceiver.host, port: lineReceiver.port) : nil }
        set {
            takesDatagrams = newValue != nil
            if let newValue { (lineReceiver.host, lineReceiver.port) = (newValue.host, newValue.port) }
        }
    }
}
