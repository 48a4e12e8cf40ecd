"""People: large, plain figures that say who they are, what they do and how they feel.

A figure is measured in heads. Its origin is the chin; y runs down, and x to the right of the picture. Adults are five
heads high, children four. A pose says where the hands go and what the legs do; elbows follow.
"""

import math
from dataclasses import dataclass, replace

from PIL import Image, ImageFilter

from moviellm.pocket import SIZE
from moviellm.pocket.pen import OVERSAMPLING, Colour, Pen, Point, darker, lighter, mix
from moviellm.pocket.vocabulary import Kind, Person, kind_named

CLOTH: dict[str, Colour] = {
    "red": (214, 40, 44),
    "blue": (40, 92, 214),
    "green": (36, 150, 66),
    "yellow": (250, 210, 44),
    "purple": (132, 52, 176),
    "orange": (246, 132, 28),
    "pink": (248, 136, 184),
    "white": (246, 244, 240),
    "black": (42, 40, 48),
    "brown": (130, 82, 46),
}
_HAIR: dict[str, Colour] = {
    "black": (34, 28, 34),
    "brown": (110, 64, 34),
    "blond": (246, 210, 104),
    "red": (200, 74, 28),
    "grey": (158, 158, 166),
    "white": (240, 240, 240),
}
_SKIN: dict[str, Colour] = {
    "black": (150, 96, 64),
    "brown": (222, 168, 124),
    "blond": (252, 216, 186),
    "red": (254, 222, 200),
    "grey": (236, 188, 152),
    "white": (196, 140, 100),
}
"""One skin tone for each colour of hair: an appearance phrase must always mean the same person."""

_EDGE: Colour = (38, 26, 38)


@dataclass(frozen=True)
class Pose:
    """Hands in heads from the chin, legs by name, and whether the mouth is open in speech."""

    left: Point = (-0.82, 1.95)
    right: Point = (0.82, 1.95)
    legs: str = "stand"
    drop: float = 0.0
    speaking: bool = False
    lean: float = 0.0
    down: bool = False


POSES: dict[str, Pose] = {
    "stand": Pose(),
    "walk": Pose(left=(-1.05, 1.55), right=(0.7, 1.75), legs="stride"),
    "run": Pose(left=(-1.15, 0.95), right=(1.1, 1.15), legs="run", lean=0.22),
    "sit": Pose(left=(-0.42, 1.8), right=(0.42, 1.8), legs="sit", drop=0.75),
    "kneel": Pose(left=(-0.12, 1.1), right=(0.14, 1.12), legs="kneel", drop=1.35, down=True),
    "look": Pose(right=(0.5, -0.72)),
    "talk": Pose(right=(1.0, 0.72), left=(-0.5, 1.3), speaking=True),
    "think": Pose(right=(0.2, 0.08), left=(-0.2, 1.15)),
    "point": Pose(right=(1.5, 0.3)),
    "wave": Pose(right=(1.02, -0.75)),
    "cheer": Pose(left=(-1.0, -0.95), right=(1.0, -0.95)),
    "hold": Pose(right=(0.74, 0.8), left=(-0.75, 1.85)),
    "read": Pose(left=(-0.42, 0.85), right=(0.42, 0.85), down=True),
    "dance": Pose(left=(-1.05, -0.55), right=(1.1, 0.85), legs="stride", lean=0.1),
    "argue": Pose(right=(1.02, 0.4), left=(-0.75, 1.5), speaking=True),
    "hug": Pose(right=(1.15, 0.75), left=(-0.5, 1.05), lean=0.12),
    "hold hands": Pose(right=(1.0, 1.75)),
}


@dataclass(frozen=True)
class Placement:
    """Where a figure stands: the chin in picture units, the height of a head, and +1 or -1 for the way it faces."""

    x: float
    y: float
    head: float
    facing: int = 1


