"""The build hook: whatever is built carries a client that equals the description.

Every build, of a wheel, an sdist or an editable install, compares the stamp of
``generated/brood_api`` with its sources. When they agree nothing happens and nothing is needed;
when they do not, the generator is asked for as a build dependency and the client is renewed in
place. How it is generated stands in ``scripts/generate.py``.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GenerateClientHook(BuildHookInterface):
    """Renew ``generated/brood_api`` before a build when it is out of date."""

    def dependencies(self) -> list[str]:
        generate = load_generate(self.root)
        return generate.pins(Path(self.root)) if generate.is_stale(Path(self.root)) else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        generate = load_generate(self.root)
        if not generate.is_stale(Path(self.root)):
            return
        try:
            self.app.display_info(generate.renew(Path(self.root)))
        except generate.GenerationError as error:
            sys.exit(f"{error}")


def load_generate(root: str) -> ModuleType:
    """Load ``scripts/generate.py``, which is a script and no part of any package."""
    path = Path(root, "scripts", "generate.py")
    spec = importlib.util.spec_from_file_location("generate", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
