"""`moviellm benchmark`: the questions of the paper's benchmark for a list of movies."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from moviellm import errors
from moviellm.evaluation.benchmark import Benchmark
from moviellm.evaluation.benchmark import benchmark as benchmark_for
from moviellm.evaluation.movies import movies_at
from moviellm.evaluation.report import write_whole
from moviellm.movie import QuestionKind


def benchmark(
    movies: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="MOVIES",
            help="Folders of downloaded datasets or movies; text files with a title a line; JSON lists of titles.",
            show_default=False,
        ),
    ] = None,
    title: Annotated[list[str] | None, typer.Option(help="A movie by its title; repeat it.")] = None,
    output: Annotated[Path, typer.Option(dir_okay=False, help="Where the questions go.")] = Path("questions.json"),
    sheet: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the questions here too, answers blank, for a model.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same movies and seed give the same questions.")] = 0,
    overview: Annotated[int, typer.Option(min=0, help="Overview questions a movie.")] = 1,
    plot: Annotated[int, typer.Option(min=0, help="Plot questions a movie.")] = 2,
    temporal: Annotated[int, typer.Option(min=0, help="Temporal questions a movie.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace files that differ.")] = False,
) -> None:
    """Write the paper's benchmark questions: 1 overview, 2 plot, 1 temporal a movie.

    Movies made here bring their own questions with the right answers. Of other
    movies only the title is known: their questions fit any movie, and people
    write the right answers into "answer". Next comes `moviellm evaluate`.

    [bold]Examples[/]

      moviellm benchmark out/demo --output questions.json --sheet answers.json

      moviellm benchmark titles.txt --seed 7

      moviellm benchmark --title "The General" --title "Metropolis"
    """
    counts = {QuestionKind.OVERVIEW: overview, QuestionKind.PLOT: plot, QuestionKind.TEMPORAL: temporal}
    found = movies_at(movies or (), title or ())
    made = benchmark_for(found, seed=seed, counts=counts)
    if not made.questions:
        raise errors.Unsatisfied(
            "the movies have no questions of the kinds asked for; see --overview, --plot and --temporal"
        )
    files = {output: made.as_json()} | ({sheet: made.as_json(with_answers=False)} if sheet else {})
    for path, value in files.items():
        _check_replaceable(path, value, force)
    for path, value in files.items():
        write_whole(path, value)
    _tell_benchmark(made, len(found), output, sheet)


def _check_replaceable(path: Path, value: object, force: bool) -> None:
    """A person may have written answers into the file that is there."""
    if force or not path.exists():
        return
    try:
        same = json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(value))
    except ValueError:
        same = False
    if not same:
        raise errors.Unsatisfied(
            f"{path} is there already and differs; choose another file, or replace it with --force",
            reason="FILE_EXISTS",
        )


def _tell_benchmark(made: Benchmark, movies: int, output: Path, sheet: Path | None) -> None:
    _say(f"{len(made.questions)} questions about {movies} movies: {output}")
    if made.lacking:
        more = f" and {len(made.lacking) - 3} more" if len(made.lacking) > 3 else ""
        _say(f"Fewer than asked for: {'; '.join(made.lacking[:3])}{more}")
    blank = sum(not question.answer for question in made.questions)
    if blank:
        _say(f'{blank} right answers are to be written by people: fill in "answer" in {output}')
    if sheet:
        _say(f'For the models: {sheet}, "answer" to be filled in')
    _say(f"Next: moviellm evaluate --reference {output} --candidate AFTER.json --baseline BEFORE.json --model NAME")


def _say(text: str) -> None:
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
