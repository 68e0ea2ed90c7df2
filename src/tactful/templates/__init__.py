"""What `tactful init` writes."""
