"""What pictures of a movie share: its learnt style and, where asked for, its characters' learnt faces."""

import asyncio
from dataclasses import dataclass, replace

from moviellm.artifacts import DatasetKeys, MovieKeys, digest, digest_of
from moviellm.controller.maker import Maker
from moviellm.controller.stages import (
    InversionProgress,
    InversionResult,
    LearnedLooks,
    Made,
    PictureOrder,
    Stages,
    StyleOrder,
)
from moviellm.dataset import MovieDatasetSpec, MovieStyle, Stage, StyleMethod, derived_seed
from moviellm.errors import Broken
from moviellm.movie import (
    Character,
    CharacterRole,
    LearnedStyle,
    Outline,
    StoredFile,
    Style,
    Work,
    character_prompt,
    reference_prompt,
)


@dataclass(frozen=True)
class LookOptions:
    """The deployment's choices: references a style or character, and steps of inversion (0: the service's own)."""

    references: int
    inversion_steps: int


@dataclass(frozen=True)
class MovieLooks:
    """A movie's learnt style, and the learnt faces by the characters' names."""

    style: MovieStyle
    faces: tuple[tuple[str, MovieStyle], ...] = ()

    @property
    def learned(self) -> LearnedLooks:
        """The embeddings alone."""
        return LearnedLooks(self.style.learned, tuple(face.learned for _, face in self.faces))

    def shown(self, outline: Outline) -> tuple[Character, ...]:
        """The characters as prompts name them: a learnt face's token stands before the fixed appearance."""
        tokens = {name: face.learned.token for name, face in self.faces}
        return tuple(
            replace(character, appearance=f"{tokens[character.name]} {character.appearance}")
            if character.name in tokens
            else character
            for character in outline.characters
        )


