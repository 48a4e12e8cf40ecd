"""Commands that ask the server one thing: create, list, get, cancel, retry, delete."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from moviellm import errors, rpc
from moviellm.cli import views
from moviellm.cli.connection import Client, Name, connect, run, server_of, short
from moviellm.cli.progress import watch_to_the_end
from moviellm.dataset import DEFAULT_FORMATS, FORMATS, RENDER_PROFILES, StyleMethod
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1.movie_pb2 import Prompt

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def _fits(bits: int) -> Callable[[int | None], int | None]:
    def check(value: int | None) -> int | None:
        if value is not None and not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise typer.BadParameter(f"{value} is beyond what a dataset can have")
        return value

    return check


_count, _long = _fits(32), _fits(64)


def create(
    context: typer.Context,
    theme: Annotated[str, typer.Option(help='One phrase, such as "a love story about a duchess and a commoner".')],
    movies: Annotated[int | None, typer.Option(callback=_count, help="Number of movies. (default: 1)")] = None,
    chapters: Annotated[
        int | None, typer.Option(callback=_count, help="Chapters of each movie, 1 to 11. (default: 3)")
    ] = None,
    scenes: Annotated[
        int | None, typer.Option(callback=_count, help="Scenes of each chapter, 1 to 11. (default: 3)")
    ] = None,
    frames: Annotated[
        int | None, typer.Option(callback=_count, help="Key frames of each scene, 1 to 11. (default: 6)")
    ] = None,
    style: Annotated[str, typer.Option(help='A style the server knows by name, such as "gothic".')] = "",
    style_description: Annotated[str, typer.Option(help="The look in free words.")] = "",
    style_picture: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="A picture to learn the look from; 3 to 60."),
    ] = None,
    style_method: Annotated[
        StyleMethod | None,
        typer.Option(
            help="Hold the look by a learnt embedding, by words alone, by a learnt LoRA, or by an IP-Adapter where "
            "there is one. (default: textual_inversion)"
        ),
    ] = None,
    style_vectors: Annotated[
        int | None,
        typer.Option(callback=_count, help="Vectors learnt for the style, 1 to 16. (default: the model's own)"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(callback=_long, help="The same request and seed give the same dataset.")
    ] = None,
    format: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(FORMATS)}; repeat it. (default: {' and '.join(DEFAULT_FORMATS)})"),
    ] = None,
    model: Annotated[str, typer.Option(help="The picture model. (default: the server's)")] = "",
    fps: Annotated[float | None, typer.Option(help="Key frames shown a second in movie.mp4. (default: 1)")] = None,
    dialogue_lines: Annotated[
        int | None, typer.Option(callback=_count, help="Lines of dialogue in each scene, 0 to 22. (default: 6)")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Your own plot as JSON: an outline, a script, or a published story; see docs/plots.md.",
        ),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(help="A prompt template of your own as NAME=FILE, such as scene=scene.md; repeat it."),
    ] = None,
    max_llm_tokens: Annotated[
        int | None,
        typer.Option(callback=_long, help="Tokens of language models at most; 0 for no limit. (default: 0)"),
    ] = None,
    attempts: Annotated[
        int | None,
        typer.Option(callback=_count, help="Pictures rendered of a frame at most; the best is kept. (default: 1)"),
    ] = None,
    min_score: Annotated[
        float, typer.Option(help="The CLIP-Score at which a picture is good enough at once, 0 to 1; 0 tries all.")
    ] = 0.0,
    ablation: Annotated[
        bool, typer.Option("--ablation", help="Measure a sample of frames without the learnt style too.")
    ] = False,
    profile: Annotated[
        str, typer.Option(help=f"A few-step way of sampling, where the server has it: {', '.join(RENDER_PROFILES)}.")
    ] = "",
    steps: Annotated[
        int | None, typer.Option(callback=_count, help="Denoising steps. (default: the model's own)")
    ] = None,
    guidance: Annotated[
        float | None, typer.Option(help="Classifier-free guidance; 1 is without. (default: the model's own)")
    ] = None,
    width: Annotated[
        int | None, typer.Option(callback=_count, help="Pixels, a multiple of 8. (default: the model's own)")
    ] = None,
    height: Annotated[
        int | None, typer.Option(callback=_count, help="Pixels, a multiple of 8. (default: the model's own)")
    ] = None,
    negative_prompt: Annotated[str, typer.Option(help="What no frame should show. (default: the server's)")] = "",
    refiner_share: Annotated[
        float, typer.Option(help="The share of the steps that the server's refiner takes, 0 to 0.9.")
    ] = 0.0,
    learn_characters: Annotated[
        bool, typer.Option("--learn-characters", help="Learn an embedding of each main character too.")
    ] = False,
    id: Annotated[str, typer.Option(help="The dataset's name. (default: made from the theme)")] = "",
    request_id: Annotated[str, typer.Option(help="A word of yours; repeating it returns the first dataset.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the request and print its cost.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Watch until the dataset is complete.")] = False,
    as_json: Json = False,
) -> None:
    """Ask for a dataset of movies.

    [bold]Examples[/]

      moviellm create --theme "a lighthouse keeper who finds a message" --id demo --watch

      moviellm create --theme "a heist in a museum" --movies 4 --style noir --seed 7

      moviellm create --theme "two rival chefs" --style-picture a.jpg --style-picture b.jpg --style-picture c.jpg

      moviellm create --theme "a duel at dawn" --chapters 11 --scenes 11 --frames 11 --dry-run

      moviellm create --theme "a duel at dawn" --plot story.json --attempts 4 --format hf_parquet
    """
    try:
        spec = pb.MovieDatasetSpec(
            theme=theme,
            movies=movies,
            chapters=chapters,
            scenes=scenes,
            frames=frames,
            seed=seed,
            formats=format or [],
            model=model,
            frames_per_second=fps,
            dialogue_lines=dialogue_lines,
            max_llm_tokens=max_llm_tokens or 0,
            prompts=_prompts(prompt or []),
            learn_characters=learn_characters,
        )
        if attempts is not None or min_score or ablation:
            spec.quality.CopyFrom(pb.QualitySpec(attempts=attempts, min_score=min_score, ablation=ablation))
        render = pb.RenderSpec(
            width=width or 0,
            height=height or 0,
            steps=steps or 0,
            guidance_scale=guidance or 0.0,
            negative_prompt=negative_prompt,
            profile=profile,
            refiner_share=refiner_share,
        )
        if render != pb.RenderSpec():
            spec.render.CopyFrom(render)
        if style or style_description or style_method or style_vectors is not None:
            method = pb.StyleMethod.Value(f"STYLE_METHOD_{style_method.upper()}") if style_method else None
            look = pb.StyleSpec(preset=style, description=style_description, method=method, vectors=style_vectors)
            spec.style.CopyFrom(look)
        request = pb.CreateMovieDatasetRequest(
            spec=spec, movie_dataset_id=id, request_id=request_id, validate_only=dry_run
        )
    except ValueError as error:
        raise typer.BadParameter(f"a value cannot be sent: {error}") from error
    request.style_pictures.extend(_pictures(style_picture or []))
    if plot is not None:
        request.plot = plot.read_bytes()
    dataset = run(_create(server_of(context), request))
    watch = watch and not dry_run
    if as_json and not watch:
        views.print_json(Console(), views.to_plain(dataset))
    elif dry_run:
        _say(f"The request is fine. It would cost {views.estimate_text(dataset.estimate)}.")
    elif not as_json:
        name = short(dataset.name)
        _say(f"{name} is accepted: {views.estimate_text(dataset.estimate)}." + _next(watch, name))
    if watch:
        watch_to_the_end(server_of(context), dataset.name, as_json=as_json)


def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the datasets, newest first."""
    datasets = run(_list(server_of(context)))
    if as_json:
        views.print_json(Console(), [views.to_plain(dataset) for dataset in datasets])
    elif datasets:
        Console().print(views.table_of(datasets))
    else:
        _say('There are no datasets yet. Next: moviellm create --theme "…" --watch')


