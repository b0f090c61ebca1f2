"""The scripts that complete runx and sumx in bash, zsh and fish, and their installation."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

from runx.errors import RunxError
from runx.home import expanded

SHELLS = ("bash", "zsh", "fish")
PROGRAMS = ("runx", "sumx")

# No space follows a key, which needs a value, nor a folder.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        [ "$type" = plain ] || continue
        COMPREPLY+=("$value")
        case $value in *= | */) compopt -o nospace 2>/dev/null ;; esac
    done < <(
        env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" \\
            %(complete_var)s=bash_complete "$1"
    )
}
complete -F %(complete_func)s %(prog_name)s
"""

# zsh loads the file as the body of a function of its name, and runs it at each TAB.
_ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local type value text
    local -a whole begun
    env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \\
        %(complete_var)s=zsh_complete %(prog_name)s |
    while IFS= read -r type && IFS= read -r value && IFS= read -r text; do
        [[ $type == plain ]] || continue
        [[ $text == _ ]] && text=
        case $value in
            *= | */) begun+=("${value//:/\\\\:}:$text") ;;
            *) whole+=("${value//:/\\\\:}:$text") ;;
        esac
    done
    _describe -V '' whole -U -- begun -U -S ''
}
if [[ $funcstack[1] == _%(prog_name)s ]]; then
    %(complete_func)s
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


class Bash(BashComplete):
    """Completion in bash, with a space only after whole arguments."""

    source_template = _BASH
    _head = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words typed before, and the one to complete; bash has parted them at ``=``."""
        args, incomplete = super().get_completion_args()
        words: list[str] = []
        for word in (*args, incomplete):
            if words and (word == "=" or words[-1].endswith("\0")):
                words[-1] = words[-1].removesuffix("\0") + word + "\0" * (word == "=")
            else:
                words.append(word)
        last = words.pop().removesuffix("\0")
        # bash replaces what follows the sign alone.
        self._head = last[: last.rfind("=") + 1] if last != incomplete else ""
        return [word.removesuffix("\0") for word in words], last

    def format_completion(self, item: CompletionItem) -> str:
        """Return a completion as the script reads it."""
        return f"{item.type},{item.value.removeprefix(self._head)}"

    def source(self) -> str:
        """Return the script, without click's check of bash's version."""
        return self.source_template % self.source_vars()


class Zsh(ZshComplete):
    """Completion in zsh, with a space only after whole arguments."""

    source_template = _ZSH


def register() -> None:
    """Register our scripts for bash and zsh with click, which then serves completions."""
    add_completion_class(Bash, "bash")
    add_completion_class(Zsh, "zsh")


def install(shell: str, environment: dict[str, str]) -> tuple[list[Path], str]:
    """Write the scripts where a shell looks for them.

    Returns:
        The files, and a line on what else the shell needs.

    Raises:
        RunxError: A file can't be written.
    """
    register()
    home = Path(environment["HOME"]) if environment.get("HOME") else expanded("~")
    if not home.is_absolute():
        raise RunxError("there is no home folder to install into; set HOME")
    folder, hint = _place(shell, home, environment)
    written = []
    for program in PROGRAMS:
        completion = get_completion_class(shell)
        assert completion is not None
        variable = f"_{program.upper()}_COMPLETE"
        script = completion(click.Command(program), {}, program, variable).source()
        path = folder / {"bash": program, "zsh": f"_{program}", "fish": f"{program}.fish"}[shell]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(script, encoding="utf-8")
        except OSError as error:
            raise RunxError(f"{path}: can't be written: {error.strerror}") from None
        written.append(path)
    return written, hint


def _place(shell: str, home: Path, environment: dict[str, str]) -> tuple[Path, str]:
    """Return the folder of a shell's scripts, and a line on what else the shell needs."""
    if shell == "fish":
        config = environment.get("XDG_CONFIG_HOME") or home / ".config"
        return Path(config) / "fish" / "completions", "new shells complete them"
    if shell == "zsh":
        folder = home / ".zfunc"
        line = f"fpath+={folder}; autoload -Uz compinit; compinit"
        return folder, f"new shells complete them with this line in ~/.zshrc: {line}"
    data = environment.get("XDG_DATA_HOME") or home / ".local" / "share"
    folder = Path(data) / "bash-completion" / "completions"
    line = f"source {folder}/runx; source {folder}/sumx"
    return (
        folder,
        f"new shells complete them; without bash-completion put this in ~/.bashrc: {line}",
    )


def install_option(context: click.Context, _option: click.Parameter, shell: str | None) -> None:
    """Install the scripts of a shell, print where, and exit."""
    if shell is None or context.resilient_parsing:
        return
    written, hint = install(shell, dict(os.environ))
    for path in written:
        click.echo(path)
    click.echo(hint, err=True)
    context.exit()
