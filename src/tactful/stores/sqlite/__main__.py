"""`python -m tactful.stores.sqlite FOLDER`: be the writer of this folder until told to stop."""

import sys

from tactful.domain.errors import TactfulError
from tactful.stores.sqlite.server import serve_writer

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say which data folder: python -m tactful.stores.sqlite FOLDER")
    try:
        serve_writer(sys.argv[1])
    except TactfulError as error:
        sys.exit(str(error))
