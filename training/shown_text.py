"""Text as it may stand in a line of a terminal, whoever wrote it: a log, a journal, a file's name."""


def one_line(text: str) -> str:
    """The text with a space for each sign that is none to see: a line break would begin a line that we did not write,
    and an escape sequence would be obeyed."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)
