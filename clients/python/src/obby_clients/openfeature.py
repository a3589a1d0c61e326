"""The flags as an OpenFeature provider (extra `openfeature`).

    from openfeature import api
    from obby_clients.openfeature import ObbyProvider

    api.set_provider(ObbyProvider(), domain="obby")
    api.get_client("obby").get_boolean_value("go.file_watcher", False, context)

Each flag is true where Go is to answer; the context's targeting key is the subject.
What the flags say holds, not the caller's default: an invalid value is Python's, so
no error code is returned with it. `own_reason` in the flag's metadata has the
reason in our words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider import AbstractProvider, Metadata

from .flags import Backend, Flags, Service, canonical

__all__ = ["ObbyProvider"]

_FLAGS = {service.flag: service for service in Service}
_PATHS = (Service.FILE_WATCHER, Service.CONTENT_TRACKER)


class ObbyProvider(AbstractProvider):
    """Resolves `go.file_watcher`, `go.content_tracker`, `go.query_service`, `go.sse_hub`."""

    def __init__(self, flags: Flags | None = None) -> None:
        """Resolve `flags`, by default those of the environment."""
        super().__init__()
        self._flags = flags or Flags()

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata(name="obby")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Decide; raise FlagNotFoundError for a flag that is none of the four."""
        service = _FLAGS.get(flag_key)
        if service is None:
            raise FlagNotFoundError(f"{flag_key!r} is none of {', '.join(_FLAGS)}")
        subject: Any = evaluation_context.targeting_key if evaluation_context else None
        if subject and service in _PATHS:
            subject = canonical(subject)
        decision = self._flags.decide(service, subject)
        return FlagResolutionDetails(
            value=decision.backend is Backend.GO,
            reason=decision.reason.openfeature,
            variant=decision.backend.value,
            flag_metadata={"own_reason": str(decision)},
        )

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Raise TypeMismatchError."""
        raise _mismatch(flag_key)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Raise TypeMismatchError."""
        raise _mismatch(flag_key)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Raise TypeMismatchError."""
        raise _mismatch(flag_key)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[Any] | Mapping[str, Any],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[Any] | Mapping[str, Any]]:
        """Raise TypeMismatchError."""
        raise _mismatch(flag_key)


def _mismatch(flag_key: str) -> TypeMismatchError:
    return TypeMismatchError(f"{flag_key} is a boolean")
