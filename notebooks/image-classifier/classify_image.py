"""Says which digit a picture shows, with the scores of a small neural network.

``classify_image.py --image_file PATH-OR-URL [--num_top_predictions 5]`` prints one line per label, the best
first, as ``digit three (score = 0.98712)``. The network was trained on the handwritten digits that come
with scikit-learn (``train.py``); here numpy is enough. Any picture that Pillow can open will do: one digit,
dark on light or light on dark, filling its picture.
"""

from __future__ import annotations

import argparse
import io
import sys
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

#: Where ``train.py`` writes what it has learnt, beside this file.
WEIGHTS = Path(__file__).parent / "weights.npz"
#: Pixels a side of the pictures of the data set, and their darkest ink.
SIDE, INK = 8, 16.0
#: No picture is larger; a longer answer of a web server is none.
LARGEST = 50_000_000


class NoPictureError(Exception):
    """What was given is no picture; the message says why."""


def main() -> int:
    """Classify the picture that the command line names."""
    parser = argparse.ArgumentParser(description="Says which digit a picture shows.")
    parser.add_argument("--image_file", required=True, metavar="PATH-OR-URL")
    parser.add_argument("--num_top_predictions", type=int, default=5, metavar="N")
    chosen = parser.parse_args()
    try:
        pixels = read(chosen.image_file)
    except (NoPictureError, OSError) as problem:
        print(f"classify_image.py: {chosen.image_file}: {problem}", file=sys.stderr)
        return 1
    with np.load(WEIGHTS) as weights:
        scores, labels = classify(pixels, weights), weights["labels"]
    for best in np.argsort(-scores, kind="stable")[: max(1, chosen.num_top_predictions)]:
        print(f"{labels[best]} (score = {scores[best]:.5f})")
    return 0


def read(where: str) -> np.ndarray:
    """Return the picture at a path, or at an http(s) URL, as the data set has its own: 8 x 8 of 0 to 16."""
    if where.startswith(("http://", "https://")):
        with urllib.request.urlopen(where, timeout=60) as answer:  # noqa: S310 - one of the two schemes
            content = answer.read(LARGEST)
    else:
        content = Path(where).read_bytes()
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return seen(picture)
    except (UnidentifiedImageError, Image.DecompressionBombError) as problem:
        raise NoPictureError("this is not a picture that can be opened") from problem


def seen(picture: Image.Image) -> np.ndarray:
    """Return *picture* as ink on paper: the paper is what most of its border shows."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        clear = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(clear, picture.convert("RGBA"))
    grey = ImageOps.autocontrast(picture.convert("L"))
    border = np.asarray(grey)
    edge = np.concatenate([border[0], border[-1], border[:, 0], border[:, -1]])
    paper = 255 if np.median(edge) > 127 else 0
    square = ImageOps.pad(grey, (max(grey.size),) * 2, color=paper)
    small = np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=float)
    return abs(paper - small) / 255 * INK


def classify(pixels: np.ndarray, weights: np.lib.npyio.NpzFile) -> np.ndarray:
    """Return the probability of each label: a hidden layer of rectifiers, then a soft maximum."""
    hidden = np.maximum(0, pixels.ravel() / INK @ weights["into_hidden"] + weights["hidden_bias"])
    out = hidden @ weights["into_out"] + weights["out_bias"]
    likely = np.exp(out - out.max())
    return likely / likely.sum()


if __name__ == "__main__":
    sys.exit(main())