class Figure:
    """One person on a pen: translates heads into picture units and draws from the back to the front."""

    def __init__(self, pen: Pen, person: Person, pose: Pose, place: Placement, expression: str) -> None:
        self.pen = pen
        self.person = person
        self.pose = pose
        self.place = place
        self.expression = expression
        self.kind: Kind = kind_named(person.kind)
        self.child = self.kind.age == "little"
        self.cloth = CLOTH[person.colour]
        self.hair = _HAIR[person.hair_colour]
        self.skin = _SKIN[person.hair_colour]
        self.wide = {"slim": 0.86, "stout": 1.34}.get(person.build, 1.0) * (0.82 if self.child else 1.0)
        self.torso = 1.5 if self.child else 1.85
        self.floor = 3.0 if self.child else 4.0

    def at(self, x: float, y: float) -> Point:
        """A point in heads as a point of the picture; leaning shears the body towards the way it faces."""
        place = self.place
        lean = self.pose.lean * (1.0 - max(y, 0.0) / self.floor)
        return place.x + (x + lean) * place.facing * place.head, place.y + y * place.head

    def shape(self, points: list[Point], fill: Colour) -> None:
        """A filled polygon with an edge, in heads."""
        self.pen.polygon([self.at(x, y) for x, y in points], fill, darker(fill, 0.5))

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour, *, edge: bool = False) -> None:
        """An ellipse, in heads."""
        px, py = self.at(x, y)
        head = self.place.head
        self.pen.ellipse(px, py, rx * head, ry * head, fill, darker(fill, 0.5) if edge else None)

    def stroke(self, points: list[Point], width: float, fill: Colour) -> None:
        """A round-ended line, in heads."""
        self.pen.line([self.at(x, y) for x, y in points], width * self.place.head, fill)

    def limb(self, points: list[Point], width: float, fill: Colour) -> None:
        """A line with an edge, in heads."""
        self.stroke(points, width + 0.07, darker(fill, 0.5))
        self.stroke(points, width, fill)

    def draw(self) -> None:
        """The whole figure, hands and the held thing excepted (`draw_hands` comes last)."""
        self._hair_behind()
        if self.pose.legs == "sit":
            self._chair()
        self._legs()
        self._body()
        self._head()

    def shoulder(self, side: int) -> Point:
        """The joint of an arm; side is -1 or +1."""
        half = (0.52 if self.kind.female else 0.66) * self.wide
        return side * half, 0.38

    def draw_hands(self) -> None:
        """Both arms, over the body."""
        bare = self.person.garment == "dress" or (self.person.garment == "shirt" and self.child)
        for side, hand in ((-1, self.pose.left), (1, self.pose.right)):
            shoulder = self.shoulder(side)
            elbow = _elbow(shoulder, hand, side, 0.86 if not self.child else 0.75)
            wide = 0.34 if self.person.garment in ("robe", "coat") else 0.28
            if bare:
                self.limb([shoulder, elbow, hand], 0.22, self.skin)
                self.limb([shoulder, _between(shoulder, elbow, 0.5)], wide, self.cloth)
            else:
                self.limb([shoulder, elbow, _between(elbow, hand, 0.9)], wide, self.cloth)
            self.oval(*hand, 0.18, 0.18, self.skin, edge=True)

    def _legs(self) -> None:
        trousers = self.cloth if self.person.garment == "suit" else (64, 66, 92)
        skirted = self.person.garment in ("dress", "robe")
        colour = self.skin if skirted else darker(trousers, 0.12)
        hip, floor, spread = self.torso, self.floor - self.pose.drop, 0.26 * self.wide
        steps: dict[str, tuple[list[Point], list[Point]]] = {
            "stand": ([(-spread, hip), (-spread, floor)], [(spread, hip), (spread, floor)]),
            "stride": ([(-spread, hip), (-0.62, floor)], [(spread, hip), (0.62, floor)]),
            "run": ([(-spread, hip), (-0.5, floor - 0.8), (-1.15, floor - 0.7)], [(spread, hip), (0.75, floor)]),
            "sit": (
                [(-spread, hip), (-0.36, hip + 0.2), (-0.36, floor)],
                [(spread, hip), (0.36, hip + 0.2), (0.36, floor)],
            ),
            "kneel": ([(-spread, hip), (-0.45, floor)], [(spread, hip), (0.45, floor)]),
        }
        for points in steps[self.pose.legs]:
            self.limb(points, 0.34 if not skirted else 0.24, colour)
            end = points[-1]
            self.oval(end[0] + 0.1, end[1], 0.27, 0.14, (58, 40, 38), edge=True)

    def _chair(self) -> None:
        wood: Colour = (140, 90, 52)
        self.shape([(-0.95, 0.45), (0.95, 0.45), (0.95, 2.1), (-0.95, 2.1)], wood)
        self.shape([(-1.05, 1.95), (1.05, 1.95), (1.05, 2.3), (-1.05, 2.3)], lighter(wood, 0.15))
        for side in (-0.9, 0.9):
            self.limb([(side, 2.3), (side, self.floor - self.pose.drop)], 0.2, wood)

    def _body(self) -> None:
        half, chest = self.shoulder(1)
        half += 0.12
        waist = half * (0.7 if self.kind.female else 0.92) * (1.12 if self.person.build == "stout" else 1.0)
        hem = {"dress": 3.1, "robe": 3.75, "coat": 2.75}.get(self.person.garment, self.torso + 0.12)
        if self.child:
            hem = min(hem, self.floor - 0.55) if self.person.garment != "shirt" else self.torso
        hem = min(hem, self.floor - self.pose.drop - 0.18)
        flare = {"dress": 1.9, "robe": 1.25, "coat": 1.25}.get(self.person.garment, 1.0)
        self.limb([(0, -0.15), (0, 0.3)], 0.3, darker(self.skin, 0.12))
        top = [(-half, chest), (-half * 0.55, 0.2), (half * 0.55, 0.2), (half, chest)]
        if hem > self.torso + 0.2:
            bottom = [
                (waist, self.torso * 0.72),
                (waist * flare, hem),
                (-waist * flare, hem),
                (-waist, self.torso * 0.72),
            ]
        else:
            bottom = [(waist, hem), (-waist, hem)]
        self.shape(top + bottom, self.cloth)
        self._garment_details(half, waist, hem, flare)

    def _garment_details(self, half: float, waist: float, hem: float, flare: float) -> None:
        pen_colour = darker(self.cloth, 0.45) if self.person.colour != "black" else (110, 108, 122)
        middle = self.torso * 0.72
        garment = self.person.garment
        if garment == "dress":
            self.shape(
                [(-waist, middle - 0.08), (waist, middle - 0.08), (waist, middle + 0.1), (-waist, middle + 0.1)],
                lighter(self.cloth, 0.55) if self.person.colour != "white" else (200, 190, 200),
            )
            for x in (-0.5, 0.0, 0.5):
                self.stroke([(x * waist, middle + 0.3), (x * waist * flare * 1.2, hem - 0.1)], 0.05, pen_colour)
            self.shape([(-0.24, 0.2), (0.24, 0.2), (0, 0.52)], self.skin)
        elif garment == "suit":
            self.shape([(-0.28, 0.2), (0.28, 0.2), (0, 1.05)], (250, 250, 250))
            self.shape([(-0.09, 0.28), (0.09, 0.28), (0.12, 0.8), (0, 0.95), (-0.12, 0.8)], (60, 20, 40))
            self.stroke([(-0.34, 0.22), (0, 1.08), (0.34, 0.22)], 0.06, pen_colour)
            self.stroke([(0, 1.1), (0, hem)], 0.05, pen_colour)
        elif garment == "coat":
            self.stroke([(0, 0.3), (0, hem - 0.05)], 0.06, pen_colour)
            self.shape([(-0.5, 0.22), (-0.08, 0.22), (-0.06, 0.8)], lighter(self.cloth, 0.25))
            self.shape([(0.5, 0.22), (0.08, 0.22), (0.06, 0.8)], lighter(self.cloth, 0.25))
            for y in (0.95, 1.3, 1.65):
                self.oval(0.16, y, 0.07, 0.07, (250, 220, 120))
        elif garment == "robe":
            self.stroke([(-0.3, 0.2), (0.12, 1.2)], 0.08, lighter(self.cloth, 0.5))
            self.stroke([(0.3, 0.2), (-0.02, 0.9)], 0.08, lighter(self.cloth, 0.5))
            self.stroke([(-waist, middle + 0.05), (waist, middle + 0.05)], 0.16, (236, 190, 80))
        else:
            self.shape([(-0.26, 0.2), (0.26, 0.2), (0, 0.46)], lighter(self.cloth, 0.45))
            for y in (0.7, 1.05, 1.4):
                self.oval(0, y, 0.06, 0.06, pen_colour)

    def _hair_behind(self) -> None:
        hair, style = darker(self.hair, 0.12), self.person.hair_style
        if style == "long":
            self.shape([(-0.5, -0.75), (0.5, -0.75), (0.66, 0.2), (0.62, 0.95), (-0.62, 0.95), (-0.66, 0.2)], hair)
        elif style == "braided":
            for side in (-1, 1):
                for step in range(5):
                    self.oval(side * (0.5 + step * 0.03), -0.15 + step * 0.24, 0.17, 0.16, self.hair, edge=True)
                self.oval(side * 0.63, 1.06, 0.12, 0.1, (220, 60, 80))
        elif style == "curly":
            reach = 8 if self.kind.female else 6
            for step in range(reach + 1):
                angle = math.pi + (step - 0) * math.pi / reach
                sink = 0.2 if self.kind.female else 0.05
                self.oval(math.cos(angle) * 0.5, -0.58 + math.sin(angle) * 0.44 + sink, 0.24, 0.24, hair, edge=True)
            if self.kind.female:
                for side in (-1, 1):
                    self.oval(side * 0.52, -0.12, 0.24, 0.24, hair, edge=True)
        elif style == "tied":
            self.oval(0, -1.16, 0.27, 0.24, self.hair, edge=True)

    def _head(self) -> None:
        skin = self.skin
        if self.expression == "angry":
            skin = mix(skin, (236, 70, 50), 0.28)
        elif self.expression == "afraid":
            skin = mix(skin, (190, 206, 232), 0.24)
        for side in (-1, 1):
            self.oval(side * 0.43, -0.45, 0.09, 0.12, darker(skin, 0.1), edge=True)
        self.oval(0, -0.48, 0.43, 0.5, skin, edge=True)
        if self.person.extra == "a beard":
            self._beard()
        self._hair_front()
        self._face(skin)
        self._extra()

    def _beard(self) -> None:
        hair = self.hair
        self.shape(
            [
                (-0.43, -0.5),
                (-0.3, -0.28),
                (0.3, -0.28),
                (0.43, -0.5),
                (0.38, -0.05),
                (0.2, 0.2),
                (0, 0.26),
                (-0.2, 0.2),
                (-0.38, -0.05),
            ],
            hair,
        )

    def _hair_front(self) -> None:
        hair, style = self.hair, self.person.hair_style
        if style == "thin":
            for side in (-1, 1):
                self.oval(side * 0.42, -0.6, 0.12, 0.2, hair, edge=True)
            return
        cap = [(-0.47, -0.5), (-0.46, -0.82), (-0.28, -1.06), (0, -1.12), (0.28, -1.06), (0.46, -0.82), (0.47, -0.5)]
        if self.kind.female:
            fringe = [(0.38, -0.62), (0.16, -0.84), (-0.1, -0.8), (-0.36, -0.6)]
        elif style == "wavy":
            fringe = [(0.4, -0.66), (0.22, -0.76), (0.05, -0.7), (-0.15, -0.8), (-0.4, -0.66)]
            cap[2:5] = [(-0.36, -1.12), (-0.1, -1.22), (0.3, -1.16)]
        else:
            fringe = [(0.4, -0.7), (0.2, -0.8), (-0.25, -0.8), (-0.4, -0.68)]
        self.shape(cap + fringe, hair)

    def _face(self, skin: Colour) -> None:
        face = self.expression
        wide = {"surprised": 1.35, "afraid": 1.3, "happy": 1.0}.get(face, 1.0)
        ink = _EDGE
        for side in (-1, 1):
            x = side * 0.185
            if self.pose.down and face not in ("surprised", "afraid"):
                self.stroke([(x - 0.09, -0.44), (x, -0.4), (x + 0.09, -0.44)], 0.05, ink)
            else:
                self.oval(x, -0.46, 0.105 * (wide + 1) / 2, 0.115 * wide, (252, 252, 252), edge=True)
                self.oval(x + 0.02, -0.45, 0.062, 0.075, (40, 30, 44))
            if self.kind.female:
                self.stroke([(x - side * 0.1, -0.55), (x + side * 0.14, -0.54)], 0.055, ink)
            self._brow(side, x)
            if face == "happy":
                self.oval(side * 0.29, -0.28, 0.08, 0.055, mix(skin, (240, 90, 90), 0.5))
        self.stroke([(0.0, -0.38), (0.04, -0.27), (-0.02, -0.26)], 0.04, darker(skin, 0.35))
        self._mouth()
        if face == "sad":
            self.oval(0.22, -0.24, 0.055, 0.085, (90, 170, 240))

    def _brow(self, side: int, x: float) -> None:
        inner, outer = {
            "angry": (-0.55, -0.68),
            "sad": (-0.72, -0.6),
            "afraid": (-0.76, -0.64),
            "surprised": (-0.73, -0.73),
        }.get(self.expression, (-0.64, -0.63))
        width = 0.05 if self.kind.female else 0.085
        colour = darker(self.hair, 0.35)
        self.stroke([(x - side * 0.1, inner), (x + side * 0.12, outer)], width, colour)

    def _mouth(self) -> None:
        lips: Colour = (206, 44, 66) if self.kind.female else (140, 56, 56)
        px, py = self.at(0, -0.17)
        head, face = self.place.head, self.expression
        if self.pose.speaking and face not in ("surprised", "afraid"):
            self.oval(0, -0.15, 0.13, 0.085 if face != "happy" else 0.1, (110, 24, 40), edge=True)
            self.oval(0, -0.11, 0.07, 0.035, (230, 110, 110))
        elif face == "happy":
            self.pen.half_ellipse(px, py - 0.05 * head, 0.18 * head, 0.17 * head, (140, 30, 44), upper=False)
            self.stroke([(-0.12, -0.19), (0.12, -0.19)], 0.05, (255, 255, 255))
        elif face == "surprised":
            self.oval(0, -0.13, 0.09, 0.115, (110, 24, 40), edge=True)
        elif face == "afraid":
            self.stroke([(-0.15, -0.13), (-0.07, -0.18), (0.0, -0.12), (0.07, -0.18), (0.15, -0.13)], 0.05, lips)
        elif face in ("sad", "angry"):
            self.pen.arc(px, py + 0.1 * head, 0.14 * head, 0.1 * head, (190, 350), lips, 0.06 * head)
        else:
            self.stroke([(-0.11, -0.16), (0.11, -0.16)], 0.055, lips)

    def _extra(self) -> None:
        extra = self.person.extra
        if extra == "glasses":
            for side in (-1, 1):
                px, py = self.at(side * 0.19, -0.46)
                self.pen.arc(
                    px, py, 0.17 * self.place.head, 0.16 * self.place.head, (0, 360), _EDGE, 0.045 * self.place.head
                )
            self.stroke([(-0.04, -0.47), (0.04, -0.47)], 0.045, _EDGE)
        elif extra == "a hat":
            felt: Colour = (86, 62, 52) if not self.kind.female else (120, 66, 90)
            brim = 0.85 if self.kind.female else 0.7
            self.oval(0, -0.84, brim, 0.14, felt, edge=True)
            self.shape([(-0.42, -0.86), (-0.34, -1.32), (0, -1.26), (0.34, -1.32), (0.42, -0.86)], felt)
            self.shape([(-0.42, -0.86), (-0.4, -0.98), (0.4, -0.98), (0.42, -0.86)], (236, 196, 110))
        elif extra == "a cap":
            self.shape([(-0.46, -0.78), (-0.38, -1.1), (0, -1.2), (0.38, -1.1), (0.46, -0.78)], (52, 80, 140))
            self.shape([(0.05, -0.84), (0.74, -0.76), (0.72, -0.68), (0.05, -0.74)], (40, 60, 110))
        elif extra == "a ribbon":
            for side in (-1, 1):
                self.shape([(0, -1.04), (side * 0.32, -1.26), (side * 0.32, -0.88)], (226, 40, 76))
            self.oval(0, -1.05, 0.08, 0.08, (180, 20, 56))


