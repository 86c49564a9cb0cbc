"""An OpenAPI document as a page shows it."""

from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One value that is taken or given."""

    name: str
    kind: str
    needed: bool
    #: "path", "query", "header", "body" or "form".
    place: str
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing one can do."""

    id: str
    method: str
    path: str
    summary: str
    about: str
    open: bool
    takes: tuple[Field, ...]
    #: (status, shape, its fields).
    gives: tuple[tuple[str, str, tuple[Field, ...]], ...]


def operations(document: Schema) -> dict[str, list[Operation]]:
    """Every operation, by its first tag, in the order of the document."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, words in methods.items():
            found = operation(document, method, path, words)
            groups.setdefault((words.get("tags") or ["more"])[0], []).append(found)
    return groups


def operation(document: Schema, method: str, path: str, words: Schema) -> Operation:
    """One operation."""
    parameters = tuple(parameter(document, each) for each in words.get("parameters", []))
    shown = path.removeprefix("/api/v1")
    return Operation(
        id=f"{method}{shown}".translate(str.maketrans("/{}", "---")).strip("-"),
        method=method.upper(),
        path=shown,
        summary=words.get("summary", ""),
        about=words.get("description", ""),
        open=not words.get("security") or method == "get" and shown != "/me",
        takes=parameters + body(document, words.get("requestBody", {})),
        gives=tuple(
            answer(document, str(status), said)
            for status, said in words["responses"].items()
            if str(status).startswith("2")
        ),
    )


def parameter(document: Schema, words: Schema) -> Field:
    """A part of the address, of the query, or a header."""
    schema = words.get("schema", {})
    about = words.get("description") or schema.get("description", "")
    return Field(
        words["name"], kind(document, schema), words.get("required", False), words["in"], about
    )


def body(document: Schema, words: Schema) -> tuple[Field, ...]:
    """What the body holds, as JSON or as a form."""
    for media, said in words.get("content", {}).items():
        place = "body" if media == "application/json" else "form"
        return fields(document, said["schema"], place)
    return ()


def answer(document: Schema, status: str, words: Schema) -> tuple[str, str, tuple[Field, ...]]:
    """What comes back."""
    for said in words.get("content", {}).values():
        schema = said.get("schema", {})
        inner = schema.get("items", schema)
        return status, kind(document, schema), fields(document, inner, "body")
    return status, "", ()


def fields(document: Schema, schema: Schema, place: str) -> tuple[Field, ...]:
    """The properties of a shape."""
    shape = followed(document, schema)
    needed = set(shape.get("required", ()))
    return tuple(
        Field(name, kind(document, each), name in needed, place, each.get("description", ""))
        for name, each in shape.get("properties", {}).items()
    )


def followed(document: Schema, schema: Schema) -> Schema:
    """The shape a reference points to."""
    for each in schema.get("allOf", ()):
        return followed(document, each)
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def kind(document: Schema, schema: Schema) -> str:
    """The type of a value in few words, such as "integer, 1 to 40"."""
    if "$ref" in schema or "allOf" in schema:
        return str(followed(document, schema).get("title", "object"))
    if "anyOf" in schema:
        return " or ".join(kind(document, each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {kind(document, schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "any")) + bounds(schema)


def bounds(schema: Schema) -> str:
    """Limits of a number or a text, where a person would want to know them."""
    low, high = schema.get("minimum"), schema.get("maximum", schema.get("exclusiveMaximum"))
    if high is not None and high < 2**53:
        return f", {low} to {high}" if low is not None else f", at most {high}"
    longest = schema.get("maxLength")
    return f", at most {longest} characters" if longest else ""
