"""The one error that a wrong file or option raises; bugs and refused trainings have errors of their own."""


class WrongInputError(Exception):
    """What the person gave cannot be used: a stable `code` for scripts and a message that says what to change."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
