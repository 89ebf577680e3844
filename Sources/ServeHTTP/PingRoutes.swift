import HTTPTypes
import Hummingbird
import NIOCore

/// `GET` and `HEAD /ping` of InfluxDB 1.x and 2.x, and `GET /health`: whether somebody answers, and in which version's
/// words.
struct PingRoutes {
    let services: HTTPServices
    let headers: InfluxHeaders

    func add(to router: some RouterMethods<BasicRequestContext>) {
        for method in [HTTPRequest.Method.get, .head] {
            router.on("/ping", method: method) { request, _ in ping(request) }
        }
        router.get("/health") { request, _ in health(request) }
    }

    private func ping(_ request: Request) -> Response {
        let fields = headers.fields(for: request)
        guard let verbose = QueryParameters(request.uri.query)["verbose"], verbose != "false", verbose != "0" else {
            return Response(status: .noContent, headers: fields)
        }
        let text = "{\"version\":\"\(InfluxHeaders.version)\"}\n"
        return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private func health(_ request: Request) -> Response {
        let isReady = services.ingest != nil
        let message = isReady ? "ready for queries and writes" : "starting or stopping"
        let text = """
            {"name":"influxdb","message":"\(message)","status":"\(isReady ? "pass" : "fail")","checks":[],\
            "version":"\(InfluxHeaders.version)"}

            """
        return Response(
            status: isReady ? .ok : .serviceUnavailable, headers: headers.fields(for: request),
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
