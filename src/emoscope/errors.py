"""The errors that a user can mend: each message is one line that says what is wrong and what would be right."""


class EmoscopeError(Exception):
    """Something that the user can mend. The command line prints it as one line and exits with status 2."""


class MediaError(EmoscopeError):
    """A file that cannot be read as video, sound or picture."""


class ModelError(EmoscopeError):
    """A model that is unknown, or whose file does not match its card."""


class DataError(EmoscopeError):
    """A data set that is missing or not in the expected layout."""


def missing_extra(what: str, package: str, extra: str | None = None) -> EmoscopeError:
    """The error that says which package is missing, and the command that installs it."""
    command = f"pip install 'emoscope[{extra}]'" if extra else f"pip install {package}"
    return EmoscopeError(f"{what} needs {package}, which is not installed; install it with: {command}")
