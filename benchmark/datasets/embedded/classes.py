"""The 24 classes: a body, a texture on it and a part above it; never a colour.

Six bodies and four textures make the classes. The head is a second sign of the same thing: with the body it
tells the texture, with the texture it leaves at most two bodies. So a network may look at the middle of an
object or at one end of it, and a map of where it looked can be right without covering the object.
"""

from dataclasses import dataclass

BODIES = ("disc", "box", "wedge", "cross", "star", "ring")
TEXTURES = ("striped", "dotted", "checked", "ringed")
HEADS = ("ball", "cube", "horn", "ears")


@dataclass(frozen=True, slots=True)
class Kind:
    """What the objects of a class have in common.

    Attributes:
        body: Index into :data:`BODIES`.
        texture: Index into :data:`TEXTURES`.
    """

    body: int
    texture: int

    @property
    def head(self) -> int:
        """Index into :data:`HEADS`: for each body another order of the heads over the textures."""
        return (self.texture + self.body) % len(HEADS)

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{TEXTURES[self.texture]} {BODIES[self.body]} with {HEADS[self.head]}"


KINDS = tuple(Kind(body, texture) for body in range(len(BODIES)) for texture in range(len(TEXTURES)))
"""One kind a class, in the order of the labels."""

WNIDS = tuple(f"n9{label:07d}" for label in range(len(KINDS)))
"""WNID-like identifiers, sorted; WordNet has no synset of these numbers."""
