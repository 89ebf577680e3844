/// The version of Millrace, as the ready line and the log tell it.
let version = "0.1.0"
