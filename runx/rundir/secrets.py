"""What is not kept of a launch: NOTIFY, whose address may hold a token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

SECRET = "NOTIFY"
"""The setting that is left out of what is recorded."""
_FLAG = "--notify"


def without_secrets(text: str) -> str:
    """Return the text of a file of settings with nothing in the place of secrets.

    One that isn't YAML (any more) stays as it is.

    >>> without_secrets("CMD: x\\nNOTIFY: https://ntfy.sh/secret  # mine\\n")
    'CMD: x\\nNOTIFY: null  # mine\\n'
    """
    if SECRET not in text:
        return text
    import yaml

    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return text
    for start, end in sorted(set(_spans(root)), reverse=True):
        value = text[start:end]
        anchor = value.split()[0] + " " if value.startswith("&") else ""
        text = f"{text[:start]}{anchor}null{value[len(value.rstrip()) :]}{text[end:]}"
    return text


def _spans(root: object) -> Iterator[tuple[int, int]]:
    """Yield where the values of secrets begin and end, in mappings of mappings, too."""
    import yaml

    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        for each in node.value:
            key, inner = each if isinstance(each, tuple) else (None, each)
            if isinstance(key, yaml.ScalarNode) and key.value == SECRET:
                span = inner.start_mark.index, inner.end_mark.index
                yield from [span] if span[0] < span[1] else []
            else:
                waiting.append(inner)


def unsaid(argv: Sequence[str]) -> Iterable[str]:
    """Return the words of a command line without those that hold a secret.

    >>> list(unsaid(["runx", "a.yml", "--notify", "https://x", "lr=1", "NOTIFY=mail me"]))
    ['runx', 'a.yml', 'lr=1']
    """
    is_value = False
    for word in argv:
        is_flag = word == _FLAG and not is_value
        says = word.startswith((f"{_FLAG}=", f"{SECRET}=", f"{SECRET}.", f"+{SECRET}"))
        if not (is_flag or is_value or says):
            yield word
        is_value = is_flag
