"""What a house does, as aggregates that merge: of(a) + of(b) == of(a + b)."""
