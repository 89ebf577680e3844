import HTTPTypes
import Hummingbird
import Ingest
import NIOCore
import NIOPosix
import View

/// `GET /views/wait?topic=&partition=&offset=&timeout=`: answers when the record with this offset is applied to the
/// topic's view, so that whoever produced it can read it. Partition 0 unless given; the timeout is in milliseconds,
/// 10,000 unless given and at most 60,000.
///
/// 200 with `{"topic":…,"partition":…,"applied":N}` (the first offset that is not applied); 400 for a parameter that
/// is no number; 404 without such a view; 504 when the time is over; 503 if the view is paused, closed, or waited for
/// by too many.
///
/// `GET /views`: what stands about every partition's view. `POST /views/TOPIC/pause`, `/resume`, `/rebuild[?from=MS]`:
/// what `millrace view` asks for; the answer is what stands about the topic's views then. 409 if it is being rebuilt.
struct ViewRoutes {
    let services: HTTPServices

    func add(to router: some RouterMethods<BasicRequestContext>) {
        router.get("/views/wait") { request, _ in await wait(QueryParameters(request.uri.query)) }
        router.get("/views") { _, _ in statuses { _ in true } }
        for action in ["pause", "resume", "rebuild"] {
            router.post(RouterPath(stringLiteral: "/views/:topic/" + action)) { request, context in
                await act(action, on: context.parameters.get("topic") ?? "", QueryParameters(request.uri.query))
            }
        }
    }

    private func act(_ action: String, on topic: String, _ parameters: QueryParameters) async -> Response {
        guard let views = services.ingest?.views else {
            return answer(.serviceUnavailable, WriteProblem.starting.text)
        }
        let from = parameters["from"].map { Int64($0) }
        guard from != .some(nil) else { return answer(.badRequest, "from is a time in milliseconds since 1970") }
        // Rebuilding reads blocks, and resuming may open views.
        let result = await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { _ in
                continuation.resume(
                    returning: Result { () throws(ViewError) in
                        switch action {
                        case "pause": try views.pause(topic)
                        case "resume": try views.resume(topic)
                        default: try views.rebuild(topic, from: from ?? nil)
                        }
                    })
            }
        }
        switch result {
        case .success: return statuses { $0.topic == topic }
        case .failure(let error):
            return answer(action == "rebuild" && error.code == .limitReached ? .conflict : status(error), error.message)
        }
    }

    private func statuses(_ isWanted: (ViewStatus) -> Bool) -> Response {
        guard let views = services.ingest?.views else {
            return answer(.serviceUnavailable, WriteProblem.starting.text)
        }
        let text = ViewStatusText.array(views.status().filter(isWanted))
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private func wait(_ parameters: QueryParameters) async -> Response {
        guard let views = services.ingest?.views else {
            return answer(.serviceUnavailable, WriteProblem.starting.text)
        }
        guard let topic = parameters["topic"], let offset = parameters["offset"].flatMap(Int64.init),
            let partition = Int32(parameters["partition"] ?? "0"),
            let timeout = Int64(parameters["timeout"] ?? "10000")
        else { return answer(.badRequest, "give topic and offset; partition, offset and timeout are numbers") }
        do throws(ViewError) {
            let applied = try await views.wait(
                for: topic, partition: partition, offset: offset, timeoutMilliseconds: min(max(0, timeout), 60_000))
            let text = "{\"topic\":\(JSONString.quoted(topic)),\"partition\":\(partition),\"applied\":\(applied)}\n"
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        } catch {
            return answer(status(error), error.message)
        }
    }

    private func status(_ error: ViewError) -> HTTPResponse.Status {
        switch error.code {
        case .unknown: .notFound
        case .timedOut: .gatewayTimeout
        case .closed, .limitReached, .holdFull, .conflict: .serviceUnavailable
        case .noSpace, .storage, .damaged, .formatTooNew: .internalServerError
        }
    }

    private func answer(_ status: HTTPResponse.Status, _ text: String) -> Response {
        var fields: HTTPFields = [.contentType: "application/json"]
        if status == .serviceUnavailable { fields[.retryAfter] = "1" }
        let body = "{\"error\":\(JSONString.quoted(text))}\n"
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}
