"""What a value can be refused for."""


class Impossible(ValueError):
    """A value that cannot be what it should be. Its text says what is wrong, then the fix; it never repeats the value itself."""


def shape(value: object) -> str:
    """What kind of JSON a value is, in words, so that reasons need not repeat something personal."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes or no"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"
