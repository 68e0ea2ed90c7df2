"""The story, pure: clean → gate → fold → gate → decide → explain. No files, no sockets, no clock, no dice of its own."""
