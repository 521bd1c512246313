"""One clock for the packets of a file, whatever their time stamps do.

In recordings that were joined, and in streams that were restarted, the clock begins anew: what follows goes on where
the part before ended, pictures and sound together. A single stamp that makes no sense is taken away: its time follows
from those around it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from av.packet import Packet

FURTHEST_AHEAD_S = {True: 60.0, False: 3600.0}
"""Seconds without a packet after which a clock that jumps ahead has begun anew: in containers that are made for
broadcast or streaming, which may be joined and restarted anywhere, and in those that have an index."""
PAST_THE_END_S = 10.0
"""Seconds by which stamps may go past the end that a file with an index states."""
TOGETHER_S = 10.0
"""Seconds within which the streams of a part begin."""
REORDERED_S = 1.0
"""Seconds by which the time of presentation may go back from packet to packet, as frames are stored out of order."""
LEAP = 3.0
"""Lengths of a packet by which a stamp must leap ahead to be doubted when the next one is before it."""
MOST_AHEAD = 2 << 20
"""Bytes of packets that are looked at ahead."""
SEARCHED = 200
"""Packets of another stream that are looked at to see whether its clock begins anew too."""
MOST_WITHOUT = 5000
"""Packets at the start without a stamp, as below zero in Matroska, that are counted back from the first with one."""


class _Stamp(NamedTuple):
    """Where a packet is on the file's clock.

    Attributes:
        time: seconds.
        slack: seconds by which it may go back after the packet before.
    """

    time: float
    slack: float


@dataclass
class _Line:
    """The times of one stream.

    Attributes:
        unit: seconds of a tick of its stamps.
        usual: seconds from frame to frame by the header, or `None`.
        last: its highest stamp of this part as the file has it, in seconds; `None` before the first.
        length: seconds of the last packet.
        offset: seconds from its stamps to the steady clock.
        end: seconds on the steady clock up to which its packets last.
    """

    unit: float
    usual: float | None
    last: float | None = None
    length: float = 0.0
    offset: float = 0.0
    end: float = -float("inf")

    def reach(self, stamp: _Stamp, length: float) -> None:
        """Take a packet."""
        back = self.last is not None and self.last - stamp.slack <= stamp.time < self.last
        self.last, self.length = self.last if back else stamp.time, length


class Clock:
    """Gives the packets of some streams, in the order of the file, times that never jump.

    Args:
        units: seconds of a tick of each stream, by its index.
        usual: seconds from frame to frame of those streams whose header says it.
        restartable: whether the container is one that is joined and restarted anywhere.
        decoding: whether the container has times of decoding; else those of presentation are looked at.
        end: seconds at which the file says it ends, if it is to be believed.

    Attributes:
        restarts: seconds on the steady clock at which the file's clock begins anew.
        odd: stamps that made no sense.
    """

    def __init__(
        self, units: dict[int, float], usual: dict[int, float], restartable: bool, decoding: bool, end: float | None
    ) -> None:
        self.restarts: list[float] = []
        self.odd = 0
        self._lines = {index: _Line(unit, usual.get(index)) for index, unit in units.items()}
        self._decoding = decoding
        self._furthest = FURTHEST_AHEAD_S[restartable]
        self._stated = float("inf") if end is None or restartable else end + PAST_THE_END_S
        self._offset = 0.0
        self._ahead: deque[Packet[Any]] = deque()
        self._bytes = 0
        self._packets: Iterator[Packet[Any]] = iter(())

    def steady(self, packets: "Iterable[Packet[Any]]") -> "Iterator[Packet[Any]]":
        """The same packets; their stamps are changed where the clock had begun anew."""
        self._packets = iter(packets)
        while (packet := self._take()) is not None:
            self._place(packet, self._lines[packet.stream_index])
            yield packet

    def _take(self) -> "Packet[Any] | None":
        if not self._ahead:
            return next(self._packets, None)
        packet = self._ahead.popleft()
        self._bytes -= packet.size
        return packet

    def _following(self, index: int) -> "Iterator[Packet[Any]]":
        """The next packets of a stream, as far as may be looked ahead."""
        place = 0
        while True:
            if place == len(self._ahead):
                packet = next(self._packets, None) if self._bytes < MOST_AHEAD else None
                if packet is None:
                    return
                self._ahead.append(packet)
                self._bytes += packet.size
            packet = self._ahead[place]
            place += 1
            if packet.stream_index == index:
                yield packet

    def _place(self, packet: "Packet[Any]", line: _Line) -> None:
        if line.last is None and packet.dts is None and packet.pts is None:
            self._count_back(packet, line)
        stamp = self._stamp(packet, line)
        if stamp is not None:
            if self._makes_sense(packet, line, stamp):
                line.reach(stamp, (packet.duration or 0) * line.unit)
            else:
                self.odd += 1
                packet.pts = packet.dts = None
                return
        shown = packet.pts if packet.pts is not None else packet.dts
        ticks = round(line.offset / line.unit)
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        if shown is not None:
            line.end = max(line.end, (shown + ticks + (packet.duration or 0)) * line.unit)

    def _makes_sense(self, packet: "Packet[Any]", line: _Line, stamp: _Stamp) -> bool:
        """Whether a stamp is believed; where the clock begins anew with it, the stream goes on from there."""
        if line.last is None:
            self._join(line, stamp.time)
            return True
        following = (self._stamp(each, line) for each in islice(self._following(packet.stream_index), 1))
        after = next(following, None)
        jumps = self._jumps(line, line.last, stamp)
        if jumps and (after is None or abs(after.time - line.last) < abs(after.time - stamp.time)):
            return False
        leap = line.last + LEAP * max(line.length, line.usual or 0.0) < stamp.time
        if not jumps and leap and after is not None and line.last < after.time < stamp.time - after.slack:
            return False
        if jumps:
            self._begin_anew(packet, line, stamp.time)
        elif line.offset != self._offset:
            self._follow(line, stamp.time)
        return True

    def _jumps(self, line: _Line, last: float, stamp: _Stamp) -> bool:
        furthest = self._furthest if stamp.time <= self._stated else PAST_THE_END_S
        return stamp.time < last - stamp.slack or stamp.time > last + line.length + furthest

    def _stamp(self, packet: "Packet[Any]", line: _Line) -> _Stamp | None:
        """The stamp to go by; `None` where there is none."""
        if packet.dts is not None and (self._decoding or packet.pts is None):
            return _Stamp(packet.dts * line.unit, 0.0)
        if packet.pts is not None and (packet.is_keyframe or not self._decoding):
            return _Stamp(packet.pts * line.unit, 0.0 if packet.is_keyframe else REORDERED_S)
        return None

    def _join(self, line: _Line, stamp: float) -> None:
        """The first stamp of a stream: near those of the others, else its clock is another one."""
        now = max(each.end for each in self._lines.values())
        line.offset = self._offset
        if now > -float("inf") and abs(stamp + line.offset - now) > self._furthest:
            line.offset = now - stamp

    def _follow(self, line: _Line, stamp: float) -> None:
        """The clock of another stream has begun anew: so has that of this one, if that puts it nearer to the others."""
        now = max(each.end for each in self._lines.values())
        if abs(stamp + self._offset - now) < abs(stamp + line.offset - now):
            line.offset = self._offset

    def _begin_anew(self, packet: "Packet[Any]", line: _Line, stamp: float) -> None:
        if line.offset != self._offset and abs(stamp + self._offset - line.end) < TOGETHER_S:
            line.offset = self._offset  # as another stream did before it
            return
        begins, ends = _shown(packet, line, stamp), line.end
        for index, other in self._lines.items():
            if other is not line and (found := self._begins(index, other, stamp)):
                begins, ends = min(begins, found[0]), max(ends, found[1])
        self._offset = line.offset = ends - begins
        self.restarts.append(ends)

    def _begins(self, index: int, line: _Line, stamp: float) -> tuple[float, float] | None:
        """Where the new part of another stream begins, on the file's clock, and its old one ends, on the steady one."""
        last, end = line.last, line.end
        if last is None:
            return None
        for packet in islice(self._following(index), SEARCHED):
            other = self._stamp(packet, line)
            if other is None:
                continue
            if self._jumps(line, last, other) and abs(other.time - stamp) < TOGETHER_S:
                return _shown(packet, line, other.time), end
            last = max(last, other.time)
            end = max(end, _shown(packet, line, other.time) + (packet.duration or 0) * line.unit + line.offset)
        return None

    def _count_back(self, packet: "Packet[Any]", line: _Line) -> None:
        """Give the packets before the first with a stamp their times, by their lengths."""
        without = [packet]
        for each in islice(self._following(packet.stream_index), MOST_WITHOUT):
            if (dts := each.dts if each.dts is not None else each.pts) is not None:
                ticks: float = dts
                for earlier in reversed(without):
                    length = earlier.duration or 0
                    # A length that was rounded to ticks adds up to an error.
                    exact = line.usual and abs(line.usual / line.unit - length) < 1
                    ticks -= line.usual / line.unit if line.usual and exact else length
                    earlier.dts = round(ticks)
                return
            without.append(each)


def _shown(packet: "Packet[Any]", line: _Line, stamp: float) -> float:
    return stamp if packet.pts is None else packet.pts * line.unit
