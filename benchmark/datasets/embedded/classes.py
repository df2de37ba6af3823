"""The 24 classes: each has a body, a texture on it and a head above it, and no colour of its own.

Six bodies and four textures make the classes. The head is a second cue: together with the body it determines
the texture, and together with the texture it leaves at most two bodies. So a network may look at the middle
of an object or at one end of it, and a faithful heatmap need not cover the object.
"""

from dataclasses import dataclass

BODIES = ("disc", "box", "wedge", "cross", "star", "ring")
TEXTURES = ("striped", "dotted", "checked", "ringed")
HEADS = ("ball", "cube", "horn", "ears")


@dataclass(frozen=True, slots=True)
class Kind:
    """Body and texture of a class's objects.

    Attributes:
        body: Index into :data:`BODIES`.
        texture: Index into :data:`TEXTURES`.
    """

    body: int
    texture: int

    @property
    def head(self) -> int:
        """Return the index into :data:`HEADS`; each body orders the heads over the textures differently."""
        return (self.texture + self.body) % len(HEADS)

    @property
    def name(self) -> str:
        """Return the class in words."""
        return f"{TEXTURES[self.texture]} {BODIES[self.body]} with {HEADS[self.head]}"


KINDS = tuple(Kind(body, texture) for body in range(len(BODIES)) for texture in range(len(TEXTURES)))
"""The kind of each class, in the order of the labels."""

WNIDS = tuple(f"n9{label:07d}" for label in range(len(KINDS)))
"""WNID-like identifiers, sorted; WordNet has no synset of these numbers."""
