"""Tactful: personalization that knows you, and knows when to stop."""

__version__ = "0.1.0"
