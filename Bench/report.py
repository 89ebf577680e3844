"""A row of the table, and the table."""

import dataclasses
import statistics


@dataclasses.dataclass
class Row:
    """What was measured. `ratio` is Millrace's figure over the peer's, the median over the rounds."""

    what: str
    millrace: str
    peer: str = ""
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    goal: str = ""
    met: bool | None = None
    note: str = ""
    details: dict = dataclasses.field(default_factory=dict)


def paired(rounds, ours, theirs, progress):
    """Runs both in alternating order and returns a pair of results per round.

    A round before the first is thrown away: a virtual machine's memory costs twice as much when it is touched for
    the first time, which would hit whoever fills the page cache first.
    """
    pairs = []
    for number in range(rounds + 1):
        progress(f"round {number} of {rounds}" if number > 0 else "warming up")
        if number % 2 == 0:
            first = ours(number)
            pairs.append((first, theirs(number)))
        else:
            first = theirs(number)
            pairs.append((ours(number), first))
    return pairs[1:]


def ratios(pairs, figure):
    """Median, least and greatest of the rounds' ratios."""
    values = [figure(ours) / figure(theirs) for ours, theirs in pairs]
    return statistics.median(values), (min(values), max(values))


def median(results, figure):
    return statistics.median(figure(result) for result in results)


def compare(what, pairs, figure, show, goal_text, goal, **more):
    """A row about one figure of both sides; `goal` says whether a ratio is good enough."""
    ratio, spread = ratios(pairs, figure)
    ours, theirs = (show(median(side, figure)) for side in zip(*pairs))
    return Row(what, ours, theirs, ratio, spread, goal_text, goal(ratio) if goal else None,
               details={"rounds": [{"millrace": pair[0], "peer": pair[1]} for pair in pairs]}, **more)


def table(rows):
    head = ("what", "millrace", "peer", "ratio (range)", "goal", "met")
    lines = [head]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        if row.spread is not None:
            ratio += f" ({row.spread[0]:.2f}–{row.spread[1]:.2f})"
        met = {None: "", True: "yes", False: "NO"}[row.met]
        lines.append((row.what, row.millrace, row.peer, ratio, row.goal, met))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    notes = [f"{row.what}: {row.note}" for row in rows if row.note]
    return "\n".join(text + ([""] + notes if notes else []))
