"""The errors whose message is a sentence for the user, shown without a traceback."""


class CoarsegrainError(Exception):
    """What is wrong, where, and what to do about it, in a sentence."""


class StorageError(CoarsegrainError):
    """A file is missing, damaged, or not what its reader expects."""


class ConfigError(CoarsegrainError):
    """The config asks for something that is not there or makes no sense; a line per problem."""


class DeviceError(CoarsegrainError):
    """The device that was asked for is not there, or too small."""
