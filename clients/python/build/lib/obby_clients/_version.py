"""The version of this package, in a module that imports nothing: the build reads it."""

__all__ = ["__version__"]

__version__ = "0.1.0"
