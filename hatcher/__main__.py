"""``python -m hatcher`` is ``hatcher``."""

from hatcher.cli import main

if __name__ == "__main__":
    main()
