"""The three ways a training command declines: wrong input, no model worth publishing, no engine. Bugs crash."""


class WrongInputError(Exception):
    """What the person gave cannot be used: a stable `code` for scripts and a message that says what to change."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class TrainingRefusedError(Exception):
    """The input was read, but the model it gives must not be published; the one that is there stays as it is."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class EngineError(Exception):
    """The engine that was asked for is not installed, cannot be reached, or gave up; nothing was published."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
