"""The errors whose message is a sentence for the user, shown without a traceback."""


class CoarsegrainError(Exception):
    """What is wrong, and where, in a sentence. What to do about it, the program's edge may add."""


class StorageError(CoarsegrainError):
    """A file is damaged, or not what its reader expects."""


class MissingFileError(StorageError):
    """There is no such file."""


class ForbiddenFileError(StorageError):
    """A file may not be read."""


class ConfigError(CoarsegrainError):
    """The config asks for something that is not there or makes no sense; a line per problem."""


class DeviceError(CoarsegrainError):
    """The device that was asked for is not there, or too small."""


class TrainingError(CoarsegrainError):
    """The numbers of a training went wrong."""


class TrainingStopped(CoarsegrainError):
    """A training was asked to stop and can go on later."""
