"""The judge sees every kind of broken promise, and none where all were kept."""

import io

import pytest

from crash import judge as rules
from crash import journal
from crash.journal import Ack, Created, Deleted, Deleting, Fatal, Final, Listed, Poll, Producer, Seek, Send
from crash.judge import judge


def transcript(*, idempotent=True, ordered=True, count=5):
    """A producer sends `count` records to t/0, all are acknowledged, polled, and there in the end."""
    values = [f"p:{n}" for n in range(count)]
    return (
        [Producer("p", idempotent, ordered)]
        + [Send("p", "t", 0, value) for value in values]
        + [Ack("p", "t", 0, value, n) for n, value in enumerate(values)]
        + [Seek("r", "t", 0, 0)]
        + [Poll("r", "t", 0, n, value) for n, value in enumerate(values)]
        + [Final("t", 0, n, value) for n, value in enumerate(values)]
    )


def without(events, *kinds):
    return [event for event in events if not isinstance(event, kinds)]


def broken(events):
    return {violation.rule for violation in judge(events)}


def test_kept_promises_are_no_violation():
    assert judge(transcript()) == []


def test_a_lost_acknowledged_record_at_the_end():
    events = [e for e in without(transcript(), Poll, Seek) if e != Final("t", 0, 4, "p:4")]
    assert broken(events) == {rules.LOST, rules.VANISHED}


def test_a_lost_acknowledged_record_whose_offset_the_client_was_not_told():
    events = without(transcript(), Ack, Poll, Seek, Final) + [Ack("p", "t", 0, "p:0", -1)]
    assert broken(events) == {rules.LOST}


def test_an_acknowledged_record_at_another_offset():
    events = [e._replace(offset=e.offset + 1) if isinstance(e, Final) else e for e in without(transcript(), Poll)]
    assert rules.LOST in broken(events)


def test_a_record_that_was_read_and_vanished():
    events = [e for e in without(transcript(), Ack) if e != Final("t", 0, 4, "p:4")]
    assert broken(events) == {rules.VANISHED}


def test_a_record_that_was_never_acknowledged_may_be_missing_or_there():
    assert judge(transcript() + [Send("p", "t", 0, "p:5")]) == []
    assert judge(transcript() + [Send("p", "t", 0, "p:5"), Final("t", 0, 5, "p:5")]) == []


def test_a_duplicate_of_an_idempotent_producer():
    events = transcript() + [Final("t", 0, 5, "p:2")]
    assert broken(events) == {rules.DUPLICATE}


def test_a_duplicate_of_a_plain_producer_is_allowed():
    assert judge(transcript(idempotent=False) + [Final("t", 0, 5, "p:2")]) == []


def swap(events, a, b):
    """Two records of the log change places, in every event that names an offset."""
    def swapped(event):
        if isinstance(event, (Ack, Poll, Final)) and event.offset in (a, b):
            return event._replace(value=f"p:{a + b - event.offset}")
        return event
    return [swapped(event) for event in events]


def test_a_reordered_pair():
    assert broken(swap(transcript(), 1, 2)) == {rules.REORDERED}


def test_a_reordered_pair_of_a_producer_that_does_not_care():
    assert judge(swap(transcript(idempotent=False, ordered=False), 1, 2)) == []


def test_a_retried_run_of_a_plain_producer_keeps_its_order():
    retried = [Final("t", 0, 2 + n, f"p:{n}") for n in range(3, 5)]
    assert judge(transcript(idempotent=False) + retried) == []


def test_a_changed_value():
    events = [e._replace(value="damaged:00") if e == Final("t", 0, 2, "p:2") else e for e in transcript()]
    assert broken(events) == {rules.CHANGED, rules.LOST, rules.PHANTOM}


def test_two_readers_that_saw_different_values():
    events = transcript() + [Poll("other", "t", 0, 3, "p:1")]
    assert broken(events) == {rules.CHANGED}


def test_an_acknowledgement_that_disagrees_with_a_reader():
    events = transcript(count=5) + [Send("p", "t", 0, "p:5"), Ack("p", "t", 0, "p:5", 2)]
    assert rules.CHANGED in broken(events)


def test_a_phantom():
    assert broken(transcript() + [Final("t", 0, 5, "q:0")]) == {rules.PHANTOM}
    assert broken(transcript() + [Final("t", 1, 0, "p:3")]) == {rules.PHANTOM}


def test_a_reader_that_is_led_past_an_offset_or_back():
    events = [e for e in transcript() if e != Poll("r", "t", 0, 2, "p:2")]
    assert broken(events) == {rules.GAP}
    assert broken(transcript() + [Poll("r", "t", 0, 3, "p:3")]) == {rules.GAP}
    assert judge(transcript() + [Seek("r", "t", 0, 3), Poll("r", "t", 0, 3, "p:3")]) == []


def test_a_hole_in_the_last_reading():
    events = [e for e in without(transcript(), Ack, Poll, Seek) if e != Final("t", 0, 2, "p:2")]
    assert broken(events) == {rules.GAP}


def test_a_client_that_gave_up():
    assert broken(transcript() + [Fatal("p", "out of order")]) == {rules.FATAL}


def test_topics():
    assert judge([Created("a"), Listed("a"), Created("b"), Deleting("b"), Deleted("b")]) == []
    assert judge([Created("a"), Deleting("a")]) == []
    assert judge([Created("a"), Deleting("a"), Listed("a")]) == []
    assert broken([Created("a")]) == {rules.TOPIC}
    assert broken([Created("a"), Deleting("a"), Deleted("a"), Listed("a")]) == {rules.TOPIC}


def test_a_journal_is_read_back_as_it_was_written(tmp_path):
    events = transcript() + [Fatal("p", "two\nlines"), Created("a")]
    text = io.StringIO()
    for event in events:
        journal.write(text, event)
    path = tmp_path / "journal"
    path.write_text(text.getvalue() + "17\tAck\tp\tt\t0\tp:")
    assert list(journal.read(path)) == [*events[:-2], Fatal("p", "two lines"), Created("a")]


@pytest.mark.parametrize("number", [0, 6, 1_000_000])
def test_values_are_known_by_all_of_their_bytes(number):
    value = journal.make_value("p", number)
    assert journal.name_value(value) == f"p:{number}"
    assert journal.name_value(value[:-1]).startswith("damaged:")
    assert journal.name_value(value.replace(b"p:", b"q:", 1)).startswith("damaged:")
    assert journal.name_value(None).startswith("damaged:")
