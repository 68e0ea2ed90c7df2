"""Places to keep things, one file or folder each."""
