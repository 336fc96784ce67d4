"""An answer that is a refusal, as the Hub words them: a status, a message, and often an error code."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse


class Refused(Exception):
    def __init__(self, status: int, message: str, code: str | None = None, **body: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.body = status, message, code, body


def answer(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)
    plain = refused.message.encode("ascii", "replace").decode()
    headers = {"X-Error-Message": plain} | ({"X-Error-Code": refused.code} if refused.code else {})
    return JSONResponse({"error": refused.message, **refused.body}, refused.status, headers)


def not_found(with_token: bool) -> Refused:
    """Missing and forbidden look the same; without a token the Hub says 401 for both."""
    return Refused(404 if with_token else 401, "Repository not found", "RepoNotFound")
