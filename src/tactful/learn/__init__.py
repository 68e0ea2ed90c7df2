"""From what people did to a model: interactions, neighbours, training, judging."""
