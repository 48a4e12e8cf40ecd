"""Judging many items: once each, patiently, and stopping where it makes no sense to go on."""

import asyncio

import pytest

from moviellm import errors
from moviellm.evaluation.journal import Journal
from moviellm.evaluation.running import Patience, Run
from moviellm.evaluation.verdict import Judgement, Verdict, Winner

WON = Verdict(Judgement(4, 2, Winner.CANDIDATE), Judgement(5, 1, Winner.CANDIDATE), "m", 10, 5)


class Judge:
    """Fails with each of `failures` in turn, then judges; keeps what it was asked and how many at once."""

    name = "test"

    def __init__(self, *failures):
        self.failures = list(failures)
        self.asked = []
        self.now = self.most = 0

    async def judge(self, comparison):
        self.asked.append(comparison)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        return WON


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.jsonl") as journal:
        yield journal


@pytest.fixture
def slept():
    return []


@pytest.fixture
def run_of(journal, slept):
    async def sleep(seconds):
        slept.append(seconds)

    return lambda judge, **options: Run(judge, journal, **{"sleep": sleep, **options})


async def test_each_item_once_within_the_limit(run_of, journal, item):
    judge, items = Judge(), [item(number) for number in range(20)]
    progress = await run_of(judge, concurrency=3).judge_all([*items, *items])
    assert (len(judge.asked), judge.most) == (20, 3)
    assert (progress.total, progress.judged, progress.is_done) == (20, 20, True)
    assert journal.get(items[7].digest("test")) == WON


async def test_what_is_in_the_journal_is_not_asked_again(run_of, tmp_path, journal, item):
    await run_of(Judge()).judge_all([item(1), item(2)])
    judge = Judge()
    progress = await run_of(judge).judge_all([item(1), item(2), item(3), item(1, baseline="she flies")])
    assert [one.baseline for one in judge.asked] == ["she swims", "she flies"]
    assert (progress.already, progress.judged) == (2, 4)


async def test_a_missing_answer_is_shown_as_such_and_two_are_not_shown(run_of, item):
    judge = Judge()
    progress = await run_of(judge).judge_all([item(1, candidate=""), item(2, candidate="", baseline="")])
    assert [(one.candidate, one.baseline) for one in judge.asked] == [("(no answer)", "she swims")]
    assert progress.total == 1


async def test_temporary_trouble_is_waited_out_as_long_as_asked(run_of, slept, item):
    busy, away = errors.Exhausted("busy", retry_after=7.0), errors.Unavailable("away")
    judge = Judge(busy, away, away)
    progress = await run_of(judge, concurrency=1).judge_all([item()])
    assert progress.judged == 1
    assert slept[0] == 7.0
    assert 1.0 <= slept[1] <= 2.0, "the second failure, halved at most"
    assert 2.0 <= slept[2] <= 4.0


async def test_lasting_trouble_ends_the_run_and_keeps_what_is_judged(run_of, journal, item):
    judge = Judge(None, *[errors.Unavailable("away")] * 3)
    run = run_of(judge, concurrency=1, patience=Patience(attempts=3))
    with pytest.raises(errors.Unavailable, match="away"):
        await run.judge_all([item(number) for number in range(5)])
    assert len(judge.asked) == 4
    assert (run.progress.judged, len(journal)) == (1, 1)


@pytest.mark.parametrize("error", [errors.Denied("key"), errors.Unsatisfied("model", reason="LLM_MODEL_UNKNOWN")])
async def test_what_asking_again_cannot_help_ends_the_run_at_once(run_of, slept, item, error):
    judge = Judge(error)
    with pytest.raises(type(error)):
        await run_of(judge, concurrency=1).judge_all([item(number) for number in range(50)])
    assert (len(judge.asked), slept) == (1, [])


async def test_what_others_have_under_way_is_kept_when_the_run_ends(run_of, journal, item):
    judge = Judge(errors.Denied("key"))
    with pytest.raises(errors.Denied):
        await run_of(judge, concurrency=4).judge_all([item(number) for number in range(50)])
    assert (len(judge.asked), len(journal)) == (4, 3)


async def test_an_item_that_cannot_be_judged_is_left_out(run_of, item):
    nonsense = errors.Unavailable("nonsense", reason="LLM_INVALID_REPLY")
    refused = errors.Unsatisfied("refused", reason="LLM_REQUEST_REFUSED")
    judge = Judge(None, nonsense, nonsense, refused)
    progress = await run_of(judge, concurrency=1).judge_all([item(number) for number in range(5)])
    assert progress.given_up == {"q1": "nonsense", "q2": "refused"}
    assert (progress.judged, len(judge.asked), progress.is_done) == (3, 6, True)


async def test_where_nothing_can_be_judged_the_run_ends(run_of, item):
    judge = Judge(*[errors.Unsatisfied("refused", reason="LLM_REQUEST_REFUSED")] * 50)
    with pytest.raises(errors.Unsatisfied, match="refused"):
        await run_of(judge, concurrency=1).judge_all([item(number) for number in range(50)])
    assert len(judge.asked) == 3


async def test_a_stop_lets_what_is_under_way_finish(run_of, journal, item):
    stop, judge = asyncio.Event(), Judge()
    run = run_of(judge, concurrency=2, stop=stop, heard=lambda progress: progress.judged and stop.set())
    progress = await run.judge_all([item(number) for number in range(50)])
    assert progress.judged == len(judge.asked) == len(journal) == 2
    assert not progress.is_done


async def test_a_stop_ends_a_wait(run_of, item):
    stop = asyncio.Event()

    async def forever(seconds):
        stop.set()
        await asyncio.Event().wait()

    judge = Judge(errors.Exhausted("busy", retry_after=3600.0))
    progress = await run_of(judge, stop=stop, sleep=forever).judge_all([item()])
    assert (progress.judged, len(judge.asked)) == (0, 1)


# ---- the journal ----


def test_a_journal_remembers(tmp_path):
    path = tmp_path / "new/journal.jsonl"
    with Journal(path) as journal:
        journal.add("a", WON)
        assert len(path.read_bytes().splitlines()) == 1, "kept before the block ends"
    with Journal(path) as journal:
        assert (journal.get("a"), journal.get("b"), len(journal)) == (WON, None, 1)


def test_a_line_cut_short_is_dropped_and_the_next_is_whole(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add("a", WON)
        journal.add("b", WON)
    path.write_bytes(path.read_bytes()[:-20])
    with Journal(path) as journal:
        assert (journal.get("a"), journal.get("b")) == (WON, None)
        journal.add("c", WON)
    with Journal(path) as journal:
        assert [journal.get(digest) for digest in "abc"] == [WON, None, WON]


@pytest.mark.parametrize(
    ("old", "new"), [(b'"candidate_score": 4', b'"candidate_score": 40'), (b"{", b"x"), (b"tie", b"t")]
)
def test_damaged_lines_are_passed_over(tmp_path, old, new):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add("a", Verdict(Judgement(4, 4, Winner.TIE), WON.baseline_first))
        journal.add("b", WON)
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first.replace(old, new, 1) + second)
    with Journal(path) as journal:
        assert (journal.get("a"), journal.get("b")) == (None, WON)


def test_two_runs_do_not_share_a_journal(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path), pytest.raises(errors.Unsatisfied, match="in use by another evaluation"), Journal(path):
        pass
    with Journal(path):
        pass
