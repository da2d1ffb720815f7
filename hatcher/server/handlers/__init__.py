"""What answers the operations, by the tags of the description: those of artefacts together.

Importing this package registers every handler.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)
