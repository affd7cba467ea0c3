"""The ways a training command declines: wrong input, a gate that is not passed, something away. Bugs crash."""


class _DeclinedError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class WrongInputError(_DeclinedError):
    """What the person gave cannot be used: a stable `code` for scripts and a message that says what to change."""


class RefusedError(_DeclinedError):
    """The input was read, but what was asked for must not be done; what is in force stays as it is."""


class TrainingRefusedError(RefusedError):
    """The input was read, but the model it gives must not be published; the one that is there stays as it is."""


class UnreachableError(_DeclinedError):
    """What the command needs does not answer: an engine, a registry, a database. Nothing was changed."""


class EngineError(UnreachableError):
    """The engine that was asked for is not installed, cannot be reached, or gave up; nothing was published."""


def text_of(option: str, given: str) -> str:
    """An argument that is text: a shell hands over any bytes. Raises WrongInputError("bad_text")."""
    try:
        given.encode()
    except UnicodeEncodeError as cause:
        raise WrongInputError("bad_text", f"{option} is not text in UTF-8") from cause
    return given
