"""Regular expressions that some text keeps busy for ever, told from how they are built.

Engines that try again another way (those of browsers, Java and Python) need a time that doubles with each
character where a text can be read in ever more ways, as ``(a+)+`` reads ``aaaa``. That is so when the
automaton of an expression has a loop with two ways through it for one text (Weber and Seidl, "On the degree
of ambiguity of finite automata", 1991). Loops behind each other that read the same text cost a power of its
length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

#: Loops behind each other that may read the same text: the time grows with the length to this power.
LOOPS = 3
#: Beyond these an expression is too large to be looked at: characters, places in it, steps of looking.
_LENGTH, _PLACES, _STEPS = 1000, 1500, 300_000
#: A repeat of up to so many times more than its least is written out; one of more counts as without end.
_FEW = 3
#: Characters that tell classes apart, beside those that the expression names.
_SAMPLE = "aAzZ09_ \n-é€"
_TOKENS = re.compile(r"\\.|\[\^?\]|\[\^?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
#: What the module that compiles expressions reads them with; it has no public name.
_parser: Any = import_module("re._parser")
_Part = tuple[list[int], list[int], bool]


def _parsed(pattern: str) -> Any:
    try:
        return _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return None


def _branching(pattern: str) -> str:
    """Let each alternative begin with nothing: the parser joins what is alike, and a browser does not."""
    return "".join("|(?=)" if part == "|" else part for part in _TOKENS.findall(pattern))


class _TooLargeError(Exception):
    """More places or steps than are looked at."""


@lru_cache(maxsize=1024)
def why_slow(pattern: str, loops: int = LOOPS) -> str:
    """Return why *pattern* must not be used, in a few words; empty where it may, or is no expression."""
    if len(pattern) > _LENGTH:
        return f"it has more than {_LENGTH:,} characters"
    if odd := next((part for part in _TOKENS.findall(pattern) if part in ("[]", "[^]")), None):
        return f"browsers and Python read {odd} in different ways"
    tree = _parsed(_branching(pattern)) or _parsed(pattern)
    if tree is None:
        return ""
    waiting, letters = [tree], _letters(tree)
    try:
        while waiting:
            found = _Automaton(letters, bool(tree.state.flags & re.IGNORECASE))
            found.sequence(waiting.pop())
            waiting += found.looked_at
            if found.is_ambiguous():
                return "it repeats what repeats itself, so that one text can be read in very many ways"
            if found.loops_in_a_row() > loops:
                return f"more than {loops} repeats behind each other can read the same text"
    except (_TooLargeError, RecursionError):
        return "it is too intricate"
    return ""


class _Automaton:
    """The positions of an expression and which one may follow which (Glushkov)."""

    def __init__(self, letters: Sequence[str], ignores_case: bool) -> None:
        self._letters, self._ignores_case = letters, ignores_case
        #: By position: which of the letters it reads, as bits; what may follow it.
        self._reads: list[int] = []
        self._next: list[set[int]] = []
        #: Steps that there are two reasons for.
        self._doubled: set[tuple[int, int]] = set()
        #: Expressions that are looked at without being read; they stand for themselves.
        self.looked_at: list[Any] = []

    # -- building; a part is its first positions, its last ones, and whether it may be empty

    def sequence(self, tree: Iterable[tuple[Any, Any]]) -> _Part:
        """Add what stands behind each other."""
        done: _Part = ([], [], True)
        for operation, given in tree:
            done = self._joined(done, self._piece(str(operation), given))
        return done

    def _piece(self, operation: str, given: Any) -> _Part:
        if operation in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "GROUPREF"):
            return self._position(operation, given)
        if operation.endswith("_REPEAT"):
            return self._repeat(*given)
        if operation == "BRANCH":
            return self._either(given[1])
        if operation == "GROUPREF_EXISTS":
            return self._either([given[1], given[2] or []])
        if operation in ("SUBPATTERN", "ATOMIC_GROUP"):
            return self.sequence(given[-1] if operation == "SUBPATTERN" else given)
        if operation.startswith("ASSERT"):
            self.looked_at.append(given[1])
        return [], [], True

    def _position(self, operation: str, given: Any) -> _Part:
        if len(self._reads) >= _PLACES:
            raise _TooLargeError
        taken = [self._takes(operation, given, letter) for letter in self._letters]
        self._reads.append(sum(1 << at for at, is_taken in enumerate(taken) if is_taken))
        self._next.append(set())
        place = len(self._reads) - 1
        return [place], [place], False

    def _takes(self, operation: str, given: Any, letter: str) -> bool:
        forms = {letter, letter.swapcase()} if self._ignores_case else {letter}
        return any(_takes(operation, given, form) for form in forms if len(form) == 1)

    def _joined(self, one: _Part, other: _Part) -> _Part:
        self._connect(one[1], other[0])
        first = one[0] + other[0] if one[2] else one[0]
        last = other[1] + one[1] if other[2] else other[1]
        return first, last, one[2] and other[2]

    def _either(self, trees: Iterable[Any]) -> _Part:
        parts = [self.sequence(tree) for tree in trees]
        first = [place for part in parts for place in part[0]]
        last = [place for part in parts for place in part[1]]
        return first, last, any(part[2] for part in parts)

    def _repeat(self, least: int, most: int, tree: Any) -> _Part:
        if most == 0:
            return [], [], True
        done: _Part = ([], [], True)
        for _ in range(least - 1):
            done = self._joined(done, self.sequence(tree))
        part = self.sequence(tree)
        if most - least > _FEW or (part[2] and most > max(least, 1)):
            self._connect(part[1], part[0])
            part = part[0], part[1], part[2] or least == 0
        else:
            part = self._up_to(part, most - max(least, 1), tree, is_needed=least > 0)
        return self._joined(done, part)

    def _up_to(self, part: _Part, more: int, tree: Any, *, is_needed: bool) -> _Part:
        """Add up to *more* copies behind *part*, each only behind the one before it."""
        before, last = part, list(part[1])
        for _ in range(more):
            copy = self.sequence(tree)
            self._connect(before[1], copy[0])
            last += copy[1]
            before = copy
        return part[0], last, part[2] or not is_needed

    def _connect(self, lasts: Iterable[int], firsts: Sequence[int]) -> None:
        for last in lasts:
            known = self._next[last]
            self._doubled |= {(last, first) for first in firsts if first in known}
            known.update(firsts)
            self._spend(len(firsts))

    # -- looking

    def is_ambiguous(self) -> bool:
        """True when a loop can read one text in two ways."""
        for loop in self._loops():
            if any(one in loop and other in loop for one, other in self._doubled):
                return True
            if self._has_two_ways(loop):
                return True
        return False

    def loops_in_a_row(self) -> int:
        """Return how many loops stand behind each other that can read the same text."""
        loops = self._loops()
        owner = {place: at for at, loop in enumerate(loops) for place in loop}
        length = [0] * len(loops)
        # Loops come with those behind them first.
        for at, loop in enumerate(loops):
            length[at] = 1 + max((length[behind] for behind in self._behind(loop, owner)), default=0)
        return max(length, default=0)

    def _behind(self, loop: frozenset[int], owner: dict[int, int]) -> set[int]:
        """Return the loops that are reached by what *loop* reads too."""
        reads = 0
        for place in loop:
            reads |= self._reads[place]
        found, waiting, seen = set[int](), list(loop), set(loop)
        while waiting:
            for after in self._next[waiting.pop()] - seen:
                self._spend(1)
                seen.add(after)
                if self._reads[after] & reads:
                    if after in owner:
                        found.add(owner[after])
                    else:
                        waiting.append(after)
        return found

    def _loops(self) -> list[frozenset[int]]:
        """Return the sets of positions that lead back to themselves, those behind first."""
        found = []
        for part in _components(self._next):
            self._spend(len(part))
            if len(part) > 1 or part[0] in self._next[part[0]]:
                found.append(frozenset(part))
        return found

    def _has_two_ways(self, loop: frozenset[int]) -> bool:
        """True when two different ways through *loop* begin and end together and read the same."""
        same = {(place, place) for place in loop}
        before: dict[tuple[int, int], list[tuple[int, int]]] = {}
        waiting, seen = list(same), set(same)
        while waiting:
            pair = waiting.pop()
            for after in self._steps(pair, loop):
                before.setdefault(after, []).append(pair)
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
        waiting, back = list(same), set(same)
        while waiting:
            for pair in before.get(waiting.pop(), ()):
                if pair[0] != pair[1]:
                    return True
                if pair not in back:
                    back.add(pair)
                    waiting.append(pair)
        return False

    def _steps(self, pair: tuple[int, int], loop: frozenset[int]) -> Iterator[tuple[int, int]]:
        others = self._next[pair[1]] & loop
        for one in self._next[pair[0]] & loop:
            self._spend(len(others))
            for other in others:
                if self._reads[one] & self._reads[other]:
                    yield one, other

    _left = _STEPS

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise _TooLargeError


def _takes(operation: str, given: Any, letter: str) -> bool:
    if operation in ("LITERAL", "NOT_LITERAL"):
        return (ord(letter) == given) is (operation == "LITERAL")
    if operation != "IN":
        return True
    negated = bool(given) and str(given[0][0]) == "NEGATE"
    return any(_is_member(str(kind), what, letter) for kind, what in given[negated:]) is not negated


def _is_member(kind: str, given: Any, letter: str) -> bool:
    if kind == "LITERAL":
        return bool(ord(letter) == given)
    if kind == "RANGE":
        return bool(given[0] <= ord(letter) <= given[1])
    name = str(given)
    is_in = letter.isdigit() if "DIGIT" in name else letter.isspace() if "SPACE" in name else _is_word(letter)
    return is_in is ("NOT" not in name)


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def _letters(tree: Any) -> list[str]:
    """Return characters that tell apart what the expression tells apart."""
    return sorted({*_SAMPLE, *(chr(code) for code in _codes(tree) if 0 <= code <= 0x10FFFF)})


def _codes(tree: Any) -> Iterator[int]:
    for operation, given in tree:
        name = str(operation)
        if name in ("LITERAL", "NOT_LITERAL"):
            yield given
        elif name == "RANGE":
            yield from (given[0] - 1, given[0], given[1], given[1] + 1)
        elif name == "IN":
            yield from _codes(given)
        elif name == "BRANCH":
            for branch in given[1]:
                yield from _codes(branch)
        elif name == "ATOMIC_GROUP":
            yield from _codes(given)
        elif name in ("SUBPATTERN", "GROUPREF_EXISTS", "ASSERT", "ASSERT_NOT") or name.endswith("_REPEAT"):
            for inner in given:
                if isinstance(inner, _parser.SubPattern):
                    yield from _codes(inner)


def _components(graph: Sequence[set[int]]) -> Iterator[list[int]]:
    """Yield the strongly connected parts of *graph*, what is behind first (Tarjan, without recursion)."""
    number, low = dict[int, int](), dict[int, int]()
    path, on_path = list[int](), set[int]()
    for root in range(len(graph)):
        work = [] if root in number else [(root, iter(graph[root]))]
        while work:
            place, following = work[-1]
            if place not in number:
                number[place] = low[place] = len(number)
                path.append(place)
                on_path.add(place)
            for after in following:
                if after not in number:
                    work.append((after, iter(graph[after])))
                    break
                if after in on_path:
                    low[place] = min(low[place], number[after])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[place])
                if low[place] == number[place]:
                    cut = path.index(place)
                    on_path.difference_update(path[cut:])
                    yield path[cut:]
                    del path[cut:]
