"""What InfluxDB answered to the scripts, byte for byte."""

import pytest

from influx import scripts
from influx.fixtures import address, original  # noqa: F401 (fixtures)


@pytest.mark.parametrize("name", [file.stem for file in scripts.files()])
def test_script(address, name):  # noqa: F811
    excused = scripts.deviations().get(name, set())
    text = (scripts.DIRECTORY / f"{name}.txt").read_bytes().decode()
    scripts.wipe(address)
    differing, compared = [], 0
    for command in scripts.parse(text):
        answer = command.run(address)
        if answer is None or excused & {0, command.place}:
            continue
        compared += 1
        if answer != command.answer:
            differing.append("\n".join([f"line {command.place}: {' | '.join(command.body)}", *command.answer.lines(),
                                        "but the answer was", *answer.lines()]))
    scripts.wipe(address)
    assert not differing, f"{len(differing)} of {compared} answers differ:\n" + "\n\n".join(differing)


def test_deviations_name_requests_that_exist():
    """An entry that excuses nothing is a mistake, or about something that was repaired."""
    for name, places in scripts.deviations().items():
        asked = {command.place for command in scripts.parse((scripts.DIRECTORY / f"{name}.txt").read_bytes().decode())}
        assert places <= asked | {0}, name


def test_deviations_are_explained():
    page = (scripts.DIRECTORY.parents[2] / "docs" / "influxql.md").read_text()
    listed = (scripts.DIRECTORY / "DEVIATIONS.md").read_text().splitlines()
    for name in (line[3:] for line in listed if line.startswith("## ")):
        assert f"- **{name}**" in page, f"docs/influxql.md does not explain: {name}"
