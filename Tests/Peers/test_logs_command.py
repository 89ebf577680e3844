"""`millrace logs`: what the README shows of finding lines, as a person and as a program would use it."""

import json
import subprocess
import time

import pytest

from server import Server, binary, data_directory


@pytest.fixture(scope="module")
def logs():
    """A function that runs `millrace logs` with a server that has some lines of two programs."""
    server = Server(data_directory("logs"))
    server.start()

    def run(*arguments, stdin=None, status=0):
        done = subprocess.run([str(binary()), "logs", *arguments, "--server", f"127.0.0.1:{server.http_port}"],
                              input=stdin, capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stderr
        return done

    lines = ["starting up", '{"level":"error","msg":"connection refused by ledger","status":503}',
             'level=warn msg="slow query" ms=1200', "", "done \x1b[31mred\x1b[0m"]
    run("push", "app=demo", stdin="\n".join(lines) + "\n")
    run("push", "app=other", stdin="connection refused too\n")
    run.server = server
    yield run
    assert server.stop() == 0, server.log_tail()
    server.discard()


def texts(done):
    return [json.loads(line)["line"] for line in done.stdout.splitlines()]


def test_plain_words_find_lines(logs):
    assert texts(logs("connection refused", "--json")) == [
        '{"level":"error","msg":"connection refused by ledger","status":503}', "connection refused too"]
    assert texts(logs("connection refused", "app:other", "--json")) == ["connection refused too"]
    assert texts(logs("level:error", "app:demo", "--json")) == [
        '{"level":"error","msg":"connection refused by ledger","status":503}']
    assert texts(logs("status>=500", "--json")) == ['{"level":"error","msg":"connection refused by ledger","status":503}']
    assert texts(logs("ms>1000", "--json")) == ['level=warn msg="slow query" ms=1200']


def test_logql_finds_lines_and_counts(logs):
    assert texts(logs('{app="demo"} |= "status" | json | status >= 500', "--json")) == [
        '{"level":"error","msg":"connection refused by ledger","status":503}']
    counted = logs('sum by (app) (count_over_time({app=~".+"}[1h]))').stdout.splitlines()
    assert sorted(counted) == ['{app="demo"} 5', '{app="other"} 1']


def test_lines_come_in_order_and_as_they_were(logs):
    assert logs("app:demo", "--raw").stdout == (
        'starting up\n{"level":"error","msg":"connection refused by ledger","status":503}\n'
        'level=warn msg="slow query" ms=1200\n\ndone \x1b[31mred\x1b[0m\n')
    assert logs("app:demo", "--raw", "--limit", "1").stdout == "done \x1b[31mred\x1b[0m\n"
    shown = logs("app:demo", "--color", "--fold").stdout
    assert "connection refused by ledger" in shown and "503" in shown and '"msg"' not in shown
    assert "red\x1b[0m" not in shown.splitlines()[-1], "a line does not command the terminal"


def test_context_is_of_the_same_stream(logs):
    around = [json.loads(line) for line in logs("slow", "app:demo", "--context", "1", "--json").stdout.splitlines()]
    assert [(shown["line"][:10], shown["hit"]) for shown in around] == [
        ('{"level":"', False), ('level=warn', True), ("", False)]


def test_nothing_found_and_mistakes_say_what_to_do(logs):
    nothing = logs("app:nobody")
    assert nothing.stdout == "" and "no lines since 1h" in nothing.stderr and "hint:" in nothing.stderr
    assert "character" in logs('"unclosed', status=64).stderr
    assert "parse error at line 1" in logs('{app="demo"} |=', status=1).stderr
    assert logs("error app:api", "--explain").stdout.strip() == '{app="api"} |= "error"'


def test_following_shows_new_lines_once(logs):
    follower = subprocess.Popen([str(binary()), "logs", "app:followed", "--follow", "--raw", "--server",
                                 f"127.0.0.1:{logs.server.http_port}"], stdout=subprocess.PIPE, text=True)
    try:
        for number in range(5):
            logs("push", "app=followed", stdin=f"line {number}\n")
            time.sleep(0.3)
        seen = [follower.stdout.readline() for _ in range(5)]
        assert seen == [f"line {number}\n" for number in range(5)]
    finally:
        follower.terminate()
        rest, _ = follower.communicate(timeout=20)
    assert rest == ""
