"""The command line: `tactful --help`."""


def main() -> None:
    """The entry point."""
    from tactful.cli.commands import tactful

    tactful(prog_name="tactful")
