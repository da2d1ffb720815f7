from typing import Literal

PythonBoolean = Literal["False", "True"]

PYTHON_BOOLEAN_VALUES: set[PythonBoolean] = {
    "False",
    "True",
}


def check_python_boolean(value: str) -> PythonBoolean:
    if value in PYTHON_BOOLEAN_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {PYTHON_BOOLEAN_VALUES!r}")
