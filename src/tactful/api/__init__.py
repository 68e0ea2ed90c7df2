"""The HTTP interface: events in, decisions out, rights."""