def _between(first: Point, second: Point, share: float) -> Point:
    return first[0] + (second[0] - first[0]) * share, first[1] + (second[1] - first[1]) * share


def _elbow(shoulder: Point, hand: Point, side: int, bone: float) -> Point:
    """Where an arm of two equal bones bends, outwards or downwards."""
    dx, dy = hand[0] - shoulder[0], hand[1] - shoulder[1]
    reach = math.hypot(dx, dy)
    bend = math.sqrt(max(bone**2 - (reach / 2) ** 2, 0.0)) * 0.6
    middle = _between(shoulder, hand, 0.5)
    if reach < 1e-6:
        return middle
    normal = (-dy / reach, dx / reach)
    if normal[1] + normal[0] * side * 0.6 < 0:
        normal = (-normal[0], -normal[1])
    return middle[0] + normal[0] * bend, middle[1] + normal[1] * bend


def draw_prop(pen: Pen, prop: str, x: float, y: float, unit: float) -> None:
    """A held thing around (x, y), about two `unit`s high; large enough to be named at a glance."""
    ink = _EDGE

    def box(left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        pen.polygon([(x + a * unit, y + b * unit) for a, b in corners], fill, ink)

    def poly(points: list[Point], fill: Colour) -> None:
        pen.polygon([(x + a * unit, y + b * unit) for a, b in points], fill, ink)

    def oval(a: float, b: float, ra: float, rb: float, fill: Colour) -> None:
        pen.ellipse(x + a * unit, y + b * unit, ra * unit, rb * unit, fill, ink)

    def rod(points: list[Point], width: float, fill: Colour) -> None:
        pen.line([(x + a * unit, y + b * unit) for a, b in points], width * unit, fill)

    if prop == "letter":
        box(-0.75, -0.5, 0.75, 0.5, (255, 252, 240))
        rod([(-0.7, -0.45), (0, 0.1), (0.7, -0.45)], 0.1, ink)
        oval(0, 0.12, 0.2, 0.2, (210, 30, 40))
    elif prop == "book":
        poly([(0, -0.5), (-0.95, -0.65), (-0.95, 0.45), (0, 0.62)], (170, 40, 46))
        poly([(0, -0.5), (0.95, -0.65), (0.95, 0.45), (0, 0.62)], (170, 40, 46))
        poly([(0, -0.42), (-0.82, -0.58), (-0.82, 0.32), (0, 0.48)], (255, 250, 236))
        poly([(0, -0.42), (0.82, -0.58), (0.82, 0.32), (0, 0.48)], (255, 250, 236))
    elif prop == "map":
        box(-1.0, -0.65, 1.0, 0.65, (240, 214, 150))
        rod([(-0.8, 0.3), (-0.3, -0.3), (0.2, 0.2), (0.7, -0.35)], 0.12, (200, 40, 40))
        oval(-0.5, 0.0, 0.22, 0.18, (110, 160, 90))
    elif prop == "flower":
        rod([(0, 0.8), (0, -0.3)], 0.16, (50, 140, 60))
        for a, b in ((-0.35, -0.5), (0.35, -0.5), (-0.22, -0.95), (0.22, -0.95)):
            oval(a, b, 0.3, 0.3, (240, 60, 130))
        oval(0, -0.7, 0.24, 0.24, (255, 220, 70))
    elif prop == "lantern":
        rod([(-0.3, -0.7), (0, -1.05), (0.3, -0.7)], 0.12, ink)
        box(-0.5, -0.7, 0.5, 0.7, (70, 60, 66))
        box(-0.36, -0.5, 0.36, 0.5, (255, 226, 110))
        oval(0, 0.1, 0.16, 0.28, (255, 140, 40))
    elif prop == "bottle":
        poly(
            [
                (-0.3, 0.8),
                (-0.3, -0.2),
                (-0.12, -0.5),
                (-0.12, -0.95),
                (0.12, -0.95),
                (0.12, -0.5),
                (0.3, -0.2),
                (0.3, 0.8),
            ],
            (40, 130, 90),
        )
        box(-0.3, 0.0, 0.3, 0.5, (250, 240, 210))
    elif prop == "key":
        oval(0, -0.55, 0.42, 0.42, (250, 200, 60))
        oval(0, -0.55, 0.17, 0.17, (70, 60, 60))
        rod([(0, -0.1), (0, 0.9)], 0.22, (250, 200, 60))
        rod([(0, 0.85), (0.35, 0.85)], 0.2, (250, 200, 60))
        rod([(0, 0.5), (0.3, 0.5)], 0.2, (250, 200, 60))
    elif prop == "cup":
        oval(0.5, 0.0, 0.3, 0.3, (250, 250, 250))
        poly([(-0.55, -0.5), (0.55, -0.5), (0.4, 0.55), (-0.4, 0.55)], (250, 250, 250))
        oval(0, -0.5, 0.55, 0.16, (110, 66, 40))
    elif prop == "sword":
        poly([(-0.16, 0.3), (-0.16, -1.9), (0, -2.25), (0.16, -1.9), (0.16, 0.3)], (214, 222, 234))
        box(-0.6, 0.25, 0.6, 0.48, (240, 190, 60))
        box(-0.13, 0.48, 0.13, 1.0, (110, 60, 40))
    elif prop == "box":
        box(-0.8, -0.4, 0.8, 0.7, (180, 120, 66))
        box(-0.9, -0.62, 0.9, -0.2, (150, 94, 50))
        box(-0.16, -0.32, 0.16, 0.1, (250, 210, 80))
    elif prop == "crown":
        poly(
            [(-0.75, 0.5), (-0.85, -0.6), (-0.4, 0.0), (0, -0.8), (0.4, 0.0), (0.85, -0.6), (0.75, 0.5)], (255, 208, 60)
        )
        for a in (-0.4, 0, 0.4):
            oval(a, 0.26, 0.12, 0.12, (220, 40, 70))
    else:
        rod([(0, 0.7), (0, -2.0)], 0.14, (80, 50, 40))
        dome = [(math.cos(t / 12 * math.pi) * 1.9, -1.7 - math.sin(t / 12 * math.pi) * 1.1) for t in range(13)]
        poly([*dome, (-0.95, -1.5), (0, -1.7), (0.95, -1.5)], (216, 44, 60))


def _close(pose: Pose, action: str) -> Pose:
    """In a close-up the hands rise into the picture, where the action lies in them."""
    if action in ("hold", "read"):
        return replace(pose, right=(0.62, 0.5), left=(-0.8, 1.9))
    if action == "point":
        return replace(pose, right=(0.95, 0.15))
    if action in ("talk", "argue"):
        return replace(pose, right=(0.8, 0.35))
    if action in ("wave", "cheer", "dance"):
        left = (-0.82, -0.4) if action != "wave" else pose.left
        return replace(pose, right=(0.82, -0.4), left=left)
    return pose


_HEADS = {"wide shot": (20.5, 19.0), "medium shot": (36.0, 32.0), "close-up": (62.0, 48.0)}
"""Height of a head in picture units for one and for two people."""

_CHINS = {"wide shot": 42.0, "medium shot": 58.0, "close-up": 92.0}


def placements(people: tuple[Person, ...], action: str, shot: str, shift: float) -> tuple[Placement, ...]:
    """Where the people stand. One stands a little left of the middle, two face each other across it."""
    head = _HEADS[shot][len(people) - 1]
    chin = _CHINS[shot]
    near = {"hug": 0.62, "hold hands": 0.98, "dance": 1.0, "hold": 1.05, "read": 1.05}.get(action, 1.12)
    near = near if shot != "close-up" else {"hug": 0.52}.get(action, 0.66)
    centre = 64 + shift
    xs = (centre - 2,) if len(people) == 1 else (centre - near * head, centre + near * head)
    feet = 123.0 if shot == "wide shot" else chin + 4.0 * head
    placed = []
    for index, (person, x) in enumerate(zip(people, xs, strict=True)):
        child = kind_named(person.kind).age == "little"
        size = head * (0.9 if child else 1.0)
        y = feet - (3.0 if child else 4.0) * size if shot == "wide shot" else chin + (head * 0.35 if child else 0.0)
        placed.append(Placement(x, y, size, 1 if index == 0 else -1))
    return tuple(placed)


def draw_people(
    people: tuple[Person, ...], action: str, prop: str, expression: str, shot: str, shift: float
) -> Image.Image:
    """One or two people as a transparent layer (RGBA, picture size), with a soft edge that lifts them off the place."""
    layer = Image.new("RGBA", (SIZE * OVERSAMPLING, SIZE * OVERSAMPLING), (0, 0, 0, 0))
    pen = Pen(layer)
    pose = POSES[action]
    if len(people) == 2 and action in ("hold", "read"):
        pose = replace(POSES["hold"], right=(0.85, 0.85), down=action == "read")
    if shot == "close-up":
        pose = _close(pose, action)
    figures = []
    for place, person in zip(placements(people, action, shot, shift), people, strict=True):
        sunk = pose.drop * place.head * {"wide shot": 1.0, "medium shot": 0.5, "close-up": 0.1}[shot]
        figures.append(Figure(pen, person, pose, replace(place, y=place.y + sunk), expression))
    for figure in figures:
        figure.draw()
    if action == "read" and len(people) == 1 and shot != "close-up":
        x, y = figures[0].at(0, 0.78)
        draw_prop(pen, prop, x, y, 0.62 * figures[0].place.head)
    for figure in figures:
        figure.draw_hands()
    _draw_held(pen, figures, action, prop, shot)
    return _lifted(layer.reduce(OVERSAMPLING))


def _draw_held(pen: Pen, figures: list[Figure], action: str, prop: str, shot: str) -> None:
    if not prop or (action == "read" and len(figures) == 1 and shot != "close-up"):
        return
    points = [figure.at(figure.pose.right[0] + 0.05, figure.pose.right[1] - 0.3) for figure in figures]
    x = sum(point[0] for point in points) / len(points)
    y = sum(point[1] for point in points) / len(points)
    unit = (0.5 if shot != "close-up" else 0.24 if prop == "umbrella" else 0.36) * figures[0].place.head
    draw_prop(pen, prop, x, y, unit)


def _lifted(layer: Image.Image) -> Image.Image:
    """Put a dark, soft rim behind the figures, so that they stand out against any place."""
    alpha = layer.getchannel("A")
    rim = alpha.filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.GaussianBlur(0.8)).point(lambda value: value * 0.7)
    behind = Image.new("RGBA", layer.size, (24, 18, 34, 0))
    behind.putalpha(rim)
    return Image.alpha_composite(behind, layer)
