"""A bookshop of public-domain books and simulated readers, for `make demo` and the tests."""
