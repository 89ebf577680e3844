"""Scripts: what is asked of a server, and what InfluxDB answered. Tests/QueryTests/Scripts/README.md has the format."""

import dataclasses
import http.client
import json
import urllib.parse
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[2] / "QueryTests" / "Scripts"
TIMEOUT_SECONDS = 10
VERBS = {"query": ("GET", "/query"), "post": ("POST", "/query"), "form": ("POST", "/query"), "write": ("POST", "/write")}
FORM = "application/x-www-form-urlencoded"


@dataclasses.dataclass
class Answer:
    status: int
    content_type: str
    body: bytes

    def lines(self):
        """As a script shows it."""
        text = self.body.decode()
        shown = [f"= {self.status} {self.content_type}".rstrip()]
        *whole, rest = text.split("\n")
        return shown + [f"| {line}" if line else "|" for line in whole] + ([f"! {rest}"] if rest else [])


@dataclasses.dataclass
class Command:
    """One request. `place` is its line's number; `source` are the lines before the answer, as they were written."""

    place: int
    verb: str
    words: list
    source: list
    body: list = dataclasses.field(default_factory=list)
    parameters: dict = dataclasses.field(default_factory=dict)
    headers: dict = dataclasses.field(default_factory=dict)
    answer: Answer | None = None

    def run(self, address):
        """Sends the request and returns the Answer; None for what prepares."""
        if self.verb in ("database", "policy"):
            return prepare(address, self)
        method, path = VERBS[self.verb]
        parameters = {"db": "db0"}
        parameters.update(word.split("=", 1) for word in self.words)
        parameters.update(self.parameters)
        parameters = {name: value for name, value in parameters.items() if (name, value) != ("db", "")}
        body = "\n".join(self.body)
        if self.verb == "write":
            return ask(address, method, path, parameters, body.encode() + b"\n", self.headers)
        if self.body:
            parameters["q"] = body
        if self.verb == "form":
            body = urllib.parse.urlencode(parameters).encode()
            return ask(address, method, path, {}, body, {"Content-Type": FORM, **self.headers})
        return ask(address, method, path, parameters, None, self.headers)


def ask(address, method, path, parameters, body=None, headers=None):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, f"{path}?{urllib.parse.urlencode(parameters)}", body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.getheader("Content-Type") or "", response.read())
    finally:
        connection.close()


def statement(address, text):
    """A statement that must succeed."""
    answer = ask(address, "POST", "/query", {"q": text})
    results = json.loads(answer.body).get("results", [])
    if answer.status != 200 or any("error" in result for result in results):
        raise RuntimeError(f"{text}: {answer.status} {answer.body.decode()}")
    return results


def prepare(address, command):
    if command.verb == "database":
        statement(address, f'CREATE DATABASE "{command.words[0]}"')
        return
    database, policy, duration, shard, *more = command.words
    statement(address, f'CREATE RETENTION POLICY "{policy}" ON "{database}" DURATION {duration} REPLICATION 1 '
              f'SHARD DURATION {shard} {" ".join(more).upper()}')


def wipe(address):
    """Drops every database."""
    for series in statement(address, "SHOW DATABASES")[0].get("series", []):
        for (name,) in series.get("values", []):
            statement(address, f'DROP DATABASE "{name}"')


def parse(text):
    """The commands of a script; what stands after the last answer belongs to nobody and is kept by `render`."""
    commands = []
    for number, line in enumerate(text.split("\n"), 1):
        mark, rest = line[:2], line[2:]
        if line == "" or line.startswith("#"):
            continue
        if mark in ("> ", ">"):
            commands[-1].body.append(rest)
        elif mark == "& ":
            name, _, value = rest.partition(" ")
            commands[-1].parameters[name] = value
        elif mark == "^ ":
            name, _, value = rest.partition(": ")
            commands[-1].headers[name] = value
        elif mark == "= ":
            status, _, kind = rest.partition(" ")
            commands[-1].answer = Answer(int(status), kind, b"")
        elif mark in ("| ", "|"):
            commands[-1].answer.body += rest.encode() + b"\n"
        elif mark == "! ":
            commands[-1].answer.body += rest.encode()
        else:
            verb, *words = line.split(" ")
            if verb not in VERBS and verb not in ("database", "policy"):
                raise ValueError(f"line {number}: {line!r} is no command")
            commands.append(Command(number, verb, words, []))
    return commands


def render(text, answers):
    """The script with these answers in the place of those it had; an answer stands right after its request."""
    answers, shown, pending = list(answers), [], None
    for line in text.rstrip("\n").split("\n"):
        if line[:1] in ("=", "|", "!"):
            continue
        if pending is not None and line[:1] not in (">", "&", "^"):
            shown += pending.lines()
            pending = None
        shown.append(line)
        if line.split(" ")[0] in (*VERBS, "database", "policy"):
            pending = answers.pop(0)
    return "\n".join(shown + (pending.lines() if pending else [])) + "\n"


def files():
    return sorted(DIRECTORY.glob("*.txt"))


def deviations():
    """{script: {line of a request, or 0 for all}} of what Millrace answers otherwise, on purpose."""
    found = {}
    for line in (DIRECTORY / "DEVIATIONS.md").read_text().splitlines():
        if line.startswith("    "):
            script, *places = line.split()
            found.setdefault(script, set()).update(0 if place == "all" else int(place) for place in places)
    return found
