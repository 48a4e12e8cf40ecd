"""When a key frame is on the screen."""

import math
from dataclasses import dataclass
from fractions import Fraction

from moviellm.errors import InvalidInput

FASTEST = 30


@dataclass(frozen=True)
class Timing:
    """Key frames follow each other at `rate` a second; frame n shows from (n - 1) / rate to n / rate seconds."""

    rate: Fraction

    @classmethod
    def of(cls, frames_per_second: float) -> "Timing":
        """The timing of a request; raises InvalidInput outside 0.01 to 30 key frames a second."""
        if not 0.01 <= frames_per_second <= FASTEST:
            raise InvalidInput("spec.frames_per_second", f"must be from 0.01 to {FASTEST}, got {frames_per_second:g}")
        return cls(Fraction(frames_per_second).limit_denominator(1000))

    def hold(self, least_rate: float) -> int:
        """Video frames for which one key frame stands still, so that there are `least_rate` a second or more."""
        return max(1, math.ceil(Fraction(least_rate) / self.rate))

    def video_rate(self, least_rate: float) -> Fraction:
        """Video frames a second; a whole multiple of `rate`, so that sampling at `rate` hits each key frame once."""
        return self.rate * self.hold(least_rate)

    def start(self, frame: int) -> float:
        """Seconds at which the frame appears."""
        return round(float((frame - 1) / self.rate), 3)

    def end(self, frame: int) -> float:
        """Seconds at which the frame gives way to the next."""
        return round(float(frame / self.rate), 3)
