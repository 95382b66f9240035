"""Trains the classifier on the digits that scikit-learn ships, and writes its weights for numpy.

``train.py WEIGHTS.npz``. The data set is ``sklearn.datasets.load_digits``: 1,797 pictures of 8 x 8 pixels,
written by 43 people. The last fifth, by people of their own, is kept back: the notebook takes its pictures
from there, and the accuracy that is printed was measured on it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

#: How many pictures, from the end of the data set, are not learnt from.
KEPT_BACK = 360
#: The darkest pixel of the data set.
INK = 16.0
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def main(place: Path) -> None:
    """Train, write the weights to *place*, and print the accuracy on what was kept back."""
    digits = load_digits()
    pixels, labels = digits.data / INK, digits.target
    model = MLPClassifier((64,), alpha=0.1, max_iter=150, tol=0.0, n_iter_no_change=150, random_state=0)
    model.fit(pixels[:-KEPT_BACK], labels[:-KEPT_BACK])
    accuracy = model.score(pixels[-KEPT_BACK:], labels[-KEPT_BACK:])
    into_hidden, into_out = model.coefs_
    hidden_bias, out_bias = model.intercepts_
    np.savez(
        place,
        into_hidden=into_hidden,
        hidden_bias=hidden_bias,
        into_out=into_out,
        out_bias=out_bias,
        labels=np.array([f"digit {WORDS[label]}" for label in digits.target_names]),
    )
    print(f"accuracy on the {KEPT_BACK} pictures kept back: {accuracy:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
