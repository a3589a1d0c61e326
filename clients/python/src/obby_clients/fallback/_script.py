"""Which lines stay from one text to another: the shortest edit script, within limits.

Common ends go first, then lines that the other side lacks; what is left is matched
by Myers' greedy algorithm, which finds the shortest script as the content-tracker
does. Where that would take too long, difflib is asked: still a right diff, not the
smallest. The work is counted, never timed: the same input gives the same diff.
"""

from __future__ import annotations

import difflib
from array import array
from collections import Counter

__all__ = ["split_lines", "staying"]

_MAX_EDITS = 2_000  # Myers' work and memory grow with its square
_MAX_BLOCK = 1 << 22  # product of the sides that difflib gets; a larger block is divided
_MAX_LINES = 4_000_000  # of both sides; of more, all are replaced


def split_lines(text: bytes) -> list[bytes]:
    """Split at LF alone: form feeds and U+2028 end no line (case 10). Each keeps its LF."""
    lines = text.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def staying(a: list[bytes], b: list[bytes]) -> list[int]:
    """Return, for each line of a, the index of the line of b that it stays, or -1."""
    stay = [-1] * len(a)
    if len(a) + len(b) <= _MAX_LINES:
        _Matcher(a, b, stay).block(list(range(len(a))), list(range(len(b))))
    return stay


class _Matcher:
    """Matches blocks, which are lists of line indexes of both sides."""

    def __init__(self, a: list[bytes], b: list[bytes], stay: list[int]) -> None:
        numbers: dict[bytes, int] = {}
        self._a = [numbers.setdefault(line, len(numbers)) for line in a]
        self._b = [numbers.setdefault(line, len(numbers)) for line in b]
        self._stay = stay

    def block(self, ka: list[int], kb: list[int]) -> None:
        """Match a block, and the blocks that it is divided into."""
        blocks = [(ka, kb)]
        while blocks:
            ka, kb = self._trim(*self._common(*self._trim(*blocks.pop())))
            if not ka or not kb:
                continue
            pairs = _shortest([self._a[k] for k in ka], [self._b[k] for k in kb])
            if pairs is None and len(ka) * len(kb) > _MAX_BLOCK:
                blocks += self._divided(ka, kb)
                continue
            for i, j in self._asked(ka, kb) if pairs is None else pairs:
                self._stay[ka[i]] = kb[j]

    def _trim(self, ka: list[int], kb: list[int]) -> tuple[list[int], list[int]]:
        """Match what both sides begin and end with."""
        first, most = 0, min(len(ka), len(kb))
        while first < most and self._a[ka[first]] == self._b[kb[first]]:
            self._stay[ka[first]] = kb[first]
            first += 1
        last = 0
        while last < most - first and self._a[ka[-1 - last]] == self._b[kb[-1 - last]]:
            self._stay[ka[-1 - last]] = kb[-1 - last]
            last += 1
        return ka[first : len(ka) - last], kb[first : len(kb) - last]

    def _common(self, ka: list[int], kb: list[int]) -> tuple[list[int], list[int]]:
        """Leave out what the other side lacks: it is certainly removed or added."""
        both = {self._a[k] for k in ka} & {self._b[k] for k in kb}
        return [k for k in ka if self._a[k] in both], [k for k in kb if self._b[k] in both]

    def _asked(self, ka: list[int], kb: list[int]) -> list[tuple[int, int]]:
        engine = difflib.SequenceMatcher(None, [self._a[k] for k in ka], [self._b[k] for k in kb])
        return [
            (block.a + n, block.b + n)
            for block in engine.get_matching_blocks()
            for n in range(block.size)
        ]

    def _divided(self, ka: list[int], kb: list[int]) -> list[tuple[list[int], list[int]]]:
        """Divide a block at lines that occur once on both sides, else in the middle."""
        anchors = self._anchors(ka, kb)
        if not anchors:
            i, j = len(ka) // 2, len(kb) // 2
            return [(ka[:i], kb[:j]), (ka[i:], kb[j:])]
        parts, i, j = [], 0, 0
        for x, y in anchors:
            self._stay[ka[x]] = kb[y]
            parts.append((ka[i:x], kb[j:y]))
            i, j = x + 1, y + 1
        return [*parts, (ka[i:], kb[j:])]

    def _anchors(self, ka: list[int], kb: list[int]) -> list[tuple[int, int]]:
        """Return the longest run, in order on both sides, of lines that occur once in each."""
        often_a, often_b = Counter(self._a[k] for k in ka), Counter(self._b[k] for k in kb)
        at = {self._b[k]: j for j, k in enumerate(kb) if often_b[self._b[k]] == 1}
        once = [
            (i, at[self._a[k]])
            for i, k in enumerate(ka)
            if often_a[self._a[k]] == 1 and self._a[k] in at
        ]
        return _increasing(once)


def _shortest(a: list[int], b: list[int]) -> list[tuple[int, int]] | None:
    """Return the pairs that stay by the shortest edit script; None where it is too long."""
    most = min(len(a) + len(b), _MAX_EDITS)
    furthest, zero = [0] * (2 * most + 3), most + 1  # the place of diagonal k is zero + k
    trace = []
    for edits in range(most + 1):
        trace.append(array("i", furthest[zero - edits - 1 : zero + edits + 2]))
        for k in range(-edits, edits + 1, 2):
            left, right = furthest[zero + k - 1], furthest[zero + k + 1]
            x = right if k == -edits or (k != edits and left < right) else left + 1
            y = x - k
            while x < len(a) and y < len(b) and a[x] == b[y]:
                x, y = x + 1, y + 1
            furthest[zero + k] = x
            if x >= len(a) and y >= len(b):
                return _walked_back(trace, x, y)
    return None


def _walked_back(trace: list[array[int]], x: int, y: int) -> list[tuple[int, int]]:
    pairs = []
    for edits in range(len(trace) - 1, -1, -1):
        k, place = x - y, x - y + edits + 1
        left, right = trace[edits][place - 1], trace[edits][place + 1]
        down = k == -edits or (k != edits and left < right)
        start = right if down else left + 1
        pairs += [(x - n, y - n) for n in range(1, x - start + 1)]
        x, y = (right, right - k - 1) if down else (left, left - k + 1)
    return pairs[::-1]


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest subsequence whose second parts grow; the first ones grow already."""
    tails: list[int] = []  # index of the last element of the best run of each length
    before: list[int] = []
    for i, (_, y) in enumerate(pairs):
        lo, hi = 0, len(tails)
        while lo < hi:
            middle = (lo + hi) // 2
            lo, hi = (middle + 1, hi) if pairs[tails[middle]][1] < y else (lo, middle)
        before.append(tails[lo - 1] if lo else -1)
        tails[lo : lo + 1] = [i]
    run, i = [], tails[-1] if tails else -1
    while i >= 0:
        run.append(pairs[i])
        i = before[i]
    return run[::-1]
