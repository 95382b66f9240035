"""Trains the classifier on the digits that scikit-learn ships, and writes its weights for numpy.

``train.py FOLDER`` writes ``FOLDER/weights.npz`` and ``FOLDER/digits/zero.png`` to ``nine.png``. The data set
is ``sklearn.datasets.load_digits``: 1,797 pictures of 8 x 8 pixels. Its last fifth is kept back: the accuracy
that is printed was measured on it, and the ten pictures are the first of each digit in it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

#: How many pictures, from the end of the data set, are not learnt from.
KEPT_BACK = 360
#: The darkest pixel of the data set.
INK = 16.0
#: Pixels a side of the pictures that are written.
SIDE = 160
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def main(folder: Path) -> None:
    """Train, write weights and pictures to *folder*, and print the accuracy on what was kept back."""
    digits = load_digits()
    pixels, labels = digits.data / INK, digits.target
    model = MLPClassifier((64,), alpha=0.1, max_iter=150, tol=0.0, n_iter_no_change=150, random_state=0)
    model.fit(pixels[:-KEPT_BACK], labels[:-KEPT_BACK])
    accuracy = model.score(pixels[-KEPT_BACK:], labels[-KEPT_BACK:])
    into_hidden, into_out = model.coefs_
    hidden_bias, out_bias = model.intercepts_
    np.savez(
        folder / "weights.npz",
        into_hidden=into_hidden,
        hidden_bias=hidden_bias,
        into_out=into_out,
        out_bias=out_bias,
        labels=np.array([f"digit {WORDS[label]}" for label in digits.target_names]),
    )
    draw(digits.images[-KEPT_BACK:], labels[-KEPT_BACK:], folder / "digits")
    print(f"accuracy on the {KEPT_BACK} pictures kept back: {accuracy:.3f}")


def draw(images: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Write the first of *images* for each label as a picture: ink on white paper, enlarged."""
    folder.mkdir()
    for label, word in enumerate(WORDS):
        ink = images[labels == label][0] / INK
        paper = Image.fromarray((255 * (1 - ink)).astype(np.uint8))
        paper.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / f"{word}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
