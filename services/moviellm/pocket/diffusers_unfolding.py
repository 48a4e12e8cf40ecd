"""The autoencoder's weights, not learnt but computed: the way to the projected latents and back.

Folding is easy: a strided convolution sees whole squares of 2×2 pixels. Unfolding is not. A decoder of stock layers
doubles its picture by repeating pixels, and nothing tells the four copies apart. So the decoder first counts rows and
columns (zeros enter at the edges, one pixel a convolution); after each doubling a convolution over the count says which
copy a pixel is; and rectifiers let through only what that copy shall hold:

    copy (r, c) of x is  W₀ x + c·D₁ x + r·D₂ x + rc·D₃ x,   with  s·y = relu(y + K (2s − 1)) − relu(K (2s − 1)).

What a patch holds beyond its own latents can partly be told from its neighbours' (outlines go on), so the decoder
begins with the content of 3×3 patches; this also softens the seams between patches.

Patches are drawn one by one, so a step remains where two meet. The last block makes it a ramp: whoever was the first
copy, or the second, of all four doublings lies at a seam, and moves a third of the way towards its neighbour there.

Norms stay out of the way while one constant channel outweighs everything else: their mean and deviation are then nearly
the same for every picture, and are undone by their own weights.
"""

from typing import Any

import numpy as np
import torch

from moviellm.pocket.latents import CHANNELS, COMPONENTS, PATCH, SIDE, Projection
from moviellm.pocket.looks import PATTERNS
from moviellm.pocket.unfoldings import Unfolding, content_of, principal, unfoldings

_CONSTANT = 64.0
"""The constant channel."""

_GATE = 12.0
"""K: more than any y."""

_LINEAR = 14.0
"""Added before a SiLU and taken away after it: it is the identity up there."""

_SPREAD = 4.0
"""The count of the last row; counts are scaled so that they stay of the size of everything else."""

_NORMS = 128
"""Pictures that are enough to know the usual mean and deviation of a layer."""

_SOFT = 1 / 3
"""The part of the way to the neighbour that pixels at seams move: a step becomes three equal ones."""

_CENTRE = torch.nn.functional.pad(torch.ones(1, 1), (1, 1, 1, 1))


@torch.no_grad()
def unfold_and_fold(vae: Any, projection: Projection, pictures: np.ndarray) -> None:
    """Give an autoencoder of the pocket's shape its first weights; pictures uint8 (N, 128, 128, 3) to measure norms."""
    _Encoder(vae, projection, pictures[:_NORMS]).compute()
    _Decoder(vae, projection, pictures).compute()


def _zero(conv: Any) -> None:
    for values in conv.parameters():
        values.zero_()


