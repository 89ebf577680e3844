@main
struct GenerateKafkaWire {
    static func main() {}
}
