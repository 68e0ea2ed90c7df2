"""Pages for people: the demo bookshop."""
