"""The statements that the outputs depend on; all else that was tried is left out.

Names are followed backwards from the outputs (Weiser 1981). A change in place counts for every
name that may be another view of the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .statements import Statement

Values = frozenset[str]


def backwards(
    statements: Sequence[Statement],
    is_output: Callable[[Statement], bool],
    is_input: Callable[[Statement], bool],
    fixed: Values,
) -> tuple[list[Statement], Values]:
    """Return what is needed, in order, and the names that must be there before.

    What an input statement needs is not followed: it becomes the run's input. `fixed` are names of
    modules, functions and images, which no call changes.
    """
    alike = _views(statements, fixed)
    live: set[str] = set()
    kept: list[Statement] = []
    for statement in reversed(statements):
        changes = {other for name in statement.changes - fixed for other in alike.get(name, {name})}
        touched = statement.binds | changes
        if not is_output(statement) and not touched & live:
            continue
        kept.append(statement)
        if statement.certain:
            live -= statement.binds - statement.changes
        if not is_input(statement):
            live |= statement.needs
    return kept[::-1], frozenset(live)


def _views(statements: Sequence[Statement], fixed: Values) -> dict[str, set[str]]:
    """Return for each name those that may share its values: what one was made from, and on."""
    alike: dict[str, set[str]] = {}
    for statement in statements:
        if not statement.certain:
            continue
        for name in statement.binds - fixed:
            group = {name}
            for source in statement.needs - fixed:
                group |= alike.get(source, {source})
            for member in group:
                alike.setdefault(member, {member}).update(group)
    return alike
