"""Durations and sizes as people say them, to about two digits: more would be pretence."""

MINUTE, HOUR, DAY = 60, 3600, 86400


def duration(seconds: float) -> str:
    """A duration in words.

    >>> duration(2.34), duration(47.4), duration(221), duration(13260), duration(1.2e6)
    ('2.3 s', '47 s', '3 min 40 s', '3 h 40 min', '14 days')
    """
    if seconds < 0.1:
        return "< 0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    # A unit, the next smaller one, and to how much of that one rounds, up to a duration.
    for below, unit, name, small, small_name, step in (
        (9.5 * MINUTE, MINUTE, "min", 1, "s", 10),
        (59.5 * MINUTE, MINUTE, "min", 1, "s", 60),
        (9.5 * HOUR, HOUR, "h", MINUTE, "min", 10),
        (23.5 * HOUR, HOUR, "h", MINUTE, "min", 60),
        (9.5 * DAY, DAY, "d", HOUR, "h", 1),
    ):
        if seconds < below:
            rounded = round(seconds / small / step) * step
            whole, rest = divmod(rounded, unit // small)
            return f"{whole} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{seconds / DAY:.0f} days"


def size(bytes: float) -> str:
    """A size on disk, to two digits.

    >>> size(1.26e9), size(234e6)
    ('1.3 GB', '230 MB')
    """
    for unit, number in (("GB", 1e9), ("MB", 1e6)):
        if bytes >= 0.995 * number:
            value = float(f"{bytes / number:.2g}")
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return "< 1 MB"
