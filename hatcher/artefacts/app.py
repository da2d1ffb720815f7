"""Apps: YAML files that say what one is, and for which platform."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from attrs import frozen

from hatcher.artefacts.paths import existing_file
from hatcher.artefacts.texts import read_text
from hatcher.errors import InvalidApp, MissingPlatformError


@frozen
class AppFile:
    """What an app says of itself.

    Attributes
    ----------
    path : pathlib.Path
    platform : str
        Such as ``rh8-x86_64``, as it is written.
    document : dict
        All that is in the file.
    texts : dict of str to str
        Its simple values as they are written: the version ``1.10`` is not the
        number 1.1.
    """

    path: Path
    platform: str
    document: dict[str, Any]
    texts: dict[str, str]

    @property
    def address(self) -> tuple[str, str, str] | None:
        """The python tag, id and full version that a server knows it by, if it has them."""
        app_id, said = self.texts.get("id"), self.texts.get("version")
        if not app_id or not said:
            return None
        version, _, build = said.partition("-")
        tag = self.texts.get("python_tag") or "none"
        return tag, app_id, f"{version}-{self.texts.get('build') or build or '1'}"


def read_app(path: str | os.PathLike[str]) -> AppFile:
    """Read an app.

    Parameters
    ----------
    path : str or path-like
        A YAML file, whatever its name.

    Returns
    -------
    AppFile

    Raises
    ------
    InvalidApp
        The file is missing, unreadable, or no YAML mapping.
    MissingPlatformError
        It does not say for which platform it is.
    """
    # Imported here because it takes 30 ms.
    import yaml

    file = existing_file(path, InvalidApp, "", "an app")
    text = read_text(file, InvalidApp)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            # They let a small text stand for an enormous one.
            raise InvalidApp(f"'{file}' has YAML aliases (*name). Write out what they stand for.")
        written = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it only makes strings
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidApp(f"'{file}' is no YAML: {error}.") from error
    if not isinstance(written, dict):
        raise InvalidApp(f"'{file}' is no app: its YAML is no mapping of keys to values.")
    texts = {key: value for key, value in written.items() if isinstance(value, str)}
    if document.get("platform") is None or not texts.get("platform"):
        raise MissingPlatformError(
            f"'{file}' does not say for which platform it is. Add a line such as "
            "'platform: rh8-x86_64'."
        )
    # Dates and the like become what JSON can hold.
    plain = json.loads(json.dumps(document, default=str))
    return AppFile(file, texts["platform"], plain, texts)
