"""One file per way of filling the slots. The file's name is the plug-in's name."""
