"""Passing on: what is kept is told to declared receivers, gated by their purpose, until they have it."""