def get(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Show one dataset: request, progress, titles, trouble.

    [bold]Example[/]

      moviellm get demo --json | jq '.stages[] | {stage, done, total}'
    """
    dataset = run(_with(server_of(context), name, Client.get))
    if as_json:
        views.print_json(Console(), views.to_plain(dataset))
    else:
        Console().print(views.details_of(dataset))


def cancel(context: typer.Context, name: Name) -> None:
    """Stop the work on a dataset and keep what is made."""
    run(_with(server_of(context), name, Client.cancel))
    _say(f"{short(name)} is cancelled; what is made is kept. `moviellm retry {short(name)}` goes on with it.")


def retry(
    context: typer.Context,
    name: Name,
    max_llm_tokens: Annotated[
        int | None, typer.Option(callback=_long, help="A new limit of tokens; 0 for none. (default: the old one)")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Watch until the dataset is complete.")] = False,
) -> None:
    """Go on with a failed or cancelled dataset: only what is missing is made."""
    run(_with(server_of(context), name, lambda client, of: client.retry(of, max_llm_tokens)))
    _say(f"{short(name)} goes on." + ("" if watch else f" Next: moviellm watch {short(name)}"))
    if watch:
        watch_to_the_end(server_of(context), name)


def delete(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a dataset from the server with everything it holds; downloaded copies stay."""
    if not yes and not typer.confirm(f"Remove {short(name)} and everything it holds?", err=True):
        raise typer.Exit(1)
    run(_delete(server_of(context), name))
    _say(f"{short(name)} is removed.")


async def _create(server: str, request: pb.CreateMovieDatasetRequest) -> pb.MovieDataset:
    async with connect(server) as client:
        return await client.create(request)


async def _list(server: str) -> list[pb.MovieDataset]:
    async with connect(server) as client:
        return [dataset async for dataset in client.datasets()]


async def _with(server: str, name: str, method: Callable[[Client, str], Awaitable[pb.MovieDataset]]) -> pb.MovieDataset:
    async with connect(server) as client:
        return await method(client, name)


async def _delete(server: str, name: str) -> None:
    async with connect(server) as client:
        await client.delete(name)


def _pictures(paths: list[Path]) -> list[bytes]:
    room = rpc.MAX_MESSAGE_BYTES - 1_000_000
    if sum(path.stat().st_size for path in paths) > room:
        raise errors.InvalidInput("style_pictures", f"must be at most {views.size(room)} together")
    return [path.read_bytes() for path in paths]


def _prompts(files: list[str]) -> list[Prompt]:
    prompts = []
    for number, given in enumerate(files):
        name, equals, path = given.partition("=")
        if not equals or not Path(path).is_file():
            raise errors.InvalidInput(f"--prompt[{number}]", f"must be NAME=FILE with a file that exists, got {given}")
        prompts.append(Prompt(name=name, text=Path(path).read_text(encoding="utf-8", errors="replace")))
    return prompts


def _next(watch: bool, name: str) -> str:
    return "" if watch else f" Next: moviellm watch {name}"


def _say(text: str) -> None:
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