class LookWork:
    """Learns the looks of one dataset's movies."""

    def __init__(
        self, dataset: str, spec: MovieDatasetSpec, *, stages: Stages, maker: Maker, options: LookOptions
    ) -> None:
        self._dataset = dataset
        self._spec = spec
        self._stages = stages
        self._maker = maker
        self._options = options

    async def looks(self, movie: int, keys: MovieKeys, outline: Outline) -> MovieLooks:
        """Everything that the movie's frames need learnt; the same look asked for twice is learnt once."""
        main = [one for one in outline.characters if one.role is CharacterRole.MAIN]
        characters = main if self._spec.learn_characters else []
        style, *faces = await asyncio.gather(
            self._learnt(f"movie {movie}, style", keys.style, outline, None),
            *(
                self._learnt(f"movie {movie}, face of {one.name}", keys.character(number), outline, one)
                for number, one in enumerate(characters, 1)
            ),
        )
        return MovieLooks(style, tuple(zip((one.name for one in characters), faces, strict=True)))

    async def _learnt(self, unit: str, key: str, outline: Outline, character: Character | None) -> MovieStyle:
        try:
            return await self._maker.made(
                Stage.INVERSION,
                unit,
                key,
                MovieStyle,
                lambda: self._learn(unit, outline, character),
                counted=character is None,
            )
        finally:
            self._maker.progress.partial.pop(unit, None)

    async def _learn(self, unit: str, outline: Outline, character: Character | None) -> Made[MovieStyle]:
        if character is not None:
            order = await self._face_order(outline, character)
        elif self._spec.style.pictures:
            order = await self._order_from_requester(outline)
        else:
            order = await self._style_order(outline)
        if character is None and self._spec.style.method is StyleMethod.PROMPT:
            return Made(
                MovieStyle(LearnedStyle(), order.references), Work(node_pool=""), order.output_uri.rpartition("/")[2]
            )
        async for update in self._stages.learn_style(order):
            if isinstance(update, InversionResult):
                return Made(_movie_style(update, order), update.work, order.output_uri.rpartition("/")[2])
            self._maker.moving(Stage.INVERSION, unit)
            self._show(unit, update)
        raise Broken("the inversion service ended without a result")

    async def _style_order(self, outline: Outline) -> StyleOrder:
        """References rendered from the style's description alone, in places of the movie, nobody in them."""
        places = self._places(outline)
        seed = derived_seed(self._spec.seed, "style", outline.style.keyword)
        prompts = [reference_prompt(place, outline.style) for place in places]
        captions = tuple(f"the {place}" for place in places)
        return await self._rendered_order(outline.style, prompts, captions, seed)

    async def _face_order(self, outline: Outline, character: Character) -> StyleOrder:
        """References of the character's fixed appearance in places of the movie, in no particular style."""
        places = self._places(outline)
        subject = Style(keyword=f"{character.name} person", phrases=(character.appearance,))
        seed = derived_seed(self._spec.seed, "character", character.appearance)
        prompts = [character_prompt(character.appearance, place) for place in places]
        captions = tuple(prompts)
        order = await self._rendered_order(subject, prompts, captions, seed)
        return replace(order, subject="character", method=StyleMethod.TEXTUAL_INVERSION)

    async def _rendered_order(
        self, style: Style, prompts: list[str], captions: tuple[str, ...], seed: int
    ) -> StyleOrder:
        weights = await self._stages.weights()
        made_from = digest_of(prompts, seed, self._spec.model, weights, self._recipe)
        orders = tuple(
            PictureOrder(
                number,
                prompt,
                derived_seed(seed, "reference", number),
                self._maker.store.uri(f"styles/{made_from}/references/{number:03}.jpg"),
            )
            for number, prompt in enumerate(prompts, 1)
        )
        pictures = {}
        async for picture in self._stages.render_references(orders, self._spec.model):
            self._maker.held_gpus(Stage.RENDERING, picture.work)
            pictures[picture.number] = picture.file
        references = tuple(pictures[order.number] for order in orders)
        return self._order(style, references, captions, made_from, seed)

    async def _order_from_requester(self, outline: Outline) -> StyleOrder:
        keys = DatasetKeys(self._dataset)
        references = []
        for number in range(1, self._spec.style.pictures + 1):
            key = keys.picture(number)
            data = await self._maker.store.get(key)
            references.append(StoredFile(self._maker.store.uri(key), digest(data), len(data)))
        seed = derived_seed(self._spec.seed, "style", outline.style.keyword)
        digests = [reference.digest for reference in references]
        weights = await self._stages.weights()
        made_from = digest_of(digests, outline.style.words, seed, self._spec.model, weights, self._recipe)
        return self._order(outline.style, tuple(references), (), made_from, seed)

    def _order(
        self, style: Style, references: tuple[StoredFile, ...], captions: tuple[str, ...], made_from: str, seed: int
    ) -> StyleOrder:
        return StyleOrder(
            style=style,
            references=references,
            captions=captions,
            output_uri=self._maker.store.uri(f"styles/{made_from}"),
            seed=seed,
            steps=self._options.inversion_steps,
            vectors=self._spec.style.vectors,
            method=self._spec.style.method,
        )

    @property
    def _recipe(self) -> tuple[int | str, ...]:
        """What the learnt vectors depend on beside pictures, words and model."""
        method = self._spec.style.method
        own = () if method is StyleMethod.TEXTUAL_INVERSION else (str(method),)
        return self._options.inversion_steps, self._spec.style.vectors, *own

    def _places(self, outline: Outline) -> list[str]:
        return [outline.locations[i % len(outline.locations)] for i in range(self._options.references)]

    def _show(self, unit: str, update: InversionProgress) -> None:
        self._maker.progress.partial[unit] = (Stage.INVERSION, update.step / max(update.steps, 1))
        self._maker.progress.notify()


def _movie_style(result: InversionResult, order: StyleOrder) -> MovieStyle:
    return MovieStyle(result.learned_style, order.references, result.initial_loss, result.final_loss, result.steps)
