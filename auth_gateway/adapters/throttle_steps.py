"""The steps of `core.throttle` as Redis takes them at once: a burst of guesses at several processes cannot outrun its
own count. The numbers come from there; what is here is the same arithmetic, tested against it.

The clock is Redis's own: processes whose clocks differ would forgive and wait differently. What a process counted while
Redis was away, or what a Redis that came back empty has forgotten, comes along with the question, as weight and age,
and the heavier of the two counts.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from auth_gateway.core.throttle import (
    FORGIVEN_SOONER,
    FREE_FAILURES,
    LONGEST_WAIT_SECONDS,
    SECONDS_PER_FORGIVEN_FAILURE,
    WAIT_FOR_FORGIVENESS,
    Failures,
    ThrottleKey,
)
from plumbing.redis_script import Argument, Script

# A count is: weight, last at, mark, weight before, last before. The mark names the attempt that was counted last.
_COMMON: Final = """
local function weight_now(c, at, seconds)
  return math.max(0, c[1] - math.max(0, at - c[2]) / seconds)
end
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] + t[2] / 1000000
end
local function count_of(key, i, now, name)
  local base = 3 + (i - 1) * 9
  local seconds, c = tonumber(ARGV[base + 1]), {0, 0, 0, 0, 0}
  local kept = redis.call('GET', key)
  if kept then c = {struct.unpack('<ddddd', kept)} end
  if ARGV[base + 4] ~= name and ARGV[base + 5] ~= '' then
    local told = {tonumber(ARGV[base + 5]), now - tonumber(ARGV[base + 6]), tonumber(ARGV[base + 7]),
      tonumber(ARGV[base + 8]), now - tonumber(ARGV[base + 9])}
    if weight_now(told, now, seconds) > weight_now(c, now, seconds) then c = told end
  end
  return c, seconds
end
local function keep(key, c, now, seconds)
  if c[1] <= 0 then
    redis.call('DEL', key)
  else
    local left = math.max(1, c[2] + c[1] * seconds - now) + tonumber(ARGV[3])
    redis.call('SET', key, struct.pack('<ddddd', c[1], c[2], c[3], c[4], c[5]), 'EX', math.ceil(left))
  end
end
local function told_back(c, now)
  return struct.pack('<ddddd', c[1], now - c[2], c[3], c[4], now - c[5])
end
local now = clock(ARGV[2])
local name = redis.call('GET', KEYS[1]) or ''
local mark = tonumber(ARGV[1])
"""

RESERVE: Final = Script(
    _COMMON
    + """
local counts, forgiven, worst, held = {}, {}, 0, 0
for i = 1, #KEYS - 1 do
  local c, seconds = count_of(KEYS[i + 1], i, now, name)
  local base, wait = 3 + (i - 1) * 9, 0
  local free = tonumber(ARGV[base + 2])
  if ARGV[base + 3] == '1' then
    wait = math.max(0, (weight_now(c, now, seconds) - (free - 1)) * seconds)
  else
    local excess = math.floor(c[1]) - free
    if excess >= 0 then
      local pause = math.min(tonumber(ARGV[3]), 2 ^ math.min(excess, 30))
      wait = math.min(pause, math.max(0, c[2] + pause - now))
    end
  end
  if wait > worst then worst, held = wait, i end
  counts[i], forgiven[i] = c, seconds
end
local answer = {name, held, struct.pack('<d', worst)}
for i, c in ipairs(counts) do
  if held == 0 then
    c = {weight_now(c, now, forgiven[i]) + 1, math.max(now, c[2]), mark, c[1], c[2]}
  end
  keep(KEYS[i + 1], c, now, forgiven[i])
  answer[i + 3] = told_back(c, now)
end
return answer
"""
)
REFUND: Final = Script(
    _COMMON
    + """
local answer = {name, 0, struct.pack('<d', 0)}
for i = 1, #KEYS - 1 do
  local c, seconds = count_of(KEYS[i + 1], i, now, name)
  if c[1] > 0 then
    local before = math.max(0, c[4] - 1)
    if c[3] == mark then
      c = {c[4], c[5], 0, before, c[5]}
    else
      c = {math.max(0, c[1] - 1), c[2], c[3], before, c[5]}
    end
    keep(KEYS[i + 1], c, now, seconds)
  end
  answer[i + 3] = told_back(c, now)
end
return answer
"""
)


class Told(msgspec.Struct, frozen=True):
    """What Redis said: which of the keys holds the attempt up and for how long, and what weighs on each key now."""

    held_by: int | None
    wait_seconds: float
    failures: tuple[Failures, ...]


def asked(
    keys: Sequence[ThrottleKey], here: Sequence[Failures], *, at: float, now: float, shift: float | None
) -> list[Argument]:
    """What a step is told: the attempt's time is its name, `now` this process's clock, `shift` a clock for tests."""
    arguments: list[Argument] = [repr(at), "" if shift is None else repr(shift), LONGEST_WAIT_SECONDS]
    for key, failures in zip(keys, here, strict=True):
        arguments += [
            FORGIVEN_SOONER.get(key.scope, SECONDS_PER_FORGIVEN_FAILURE),
            FREE_FAILURES[key.scope],
            "1" if key.scope in WAIT_FOR_FORGIVENESS else "0",
            failures.count or "none",
            *_as_ages(failures, now),
        ]
    return arguments


def told(answer: Any, keys: Sequence[ThrottleKey], now: float) -> Told:
    """Raises: ValueError, TypeError, IndexError, struct's error as ValueError, when that is no answer of a step's."""
    name, held, wait, *counts = answer
    if len(counts) != len(keys) or not 0 <= int(held) <= len(keys):
        raise ValueError("not as many counts as keys")
    try:
        (wait_seconds,) = struct.unpack("<d", wait)
        failures = tuple(_from_ages(struct.unpack("<ddddd", one), now, bytes(name).decode()) for one in counts)
    except struct.error:
        raise ValueError("no counts") from None
    return Told(int(held) - 1 if held else None, wait_seconds, failures)


def _as_ages(failures: Failures, now: float) -> tuple[Argument, ...]:
    if failures.weight <= 0:
        return ("", "", "", "", "")
    weight, last_at = failures.before
    ages = (failures.weight, now - failures.last_at, failures.last_at, weight, now - last_at)
    return tuple(repr(float(one)) for one in ages)


def _from_ages(count: tuple[float, ...], now: float, name: str) -> Failures:
    weight, age, mark, weight_before, age_before = count
    last_at = mark if mark and age <= 0 else now - age
    return Failures(weight, last_at, before=(weight_before, now - age_before), count=name)