class _Reached(Exception):
    """A layer is reached; `values` come into it."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values = values


def _statistics(model: Any, norm: Any, sample: torch.Tensor) -> tuple[torch.Tensor, float, float]:
    """The largest magnitude of each channel that comes into a norm, and the usual mean and deviation of a picture."""

    def stop(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        raise _Reached(inputs[0])

    with norm.register_forward_pre_hook(stop):
        try:
            model(sample)
        except _Reached as reached:
            seen = reached.values
    flat = seen.flatten(1)
    deviation = (flat.var(dim=1, unbiased=False) + norm.eps).sqrt()
    return seen.abs().amax(dim=(0, 2, 3)), float(flat.mean(dim=1).mean()), float(deviation.mean())


def _undo(norm: Any, mean: float, deviation: float, shift: torch.Tensor | float) -> None:
    """Make a norm the identity for pictures of this mean and deviation, with a shift after it."""
    norm.weight.fill_(deviation)
    norm.bias.copy_(torch.zeros_like(norm.bias) + mean + shift)


class _Encoder:
    """Folds squares of 2×2 pixels by strided convolutions and keeps the directions that latents are made of."""

    def __init__(self, vae: Any, projection: Projection, pictures: np.ndarray) -> None:
        self._vae, self._encoder = vae, vae.encoder
        self._pixels = torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
        self._latents = torch.from_numpy(projection.encode(pictures))
        looked_for = (projection.basis * projection.gain).T.reshape(CHANNELS, PATCH, PATCH, 3)
        self._looked_for = torch.from_numpy(looked_for).permute(0, 3, 1, 2).float()

    def compute(self) -> None:
        encoder = self._encoder
        _zero(encoder.conv_in)
        encoder.conv_in.weight[:3, :, 1, 1] = torch.eye(3)
        content, looked_for = self._pixels, self._looked_for
        for block in encoder.down_blocks:
            for resnet in block.resnets:
                _keep_stream(resnet)
            if block.downsamplers:
                conv = block.downsamplers[0].conv
                taps = self._fold(conv, looked_for)
                content, looked_for = (torch.nn.functional.conv2d(one, taps, stride=2) for one in (content, looked_for))
        for resnet in encoder.mid_block.resnets:
            _zero(resnet.conv2)
        self._name(content)

    def _fold(self, conv: Any, looked_for: torch.Tensor) -> torch.Tensor:
        """Squares of 2×2 pixels to one pixel of as many leading directions as there are channels: the taps."""
        depth = looked_for.shape[1]
        squares = torch.nn.functional.pixel_unshuffle(looked_for, 2).permute(0, 2, 3, 1).reshape(-1, 4 * depth)
        width = min(4 * depth, conv.out_channels)
        directions = torch.from_numpy(principal(squares.double().numpy(), width)).float()
        taps = directions.T.reshape(width, depth, 2, 2)
        _zero(conv)
        conv.weight[:width, :depth, :2, :2] = taps
        return taps

    def _name(self, content: torch.Tensor) -> None:
        """The last norm, SiLU and convolution: latents as the least-squares map of what was kept."""
        encoder, width = self._encoder, content.shape[1]
        encoder.down_blocks[-1].resnets[0].conv_shortcut.bias[width] = _CONSTANT * 32
        _, mean, deviation = _statistics(encoder, encoder.conv_norm_out, self._pixels)
        _undo(encoder.conv_norm_out, mean, deviation, 4 * _LINEAR)
        around = torch.nn.functional.avg_pool2d(content, 3, stride=1, padding=1)
        _zero(encoder.conv_out)
        for chosen, seen, taps in (
            (slice(0, COMPONENTS), content, _CENTRE),
            (slice(COMPONENTS, CHANNELS), around, torch.full((3, 3), 1 / 9)),
        ):
            features = seen.permute(0, 2, 3, 1).reshape(-1, width).double()
            wanted = self._latents[:, chosen].permute(0, 2, 3, 1).flatten(0, 2).double()
            with_one = torch.cat([features, torch.ones(len(features), 1, dtype=torch.float64)], dim=1)
            solution = torch.linalg.lstsq(with_one, wanted).solution.float()
            encoder.conv_out.weight[chosen, :width] = solution[:-1].T[..., None, None] * taps
            encoder.conv_out.weight[chosen, width + 1] = -solution[:-1].sum(dim=0)[:, None, None] * taps
            encoder.conv_out.bias[chosen] = solution[-1]
        encoder.conv_out.bias[CHANNELS:] = -10.0
        _zero(self._vae.quant_conv)
        self._vae.quant_conv.weight[:, :, 0, 0] = torch.eye(2 * CHANNELS)


def _keep_stream(resnet: Any) -> None:
    """A residual block that adds nothing and, where it widens, carries on what there was."""
    _zero(resnet.conv2)
    if resnet.conv_shortcut is not None:
        _zero(resnet.conv_shortcut)
        narrow = min(resnet.conv_shortcut.weight.shape[:2])
        resnet.conv_shortcut.weight[:narrow, :narrow, 0, 0] = torch.eye(narrow)


class _Decoder:
    """Counts, doubles and lets through.

    At each level the stream holds the content and, in the channels that `_marks` gives, where things are.
    """

    def __init__(self, vae: Any, projection: Projection, pictures: np.ndarray) -> None:
        self._vae, self._decoder = vae, vae.decoder
        self._sample = torch.from_numpy(projection.encode(pictures[:24]))
        blocks = list(vae.decoder.up_blocks)[1:]
        channels = [block.resnets[0].conv1.out_channels for block in blocks]
        self._at_once = [(number - 3) // 3 for number in channels]
        later = [(number - 8 - once) // 4 for number, once in zip(channels, self._at_once, strict=True)]
        widths = [once + more for once, more in zip(self._at_once, later, strict=True)]
        self._content = content_of(projection, pictures)
        self._unfoldings = unfoldings(self._content, (*widths[:-1], 3))
        self._at_once[-1] = 3

    def compute(self) -> None:
        self._begin()
        decoder, above, side = self._decoder, self._content.width, SIDE
        marks: tuple[int, ...] = _marks(above)
        for resnet in (*decoder.mid_block.resnets, *decoder.up_blocks[0].resnets):
            self._count(resnet)
        for number, unfolding in enumerate(self._unfoldings):
            before, block = decoder.up_blocks[number], decoder.up_blocks[number + 1]
            self._double(before.upsamplers[0].conv, above, marks, side)
            marks = self._choose(block.resnets, unfolding, self._at_once[number], above)
            above, side = unfolding.width, 2 * side
        self._finish()

    def _begin(self) -> None:
        """Latents (patterns smoothed once more), the constant, ones that will move away from the edges, and counts."""
        _zero(self._vae.post_quant_conv)
        self._vae.post_quant_conv.weight[:, :, 0, 0] = torch.eye(CHANNELS)
        conv, width = self._decoder.conv_in, self._content.width
        _zero(conv)
        conv.weight[:CHANNELS, :, 1, 1] = torch.eye(CHANNELS)
        conv.weight[COMPONENTS:CHANNELS, COMPONENTS:] = torch.eye(len(PATTERNS))[..., None, None] / 9
        conv.weight[CHANNELS : width - 1] = torch.from_numpy(self._content.taps).float()
        conv.bias[width - 1] = 1.0
        one, column, row, columns, rows, *_ = _marks(width)
        conv.bias[one] = _CONSTANT
        for ones in (column, row):
            conv.bias[ones] = 1.0
        for count in (columns, rows):
            conv.bias[count] = _SPREAD / SIDE

    def _open(self, norm: Any, linear: int | None) -> torch.Tensor:
        """Undo a norm and lift the first `linear` channels so that the rectifier lets them pass. Returns the lift."""
        most, mean, deviation = _statistics(self._decoder, norm, self._sample)
        lift = torch.zeros_like(most) if linear is None else 1.5 * most + 1.0
        if linear is not None:
            lift[linear:] = 0.0
        _undo(norm, mean, deviation, lift)
        return lift

    def _count(self, resnet: Any) -> None:
        """Move the ones two pixels right (and down), zeros entering, and add both on the way to the counts."""
        self._open(resnet.norm1, 0)
        _, column, row, columns, rows, *_ = _marks(self._content.width)
        _zero(resnet.conv1)
        _zero(resnet.conv2)
        for at, (ones, count, (down, right)) in enumerate(((column, columns, (1, 0)), (row, rows, (0, 1)))):
            moved, kept = 2 * at, 2 * at + 1
            resnet.conv1.weight[moved, ones, down, right] = 1.0
            resnet.conv1.weight[kept, ones, 1, 1] = 1.0
            resnet.conv2.weight[ones, moved, down, right] = 1.0
            resnet.conv2.weight[ones, kept, 1, 1] = -1.0
            resnet.conv2.weight[count, moved, 1, 1] += _SPREAD / SIDE
            resnet.conv2.weight[count, moved, down, right] += _SPREAD / SIDE
        resnet.conv1.bias[4] = _CONSTANT
        self._open(resnet.norm2, None)

    def _double(self, conv: Any, width: int, marks: tuple[int, ...], side: int) -> None:
        """After each pixel was repeated: keep the content, say which copy a pixel is, and count on.

        The second difference of the repeated count is −1 step at a first copy and 1 at a second; at the last, where a
        zero follows, the constant makes up for it.
        """
        one, column, row, columns, rows, _, *seams = _marks(width)
        old_one, _, _, old_columns, old_rows, _, *old_seams = marks
        _zero(conv)
        for number in range(width):
            conv.weight[number, number, 1, 1] = 1.0
        conv.weight[one, old_one, 1, 1] = 1.0
        steps = side / _SPREAD
        across, down = ((column, columns, old_columns), (row, rows, old_rows))
        for axis, (copy, count, old), seam, old_seam in zip((1, 0), (across, down), seams, old_seams, strict=True):
            taps = torch.zeros(3, 3)
            ends = torch.zeros(3, 3)
            for at, (difference, end) in enumerate(((1.0, 0.0), (-2.0, 1.0), (1.0, -1.0))):
                where = (1, at) if axis == 1 else (at, 1)
                taps[where] = difference * steps
                ends[where] = end * (side + 1) / _CONSTANT
            for told in (copy, seam):
                conv.weight[told, old] = taps
                conv.weight[told, old_one] = ends
            conv.weight[seam, old_seam, 1, 1] = 1.0
            # the next count is 2·count − ½ + ½·copy, in steps half as large
            conv.weight[count, old] = taps * 0.25 / steps
            conv.weight[count, old, 1, 1] += 1.0
            conv.weight[count, old_one] = ends * 0.25 / steps
            conv.bias[count] = -0.25 / steps

    def _choose(self, resnets: Any, unfolding: Unfolding, at_once: int, above: int) -> tuple[int, ...]:
        """The first block gives the first numbers their copy's value, the second block the others. The marks after."""
        first, second = resnets
        width = unfolding.width
        later = width - at_once
        base = torch.from_numpy(unfolding.copies[0]).float()
        differences = [torch.from_numpy(one).float() for one in unfolding.differences]
        old, new = _marks(above), _marks(width + 3 * later)
        shortcut = first.conv_shortcut
        _zero(shortcut)
        shortcut.weight[:width, :above, 0, 0] = base
        for number, difference in enumerate(differences):
            start = width + number * later
            shortcut.weight[start : start + later, :above, 0, 0] = difference[at_once:]
        for source, target in zip(old, new, strict=True):
            shortcut.weight[target, source, 0, 0] = 1.0
        self._let_through(first, [one[:at_once] for one in differences], above, old, 0)
        if not later:
            self._soften(second, new)
            return new
        whole = width + 3 * later
        picks = []
        for number in range(3):
            pick = torch.zeros(later, whole)
            pick[:, width + number * later : width + (number + 1) * later] = torch.eye(later)
            picks.append(pick)
        self._let_through(second, picks, whole, new, at_once)
        return new

    def _let_through(
        self, resnet: Any, maps: list[torch.Tensor], width: int, marks: tuple[int, ...], target: int
    ) -> None:
        """Add to the stream, from channel `target` on, each map of the content where its copy is met."""
        _, column, row, _, _, nothing, *_ = marks
        lift = self._open(resnet.norm1, max(marks) + 1)
        _zero(resnet.conv1)
        _zero(resnet.conv2)
        number = len(maps[0])
        for at, (matrix, gates, middle) in enumerate(
            zip(maps, ((column,), (row,), (column, row)), (0.0, 0.0, -1.0), strict=True)
        ):
            hidden = slice(at * number, (at + 1) * number)
            reference = 3 * number + at
            resnet.conv1.weight[hidden, :width, 1, 1] = matrix
            for channel in (*range(at * number, (at + 1) * number), reference):
                for gate in gates:
                    resnet.conv1.weight[channel, gate, 1, 1] += _GATE
                resnet.conv1.bias[channel] = _GATE * middle
            for one in range(number):
                resnet.conv2.weight[target + one, at * number + one, 1, 1] = 1.0
                resnet.conv2.weight[target + one, reference, 1, 1] = -1.0
        resnet.conv1.weight[:, nothing, 1, 1] = -resnet.conv1.weight[:, :, 1, 1].sum(dim=1)
        resnet.conv1.bias -= resnet.conv1.weight.sum(dim=(2, 3)) @ lift
        self._open(resnet.norm2, None)

    def _soften(self, resnet: Any, marks: tuple[int, ...]) -> None:
        """Move pixels at seams towards their neighbours on the other side; at the picture's edge there are none."""
        one, seams = marks[0], marks[-2:]
        lift = self._open(resnet.norm1, max(marks) + 1)
        _zero(resnet.conv1)
        _zero(resnet.conv2)
        sides = ((seams[0], -1, (1, 0)), (seams[0], 1, (1, 2)), (seams[1], -1, (0, 1)), (seams[1], 1, (2, 1)))
        for at, (seam, sign, beside) in enumerate(sides):
            reference = 4 * at + 3
            for colour, hidden in enumerate(range(4 * at, reference)):
                resnet.conv1.weight[hidden, colour][beside] = 1.0
                resnet.conv1.weight[hidden, colour, 1, 1] = -1.0
                resnet.conv2.weight[colour, hidden, 1, 1] = _SOFT
                resnet.conv2.weight[colour, reference, 1, 1] = -_SOFT
            for hidden in range(4 * at, reference + 1):
                resnet.conv1.weight[hidden, seam, 1, 1] = sign * _GATE
                resnet.conv1.bias[hidden] = -3 * _GATE
                resnet.conv1.weight[hidden, one][beside] = 5 * _GATE / _CONSTANT
                resnet.conv1.weight[hidden, one, 1, 1] = -5 * _GATE / _CONSTANT
        resnet.conv1.bias -= resnet.conv1.weight.sum(dim=(2, 3)) @ lift
        self._open(resnet.norm2, None)

    def _finish(self) -> None:
        """The last norm, SiLU and convolution, and the tone of the mean patch."""
        decoder = self._decoder
        _, mean, deviation = _statistics(decoder, decoder.conv_norm_out, self._sample)
        _undo(decoder.conv_norm_out, mean, deviation, _LINEAR)
        _zero(decoder.conv_out)
        decoder.conv_out.weight[:, :3, 1, 1] = torch.eye(3)
        decoder.conv_out.weight[:, _marks(3)[5], 1, 1] = -1.0
        decoder.conv_out.bias.copy_(torch.from_numpy(self._content.tone))


def _marks(width: int) -> tuple[int, ...]:
    """Channels of what goes with a content of that width.

    The constant; which copy a pixel is, column and row (−1 for the first, 1 for the second); counts of columns and
    rows; nothing (what a norm takes away from nothing it took away from all others too); the sums of all copies so
    far, column and row.
    """
    return tuple(range(width, width + 8))
