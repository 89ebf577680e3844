import Glibc

/// The program that shows long output by pages: $PAGER, or less.
final class Pager {
    private let stream: UnsafeMutablePointer<FILE>
    /// Where its input is written.
    let output: Output

    /// Starts it if STDOUT is a terminal and nothing says otherwise; nil if output goes straight to STDOUT.
    init?(isWanted: Bool) {
        guard isWanted, isatty(STDOUT_FILENO) == 1 else { return nil }
        let chosen = environmentVariable("PAGER") ?? "less"
        guard chosen != "cat", chosen != "" else { return nil }
        // F: short output ends it at once; R: colours; X: what was shown stays on the screen.
        setenv("LESS", "FRX", 0)
        guard let stream = popen(chosen, "w") else { return nil }
        self.stream = stream
        output = Output(descriptor: fileno(stream))
    }

    /// Waits until the reader has left it.
    func wait() { pclose(stream) }
}
