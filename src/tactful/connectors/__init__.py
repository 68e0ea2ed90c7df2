"""One file per format or protocol that brings data in or takes it out."""
