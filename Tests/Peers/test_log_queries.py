"""Log lines on their way out: Loki's API as its clients ask it."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

SECOND = 10**9


@pytest.fixture(scope="module")
def base():
    """A moment some minutes ago, in nanoseconds."""
    return (int(time.time()) - 600) * SECOND


def ask(server, path, parameters=(), tenant="queries", method="GET", **fields):
    """Status, body and header fields of the answer."""
    query = urllib.parse.urlencode(parameters, doseq=True)
    url = f"http://127.0.0.1:{server.http_port}{path}"
    data = None
    if method == "GET":
        url += f"?{query}"
    else:
        data = query.encode()
    request = urllib.request.Request(url, data=data, method=method)
    if tenant:
        request.add_header("X-Scope-OrgID", tenant)
    for name, value in fields.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def data(server, path, parameters, **rest):
    status, body, _ = ask(server, f"/loki/api/v1/{path}", parameters, **rest)
    assert status == 200, body
    return json.loads(body)["data"]


@pytest.fixture(scope="module")
def lines(shared, base):
    """60 lines of two streams, a second apart, for the tenant `queries`."""
    levels = ["info", "warn", "error"]
    described = []
    for number, pod in enumerate(["p1", "p2"]):
        values = [
            [str(base + at * SECOND), json.dumps({"level": levels[at % 3], "status": 200 + at, "size": at})]
            for at in range(number, 60, 2)
        ]
        described.append({"stream": {"app": "shop", "pod": pod}, "values": values})
    body = json.dumps({"streams": described}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{shared.http_port}/loki/api/v1/push", data=body, method="POST",
        headers={"Content-Type": "application/json", "X-Scope-OrgID": "queries"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 204
    asked = {"query": '{app="shop"}', "start": base, "end": base + 60 * SECOND, "limit": 1000}
    deadline = time.monotonic() + 30
    while True:
        found = data(shared, "query_range", asked)["result"]
        if sum(len(stream["values"]) for stream in found) == 60:
            return shared
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_grafana_checks_the_health_of_its_source(server):
    answer = data(server, "query", {"query": "vector(1)+vector(1)", "time": "4000000000"})
    assert answer["resultType"] == "vector"
    assert answer["result"] == [{"metric": {}, "value": [4_000_000_000, "2"]}]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_last_lines_come_first(lines, base, method):
    asked = {"query": '{app="shop", pod="p1"}', "start": base, "end": base + 60 * SECOND, "limit": 2}
    answer = data(lines, "query_range", asked, method=method)
    assert answer["resultType"] == "streams"
    values = sorted(value for stream in answer["result"] for value in stream["values"])
    assert [int(value[0]) - base for value in values] == [56 * SECOND, 58 * SECOND]
    assert answer["stats"]["summary"]["totalEntriesReturned"] == 2


def test_times_are_told_in_every_way(lines, base):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(base // SECOND + 10))
    for end in [base + 10 * SECOND, base // SECOND + 10, f"{base // SECOND + 10}.000", at]:
        answer = data(lines, "query_range", {"query": '{app="shop"}', "start": base, "end": end, "limit": 1000})
        assert sum(len(stream["values"]) for stream in answer["result"]) == 10, end


def test_numbers_of_fields(lines, base):
    asked = {"time": base + 60 * SECOND}
    count = data(lines, "query", {"query": 'sum by (level) (count_over_time({app="shop"} | json [1m]))', **asked})
    assert {row["metric"]["level"]: row["value"][1] for row in count["result"]} == {
        "info": "19", "warn": "20", "error": "20"}
    levels = data(lines, "query", {"query": 'sum by (detected_level) (count_over_time({app="shop"}[1m]))', **asked})
    assert {row["metric"]["detected_level"]: row["value"][1] for row in levels["result"]} == {
        "info": "19", "warn": "20", "error": "20"}
    some = data(lines, "query", {"query": 'sum(count_over_time({app="shop"} | json | status>=250 [1m]))', **asked})
    assert some["result"][0]["value"][1] == "10"
    median = 'quantile_over_time(0.5, {app="shop"} | json | unwrap size [2m]) by (app)'
    assert data(lines, "query", {"query": median, **asked})["result"][0]["value"][1] == "29.5"


@pytest.mark.parametrize("step", ["20", "20s", "20000ms"])
def test_steps_are_told_in_every_way(lines, base, step):
    asked = {"query": 'sum(count_over_time({app="shop"}[20s]))', "start": base, "end": base + 60 * SECOND, "step": step}
    answer = data(lines, "query_range", asked)
    assert answer["resultType"] == "matrix"
    assert [value[1] for value in answer["result"][0]["values"]] == ["1", "20", "20", "19"]


def test_labels_are_told_apart_on_demand(lines, base):
    asked = {"query": '{app="shop", pod="p1"} | json', "start": base, "end": base + SECOND}
    flags = {"X_Loki_Response_Encoding_Flags": "categorize-labels"}
    answer = data(lines, "query_range", asked, **flags)
    assert answer["encodingFlags"] == ["categorize-labels"]
    stream = answer["result"][0]
    assert stream["stream"] == {"app": "shop", "pod": "p1"}
    assert stream["values"][0][2] == {
        "structuredMetadata": {"detected_level": "info"}, "parsed": {"level": "info", "size": "0", "status": "200"}}


def test_what_there_is(lines, base):
    span = {"start": base, "end": base + 60 * SECOND}
    assert data(lines, "labels", span) == ["app", "pod"]
    assert data(lines, "label", span) == ["app", "pod"]
    assert data(lines, "label/pod/values", span) == ["p1", "p2"]
    assert data(lines, "label/pod/values", {**span, "query": '{pod="p2"}'}) == ["p2"]
    assert data(lines, "series", {**span, "match[]": ['{pod="p1"}', '{pod="p2"}']}) == [
        {"app": "shop", "pod": "p1"}, {"app": "shop", "pod": "p2"}]
    status, body, _ = ask(lines, "/loki/api/v1/index/stats", {**span, "query": '{app="shop"}'})
    assert status == 200 and json.loads(body)["streams"] == 2 and json.loads(body)["entries"] == 60
    status, body, _ = ask(lines, "/loki/api/v1/detected_labels", span)
    assert json.loads(body)["detectedLabels"] == [
        {"label": "app", "cardinality": 1}, {"label": "pod", "cardinality": 2}]
    status, body, _ = ask(lines, "/loki/api/v1/detected_fields", {**span, "query": '{app="shop"}'})
    assert {field["label"]: field["type"] for field in json.loads(body)["fields"]} == {
        "detected_level": "string", "level": "string", "size": "int", "status": "int"}
    status, body, _ = ask(lines, "/loki/api/v1/detected_field/level/values", {**span, "query": '{app="shop"}'})
    assert json.loads(body)["values"] == ["error", "info", "warn"]
    volume = data(lines, "index/volume", {**span, "query": '{app="shop"}', "targetLabels": "pod"})
    assert {row["metric"]["pod"] for row in volume["result"]} == {"p1", "p2"}
    assert data(lines, "index/volume_range", {**span, "query": '{app="shop"}', "step": "30"})["resultType"] == "matrix"


def test_tenants_see_their_own(lines, base):
    asked = {"query": '{app="shop"}', "start": base, "end": base + 60 * SECOND}
    assert data(lines, "query_range", asked, tenant="others")["result"] == []
    status, body, _ = ask(lines, "/loki/api/v1/query_range", asked, tenant="a|b")
    assert status == 400 and body == "multiple org IDs present"


@pytest.mark.parametrize("query, parameters, text", [
    ('{app="shop"', {}, "parse error at line 1, col 12: syntax error: unexpected $end, expecting } or ,"),
    ('{app="shop"}', {"limit": "5001"},
     "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)"),
    ('{app="shop"}', {"limit": "0"}, "limit must be a positive value"),
    ('{app="shop"}', {"step": "-1"},
     "zero or negative query resolution step widths are not accepted. Try a positive integer"),
    ('{app="shop"}', {"direction": "sideways"}, "invalid direction 'sideways'"),
    ('{app="shop"} |~ "("', {}, None),
])
def test_errors_are_lokis(lines, query, parameters, text):
    status, body, fields = ask(lines, "/loki/api/v1/query_range", {"query": query, **parameters})
    assert status == 400
    assert fields["Content-Type"] == "text/plain; charset=utf-8"
    assert text is None or body == text
    status, body, _ = ask(lines, "/loki/api/v1/query_range", {"query": query, **parameters}, Accept="application/json")
    assert status == 400 and (text is None or json.loads(body)["message"] == text)


def test_the_rest_of_the_api(server):
    status, body, _ = ask(server, "/loki/api/v1/format_query", {"query": '{a="b"}|="c"'})
    assert status == 200 and json.loads(body) == {"status": "success", "data": '{a="b"} |= "c"'}
    assert json.loads(ask(server, "/loki/api/v1/status/buildinfo")[1])["version"]
    assert ask(server, "/ready")[:2] == (200, "ready\n")
    assert json.loads(ask(server, "/loki/api/v1/patterns", {"query": "{}"})[1])["data"] == []
